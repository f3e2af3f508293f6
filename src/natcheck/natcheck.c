/* SPDX-License-Identifier: MIT */
/* The order of things: UDP, then TCP (their mappings may come from one sequence, which both at once would stir up), PCP beside them. */
#include "natcheck/natcheck.h"

#include <stdlib.h>

#include "natcheck/pcp.h"
#include "natcheck/tcp.h"
#include "natcheck/udp.h"

enum { FIRST_ID_UDP = 1, ID_PCP = 0x10000, FIRST_ID_TCP = 0x20000 };

struct thirl_natcheck {
  thirl_natcheck_config config;
  thirl_natcheck_report report;
  thirl_natcheck_udp udp;
  thirl_natcheck_tcp tcp;
  thirl_natcheck_pcp pcp;
  bool started;
};

thirl_error thirl_natcheck_new(const thirl_natcheck_config *config, thirl_natcheck **out) {
  *out = NULL;
  if (config->n_servers == 0 || config->n_servers > THIRL_NATCHECK_SERVERS_MAX) return THIRL_E_INVALID;
  if (!config->udp && !config->tcp) return THIRL_E_INVALID;
  for (unsigned i = 0; i < config->n_servers; i++) {
    const thirl_addr *a = &config->servers[i];
    if (!thirl_addr_is_set(a) || a->family != config->servers[0].family || a->port == 0) return THIRL_E_INVALID;
  }
  thirl_addr any = thirl_addr_any((thirl_family)config->servers[0].family, 0),
             local = thirl_addr_is_set(&config->local) ? config->local : any;
  if (local.family != any.family) return THIRL_E_INVALID;
  thirl_natcheck *n = calloc(1, sizeof *n);
  if (!n) return THIRL_E_NOMEM;
  n->config = *config;
  for (unsigned i = 0; i < config->n_servers; i++)
    n->report.servers[n->report.n_servers++].addr = config->servers[i];
  thirl_natcheck_udp_init(&n->udp, &n->report, &config->secrets, &local, FIRST_ID_UDP);
  thirl_natcheck_tcp_init(&n->tcp, &n->report, &config->secrets, &local, FIRST_ID_TCP);
  n->udp.hairpin_wanted = n->tcp.hairpin_wanted = config->hairpin;
  n->udp.lifetime = config->lifetime;
  n->udp.port = n->tcp.port = config->port;
  *out = n;
  return THIRL_OK;
}

void thirl_natcheck_free(thirl_natcheck *n) {
  if (!n) return;
  thirl_natcheck_tcp_fini(&n->tcp);
  free(n);
}

static void not_asked(thirl_natcheck_protocol *p) {
  p->why = p->mapping_why = p->filtering_why = p->allocation.why = THIRL_NATCHECK_WHY_NOT_ASKED;
  p->hairpin_why = p->lifetime_why = THIRL_NATCHECK_WHY_NOT_ASKED;
}

static void start(thirl_natcheck *n, thirl_time now) {
  n->started = true;
  thirl_natcheck_pcp_start(&n->pcp, now, &n->config.gateway, &n->config.local, ID_PCP, &n->report.gateway);
  if (!n->config.udp) not_asked(&n->report.udp);
  if (!n->config.tcp) not_asked(&n->report.tcp);
  if (n->config.udp) thirl_natcheck_udp_start(&n->udp, now);
}

static bool udp_is_over(const thirl_natcheck *n) {
  return !n->config.udp || n->udp.step == THIRL_NATCHECK_UDP_OVER;
}

static bool tcp_is_over(const thirl_natcheck *n) {
  return !n->config.tcp || n->tcp.step == THIRL_NATCHECK_TCP_OVER;
}

static void evaluate(thirl_natcheck *n, thirl_time now) {
  if (!n->started) start(n, now);
  if (n->config.tcp && n->tcp.step == THIRL_NATCHECK_TCP_IDLE && udp_is_over(n)) thirl_natcheck_tcp_start(&n->tcp, now);
}

bool thirl_natcheck_is_over(const thirl_natcheck *n) {
  return n->started && udp_is_over(n) && tcp_is_over(n) && thirl_natcheck_pcp_is_over(&n->pcp);
}

void thirl_natcheck_stop(thirl_natcheck *n) {
  if (!n->started) start(n, 0);
  if (n->config.udp) thirl_natcheck_udp_stop(&n->udp);
  if (n->config.tcp) thirl_natcheck_tcp_stop(&n->tcp);
  thirl_natcheck_pcp_stop(&n->pcp);
}

thirl_natcheck_report *thirl_natcheck_get_report(thirl_natcheck *n) {
  return &n->report;
}

thirl_natcheck_progress thirl_natcheck_get_progress(const thirl_natcheck *n, thirl_time now) {
  static const char *const udp[] = {
      [THIRL_NATCHECK_UDP_IDLE] = "beginning",
      [THIRL_NATCHECK_UDP_REACH] = "UDP: asking the servers",
      [THIRL_NATCHECK_UDP_FILTER] = "UDP: who may come in",
      [THIRL_NATCHECK_UDP_MAP] = "UDP: one port for all, or several",
      [THIRL_NATCHECK_UDP_PROVE] = "UDP: whether the server can be believed",
      [THIRL_NATCHECK_UDP_SAMPLE] = "UDP: which ports are handed out",
      [THIRL_NATCHECK_UDP_HAIRPIN] = "UDP: hairpin",
      [THIRL_NATCHECK_UDP_LIFETIME] = "UDP: how long an idle mapping lives",
  };
  static const char *const tcp[] = {
      [THIRL_NATCHECK_TCP_IDLE] = "beginning",
      [THIRL_NATCHECK_TCP_REACH] = "TCP: asking the servers",
      [THIRL_NATCHECK_TCP_FILTER] = "TCP: who may come in",
      [THIRL_NATCHECK_TCP_MAP] = "TCP: one port for all, or several",
      [THIRL_NATCHECK_TCP_RECHECK] = "TCP: one port for all, or several",
      [THIRL_NATCHECK_TCP_SAMPLE] = "TCP: which ports are handed out",
      [THIRL_NATCHECK_TCP_HAIRPIN] = "TCP: hairpin",
  };
  thirl_natcheck_progress p = {.doing = "asking the router"};
  if (!udp_is_over(n)) {
    p.doing = udp[n->udp.step];
    if (n->udp.step == THIRL_NATCHECK_UDP_LIFETIME) {
      p.spent = now > n->udp.begun ? now - n->udp.begun : 0;
      p.at_most = n->udp.lifetime;
    }
  } else if (!tcp_is_over(n)) {
    p.doing = tcp[n->tcp.step];
  }
  return p;
}

/* ---- the machine ---- */

static void input(void *self, thirl_time now, const thirl_net_event *ev) {
  thirl_natcheck *n = self;
  evaluate(n, now);
  if (ev->kind == THIRL_NET_TICK) return;
  if (thirl_natcheck_udp_input(&n->udp, now, ev)) return;
  if (thirl_natcheck_pcp_input(&n->pcp, ev)) return;
  thirl_natcheck_tcp_input(&n->tcp, now, ev);
}

static bool poll(void *self, thirl_time now, thirl_net_action *out) {
  thirl_natcheck *n = self;
  evaluate(n, now);
  if (thirl_natcheck_pcp_poll(&n->pcp, now, out)) return true;
  if (thirl_natcheck_udp_poll(&n->udp, now, out)) return true;
  evaluate(n, now);
  return thirl_natcheck_tcp_poll(&n->tcp, now, out);
}

static size_t pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  thirl_natcheck *n = self;
  (void)now;
  return thirl_natcheck_tcp_pull(&n->tcp, id, buf, cap);
}

static thirl_time deadline(void *self) {
  thirl_natcheck *n = self;
  thirl_time due = thirl_natcheck_udp_deadline(&n->udp);
  due = THIRL_MIN(due, thirl_natcheck_tcp_deadline(&n->tcp));
  return THIRL_MIN(due, thirl_natcheck_pcp_deadline(&n->pcp));
}

thirl_net_machine thirl_natcheck_machine(thirl_natcheck *n) {
  return (thirl_net_machine){.self = n, .input = input, .poll = poll, .pull = pull, .deadline = deadline};
}
