/* SPDX-License-Identifier: MIT */
#include "sim/stack.h"

#include <stdlib.h>
#include <string.h>

enum { EPHEMERAL_LO = 32768, EPHEMERAL_HI = 60999, EPHEMERAL_TRIES = 64 }; /* ip_local_port_range */

typedef enum socket_kind { SOCKET_TCP, SOCKET_LISTENER, SOCKET_UDP, SOCKET_DEAD } socket_kind;

/* DEAD: failed, and the machine has not heard of it yet. */
typedef struct thirl_sim_socket {
  thirl_link link;
  thirl_heap_node timer;
  socket_kind kind;
  thirl_net_id id;
  thirl_addr local;
  bool owned; /* the machine may still name it */
  bool embryo;
  thirl_sim_tcp tcp;
} sock;

/* The key of a flow; compares by memcmp. */
typedef struct flow {
  thirl_addr local, remote;
} flow;

/* --- life of sockets -------------------------------------------------------------------------------------------------------------- */

void thirl_sim_stack_init(thirl_sim_stack *k, const thirl_sim_stack_config *config, thirl_sim_pool *pool,
                          uint64_t seed) {
  *k = (thirl_sim_stack){.config = *config, .pool = pool, .next_accepted = THIRL_NET_ID_ACCEPTED};
  if (k->config.ttl == 0) k->config.ttl = THIRL_NATBOX_TTL;
  for (unsigned i = 0; i < k->config.n_addrs; i++)
    k->config.addrs[i].port = 0;
  thirl_dice_seed(&k->dice, seed);
  k->isn_secret = thirl_dice_u64(&k->dice);
  thirl_map_init(&k->ids, sizeof(thirl_net_id), seed);
  thirl_map_init(&k->flows, sizeof(flow), seed);
  thirl_heap_init(&k->timers, THIRL_SIM_SOCKETS_MAX);
  thirl_list_init(&k->sockets);
  thirl_list_init(&k->out);
  thirl_list_init(&k->notes);
}

static thirl_sim_tcp_env env_of(thirl_sim_stack *k, thirl_time now) {
  return (thirl_sim_tcp_env){.now = now,
                             .pool = k->pool,
                             .options = &k->config.tcp,
                             .isn_secret = k->isn_secret,
                             .out = &k->out,
                             .notes = &k->notes};
}

static flow flow_of(const thirl_sim_tcp *t) {
  return (flow){.local = t->local, .remote = t->remote};
}

static void count_embryo(thirl_sim_stack *k, sock *s, bool embryo) {
  if (s->embryo && !embryo) k->n_embryos--;
  if (!s->embryo && embryo) k->n_embryos++;
  s->embryo = embryo;
}

static sock *new_socket(thirl_sim_stack *k, socket_kind kind, thirl_net_id id) {
  if (k->n_sockets >= THIRL_SIM_SOCKETS_MAX) return NULL;
  sock *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->kind = kind;
  s->id = id;
  s->owned = true;
  if (thirl_map_put(&k->ids, &id, s) != THIRL_OK) {
    free(s);
    return NULL;
  }
  thirl_list_append(&k->sockets, &s->link);
  k->n_sockets++;
  return s;
}

/* The machine may not name it any more, and another machine may use its id anew. */
static void disown(thirl_sim_stack *k, sock *s) {
  if (s->owned) thirl_map_remove(&k->ids, &s->id);
  s->owned = false;
}

static void free_socket(thirl_sim_stack *k, sock *s) {
  disown(k, s);
  thirl_list_remove(&s->link);
  k->n_sockets--;
  thirl_heap_remove(&k->timers, &s->timer);
  count_embryo(k, s, false);
  if (s->kind == SOCKET_TCP) {
    flow f = flow_of(&s->tcp);
    thirl_map_remove(&k->flows, &f);
    thirl_sim_tcp_fini(&s->tcp, k->pool);
  }
  free(s);
}

/* After any call into a connection: is it gone, when does it want to be called again? */
static void settle(thirl_sim_stack *k, sock *s) {
  if (s->tcp.state != THIRL_SIM_TCP_SYN_RECV) count_embryo(k, s, false);
  if (s->tcp.state != THIRL_SIM_TCP_CLOSED) {
    thirl_time t = thirl_sim_tcp_deadline(&s->tcp);
    if (t == THIRL_NEVER)
      thirl_heap_remove(&k->timers, &s->timer);
    else
      (void)thirl_heap_set(&k->timers, &s->timer, t); /* no more nodes than sockets */
    return;
  }
  bool untold = s->owned && !(s->tcp.listener && !s->tcp.announced);
  if (!untold || s->tcp.orphan) {
    free_socket(k, s);
    return;
  }
  flow f = flow_of(&s->tcp);
  thirl_map_remove(&k->flows, &f);
  thirl_heap_remove(&k->timers, &s->timer);
  s->kind = SOCKET_DEAD;
}

static void drop_notes(thirl_sim_stack *k) {
  for (thirl_link *l; (l = thirl_list_first(&k->notes)) != NULL;) {
    thirl_list_remove(l);
    thirl_sim_pool_give_note(k->pool, THIRL_OWNER(l, thirl_sim_note, link));
  }
}

void thirl_sim_stack_forget_all(thirl_sim_stack *k) {
  for (thirl_link *l; (l = thirl_list_first(&k->sockets)) != NULL;)
    free_socket(k, THIRL_OWNER(l, sock, link));
  drop_notes(k);
  for (thirl_link *l; (l = thirl_list_first(&k->out)) != NULL;) {
    thirl_list_remove(l);
    thirl_sim_pool_give_packet(k->pool, THIRL_OWNER(l, thirl_sim_packet, link));
  }
}

void thirl_sim_stack_fini(thirl_sim_stack *k) {
  thirl_sim_stack_forget_all(k);
  thirl_map_fini(&k->ids);
  thirl_map_fini(&k->flows);
  thirl_heap_fini(&k->timers);
}

size_t thirl_sim_stack_socket_count(const thirl_sim_stack *k) {
  return k->n_sockets;
}

/* --- addresses -------------------------------------------------------------------------------------------------------------------- */

bool thirl_sim_stack_has_ip(const thirl_sim_stack *k, const thirl_addr *a) {
  for (unsigned i = 0; i < k->config.n_addrs; i++)
    if (thirl_addr_same_ip(&k->config.addrs[i], a)) return true;
  return false;
}

void thirl_sim_stack_set_addrs(thirl_sim_stack *k, const thirl_addr *addrs, unsigned n) {
  k->config.n_addrs = THIRL_MIN(n, (unsigned)THIRL_SIM_ADDRS_MAX);
  for (unsigned i = 0; i < k->config.n_addrs; i++)
    k->config.addrs[i] = thirl_addr_with_port(addrs[i], 0);
}

static bool port_is_used(const thirl_sim_stack *k, uint16_t port) {
  for (thirl_link *l = thirl_list_first(&k->sockets); l; l = thirl_list_next(&k->sockets, l))
    if (THIRL_OWNER(l, sock, link)->local.port == port) return true;
  return false;
}

/* Fill in what the caller of bind() left open. E_UNREACHABLE: no address of that family; E_IN_USE: not one of ours, or no port. */
static thirl_error bind_local(thirl_sim_stack *k, thirl_addr wanted, thirl_family family, bool wildcard,
                              thirl_addr *out) {
  *out = wanted;
  if (!thirl_addr_is_set(out)) *out = thirl_addr_any(family, wanted.port);
  if (thirl_addr_is_any(out) && !wildcard) {
    unsigned i = 0;
    while (i < k->config.n_addrs && k->config.addrs[i].family != out->family)
      i++;
    if (i == k->config.n_addrs) return THIRL_E_UNREACHABLE;
    *out = thirl_addr_with_port(k->config.addrs[i], out->port);
  }
  if (!thirl_addr_is_any(out) && !thirl_sim_stack_has_ip(k, out)) return THIRL_E_IN_USE;
  for (int i = 0; out->port == 0 && i < EPHEMERAL_TRIES; i++) {
    uint16_t port = (uint16_t)(EPHEMERAL_LO + thirl_dice_below(&k->dice, EPHEMERAL_HI - EPHEMERAL_LO + 1));
    if (!port_is_used(k, port)) out->port = port;
  }
  return out->port ? THIRL_OK : THIRL_E_IN_USE;
}

static bool covers(const sock *s, const thirl_addr *dst) {
  return s->local.port == dst->port && s->local.family == dst->family &&
         (thirl_addr_is_any(&s->local) || thirl_addr_same_ip(&s->local, dst));
}

/* The oldest socket of this kind that is bound to where the packet goes. */
static sock *bound_to(const thirl_sim_stack *k, socket_kind kind, const thirl_addr *dst) {
  for (thirl_link *l = thirl_list_first(&k->sockets); l; l = thirl_list_next(&k->sockets, l)) {
    sock *s = THIRL_OWNER(l, sock, link);
    if (s->kind == kind && covers(s, dst)) return s;
  }
  return NULL;
}

/* --- packets ---------------------------------------------------------------------------------------------------------------------- */

static void send_answer(thirl_sim_stack *k, thirl_natbox_packet answer) {
  thirl_sim_packet *packet = thirl_sim_pool_take_packet(k->pool);
  if (!packet) return;
  packet->p = answer;
  thirl_list_append(&k->out, &packet->link);
}

static void input_first_segment(thirl_sim_stack *k, thirl_time now, const thirl_sim_packet *packet) {
  const thirl_natbox_packet *p = &packet->p;
  sock *listener = thirl_natbox_packet_is_syn(p) ? bound_to(k, SOCKET_LISTENER, &p->dst) : NULL;
  if (!listener) {
    if (!(p->flags & THIRL_NATBOX_RST) && !k->config.silent) send_answer(k, thirl_natbox_packet_rst_for(p));
    return;
  }
  if (k->n_embryos >= THIRL_SIM_BACKLOG) return;
  sock *s = new_socket(k, SOCKET_TCP, k->next_accepted);
  if (!s) return;
  k->next_accepted++;
  s->local = p->dst;
  s->tcp.id = s->id;
  s->tcp.listener = listener->id;
  s->tcp.local = p->dst;
  s->tcp.remote = p->src;
  s->tcp.ttl = listener->tcp.ttl;
  flow f = flow_of(&s->tcp);
  thirl_sim_tcp_env env = env_of(k, now);
  if (thirl_map_put(&k->flows, &f, s) != THIRL_OK) {
    s->kind = SOCKET_DEAD;
    free_socket(k, s);
    return;
  }
  count_embryo(k, s, true);
  thirl_sim_tcp_open_passive(&s->tcp, &env, packet);
  settle(k, s);
}

static sock *flow_socket(const thirl_sim_stack *k, const thirl_addr *local, const thirl_addr *remote) {
  flow f = {.local = *local, .remote = *remote};
  return thirl_map_get(&k->flows, &f);
}

static void input_tcp(thirl_sim_stack *k, thirl_time now, const thirl_sim_packet *packet) {
  sock *s = flow_socket(k, &packet->p.dst, &packet->p.src);
  if (!s) {
    input_first_segment(k, now, packet);
    return;
  }
  thirl_sim_tcp_env env = env_of(k, now);
  bool anew = thirl_sim_tcp_input(&s->tcp, &env, packet);
  if (anew) {
    free_socket(k, s); /* TIME-WAIT: its machine has closed it */
    input_first_segment(k, now, packet);
    return;
  }
  settle(k, s);
}

static void input_udp(thirl_sim_stack *k, const thirl_sim_packet *packet) {
  const thirl_natbox_packet *p = &packet->p;
  const sock *s = bound_to(k, SOCKET_UDP, &p->dst);
  if (!s) {
    if (!k->config.silent) send_answer(k, thirl_natbox_packet_icmp_for(p, THIRL_NATBOX_PORT_UNREACHABLE, p->dst));
    return;
  }
  thirl_sim_note *n = thirl_sim_pool_take_note(k->pool);
  if (!n) return;
  n->payload = thirl_sim_pool_share(packet->payload);
  n->event = (thirl_net_event){
      .kind = THIRL_NET_DATAGRAM, .id = s->id, .local = p->dst, .remote = p->src, .payload = p->payload};
  thirl_list_append(&k->notes, &n->link);
}

/* UDP sockets are not connected, so they hear no ICMP. */
static void input_icmp(thirl_sim_stack *k, thirl_time now, const thirl_natbox_packet *p) {
  if (p->inner.protocol != THIRL_NATBOX_TCP) return;
  sock *s = flow_socket(k, &p->inner.src, &p->inner.dst);
  if (!s) return;
  thirl_sim_tcp_env env = env_of(k, now);
  thirl_sim_tcp_icmp(&s->tcp, &env, (thirl_natbox_icmp)p->icmp, p->inner.seq);
  settle(k, s);
}

void thirl_sim_stack_input(thirl_sim_stack *k, thirl_time now, const thirl_sim_packet *packet) {
  switch (packet->p.protocol) {
  case THIRL_NATBOX_TCP:
    input_tcp(k, now, packet);
    break;
  case THIRL_NATBOX_UDP:
    input_udp(k, packet);
    break;
  default:
    input_icmp(k, now, &packet->p);
    break;
  }
}

void thirl_sim_stack_tick(thirl_sim_stack *k, thirl_time now) {
  while (thirl_heap_first_key(&k->timers) <= now) {
    sock *s = THIRL_OWNER(thirl_heap_first(&k->timers), sock, timer);
    thirl_sim_tcp_env env = env_of(k, now);
    thirl_sim_tcp_tick(&s->tcp, &env);
    settle(k, s);
  }
}

thirl_time thirl_sim_stack_deadline(const thirl_sim_stack *k) {
  return thirl_heap_first_key(&k->timers);
}

/* --- what the machine asks for ---------------------------------------------------------------------------------------------------- */

static void tell(thirl_sim_stack *k, const thirl_net_action *action, thirl_net_kind kind, thirl_error error,
                 thirl_addr local) {
  thirl_sim_note *n = thirl_sim_pool_take_note(k->pool);
  if (!n) return;
  n->event =
      (thirl_net_event){.kind = kind, .id = action->id, .local = local, .remote = action->remote, .error = error};
  thirl_list_append(&k->notes, &n->link);
}

/* The machine hears FAILED about an id that never became a socket. */
static void refuse(thirl_sim_stack *k, const thirl_net_action *action, thirl_error error) {
  (void)new_socket(k, SOCKET_DEAD, action->id);
  tell(k, action, THIRL_NET_FAILED, error, action->local);
}

static void act_bind(thirl_sim_stack *k, const thirl_net_action *action, socket_kind kind) {
  thirl_addr local;
  thirl_error e = bind_local(k, action->local, THIRL_FAMILY_V4, true, &local);
  sock *s = e == THIRL_OK ? new_socket(k, kind, action->id) : NULL;
  if (!s) {
    refuse(k, action, e == THIRL_OK ? THIRL_E_LIMIT : e);
    return;
  }
  s->local = local;
  s->tcp.ttl = k->config.ttl;
  tell(k, action, THIRL_NET_LISTENING, THIRL_OK, local);
}

static void act_connect(thirl_sim_stack *k, thirl_time now, const thirl_net_action *action) {
  thirl_addr local;
  thirl_error e = bind_local(k, action->local, (thirl_family)action->remote.family, false, &local);
  if (e == THIRL_OK && flow_socket(k, &local, &action->remote)) e = THIRL_E_IN_USE;
  sock *s = e == THIRL_OK ? new_socket(k, SOCKET_TCP, action->id) : NULL;
  if (!s) {
    refuse(k, action, e == THIRL_OK ? THIRL_E_LIMIT : e);
    return;
  }
  s->local = local;
  s->tcp.id = action->id;
  s->tcp.local = local;
  s->tcp.remote = action->remote;
  s->tcp.ttl = k->config.ttl;
  flow f = flow_of(&s->tcp);
  thirl_sim_tcp_env env = env_of(k, now);
  if (thirl_map_put(&k->flows, &f, s) != THIRL_OK) {
    s->kind = SOCKET_DEAD;
    tell(k, action, THIRL_NET_FAILED, THIRL_E_NOMEM, local);
    return;
  }
  thirl_sim_tcp_connect(&s->tcp, &env);
  settle(k, s);
}

static void act_sendto(thirl_sim_stack *k, const thirl_net_action *action) {
  const sock *s = thirl_map_get(&k->ids, &action->id);
  thirl_addr local;
  if (!s || s->kind != SOCKET_UDP || action->payload.n > THIRL_SIM_PAYLOAD_MAX)
    return; /* EMSGSIZE: nothing is fragmented */
  if (bind_local(k, s->local, (thirl_family)action->remote.family, false, &local) != THIRL_OK) return;
  if (local.family != action->remote.family) return;
  thirl_sim_packet *packet = thirl_sim_pool_take_packet(k->pool);
  if (!packet) return;
  packet->payload = thirl_sim_pool_take_payload(k->pool);
  if (!packet->payload) {
    thirl_sim_pool_give_packet(k->pool, packet);
    return;
  }
  packet->payload->n = (uint32_t)action->payload.n;
  if (action->payload.n) memcpy(packet->payload->bytes, action->payload.p, action->payload.n);
  packet->p = (thirl_natbox_packet){.protocol = THIRL_NATBOX_UDP,
                                    .ttl = s->tcp.ttl,
                                    .src = local,
                                    .dst = action->remote,
                                    .payload = THIRL_BYTES(packet->payload->bytes, action->payload.n)};
  thirl_list_append(&k->out, &packet->link);
}

/* The embryos of a listener go with it; the other end hears RST when it speaks. */
static void drop_embryos(thirl_sim_stack *k, thirl_net_id listener) {
  for (thirl_link *l = thirl_list_first(&k->sockets), *next; l; l = next) {
    sock *s = THIRL_OWNER(l, sock, link);
    next = thirl_list_next(&k->sockets, l);
    if (s->embryo && s->tcp.listener == listener) free_socket(k, s);
  }
}

static void close_socket(thirl_sim_stack *k, thirl_time now, sock *s, bool abort) {
  disown(k, s);
  if (s->kind == SOCKET_LISTENER) drop_embryos(k, s->id);
  if (s->kind != SOCKET_TCP) {
    free_socket(k, s);
    return;
  }
  thirl_sim_tcp_env env = env_of(k, now);
  if (abort)
    thirl_sim_tcp_abort(&s->tcp, &env);
  else
    thirl_sim_tcp_close(&s->tcp, &env);
  settle(k, s);
}

/* A socket that the machine may name: not an embryo, not one that it has closed. */
static sock *owned_socket(const thirl_sim_stack *k, thirl_net_id id) {
  sock *s = thirl_map_get(&k->ids, &id);
  return s && !s->embryo ? s : NULL;
}

void thirl_sim_stack_act(thirl_sim_stack *k, thirl_time now, const thirl_net_action *action) {
  sock *s;
  switch (action->verb) {
  case THIRL_NET_LISTEN:
    act_bind(k, action, SOCKET_LISTENER);
    break;
  case THIRL_NET_BIND_UDP:
    act_bind(k, action, SOCKET_UDP);
    break;
  case THIRL_NET_CONNECT:
    act_connect(k, now, action);
    break;
  case THIRL_NET_SENDTO:
    act_sendto(k, action);
    break;
  case THIRL_NET_CLOSE:
  case THIRL_NET_ABORT:
    if ((s = owned_socket(k, action->id)) != NULL) close_socket(k, now, s, action->verb == THIRL_NET_ABORT);
    break;
  case THIRL_NET_WRITE:
    thirl_sim_stack_want_pull(k, action->id);
    break;
  }
}

void thirl_sim_stack_want_pull(thirl_sim_stack *k, thirl_net_id id) {
  sock *s = owned_socket(k, id);
  if (s && s->kind == SOCKET_TCP) s->tcp.pulls = true;
}

thirl_net_id thirl_sim_stack_writable(thirl_sim_stack *k, thirl_time now, size_t *room) {
  thirl_sim_tcp_env env = env_of(k, now);
  for (thirl_link *l = thirl_list_first(&k->sockets); l; l = thirl_list_next(&k->sockets, l)) {
    const sock *s = THIRL_OWNER(l, sock, link);
    if (s->kind != SOCKET_TCP || !s->tcp.pulls) continue;
    *room = thirl_sim_tcp_room(&s->tcp, &env);
    if (*room) return s->id;
  }
  return 0;
}

void thirl_sim_stack_send(thirl_sim_stack *k, thirl_time now, thirl_net_id id, thirl_sim_payload *payload) {
  sock *s = owned_socket(k, id);
  thirl_sim_tcp_env env = env_of(k, now);
  if (!s || s->kind != SOCKET_TCP) {
    thirl_sim_pool_give_payload(k->pool, payload);
    return;
  }
  thirl_sim_tcp_send(&s->tcp, &env, payload);
  settle(k, s);
}

void thirl_sim_stack_pulled_dry(thirl_sim_stack *k, thirl_net_id id) {
  sock *s = owned_socket(k, id);
  if (s) s->tcp.pulls = false;
}

bool thirl_sim_stack_owns(thirl_sim_stack *k, const thirl_net_event *ev) {
  sock *s = owned_socket(k, ev->id);
  if (!s) return false;
  if (ev->kind == THIRL_NET_FAILED) free_socket(k, s);
  return true;
}

void thirl_sim_stack_close_all(thirl_sim_stack *k, thirl_time now) {
  for (thirl_link *l = thirl_list_first(&k->sockets), *next; l; l = next) {
    sock *s = THIRL_OWNER(l, sock, link);
    next = thirl_list_next(&k->sockets, l);
    if (s->owned && !s->embryo) {
      bool listener = s->kind == SOCKET_LISTENER;
      close_socket(k, now, s, false);
      if (listener) next = thirl_list_first(&k->sockets); /* its embryos went too: begin again */
    }
  }
  drop_notes(k);
}

bool thirl_sim_stack_set_ttl(thirl_sim_stack *k, thirl_net_id id, uint8_t ttl) {
  sock *s = thirl_map_get(&k->ids, &id);
  if (!s || s->kind == SOCKET_DEAD) return false;
  s->tcp.ttl = ttl;
  return true;
}
