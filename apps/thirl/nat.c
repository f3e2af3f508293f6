/* SPDX-License-Identifier: MIT */
/* thirl nat: what NAT am I behind? Names to addresses, the machine of natcheck on the carrier of io, the router beside it, a report on stdout. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "command.h"
#include "io/clock.h"
#include "io/net.h"
#include "io/resolve.h"
#include "io/secrets.h"
#include "io/socket.h"
#include "nat_print.h"
#include "nat_router.h"
#include "natcheck/natcheck.h"

enum { PROGRESS_MS = 200, BAR_WIDTH = 30 };

typedef struct nat_run {
  const arguments *args;
  uv_loop_t loop;
  thirl_natcheck_config config;
  thirl_natcheck *check;
  thirl_io_net *net;
  uv_signal_t interrupt, terminate;
  uv_timer_t progress;
  uv_work_t router_work, trace_work;
  thirl_natcheck_gateway gateway;
  thirl_natcheck_hops hops;
  thirl_addr traced;
  unsigned resolving, working;
  thirl_error error;
  const char *unresolved; /* a name that could not be resolved */
  int signal_number;
  bool is_known; /* ... but has addresses of the other family */
  bool is_over, line_is_drawn;
} nat_run;

/* ---- names ---- */

static void on_resolved(void *ctx, thirl_error e, const thirl_addr *addrs, size_t n) {
  nat_run *r = ctx;
  uint8_t family = r->args->ipv6 ? THIRL_FAMILY_V6 : THIRL_FAMILY_V4;
  r->resolving--;
  for (size_t i = 0; e == THIRL_OK && i < n; i++) {
    if (addrs[i].family != family) continue;
    for (unsigned k = 0; k < r->config.n_servers; k++)
      if (thirl_addr_equal(&r->config.servers[k], &addrs[i])) return;
    r->config.servers[r->config.n_servers++] = addrs[i];
    return;
  }
  r->is_known = e == THIRL_OK && n > 0;
  r->error = e != THIRL_OK ? e : THIRL_E_NOT_FOUND;
}

static thirl_error resolve(nat_run *r, const char *name) {
  thirl_io_resolve *unused;
  r->resolving++;
  thirl_error e = thirl_io_resolve_start(&r->loop, name, 3478, on_resolved, r, &unused);
  if (e == THIRL_OK) uv_run(&r->loop, UV_RUN_DEFAULT);
  if (e == THIRL_OK) e = r->error;
  if (e != THIRL_OK) r->unresolved = name;
  return e;
}

static thirl_error resolve_all(nat_run *r) {
  const arguments *a = r->args;
  const char *fallback = a->server ? a->server : getenv("THIRL_SERVER");
  thirl_error e = THIRL_OK;
  for (unsigned i = 0; i < a->n_words && e == THIRL_OK; i++)
    e = resolve(r, a->words[i]);
  if (a->n_words == 0 && fallback && *fallback) e = resolve(r, fallback);
  return e == THIRL_OK && r->config.n_servers == 0 ? THIRL_E_INVALID : e;
}

/* ---- progress ---- */

static void erase_line(nat_run *r) {
  if (r->line_is_drawn) fputs("\r\033[K", stderr);
  r->line_is_drawn = false;
}

static void draw_progress(uv_timer_t *t) {
  nat_run *r = t->data;
  thirl_natcheck_progress p = thirl_natcheck_get_progress(r->check, thirl_io_clock_now());
  erase_line(r);
  fprintf(stderr, "%s", p.doing);
  if (p.at_most) {
    char bar[BAR_WIDTH + 1];
    int filled = (int)(p.spent * BAR_WIDTH / p.at_most);
    for (int i = 0; i < BAR_WIDTH; i++)
      bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, " [%s] %u of at most %u s", bar, (unsigned)(p.spent / THIRL_S), (unsigned)(p.at_most / THIRL_S));
  }
  fflush(stderr);
  r->line_is_drawn = true;
}

/* ---- the end ---- */

static void close_handle(uv_handle_t *h) {
  if (!uv_is_closing(h)) uv_close(h, NULL);
}

static void end_if_done(nat_run *r) {
  if (!r->is_over || r->working) return;
  close_handle((uv_handle_t *)&r->interrupt);
  close_handle((uv_handle_t *)&r->terminate);
  close_handle((uv_handle_t *)&r->progress);
}

static void trace(uv_work_t *w) {
  nat_run *r = w->data;
  nat_router_trace(&r->traced, &r->hops);
}

static void on_traced(uv_work_t *w, int status) {
  nat_run *r = w->data;
  (void)status;
  r->working--;
  end_if_done(r);
}

/* The way is looked at last: it takes ports from the NAT, whose sequence must not be disturbed before. */
static void begin_trace(nat_run *r) {
  const thirl_natcheck_report *report = thirl_natcheck_get_report(r->check);
  r->hops.why = THIRL_NATCHECK_WHY_NOT_ASKED;
  if (r->signal_number || report->udp.reachable == THIRL_NATCHECK_UNKNOWN ||
      report->udp.mapping == THIRL_NATCHECK_NO_MAPPING)
    return;
  r->traced = report->servers[0].addr;
  r->trace_work.data = r;
  if (uv_queue_work(&r->loop, &r->trace_work, trace, on_traced) == 0) r->working++;
}

static void after_turn(void *ctx) {
  nat_run *r = ctx;
  if (r->is_over || !thirl_natcheck_is_over(r->check)) return;
  r->is_over = true;
  begin_trace(r);
  thirl_io_net_close(r->net, NULL, NULL);
  end_if_done(r);
}

static void on_signal(uv_signal_t *h, int number) {
  nat_run *r = h->data;
  if (r->signal_number) { /* the second time it is meant */
    signal(number, SIG_DFL);
    raise(number);
  }
  r->signal_number = number;
  if (r->is_over) return;
  thirl_natcheck_stop(r->check);
  thirl_io_net_kick(r->net);
  after_turn(r);
}

/* ---- the run ---- */

static void ask_router(uv_work_t *w) {
  nat_run *r = w->data;
  nat_router_ask(&r->gateway);
}

static void on_router(uv_work_t *w, int status) {
  nat_run *r = w->data;
  (void)status;
  r->working--;
  end_if_done(r);
}

static void begin_router(nat_run *r) {
  if (!r->args->ipv6) r->gateway.router = nat_router_find();
  r->config.gateway = r->gateway.router;
  r->gateway.pcp_why = r->gateway.natpmp_why = r->gateway.upnp_why = THIRL_NATCHECK_WHY_NOT_ASKED;
  if (!thirl_addr_is_set(&r->gateway.router)) return;
  r->router_work.data = r;
  if (uv_queue_work(&r->loop, &r->router_work, ask_router, on_router) == 0) r->working++;
}

static void begin_handles(nat_run *r) {
  r->interrupt.data = r->terminate.data = r->progress.data = r;
  uv_signal_init(&r->loop, &r->interrupt);
  uv_signal_init(&r->loop, &r->terminate);
  uv_timer_init(&r->loop, &r->progress);
  uv_signal_start(&r->interrupt, on_signal, SIGINT);
  uv_signal_start(&r->terminate, on_signal, SIGTERM);
  if (isatty(STDERR_FILENO) && !r->args->quiet) uv_timer_start(&r->progress, draw_progress, PROGRESS_MS, PROGRESS_MS);
}

/* The address that packets to the first server leave from, by the kernel's routes. */
static thirl_addr local_address(const thirl_addr *server) {
  thirl_io_sockaddr sa;
  thirl_addr local = {0};
  socklen_t len = thirl_io_socket_to_sys(server, &sa);
  int fd = socket(sa.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return local;
  if (connect(fd, &sa.any, len) == 0) local = thirl_addr_with_port(thirl_io_socket_local(fd), 0);
  close(fd);
  return local;
}

static thirl_error run(nat_run *r) {
  const arguments *a = r->args;
  r->config.local = local_address(&r->config.servers[0]);
  begin_router(r);
  r->config.udp = a->udp || !a->tcp;
  r->config.tcp = a->tcp || !a->udp;
  r->config.hairpin = a->hairpin;
  r->config.lifetime = a->lifetime_s * THIRL_S;
  r->config.port = (uint16_t)a->port;
  r->config.secrets = thirl_io_secrets();
  thirl_error e = thirl_natcheck_new(&r->config, &r->check);
  if (e == THIRL_OK) {
    thirl_net_machine machine = thirl_natcheck_machine(r->check);
    thirl_io_net_config config = {.after = after_turn, .ctx = r};
    e = thirl_io_net_new(&r->loop, &machine, &config, &r->net);
  }
  if (e == THIRL_OK) {
    begin_handles(r);
    thirl_io_net_kick(r->net);
  }
  uv_run(&r->loop, UV_RUN_DEFAULT);
  erase_line(r);
  return e;
}

/* What the router has said of itself, beside what the machine has heard of it. */
static void join(thirl_natcheck_gateway *to, const thirl_natcheck_gateway *from) {
  to->router = from->router;
  if (to->natpmp != THIRL_NATCHECK_YES) {
    to->natpmp = from->natpmp;
    to->natpmp_why = from->natpmp_why;
  }
  to->natpmp_outer = from->natpmp_outer;
  to->upnp = from->upnp;
  to->upnp_why = from->upnp_why;
  to->upnp_outer = from->upnp_outer;
}

static int print(nat_run *r) {
  thirl_natcheck_report *report = thirl_natcheck_get_report(r->check);
  bool reached = report->udp.reachable == THIRL_NATCHECK_YES || report->tcp.reachable == THIRL_NATCHECK_YES;
  join(&report->gateway, &r->gateway);
  report->hops = r->hops;
  if (!r->args->json)
    nat_print_text(stdout, report);
  else if (!nat_print_json(stdout, report))
    return EXIT_GENERIC;
  if (fflush(stdout) != 0) return EXIT_GENERIC;
  if (r->signal_number) return EXIT_SIGNAL + r->signal_number;
  if (!reached && (report->udp.why == THIRL_NATCHECK_WHY_LOCAL || report->tcp.why == THIRL_NATCHECK_WHY_LOCAL))
    return EXIT_GENERIC;
  return reached ? EXIT_OK : EXIT_NO_SERVER;
}

static int complain(const nat_run *r, thirl_error e) {
  if (r->unresolved && e == THIRL_E_SYNTAX)
    fprintf(stderr, "thirl: not a host and port: %s\n", r->unresolved);
  else if (r->unresolved && r->is_known)
    fprintf(stderr, "thirl: %s has no %s address: %s\n", r->unresolved, r->args->ipv6 ? "IPv6" : "IPv4",
            r->args->ipv6 ? "leave --ipv6 out" : "try --ipv6");
  else if (r->unresolved && e == THIRL_E_NOT_FOUND)
    fprintf(stderr, "thirl: there is no host named %s\n", r->unresolved);
  else if (r->unresolved)
    fprintf(stderr, "thirl: %s cannot be looked up: %s\n", r->unresolved, thirl_error_text(e));
  else if (e == THIRL_E_INVALID)
    fprintf(stderr, "thirl: no server: name one, with --server, in THIRL_SERVER, or as an argument\n");
  else
    fprintf(stderr, "thirl: %s\n", thirl_error_text(e));
  if (e == THIRL_E_INVALID || e == THIRL_E_SYNTAX) return EXIT_USAGE;
  return r->unresolved ? EXIT_NO_SERVER : EXIT_GENERIC;
}

int command_nat(const arguments *a) {
  nat_run *r = calloc(1, sizeof *r);
  if (!r) return EXIT_GENERIC;
  r->args = a;
  if (uv_loop_init(&r->loop) != 0) {
    free(r);
    return EXIT_GENERIC;
  }
  thirl_error e = resolve_all(r);
  if (e == THIRL_OK) e = run(r);
  int code = e == THIRL_OK ? print(r) : complain(r, e);
  thirl_natcheck_free(r->check);
  uv_loop_close(&r->loop);
  free(r);
  return code;
}
