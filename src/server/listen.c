/* SPDX-License-Identifier: MIT */
#include "server/listen.h"

thirl_error thirl_server_listen_add(thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *local) {
  if (l->n == THIRL_SERVER_LISTEN_MAX) return THIRL_E_LIMIT;
  l->sockets[l->n++] = (thirl_server_socket){.verb = verb, .wanted = *local, .state = THIRL_E_AGAIN};
  return THIRL_OK;
}

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
  return true;
}

void thirl_server_listen_close(thirl_server_listen *l) {
  for (size_t i = 0; i < l->n; i++)
    if (l->sockets[i].verb == THIRL_NET_LISTEN && l->sockets[i].state == THIRL_OK) l->sockets[i].is_closing = true;
}

thirl_server_answer *thirl_server_listen_answer(thirl_server_listen *l, const thirl_net_event *datagram) {
  /* One place stays free: the answer that was polled last is borrowed until the next poll. */
  if (l->answers_n == THIRL_SERVER_LISTEN_ANSWERS - 1) return NULL;
  thirl_server_answer *a = &l->answers[(l->answers_at + l->answers_n++) % THIRL_SERVER_LISTEN_ANSWERS];
  a->id = datagram->id;
  a->local = datagram->local;
  a->remote = datagram->remote;
  return a;
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
