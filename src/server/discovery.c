/* SPDX-License-Identifier: MIT */
#include "server/discovery.h"

#include "server/classic.h"

enum { CHANGE_IP = 4, CHANGE_PORT = 2 };

void thirl_server_discovery_init(thirl_server_discovery *d, const thirl_secrets *secrets) {
  thirl_server_budget_table_init(&d->table, secrets);
}

thirl_error thirl_server_discovery_read(const thirl_stun_msg *in, thirl_server_wish *out) {
  uint32_t flags;
  *out = (thirl_server_wish){.has_padding = thirl_stun_msg_has(in, THIRL_STUN_ATTR_PADDING)};
  out->knows_ports = thirl_stun_msg_has(in, THIRL_STUN_ATTR_THIRL_OTHER_PORT);
  thirl_error e = thirl_stun_msg_get_u32(in, THIRL_STUN_ATTR_CHANGE_REQUEST, &flags);
  if (e == THIRL_E_MALFORMED) return e;
  out->has_change = e == THIRL_OK;
  out->ip = flags & CHANGE_IP;
  out->port = flags & CHANGE_PORT;
  e = thirl_stun_msg_get_u16(in, THIRL_STUN_ATTR_RESPONSE_PORT, &out->response_port);
  if (e == THIRL_E_NOT_FOUND) return THIRL_OK;
  return e == THIRL_OK && out->response_port && !out->has_padding ? THIRL_OK : THIRL_E_MALFORMED;
}

static bool place(const thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *local,
                  const thirl_server_wish *wish, thirl_addr *from, thirl_server_binding *what) {
  static const thirl_addr none;
  thirl_addr other;
  bool asks = wish->has_change || wish->has_padding || wish->response_port || wish->knows_ports;
  *from = *local;
  if (thirl_server_listen_across(l, verb, local, true, true, &what->other)) {
    thirl_server_listen_across(l, verb, local, wish->ip, wish->port, from);
    what->origin = *from;
    /*
     * A departure from RFC 5780 section 6.1. coturn's client goes on from the OTHER-ADDRESS of the last answer, so that at the second address it must
     * not hear of the first again (coturn's server names its second address there too); it keeps what it knows when it hears nothing.
     */
    if (!wish->has_change && !thirl_server_listen_is_primary(l, local)) what->other = none;
    return true;
  }
  if (wish->knows_ports && thirl_server_listen_other_port(l, verb, local, &other)) {
    what->other_port = other.port;
    if (wish->port) *from = other;
  } else if (wish->port) {
    return false;
  }
  if (asks && !thirl_addr_is_any(from)) what->origin = *from;
  return !wish->ip;
}

bool thirl_server_discovery_place(const thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *local,
                                  const thirl_server_wish *wish, thirl_addr *from, thirl_server_binding *what) {
  if (!place(l, verb, local, wish, from, what)) return false;
  if (verb == THIRL_NET_LISTEN && thirl_addr_is_set(&what->origin))
    what->origin = *local; /* only the probe is from elsewhere */
  what->origin = thirl_server_listen_seen(l, what->origin);
  what->other = thirl_server_listen_seen(l, what->other);
  return true;
}

/* ---- UDP ---- */

/* What is asked for beyond the plain answer is worth more to who abuses it. */
static bool may_ask(thirl_server_discovery *d, thirl_server_context *ctx, const thirl_addr *from,
                    const thirl_server_wish *wish) {
  if (!wish->ip && !wish->port && !wish->response_port && !wish->has_padding) return true;
  return thirl_server_budget_table_take(&d->table, ctx->now, from, THIRL_SERVER_BUDGET_HOST,
                                        ctx->limits.discoveries_per_second_per_ip);
}

static bool may_fail(thirl_server_discovery *d, thirl_server_context *ctx, const thirl_addr *from) {
  return thirl_server_budget_table_take(&d->table, ctx->now, from, THIRL_SERVER_BUDGET_NET,
                                        THIRL_SERVER_DISCOVERY_ERRORS);
}

/* The address that was asked: the carrier tells the packet's, the socket knows the port. */
static thirl_addr local_of(const thirl_server_listen *l, const thirl_net_event *ev) {
  thirl_addr at = thirl_addr_unmap(ev->local);
  if (thirl_addr_is_set(&at) || ev->id == 0 || ev->id > l->n) return at;
  return l->sockets[ev->id - 1].bound;
}

typedef enum verdict { SUCCESS, BAD_REQUEST, UNKNOWN, CANNOT_CHANGE } verdict;

/* A request of either RFC. */
typedef struct question {
  bool is_classic;
  thirl_stun_msg in;
  thirl_server_classic classic;
} question;

/* E_NOT_STUN: nothing that is to be answered. */
static thirl_error read_question(thirl_bytes payload, question *q) {
  thirl_error e = thirl_stun_msg_decode(payload, &q->in);
  q->is_classic = e == THIRL_E_NOT_STUN;
  if (q->is_classic) return thirl_server_classic_decode(payload, &q->classic) ? THIRL_E_MALFORMED : THIRL_OK;
  if (e != THIRL_OK) return e;
  bool is_request = q->in.method == THIRL_STUN_METHOD_BINDING && q->in.cls == THIRL_STUN_REQUEST;
  return is_request ? THIRL_OK : THIRL_E_NOT_STUN;
}

static verdict read_wish(const question *q, thirl_server_wish *wish) {
  if (q->is_classic ? q->classic.n_unknown : q->in.n_unknown) return UNKNOWN;
  if (!q->is_classic) return thirl_server_discovery_read(&q->in, wish) == THIRL_OK ? SUCCESS : BAD_REQUEST;
  wish->has_change = true; /* SOURCE-ADDRESS is in every answer: RFC 3489 section 8.1 */
  wish->ip = q->classic.change & CHANGE_IP;
  wish->port = q->classic.change & CHANGE_PORT;
  return SUCCESS;
}

/* The place is large enough for every answer. */
static size_t encode(verdict v, const question *q, const thirl_server_binding *what, uint8_t *out) {
  size_t n = 0;
  thirl_server_binding_asker to = thirl_server_binding_asker_of(&q->in);
  if (q->is_classic)
    n = v == SUCCESS ? thirl_server_classic_success(&q->classic, what, out)
                     : thirl_server_classic_unknown(&q->classic, out);
  else if (v == SUCCESS)
    thirl_server_binding_success(&to, what, out, &n);
  else if (v == BAD_REQUEST)
    thirl_server_binding_refuse(&q->in, out, &n);
  else
    thirl_server_binding_unknown(&q->in, v == CANNOT_CHANGE ? THIRL_STUN_ATTR_CHANGE_REQUEST : 0, out, &n);
  return n;
}

static void answer(thirl_server_discovery *d, thirl_server_context *ctx, thirl_server_listen *l,
                   const thirl_net_event *ev, const question *q) {
  thirl_server_wish wish = {.has_change = false};
  thirl_server_binding what = {.mapped = thirl_addr_unmap(ev->remote)};
  thirl_addr local = local_of(l, ev), from = local;
  verdict v = read_wish(q, &wish);
  if (v == SUCCESS && !thirl_server_discovery_place(l, THIRL_NET_BIND_UDP, &local, &wish, &from, &what))
    v = CANNOT_CHANGE;
  if (v == CANNOT_CHANGE && q->is_classic) {
    /* Debian's stun takes any answer, also 420, for one from elsewhere and tells its user that all is open. */
    ctx->stats.refused++;
    return;
  }
  bool may = v == SUCCESS ? may_ask(d, ctx, &what.mapped, &wish) : may_fail(d, ctx, &what.mapped);
  thirl_server_answer *a = may ? thirl_server_listen_answer(l) : NULL;
  if (!a) {
    ctx->stats.limited++;
    return;
  }
  if (wish.has_padding) what.longest = ev->payload.n;
  bool elsewhere = v == SUCCESS && !thirl_addr_equal(&from, &local);
  a->id = elsewhere ? thirl_server_listen_find(l, THIRL_NET_BIND_UDP, &from) : ev->id;
  a->local = elsewhere ? from : ev->local;
  a->remote = ev->remote;
  if (v == SUCCESS && wish.response_port) a->remote.port = wish.response_port;
  a->n = (uint16_t)encode(v, q, &what, a->bytes);
  ctx->stats.refused += v != SUCCESS;
  ctx->stats.bindings += v == SUCCESS;
}

void thirl_server_discovery_datagram(thirl_server_discovery *d, thirl_server_context *ctx, thirl_server_listen *l,
                                     const thirl_net_event *ev) {
  question q;
  thirl_error e = read_question(ev->payload, &q);
  if (e == THIRL_E_MALFORMED)
    ctx->stats.malformed++;
  else if (e == THIRL_OK)
    answer(d, ctx, l, ev, &q);
}
