/* SPDX-License-Identifier: MIT */
#include "daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "config_file.h"
#include "io/net.h"
#include "io/clock.h"
#include "io/secrets.h"
#include "io/socket.h"

enum { SIGNALS = 4, CHECK_MS = 200, OTHER_FILES = 32 };

typedef struct process {
  const daemon_options *options;
  uv_loop_t loop;
  uv_signal_t signals[SIGNALS];
  uv_timer_t check; /* while draining */
  thirl_secrets secrets;
  thirl_log log;
  thirl_server *server;
  thirl_io_net *net;
  bool is_ready, is_ending;
  int exit_code;
} process;

void daemon_print(void *ctx, thirl_log_level level, const char *text) {
  static const char *const names[] = {"error", "warn", "info", "debug"};
  char when[32] = "";
  struct tm tm;
  time_t now = time(NULL);
  (void)ctx;
  if (gmtime_r(&now, &tm)) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
  fprintf(stderr, "%s %s %s\n", when, names[level], text);
}

/* ---- the end ---- */

static void end(process *p, int exit_code) {
  if (p->is_ending) return;
  p->is_ending = true;
  p->exit_code = exit_code;
  for (int i = 0; i < SIGNALS; i++)
    uv_close((uv_handle_t *)&p->signals[i], NULL);
  uv_close((uv_handle_t *)&p->check, NULL);
  thirl_io_net_close(p->net, NULL, NULL);
}

static void end_if_drained(process *p) {
  if (!p->is_ending && thirl_server_is_drained(p->server, thirl_io_clock_now())) {
    thirl_log_print(&p->log, THIRL_LOG_INFO, "drained");
    end(p, EXIT_DONE);
  }
}

static void on_check(uv_timer_t *t) {
  end_if_drained(t->data);
}

static void begin_drain(process *p) {
  thirl_time now = thirl_io_clock_now();
  const thirl_server_stats *st = thirl_server_stats_of(p->server);
  thirl_log_print(&p->log, THIRL_LOG_INFO, "draining: %llu peers, %llu sessions, at most %u s",
                  (unsigned long long)st->registrations, (unsigned long long)st->channels, p->options->config.drain_s);
  thirl_server_drain(p->server, now, now + p->options->config.drain_s * THIRL_S);
  thirl_io_net_kick(p->net); /* everybody is told before the check can end it */
  if (!p->is_ending) uv_timer_start(&p->check, on_check, 0, CHECK_MS);
}

/* ---- signals ---- */

static void reload(process *p) {
  config fresh;
  char complaint[CONFIG_COMPLAINT_MAX];
  if (!p->options->path) {
    thirl_log_print(&p->log, THIRL_LOG_INFO, "nothing to reload: no configuration file");
    return;
  }
  config_init(&fresh);
  bool by_default;
  if (config_load(&fresh, p->options->path, complaint) != THIRL_OK ||
      config_complete(&fresh, &by_default, complaint) != THIRL_OK) {
    thirl_log_print(&p->log, THIRL_LOG_ERROR, "not reloaded: %s:%s", p->options->path, complaint);
    return;
  }
  p->log.max = fresh.log_level;
  thirl_server_set_limits(p->server, &fresh.limits);
  thirl_io_net_kick(p->net);
  thirl_log_print(&p->log, THIRL_LOG_INFO, "reloaded %s (listeners stay as they are until a restart)",
                  p->options->path);
}

static void say_counts(const process *p) {
  const thirl_server_stats *st = thirl_server_stats_of(p->server);
  const struct {
    const char *name;
    uint64_t n;
  } counts[] = {
      {"connections", st->connections}, {"registrations", st->registrations},
      {"channels", st->channels},       {"buffered", st->relay_buffered},
      {"accepted", st->accepted},       {"registered", st->registered},
      {"refreshed", st->refreshed},     {"connects", st->connects},
      {"introduced", st->introduced},   {"not-found", st->not_found},
      {"refused", st->refused},         {"replayed", st->replayed},
      {"bad-mac", st->bad_signature},   {"stale", st->stale_nonce},
      {"malformed", st->malformed},     {"limited", st->limited},
      {"bindings", st->bindings},       {"probes", st->probes},
      {"relayed", st->relayed_bytes},   {"sessions", st->sessions},
  };
  char line[480] = "";
  size_t n = 0;
  for (size_t i = 0; i < sizeof counts / sizeof counts[0] && n < sizeof line; i++)
    n += (size_t)snprintf(line + n, sizeof line - n, " %s=%llu", counts[i].name, (unsigned long long)counts[i].n);
  thirl_log_print(&p->log, THIRL_LOG_INFO, "counts:%s", line);
}

static void on_signal(uv_signal_t *s, int number) {
  process *p = s->data;
  if (number == SIGHUP)
    reload(p);
  else if (number == SIGUSR1)
    say_counts(p);
  else if (uv_is_active((uv_handle_t *)&p->check))
    end(p, EXIT_DONE);
  else
    begin_drain(p);
}

static void watch_signals(process *p) {
  static const int numbers[SIGNALS] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1};
  for (int i = 0; i < SIGNALS; i++) {
    uv_signal_init(&p->loop, &p->signals[i]);
    p->signals[i].data = p;
    uv_signal_start(&p->signals[i], on_signal, numbers[i]);
  }
  uv_timer_init(&p->loop, &p->check);
  p->check.data = p;
}

/* ---- the beginning ---- */

/* Our sockets share their ports (SO_REUSEPORT), so a second server would start and take half of the connections: look first. */
static bool is_taken(const thirl_addr *a) {
  thirl_io_sockaddr sys;
  socklen_t n = thirl_io_socket_to_sys(a, &sys);
  int fd = socket(sys.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  if (fd < 0) return false;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (a->family == THIRL_FAMILY_V6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  bool taken = a->port && bind(fd, &sys.any, n) != 0 && errno == EADDRINUSE;
  close(fd);
  return taken;
}

/* Every connection is a file: take as many as we may have, and say so when that is less than the limit promises. */
static void raise_file_limit(const process *p) {
  struct rlimit l;
  const thirl_server_limits *most = &p->options->config.limits;
  rlim_t wanted = (rlim_t)most->max_connections + most->max_probes + OTHER_FILES;
  if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= wanted) return;
  rlim_t before = l.rlim_cur;
  l.rlim_cur = l.rlim_max == RLIM_INFINITY || l.rlim_max > wanted ? wanted : l.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &l) != 0) l.rlim_cur = before;
  if (l.rlim_cur < wanted)
    thirl_log_print(&p->log, THIRL_LOG_WARN,
                    "only %llu files may be open, max-connections and max-probes want %llu: raise ulimit -n",
                    (unsigned long long)l.rlim_cur, (unsigned long long)wanted);
}

static bool may_be_missing(const process *p, size_t i) {
  return p->options->listeners_by_default && i > 0; /* the others are IPv6, and the second port */
}

/* Nice to have, and left to whom has it already. */
static bool is_second_port(const process *p, size_t i) {
  return p->options->listeners_by_default && p->options->config.listen_tcp[i].port == CONFIG_ALTERNATE_PORT;
}

/* False while a listener is still to come. Ends the process when one cannot be had. */
static bool listeners_are_ready(process *p) {
  for (int udp = 0; udp < 2; udp++)
    for (size_t i = 0; i < THIRL_SERVER_LISTENERS; i++) {
      thirl_addr at;
      thirl_error e = thirl_server_listener(p->server, udp, i, &at);
      if (e == THIRL_E_AGAIN) return false;
      if (e == THIRL_OK || e == THIRL_E_NOT_FOUND || may_be_missing(p, i)) continue;
      end(p, EXIT_NO_LISTENER); /* the reason is in the log */
      return false;
    }
  return true;
}

static void say_where(const process *p) {
  for (int udp = 0; udp < 2; udp++)
    for (size_t i = 0; i < THIRL_SERVER_LISTENERS; i++) {
      thirl_addr at;
      char text[THIRL_ADDR_TEXT_MAX];
      if (thirl_server_listener(p->server, udp, i, &at) == THIRL_OK)
        thirl_log_print(&p->log, THIRL_LOG_INFO, "listening on %s %s", udp ? "UDP" : "TCP",
                        thirl_addr_format(&at, text));
    }
}

/* What clients can find out here about their NAT. */
static void say_pairs(const process *p) {
  for (size_t family = 0; family < THIRL_SERVER_PAIRS; family++) {
    thirl_server_pair pair, other;
    char a[THIRL_ADDR_TEXT_MAX], b[THIRL_ADDR_TEXT_MAX];
    bool udp = thirl_server_announces(p->server, true, family, &pair);
    bool tcp = thirl_server_announces(p->server, false, family, udp ? &other : &pair);
    if (udp || tcp)
      thirl_log_print(&p->log, THIRL_LOG_INFO, "NAT discovery with %s and %s over %s",
                      thirl_addr_format(&pair.primary, a), thirl_addr_format(&pair.alternate, b),
                      udp && tcp ? "UDP and TCP" : (udp ? "UDP" : "TCP"));
  }
}

static void after_turn(void *ctx) {
  process *p = ctx;
  if (p->is_ending) return;
  if (!p->is_ready && listeners_are_ready(p)) {
    p->is_ready = true;
    say_where(p);
    say_pairs(p);
  }
  end_if_drained(p);
}

static thirl_error start(process *p) {
  const config *c = &p->options->config;
  char text[THIRL_ADDR_TEXT_MAX];
  thirl_server_config cfg = {.limits = c->limits, .secrets = &p->secrets, .log = &p->log};
  for (size_t i = 0; i < THIRL_SERVER_LISTENERS; i++) {
    if (is_second_port(p, i) && is_taken(&c->listen_tcp[i]))
      thirl_log_print(&p->log, THIRL_LOG_WARN, "cannot listen on TCP %s: %s",
                      thirl_addr_format(&c->listen_tcp[i], text), thirl_error_text(THIRL_E_IN_USE));
    else
      cfg.listen_tcp[i] = c->listen_tcp[i];
    cfg.listen_udp[i] = c->listen_udp[i];
  }
  for (size_t i = 0; i < THIRL_SERVER_PAIRS; i++)
    cfg.pairs[i] = config_pair(c, i);
  for (size_t i = 0; i < c->n_aliases; i++)
    cfg.aliases[i] = c->aliases[i];
  thirl_error e = thirl_server_new(&cfg, thirl_io_clock_now(), &p->server);
  if (e != THIRL_OK) return e;
  thirl_net_machine machine = thirl_server_machine(p->server);
  thirl_io_net_config net = {.after = after_turn, .ctx = p, .backlog = 4096};
  e = thirl_io_net_new(&p->loop, &machine, &net, &p->net);
  if (e == THIRL_OK) return THIRL_OK;
  thirl_server_free(p->server);
  return e;
}

int daemon_run(const daemon_options *options) {
  process p = {.options = options, .secrets = thirl_io_secrets()};
  char text[THIRL_ADDR_TEXT_MAX];
  p.log = (thirl_log){.line = daemon_print, .max = options->config.log_level};
  for (size_t i = 0; i < options->config.n_tcp; i++)
    if (!is_second_port(&p, i) && is_taken(&options->config.listen_tcp[i])) {
      thirl_log_print(&p.log, THIRL_LOG_ERROR, "%s is in use: is another thirld running?",
                      thirl_addr_format(&options->config.listen_tcp[i], text));
      return EXIT_NO_LISTENER;
    }
  raise_file_limit(&p);
  signal(SIGPIPE, SIG_IGN);
  if (uv_loop_init(&p.loop) != 0) return EXIT_OTHER;
  thirl_error e = start(&p);
  if (e != THIRL_OK) {
    thirl_log_print(&p.log, THIRL_LOG_ERROR, "cannot start: %s", thirl_error_text(e));
    uv_loop_close(&p.loop);
    return EXIT_OTHER;
  }
  watch_signals(&p);
  thirl_io_net_kick(p.net);
  uv_run(&p.loop, UV_RUN_DEFAULT);
  thirl_server_free(p.server);
  uv_loop_close(&p.loop);
  return p.exit_code;
}
