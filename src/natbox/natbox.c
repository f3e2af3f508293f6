/* SPDX-License-Identifier: MIT */
/*
 * The way of a packet through the box. Here: which flow it belongs to, opening one, translation, answers. Elsewhere: ports (allocation.c),
 * who may come in (filter.c), TCP's states (tracking.c), SYNs that wait for an answer (held.c), the tables (binding.c, session.c).
 */
#include "natbox/natbox.h"

#include <stdlib.h>
#include <string.h>

#include "natbox/allocation.h"
#include "natbox/filter.h"
#include "natbox/held.h"
#include "natbox/prefix.h"

enum { SEEN_AS_TRIES = 64 };

struct thirl_natbox {
  thirl_natbox_config config;
  thirl_natbox_bindings bindings;
  thirl_natbox_sessions sessions;
  thirl_natbox_allocator allocator;
  thirl_natbox_held held;
  thirl_natbox_counters count;
};

static const thirl_natbox_rules *rules_of(const thirl_natbox *box, uint8_t protocol) {
  return thirl_natbox_binding_rules(&box->config, protocol);
}

/* --- flows ------------------------------------------------------------------------------------------------------------------------ */

static void remove_session(thirl_natbox *box, thirl_natbox_session *s) {
  thirl_natbox_session_remove(&box->sessions, &box->bindings, s);
}

/*
 * Another flow takes the place of this one: its mapping waits for that, and is to be let go. In Linux, where a mapping is a flow, it ends: NULL.
 */
static thirl_natbox_binding *end_session(thirl_natbox *box, thirl_natbox_session *s) {
  thirl_natbox_binding *b = thirl_natbox_binding_overlaps(rules_of(box, s->protocol)) ? NULL : s->binding;
  if (b) b->holders++;
  remove_session(box, s);
  return b;
}

static void let_go(thirl_natbox *box, thirl_natbox_binding *b) {
  if (--b->holders == 0 && !thirl_heap_has(&b->timer))
    thirl_natbox_session_remove_binding(&box->sessions, &box->bindings, b);
}

static void evict(thirl_natbox *box, uint8_t protocol, const thirl_addr *outside) {
  for (thirl_natbox_binding *b; (b = thirl_natbox_binding_of_outside(&box->bindings, protocol, outside)) != NULL;)
    thirl_natbox_session_remove_binding(&box->sessions, &box->bindings, b);
}

/* A binding for the flow from inside to remote: the one that the mapping behaviour says, or a new one. */
static thirl_natbox_binding *binding_for(thirl_natbox *box, uint8_t protocol, const thirl_addr *inside,
                                         const thirl_addr *remote) {
  const thirl_natbox_rules *rules = rules_of(box, protocol);
  bool translate = box->config.mode == THIRL_NATBOX_TRANSLATE;
  thirl_addr scope = thirl_natbox_binding_scope(translate ? rules->mapping : THIRL_NATBOX_EIM, remote);
  thirl_natbox_binding *b = thirl_natbox_binding_of_inside(&box->bindings, protocol, inside, &scope);
  if (b) return b;
  thirl_natbox_binding like = {.protocol = protocol, .inside = *inside, .outside = *inside, .scope = scope};
  if (translate) {
    thirl_natbox_wish wish = {
        .protocol = protocol, .inside = *inside, .remote = *remote, .n_external = box->config.n_pool + 1u};
    if (rules->max_ports && thirl_natbox_binding_count_of(&box->bindings, protocol, inside) >= rules->max_ports)
      return NULL;
    thirl_error e = thirl_natbox_allocation_external(&box->allocator, &box->config, inside, &wish.external);
    if (e != THIRL_OK) return NULL;
    e = thirl_natbox_allocation_pick(&box->allocator, rules, &wish, &box->bindings, &box->sessions, &like.outside);
    if (e == THIRL_E_IN_USE)
      evict(box, protocol, &like.outside);
    else if (e != THIRL_OK)
      return NULL;
  }
  return thirl_natbox_binding_add(&box->bindings, &like);
}

static thirl_natbox_session *open_from_inside(thirl_natbox *box, thirl_time now, const thirl_natbox_packet *p) {
  thirl_natbox_binding *b = binding_for(box, p->protocol, &p->src, &p->dst);
  if (!b) return NULL;
  thirl_natbox_session like = {.binding = b,
                               .protocol = p->protocol,
                               .from_inside = true,
                               .outside = b->outside,
                               .remote = p->dst,
                               .seen_as = p->dst,
                               .expires = thirl_time_after(now, rules_of(box, p->protocol)->new_timeout)};
  thirl_natbox_session *s = NULL;
  if (!thirl_natbox_session_of_outside(&box->sessions, p->protocol, &b->outside, &p->dst))
    s = thirl_natbox_session_add(&box->sessions, &like);
  if (s)
    thirl_natbox_session_hold(s);
  else if (b->holders == 0)
    thirl_natbox_session_remove_binding(&box->sessions, &box->bindings, b);
  return s;
}

/*
 * How the inside will see the remote. With a mapping that depends on the destination, the inner host may have a flow of its own to
 * this remote through another outer port; answers to the two could not be told apart. The newer one then gets another
 * remote port on the inside, as netfilter does. False: no port is free.
 */
static bool choose_seen_as(thirl_natbox *box, const thirl_natbox_binding *b, const thirl_addr *remote,
                           thirl_addr *out) {
  *out = *remote;
  for (int i = 0; i < SEEN_AS_TRIES; i++) {
    if (!thirl_natbox_session_of_inside(&box->sessions, b->protocol, &b->inside, out)) return true;
    out->port = (uint16_t)(1024 + thirl_dice_below(&box->allocator.dice, 65536 - 1024));
  }
  return false;
}

static thirl_natbox_session *open_from_outside(thirl_natbox *box, thirl_time now, thirl_natbox_binding *b,
                                               const thirl_natbox_packet *p) {
  const thirl_natbox_rules *rules = rules_of(box, p->protocol);
  thirl_natbox_session like = {.binding = b,
                               .protocol = p->protocol,
                               .outside = b->outside,
                               .remote = p->src,
                               .expires = thirl_time_after(now, rules->new_timeout)};
  if (!choose_seen_as(box, b, &p->src, &like.seen_as)) return NULL;
  thirl_natbox_session *s = thirl_natbox_session_add(&box->sessions, &like);
  if (s && rules->refresh != THIRL_NATBOX_REFRESH_OUT) thirl_natbox_session_hold(s);
  return s;
}

static void refresh(thirl_natbox *box, thirl_natbox_session *s, thirl_time now, bool outward, bool changed) {
  const thirl_natbox_rules *rules = rules_of(box, s->protocol);
  bool counts = rules->refresh == THIRL_NATBOX_REFRESH_BOTH || outward == (rules->refresh == THIRL_NATBOX_REFRESH_OUT);
  if (counts && s->binding) thirl_natbox_binding_refresh(&box->bindings, s->binding);
  if (!counts && !changed) return;
  thirl_time life = rules->new_timeout;
  if (s->protocol == THIRL_NATBOX_TCP)
    life = thirl_natbox_tracking_timeout(&s->tracking, rules);
  else if (s->replied)
    life = rules->open_timeout;
  thirl_time expires = thirl_time_after(now, life);
  bool sooner = expires < s->expires;
  s->expires = expires;
  if (sooner) (void)thirl_heap_set(&box->sessions.timers, &s->timer, expires); /* moving never fails */
}

/* The packet belongs to s: is it valid, and what does it do to the flow? */
static thirl_natbox_judgement advance(thirl_natbox *box, thirl_natbox_session *s, thirl_time now, bool outward,
                                      const thirl_natbox_packet *p) {
  bool reply = outward != s->from_inside, changed = false;
  thirl_natbox_judgement j = THIRL_NATBOX_VALID;
  if (s->protocol == THIRL_NATBOX_TCP) {
    uint8_t before = s->tracking.state;
    j = thirl_natbox_tracking_input(&s->tracking, &box->config,
                                    reply ? THIRL_NATBOX_DIR_REPLY : THIRL_NATBOX_DIR_ORIGINAL, p);
    if (j != THIRL_NATBOX_VALID) return j;
    changed = before != s->tracking.state;
  }
  if (reply) s->replied = true;
  if (outward) {
    s->sent = true;
    thirl_natbox_session_hold(s);
  }
  refresh(box, s, now, outward, changed);
  return j;
}

/* May a segment that belongs to no flow begin one? UDP always may. */
static bool may_begin(const thirl_natbox *box, const thirl_natbox_packet *p) {
  thirl_natbox_tracking fresh = {0};
  return p->protocol != THIRL_NATBOX_TCP ||
         thirl_natbox_tracking_input(&fresh, &box->config, THIRL_NATBOX_DIR_ORIGINAL, p) == THIRL_NATBOX_VALID;
}

/* --- answers ---------------------------------------------------------------------------------------------------------------------- */

static thirl_natbox_verdict hold(thirl_natbox *box, thirl_time now, const thirl_natbox_packet *p) {
  if (thirl_natbox_packet_is_syn(p) && thirl_natbox_held_put(&box->held, now, p) != THIRL_OK) box->count.limited++;
  return THIRL_NATBOX_DISCARD;
}

static thirl_natbox_verdict reply(thirl_natbox *box, thirl_natbox_packet *p, bool with_rst) {
  if (p->protocol == THIRL_NATBOX_TCP && (p->flags & THIRL_NATBOX_RST)) return THIRL_NATBOX_DISCARD;
  if (p->protocol == THIRL_NATBOX_ECHO || p->protocol == THIRL_NATBOX_ICMP) return THIRL_NATBOX_DISCARD;
  if ((with_rst && p->protocol != THIRL_NATBOX_TCP)) return THIRL_NATBOX_DISCARD;
  *p = with_rst ? thirl_natbox_packet_rst_for(p)
                : thirl_natbox_packet_icmp_for(p, THIRL_NATBOX_PORT_UNREACHABLE, p->dst);
  box->count.replied++;
  return THIRL_NATBOX_REPLY;
}

/* The router's own stack takes the packet. A UDP flow stays in the table and occupies the port towards this remote. */
static thirl_natbox_verdict take_locally(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p) {
  if (p->protocol == THIRL_NATBOX_UDP && box->config.udp.mapping == THIRL_NATBOX_APDM) {
    thirl_natbox_session like = {.protocol = p->protocol,
                                 .outside = p->dst,
                                 .remote = p->src,
                                 .expires = thirl_time_after(now, box->config.udp.new_timeout)};
    if (!thirl_natbox_session_add(&box->sessions, &like)) box->count.limited++;
  }
  return reply(box, p, p->protocol == THIRL_NATBOX_TCP);
}

static thirl_natbox_verdict refuse(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p) {
  thirl_natbox_unsolicited how = rules_of(box, p->protocol)->unsolicited;
  box->count.unsolicited++;
  /* What could not begin a flow anyway is not answered; only a router's own stack does. */
  if ((how == THIRL_NATBOX_RST_BACK || how == THIRL_NATBOX_ICMP_BACK) && !may_begin(box, p))
    return THIRL_NATBOX_DISCARD;
  switch (how) {
  case THIRL_NATBOX_RST_BACK:
    return reply(box, p, true);
  case THIRL_NATBOX_ICMP_BACK:
    return reply(box, p, false);
  case THIRL_NATBOX_HOLD:
    return hold(box, now, p);
  case THIRL_NATBOX_LOCAL:
    return take_locally(box, now, p);
  default:
    return THIRL_NATBOX_DISCARD;
  }
}

/* --- ICMP errors follow the flow that they are about, and change nothing about it --------------------------------------------------- */

static thirl_natbox_verdict icmp_inbound(thirl_natbox *box, thirl_natbox_packet *p) {
  thirl_natbox_session *s =
      thirl_natbox_session_of_outside(&box->sessions, p->inner.protocol, &p->inner.src, &p->inner.dst);
  if (!s || !s->binding || box->config.without_icmp_errors) {
    box->count.unsolicited++;
    return THIRL_NATBOX_DISCARD;
  }
  p->inner.src = s->binding->inside;
  p->inner.dst = s->seen_as;
  p->dst = thirl_addr_with_port(s->binding->inside, 0);
  box->count.passed_in++;
  return THIRL_NATBOX_PASS;
}

static thirl_natbox_verdict icmp_outbound(thirl_natbox *box, thirl_natbox_packet *p) {
  thirl_natbox_session *s =
      thirl_natbox_session_of_inside(&box->sessions, p->inner.protocol, &p->inner.dst, &p->inner.src);
  if (!s) {
    box->count.invalid++;
    return THIRL_NATBOX_DISCARD;
  }
  p->inner.dst = s->outside;
  p->inner.src = s->remote;
  p->src = thirl_addr_with_port(s->outside, 0);
  p->dst = thirl_addr_with_port(s->remote, 0);
  return THIRL_NATBOX_PASS;
}

/* --- the firewall's own rules, whatever a flow may say ------------------------------------------------------------------------------ */

static bool may_speak_to(const thirl_natbox *box, uint8_t protocol, const thirl_addr *remote) {
  if (protocol == THIRL_NATBOX_ICMP) return true;
  if (protocol == THIRL_NATBOX_ECHO) return !box->config.without_echo;
  const thirl_natbox_rules *rules = rules_of(box, protocol);
  if (!rules->only_allowed) return true;
  for (unsigned i = 0; i < rules->n_allow; i++)
    if (rules->allow[i] == remote->port) return true;
  return false;
}

/* The inside wants to go where it may not. */
static thirl_natbox_verdict forbid(thirl_natbox *box, thirl_natbox_packet *p) {
  box->count.refused++;
  thirl_natbox_refusal how = rules_of(box, p->protocol)->refusal;
  return how == THIRL_NATBOX_REFUSE_SILENTLY ? THIRL_NATBOX_DISCARD : reply(box, p, how == THIRL_NATBOX_REFUSE_RST);
}

/* --- the ways through ------------------------------------------------------------------------------------------------------------- */

static void begin(thirl_natbox *box, thirl_time now) {
  thirl_natbox_session_expire(&box->sessions, &box->bindings, now);
}

static thirl_natbox_verdict drop_invalid(thirl_natbox *box) {
  box->count.invalid++;
  return THIRL_NATBOX_DISCARD;
}

/* From inside to outside, up to the outer addresses. */
static thirl_natbox_verdict translate_outward(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p) {
  thirl_natbox_session *s = thirl_natbox_session_of_inside(&box->sessions, p->protocol, &p->src, &p->dst);
  thirl_natbox_judgement j = s ? advance(box, s, now, true, p) : THIRL_NATBOX_ANEW;
  if (j == THIRL_NATBOX_ANEW) {
    thirl_natbox_binding *kept = s ? end_session(box, s) : NULL;
    bool may = may_begin(box, p);
    s = may ? open_from_inside(box, now, p) : NULL;
    if (kept) let_go(box, kept);
    if (!may) return drop_invalid(box);
    if (!s) {
      box->count.limited++;
      return THIRL_NATBOX_DISCARD;
    }
    j = advance(box, s, now, true, p);
  }
  if (j == THIRL_NATBOX_INVALID) return drop_invalid(box);
  p->src = s->outside;
  p->dst = s->remote;
  if (j == THIRL_NATBOX_LAST) remove_session(box, s);
  thirl_natbox_held_cancel(&box->held, p);
  return THIRL_NATBOX_PASS;
}

static thirl_natbox_binding *admitting_binding(thirl_natbox *box, const thirl_natbox_packet *p) {
  thirl_natbox_filtering filtering = rules_of(box, p->protocol)->filtering;
  thirl_natbox_binding *b = thirl_natbox_binding_of_outside(&box->bindings, p->protocol, &p->dst);
  while (b && !thirl_natbox_filter_admits(b, filtering, &p->src))
    b = b->next_same_port;
  return b;
}

static thirl_natbox_verdict translate_inward(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p) {
  thirl_natbox_session *s = thirl_natbox_session_of_outside(&box->sessions, p->protocol, &p->dst, &p->src);
  if (s && !s->binding) {
    s->expires = thirl_time_after(now, box->config.udp.new_timeout); /* the peer's own repeats keep it poisoned */
    box->count.unsolicited++;
    return reply(box, p, false);
  }
  thirl_natbox_judgement j = s ? advance(box, s, now, false, p) : THIRL_NATBOX_ANEW;
  if (j == THIRL_NATBOX_ANEW) {
    thirl_natbox_binding *b = admitting_binding(box, p), *kept = s ? end_session(box, s) : NULL;
    if (!kept) b = admitting_binding(box, p);
    bool may = may_begin(box, p);
    s = b && may ? open_from_outside(box, now, b, p) : NULL;
    if (kept) let_go(box, kept);
    if (!b) return refuse(box, now, p);
    if (!may) return drop_invalid(box);
    if (!s) {
      box->count.limited++;
      return THIRL_NATBOX_DISCARD;
    }
    j = advance(box, s, now, false, p);
  }
  if (j == THIRL_NATBOX_INVALID) return drop_invalid(box);
  p->dst = s->binding->inside;
  p->src = s->seen_as;
  if (j == THIRL_NATBOX_LAST) remove_session(box, s);
  box->count.passed_in++;
  return THIRL_NATBOX_PASS;
}

/* NPTv6 knows no flows: the inner address changes wherever it stands. What has no place in the other prefix stays as it is (section 3.5 of RFC 6296). */
static thirl_natbox_verdict change_prefix(thirl_natbox *box, thirl_natbox_packet *p, bool outward) {
  const thirl_natbox_config *c = &box->config;
  const thirl_addr *inner = &c->inner_prefix, *outer = &c->external;
  bool about = p->protocol == THIRL_NATBOX_ICMP;
  if (!outward) {
    thirl_natbox_prefix_change(&p->dst, outer, inner, c->prefix_bits);
    if (about) thirl_natbox_prefix_change(&p->inner.src, outer, inner, c->prefix_bits);
    box->count.passed_in++;
    return THIRL_NATBOX_PASS;
  }
  thirl_natbox_prefix_change(&p->src, inner, outer, c->prefix_bits);
  if (about) thirl_natbox_prefix_change(&p->inner.dst, inner, outer, c->prefix_bits);
  if (thirl_natbox_prefix_change(&p->dst, outer, inner, c->prefix_bits)) {
    if (about) thirl_natbox_prefix_change(&p->inner.src, outer, inner, c->prefix_bits);
    box->count.hairpinned++;
    return THIRL_NATBOX_HAIRPIN;
  }
  box->count.passed_out++;
  return THIRL_NATBOX_PASS;
}

thirl_natbox_verdict thirl_natbox_inbound(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p) {
  begin(box, now);
  if (!may_speak_to(box, p->protocol, &p->src)) {
    box->count.refused++;
    return THIRL_NATBOX_DISCARD;
  }
  if (box->config.mode == THIRL_NATBOX_PREFIX) return change_prefix(box, p, false);
  if (box->config.mode == THIRL_NATBOX_ROUTE) {
    box->count.passed_in++;
    return THIRL_NATBOX_PASS;
  }
  if (box->config.mode == THIRL_NATBOX_TRANSLATE && !thirl_natbox_config_has_external(&box->config, &p->dst)) {
    box->count.unsolicited++;
    return THIRL_NATBOX_DISCARD;
  }
  return p->protocol == THIRL_NATBOX_ICMP ? icmp_inbound(box, p) : translate_inward(box, now, p);
}

/*
 * RFC 4787 REQ-9, "external source address and port": the packet has left and comes back in. So does the answer if it is refused.
 * The other way, which the RFC forbids, lets in what that way lets in, but shows it the inner source.
 */
static thirl_natbox_verdict turn_back(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p,
                                      const thirl_addr *inside) {
  const thirl_natbox_packet was = *p;
  thirl_natbox_verdict v = thirl_natbox_inbound(box, now, p);
  if (v == THIRL_NATBOX_REPLY) v = thirl_natbox_inbound(box, now, p);
  if (v != THIRL_NATBOX_PASS) return THIRL_NATBOX_DISCARD;
  box->count.passed_in--;
  box->count.hairpinned++;
  bool same = p->protocol != THIRL_NATBOX_ICMP && thirl_addr_equal(&p->src, &was.src);
  if (same && inside && box->config.hairpin == THIRL_NATBOX_HAIRPIN_INTERNAL) p->src = *inside;
  return THIRL_NATBOX_HAIRPIN;
}

thirl_natbox_verdict thirl_natbox_outbound(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p) {
  begin(box, now);
  if (!may_speak_to(box, p->protocol, &p->dst)) return forbid(box, p);
  if (box->config.mode == THIRL_NATBOX_PREFIX) return change_prefix(box, p, true);
  if (box->config.mode == THIRL_NATBOX_ROUTE) {
    box->count.passed_out++;
    return THIRL_NATBOX_PASS;
  }
  const thirl_addr inside = p->src;
  bool back = box->config.mode == THIRL_NATBOX_TRANSLATE && thirl_natbox_config_has_external(&box->config, &p->dst);
  if (back && box->config.hairpin == THIRL_NATBOX_HAIRPIN_OFF) return drop_invalid(box);
  if (back && box->config.hairpin == THIRL_NATBOX_HAIRPIN_LOCAL) return reply(box, p, p->protocol == THIRL_NATBOX_TCP);
  thirl_natbox_verdict v = p->protocol == THIRL_NATBOX_ICMP ? icmp_outbound(box, p) : translate_outward(box, now, p);
  if (v != THIRL_NATBOX_PASS) return v;
  if (back) return turn_back(box, now, p, &inside);
  box->count.passed_out++;
  return v;
}

thirl_natbox_verdict thirl_natbox_poll(thirl_natbox *box, thirl_time now, thirl_natbox_packet *p) {
  begin(box, now);
  for (thirl_natbox_packet syn; thirl_natbox_held_take(&box->held, now, &syn);) {
    *p = thirl_natbox_packet_icmp_for(&syn, THIRL_NATBOX_PORT_UNREACHABLE, syn.dst);
    box->count.replied++;
    if (!thirl_natbox_config_has_external(&box->config, &p->dst)) return THIRL_NATBOX_PASS;
    if (turn_back(box, now, p, NULL) == THIRL_NATBOX_HAIRPIN) return THIRL_NATBOX_HAIRPIN;
  }
  return THIRL_NATBOX_NOTHING;
}

thirl_time thirl_natbox_deadline(const thirl_natbox *box) {
  return thirl_natbox_held_deadline(&box->held);
}

/* --- life ------------------------------------------------------------------------------------------------------------------------- */

thirl_natbox *thirl_natbox_new(const thirl_natbox_config *config, uint64_t seed) {
  thirl_natbox *box = calloc(1, sizeof *box);
  if (!box) return NULL;
  box->config = *config;
  box->config.external.port = 0;
  thirl_natbox_binding_init(&box->bindings, &box->config, seed);
  thirl_natbox_session_init(&box->sessions, config->max_sessions ? config->max_sessions : THIRL_NATBOX_SESSIONS_MAX,
                            seed);
  thirl_natbox_allocation_init(&box->allocator, seed);
  thirl_natbox_held_init(&box->held);
  return box;
}

void thirl_natbox_reboot(thirl_natbox *box) {
  thirl_natbox_session_clear(&box->sessions, &box->bindings);
  thirl_natbox_holddown_clear(&box->bindings.resting);
  thirl_natbox_allocation_reset(&box->allocator);
  thirl_natbox_held_clear(&box->held);
}

void thirl_natbox_renumber(thirl_natbox *box, thirl_addr external) {
  thirl_natbox_reboot(box);
  box->config.external = thirl_addr_with_port(external, 0);
}

void thirl_natbox_configure(thirl_natbox *box, const thirl_natbox_config *config) {
  thirl_addr external = box->config.external;
  box->config = *config;
  box->config.external = external;
}

void thirl_natbox_free(thirl_natbox *box) {
  if (!box) return;
  thirl_natbox_reboot(box);
  thirl_natbox_session_fini(&box->sessions);
  thirl_natbox_binding_fini(&box->bindings);
  thirl_natbox_allocation_fini(&box->allocator);
  free(box);
}

const thirl_natbox_config *thirl_natbox_get_config(const thirl_natbox *box) {
  return &box->config;
}

thirl_natbox_counters thirl_natbox_count(const thirl_natbox *box) {
  return box->count;
}

size_t thirl_natbox_count_sessions(thirl_natbox *box, thirl_time now) {
  begin(box, now);
  return box->sessions.n;
}

size_t thirl_natbox_count_bindings(thirl_natbox *box, thirl_time now) {
  begin(box, now);
  return box->bindings.n;
}

bool thirl_natbox_lookup(thirl_natbox *box, thirl_time now, thirl_natbox_protocol protocol, const thirl_addr *inside,
                         const thirl_addr *remote, thirl_addr *outside) {
  begin(box, now);
  const thirl_natbox_session *s = thirl_natbox_session_of_inside(&box->sessions, (uint8_t)protocol, inside, remote);
  if (s) *outside = s->outside;
  return s != NULL;
}
