/* SPDX-License-Identifier: MIT */
#include "support/meeting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/roster.h"
#include "sim/rand.h"

#define MUST(x)                                                                                                        \
  do {                                                                                                                 \
    if (!(x)) {                                                                                                        \
      fprintf(stderr, "meeting: %s:%d: %s\n", __FILE__, __LINE__, #x);                                                 \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

enum { IDENTITIES = 16 };

static const thirl_addr server_addr = {.family = THIRL_FAMILY_V4, .port = 3478, .ip = {203, 0, 113, 10}};
static const thirl_addr other_addr = {.family = THIRL_FAMILY_V4, .port = 3478, .ip = {203, 0, 113, 11}};

static void fill(void *ctx, void *out, size_t n) {
  uint8_t *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)(thirl_dice_u64(ctx) >> 32);
}

static uint8_t pattern(uint64_t salt, uint64_t at) {
  uint64_t x = (at >> 3) * 0x9e3779b97f4a7c15u + salt;
  x ^= x >> 29;
  return (uint8_t)(x >> ((at & 7) * 8));
}

/* ---- the application ---- */

static void take_event(meeting *m, meeting_side *s, const thirl_session_endpoint_event *ev) {
  thirl_time now = thirl_sim_now(m->sim);
  switch (ev->kind) {
  case THIRL_SESSION_REGISTERED:
    s->n_registered++;
    return;
  case THIRL_SESSION_INCOMING:
    if (!s->handle) s->handle = ev->handle;
    return;
  case THIRL_SESSION_REJECTED:
    s->n_rejected++;
    return;
  case THIRL_SESSION_OF:
    break;
  default:
    return;
  }
  if (ev->handle != s->handle) return;
  switch (ev->of.kind) {
  case THIRL_SESSION_UP:
    s->up_at = now;
    break;
  case THIRL_SESSION_PATH:
    s->n_path_events++;
    s->is_direct = ev->of.route == THIRL_SESSION_DIRECT;
    s->reason = ev->of.error;
    if (s->is_direct && !s->direct_at) {
      s->direct_at = now;
      s->direct_after = ev->of.since_go;
    }
    break;
  case THIRL_SESSION_CONFIRMED:
    if (!s->confirmed_at) { /* the event comes when the peer has spoken; the connection was up before */
      thirl_session_peer *p = thirl_session_roster_find_handle(s->endpoint, ev->handle);
      thirl_time up_at = (p ? p->session.go_at : 0) + ev->of.since_go;
      s->confirmed_at = p ? now - (thirl_sim_clock(s->host) - up_at) : now;
      s->confirmed_after = ev->of.since_go;
    }
    break;
  case THIRL_SESSION_STRANGER:
    s->n_strangers++;
    break;
  case THIRL_SESSION_FINISHED:
    s->finished = true;
    if (s->read != s->to_read || s->written != s->to_write) s->wrong = true;
    if (ev->of.relayed + ev->of.direct != s->read + s->written) s->wrong = true; /* each byte counts once */
    break;
  case THIRL_SESSION_FAILED:
    s->failed = true;
    s->error = ev->of.error;
    break;
  }
}

static bool write_some(meeting_side *s, thirl_time now) {
  uint8_t *p;
  size_t n;
  if (!s->handle || s->said_end) return false;
  bool did = false;
  while (s->written < s->to_write) {
    if (thirl_session_streams_space(s->endpoint, s->handle, &p, &n) != THIRL_OK || !n) return did;
    if (n > s->to_write - s->written) n = (size_t)(s->to_write - s->written);
    for (size_t i = 0; i < n; i++)
      p[i] = pattern(s->salt_out, s->written + i);
    s->written += n;
    MUST(thirl_session_streams_commit(s->endpoint, now, s->handle, n) == THIRL_OK);
    did = true;
  }
  if (s->hold_end) return did;
  s->said_end = true;
  return thirl_session_streams_finish(s->endpoint, now, s->handle) == THIRL_OK || did;
}

static bool read_some(meeting_side *s, thirl_time now, thirl_time world) {
  thirl_bytes v;
  bool did = false;
  size_t left = s->read_most ? s->read_most : SIZE_MAX;
  while (s->handle && left) {
    thirl_error e = thirl_session_streams_peek(s->endpoint, s->handle, &v);
    if (e == THIRL_E_EOF) {
      if (s->read != s->to_read) s->wrong = true;
      s->read_end = true;
    }
    if (e != THIRL_OK) return did;
    if (v.n > left) v.n = left;
    for (size_t i = 0; i < v.n; i++)
      if (v.p[i] != pattern(s->salt_in, s->read + i)) s->wrong = true;
    if (!s->read) s->first_read_at = world;
    s->read += v.n;
    left -= v.n;
    if (s->read > s->to_read) s->wrong = true;
    if (thirl_session_streams_consume(s->endpoint, now, s->handle, v.n) != THIRL_OK) return did;
    did = true;
  }
  return did;
}

static void run_application(meeting *m, meeting_side *s) {
  thirl_session_endpoint_event ev;
  if (s->finished || s->failed) {
    while (thirl_session_endpoint_next_event(s->endpoint, &ev))
      take_event(m, s, &ev);
    return;
  }
  bool did = false;
  while (thirl_session_endpoint_next_event(s->endpoint, &ev))
    take_event(m, s, &ev);
  thirl_time now = thirl_sim_clock(s->host);
  did = read_some(s, now, thirl_sim_now(m->sim));
  did = write_some(s, now) || did;
  if (did) thirl_sim_kick(s->host);
}

/* ---- set up ---- */

meeting_config meeting_config_of(uint64_t seed, thirl_natbox_config nat_a, thirl_natbox_config nat_b, thirl_time rtt) {
  meeting_config c = {.seed = seed, .nat_a = nat_a, .nat_b = nat_b, .bytes_a = 20000, .bytes_b = 20000};
  c.link_a.delay = c.link_b.delay = rtt / 4;
  c.policy.window = 1 << 17;
  return c;
}

void meeting_start_server(meeting *m) {
  thirl_server_config sc = {.listen_tcp = {server_addr}, .secrets = &m->server_secrets};
  if (m->server_kind != MEETING_ONE_PORT) sc.listen_tcp[1] = thirl_addr_with_port(server_addr, 3479);
  if (m->server_kind == MEETING_TWO_ADDRESSES) {
    sc.listen_tcp[2] = other_addr;
    sc.listen_tcp[3] = thirl_addr_with_port(other_addr, 3479);
  }
  MUST(thirl_server_new(&sc, thirl_sim_clock(m->server_host), &m->server) == THIRL_OK);
  thirl_net_machine machine = thirl_server_machine(m->server);
  thirl_sim_attach(m->server_host, &machine);
  thirl_sim_kick(m->server_host);
}

void meeting_kill_server(meeting *m, bool silently) {
  if (!m->server) return;
  if (silently)
    thirl_sim_cut_power(m->server_host);
  else
    thirl_sim_kill(m->server_host);
  thirl_server_free(m->server);
  m->server = NULL;
}

/*
 * The keys and certificates of a few peers, made once for the process: that is a seventh of a world's time. Each from a seed of its own, so that no
 * world depends on those that were played before. Must be asked before the world's own seed is installed.
 */
static thirl_secure_identity *identity_of(bool is_a, uint64_t seed) {
  static thirl_secure_identity *made[2][IDENTITIES];
  uint8_t number = (uint8_t)(seed % IDENTITIES), scalar[THIRL_P256_PRIVATE_LEN] = {1, is_a ? 1 : 2, number};
  thirl_secure_identity **id = &made[is_a][number];
  if (*id) return *id;
  MUST(thirl_sim_rand_install(number + 1) == THIRL_OK);
  MUST(thirl_secure_identity_from_private(scalar, id) == THIRL_OK);
  return *id;
}

static void make_side(meeting *m, meeting_side *s, const meeting_config *cfg, bool is_a) {
  thirl_natbox_config box = is_a ? cfg->nat_a : cfg->nat_b;
  box.external = thirl_addr_v4(203, 0, 113, is_a ? 1 : 2, 0);
  thirl_sim_nat_config nc = {.name = is_a ? "natA" : "natB", .box = box};
  thirl_addr inside = is_a ? thirl_addr_v4(192, 168, 1, 10, 0) : thirl_addr_v4(192, 168, 2, 10, 0);
  if (box.mode != THIRL_NATBOX_TRANSLATE) {
    inside = thirl_addr_v4(198, 51, 100, is_a ? 10 : 130, 0);
    nc.inside = (thirl_sim_prefix){inside, 25};
  }
  s->nat = thirl_sim_add_nat(m->sim, &nc);
  MUST(s->nat);
  thirl_sim_host_config hc = {.name = is_a ? "A" : "B", .below = s->nat, .addrs = {inside}, .n_addrs = 1};
  hc.tcp = thirl_sim_tcp_defaults();
  hc.tcp.old_simultaneous_open = cfg->old_simultaneous_open;
  hc.clock_offset = thirl_dice_below(&m->server_dice, 1000) * THIRL_S;
  s->host = thirl_sim_add_host(m->sim, &hc);
  MUST(s->host);
  const thirl_sim_link_rules *rules = is_a ? &cfg->link_a : &cfg->link_b;
  thirl_sim_set_link(s->nat, rules, rules);
  thirl_dice_seed(&s->secret_dice, cfg->seed * 4 + (is_a ? 1 : 2));
  s->secrets = (thirl_secrets){fill, &s->secret_dice};
  thirl_session_endpoint_config ec = {
      .identity = s->identity, .policy = cfg->policy, .max_incoming = is_a ? 4 : 0, .secrets = &s->secrets};
  MUST(thirl_session_endpoint_new(&ec, thirl_sim_clock(s->host), &s->endpoint) == THIRL_OK);
  thirl_net_machine machine = thirl_session_endpoint_machine(s->endpoint);
  if (cfg->wrap) machine = cfg->wrap(cfg->wrap_ctx, s, machine);
  thirl_sim_attach(s->host, &machine);
}

void meeting_open(meeting *m, const meeting_config *cfg) {
  memset(m, 0, sizeof *m);
  m->seed = cfg->seed;
  m->server_kind = cfg->server;
  m->a.identity = identity_of(true, cfg->seed);
  m->b.identity = identity_of(false, cfg->seed);
  MUST(thirl_sim_rand_install(cfg->seed) == THIRL_OK);
  m->sim = thirl_sim_new(cfg->seed);
  MUST(m->sim);
  thirl_dice_seed(&m->server_dice, cfg->seed * 4 + 3);
  m->server_secrets = (thirl_secrets){fill, &m->server_dice};
  thirl_sim_host_config hc = {.name = "S", .addrs = {server_addr, other_addr}, .n_addrs = 2};
  m->server_host = thirl_sim_add_host(m->sim, &hc);
  MUST(m->server_host);
  thirl_sim_set_link(m->server_host, &cfg->link_server, &cfg->link_server);
  make_side(m, &m->a, cfg, true);
  make_side(m, &m->b, cfg, false);
  m->a.to_write = m->b.to_read = cfg->bytes_a;
  m->b.to_write = m->a.to_read = cfg->bytes_b;
  m->a.salt_out = m->b.salt_in = cfg->seed * 2;
  m->b.salt_out = m->a.salt_in = cfg->seed * 2 + 1;
  meeting_start_server(m);
  thirl_time now = thirl_sim_clock(m->a.host);
  MUST(thirl_session_endpoint_start(m->a.endpoint, now, &server_addr, 1) == THIRL_OK);
  MUST(thirl_session_endpoint_ticket(m->a.endpoint, now, "203.0.113.10", 3478, &m->ticket) == THIRL_OK);
  thirl_sim_kick(m->a.host);
}

void meeting_start(meeting *m) {
  MUST(thirl_session_endpoint_start(m->b.endpoint, thirl_sim_clock(m->b.host), &server_addr, 1) == THIRL_OK);
  m->b_is_started = true;
  thirl_sim_kick(m->b.host);
}

void meeting_dial(meeting *m) {
  if (!m->b_is_started) meeting_start(m);
  thirl_time now = thirl_sim_clock(m->b.host);
  MUST(thirl_session_endpoint_dial(m->b.endpoint, now, &m->ticket, NULL, &m->b.handle) == THIRL_OK);
  thirl_sim_kick(m->b.host);
}

void meeting_close(meeting *m) {
  thirl_sim_free(m->sim);
  thirl_server_free(m->server);
  thirl_session_endpoint_free(m->a.endpoint);
  thirl_session_endpoint_free(m->b.endpoint);
  thirl_sim_rand_restore();
}

/* ---- run ---- */

static bool step(meeting *m, thirl_time until) {
  thirl_time next = thirl_sim_next(m->sim);
  if (next == THIRL_NEVER || next > until) {
    thirl_sim_run_until(m->sim, until);
    return false;
  }
  MUST(thirl_sim_step(m->sim));
  run_application(m, &m->a);
  run_application(m, &m->b);
  return true;
}

void meeting_run_on(meeting *m, thirl_time until) {
  run_application(m, &m->a);
  run_application(m, &m->b);
  while (step(m, until)) {
  }
}

void meeting_run(meeting *m, thirl_time until) {
  run_application(m, &m->a);
  run_application(m, &m->b);
  while (!(m->a.finished && m->b.finished) && !(m->a.failed && m->b.failed) && step(m, until)) {
  }
}

bool meeting_run_until_direct(meeting *m, thirl_time until) {
  while (!(m->a.is_direct && m->b.is_direct))
    if (!step(m, until)) break;
  return m->a.is_direct && m->b.is_direct;
}

bool meeting_is_complete(const meeting *m) {
  return m->a.finished && m->b.finished && !m->a.wrong && !m->b.wrong && m->a.read_end && m->b.read_end &&
         m->a.read == m->a.to_read && m->b.read == m->b.to_read;
}
