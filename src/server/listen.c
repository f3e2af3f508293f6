/* SPDX-License-Identifier: MIT */
#include "server/listen.h"

thirl_error thirl_server_listen_add(thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *local) {
  if (l->n == THIRL_SERVER_LISTEN_MAX) return THIRL_E_LIMIT;
  l->sockets[l->n++] = (thirl_server_socket){.verb = verb, .wanted = *local, .state = THIRL_E_AGAIN};
  return THIRL_OK;
}

thirl_error thirl_server_listen_add_pair(thirl_server_listen *l, const thirl_server_pair *p) {
  if (!thirl_server_pair_is_sound(p)) return THIRL_E_INVALID;
  for (size_t i = 0; i < THIRL_SERVER_PAIRS; i++) {
    if (thirl_server_pair_is_set(&l->pairs[i]) && l->pairs[i].primary.family == p->primary.family) return THIRL_E_LIMIT;
    if (thirl_server_pair_is_set(&l->pairs[i])) continue;
    l->pairs[i] = *p;
    return THIRL_OK;
  }
  return THIRL_E_LIMIT;
}

/* ---- who can speak for which address ---- */

static bool speaks_for(const thirl_server_socket *s, thirl_net_verb verb, const thirl_addr *at) {
  return s->verb == verb && s->state == THIRL_OK && s->bound.family == at->family &&
         (thirl_addr_is_any(&s->bound) || thirl_addr_same_ip(&s->bound, at));
}

thirl_net_id thirl_server_listen_find(const thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *at) {
  for (size_t i = 0; i < l->n; i++)
    if (speaks_for(&l->sockets[i], verb, at) && l->sockets[i].bound.port == at->port) return (thirl_net_id)(i + 1);
  return 0;
}

static bool has_all(const thirl_server_listen *l, const thirl_server_pair *p, thirl_net_verb verb) {
  if (!thirl_server_pair_is_set(p)) return false;
  for (unsigned corner = 0; corner < 4; corner++) {
    thirl_addr at = thirl_server_pair_corner(p, corner);
    if (!thirl_server_listen_find(l, verb, &at)) return false;
  }
  return true;
}

static void evaluate(thirl_server_listen *l) {
  for (size_t i = 0; i < THIRL_SERVER_PAIRS; i++) {
    l->has_all[i][false] = has_all(l, &l->pairs[i], THIRL_NET_LISTEN);
    l->has_all[i][true] = has_all(l, &l->pairs[i], THIRL_NET_BIND_UDP);
  }
}

bool thirl_server_listen_across(const thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *local, bool ip,
                                bool port, thirl_addr *out) {
  for (size_t i = 0; i < THIRL_SERVER_PAIRS; i++) {
    int corner = l->has_all[i][verb == THIRL_NET_BIND_UDP] ? thirl_server_pair_find(&l->pairs[i], local) : -1;
    if (corner < 0) continue;
    *out = thirl_server_pair_corner(&l->pairs[i], thirl_server_pair_across((unsigned)corner, ip, port));
    return true;
  }
  return false;
}

bool thirl_server_listen_is_primary(const thirl_server_listen *l, const thirl_addr *at) {
  for (size_t i = 0; i < THIRL_SERVER_PAIRS; i++)
    if (thirl_server_pair_is_set(&l->pairs[i]) && thirl_addr_same_ip(&l->pairs[i].primary, at)) return true;
  return false;
}

thirl_addr thirl_server_listen_seen(const thirl_server_listen *l, thirl_addr at) {
  for (size_t i = 0; i < THIRL_SERVER_ALIASES; i++)
    if (thirl_addr_is_set(&at) && thirl_addr_same_ip(&l->aliases[i].local, &at))
      return thirl_addr_with_port(l->aliases[i].seen, at.port);
  return at;
}

bool thirl_server_listen_other_port(const thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *local,
                                    thirl_addr *out) {
  uint16_t lowest = 0;
  for (size_t i = 0; i < l->n; i++) {
    uint16_t port = l->sockets[i].bound.port;
    if (!speaks_for(&l->sockets[i], verb, local) || port == local->port) continue;
    if (!lowest || port < lowest) lowest = port;
  }
  *out = thirl_addr_with_port(*local, lowest);
  return lowest != 0;
}

/* ---- the sockets ---- */

bool thirl_server_listen_input(thirl_server_listen *l, const thirl_net_event *ev) {
  if (ev->id == 0 || ev->id > l->n) return false;
  thirl_server_socket *s = &l->sockets[ev->id - 1];
  if (ev->kind == THIRL_NET_LISTENING) {
    s->bound = ev->local;
    s->state = THIRL_OK;
  } else if (ev->kind == THIRL_NET_FAILED) {
    s->is_closing = false;
    s->state = ev->error;
  }
  evaluate(l);
  return true;
}

void thirl_server_listen_close(thirl_server_listen *l) {
  for (size_t i = 0; i < l->n; i++)
    if (l->sockets[i].verb == THIRL_NET_LISTEN && l->sockets[i].state == THIRL_OK) l->sockets[i].is_closing = true;
}

/* ---- the answers ---- */

thirl_server_answer *thirl_server_listen_answer(thirl_server_listen *l) {
  /* One place stays free: the answer that was polled last is borrowed until the next poll. */
  if (l->answers_n == THIRL_SERVER_LISTEN_ANSWERS - 1) return NULL;
  return &l->answers[(l->answers_at + l->answers_n++) % THIRL_SERVER_LISTEN_ANSWERS];
}

static bool poll_socket(thirl_server_listen *l, thirl_net_action *out) {
  for (size_t i = 0; i < l->n; i++) {
    thirl_server_socket *s = &l->sockets[i];
    thirl_net_id id = (thirl_net_id)(i + 1);
    if (!s->is_said) {
      s->is_said = true;
      *out = (thirl_net_action){.verb = s->verb, .id = id, .local = s->wanted};
      return true;
    }
    if (s->is_closing) {
      s->is_closing = false;
      s->state = THIRL_E_NOT_FOUND;
      evaluate(l);
      *out = (thirl_net_action){.verb = THIRL_NET_ABORT, .id = id};
      return true;
    }
  }
  return false;
}

bool thirl_server_listen_poll(thirl_server_listen *l, thirl_net_action *out) {
  if (poll_socket(l, out)) return true;
  if (l->answers_n == 0) return false;
  thirl_server_answer *a = &l->answers[l->answers_at];
  l->answers_at = (l->answers_at + 1) % THIRL_SERVER_LISTEN_ANSWERS;
  l->answers_n--;
  *out = (thirl_net_action){.verb = THIRL_NET_SENDTO, .id = a->id, .local = a->local, .remote = a->remote};
  out->payload = THIRL_BYTES(a->bytes, a->n);
  return true;
}

bool thirl_server_listen_has_actions(const thirl_server_listen *l) {
  for (size_t i = 0; i < l->n; i++)
    if (!l->sockets[i].is_said || l->sockets[i].is_closing) return true;
  return l->answers_n != 0;
}
