/* SPDX-License-Identifier: MIT */
#include "session/control.h"

#include <string.h>

#define CONNECT_TIMEOUT (10 * THIRL_S)
#define CONNECT_PATIENCE                                                                                               \
  (3 * THIRL_S) /* the same when there is another address to try: the first SYN and its repetition after 1 s */
#define BACKOFF_FIRST (250 * THIRL_MS)
#define BACKOFF_MAX   (30 * THIRL_S)
#define SETTLED                                                                                                        \
  (10 * THIRL_S) /* two machines with one ticket throw each other out: a registration must last to count as a success */

void thirl_session_control_init(thirl_session_control *c, thirl_meet_client *client_take, uint64_t dice_seed) {
  memset(c, 0, sizeof *c);
  c->client = client_take;
  c->next = THIRL_NEVER;
  c->last_error = THIRL_E_NO_SERVER;
  thirl_dice_seed(&c->dice, dice_seed);
}

thirl_error thirl_session_control_set_servers(thirl_session_control *c, const thirl_addr *servers, size_t n) {
  if (n == 0 || n > THIRL_SESSION_SERVERS_MAX) return THIRL_E_RANGE;
  memcpy(c->servers, servers, n * sizeof *servers);
  c->n_servers = n;
  c->turn = c->tried = 0;
  return THIRL_OK;
}

/* The place of an address in a list; n: it has none. */
static size_t place_of(const thirl_addr *a, const thirl_addr *list, size_t n) {
  size_t i = 0;
  while (i < n && !thirl_addr_equal(a, &list[i]))
    i++;
  return i;
}

/* In any order: name servers like to shuffle. */
static bool has_same_servers(const thirl_session_control *c, const thirl_addr *servers, size_t n) {
  bool same = n == c->n_servers;
  for (size_t i = 0; same && i < n; i++)
    same = place_of(&c->servers[i], servers, n) < n;
  return same;
}

thirl_error thirl_session_control_move(thirl_session_control *c, thirl_time now, const thirl_addr *servers, size_t n,
                                       thirl_session_queue *q) {
  if (has_same_servers(c, servers, n)) return THIRL_OK;
  thirl_addr present = c->n_servers ? *thirl_session_control_server(c) : (thirl_addr){.family = THIRL_FAMILY_NONE};
  thirl_error e = thirl_session_control_set_servers(c, servers, n);
  if (e != THIRL_OK) return e;
  size_t place = place_of(&present, servers, n);
  if (place < n) c->turn = place;
  if (c->state == THIRL_SESSION_CONTROL_CONNECTING && place == n) {
    thirl_session_queue_abort(q, c->conn);
    c->conn = 0;
    c->state = THIRL_SESSION_CONTROL_WAITING;
    c->next = now;
  } else if (c->state == THIRL_SESSION_CONTROL_WAITING) {
    c->next = THIRL_MIN(c->next, now + thirl_dice_below(&c->dice, BACKOFF_FIRST) + 1);
  }
  return THIRL_OK;
}

void thirl_session_control_fini(thirl_session_control *c) {
  thirl_meet_client_free(c->client);
  c->client = NULL;
}

const thirl_addr *thirl_session_control_server(const thirl_session_control *c) {
  return &c->servers[c->turn % c->n_servers];
}

const thirl_addr *thirl_session_control_last_tried(const thirl_session_control *c) {
  return &c->last_tried;
}

void thirl_session_control_start(thirl_session_control *c, thirl_time now) {
  c->state = THIRL_SESSION_CONTROL_WAITING;
  c->next = now;
}

static void connect_now(thirl_session_control *c, thirl_time now, thirl_session_queue *q) {
  const thirl_addr *to = thirl_session_control_server(c);
  uint16_t port = c->local.family == to->family ? c->local.port : 0;
  thirl_addr from = thirl_addr_any((thirl_family)to->family, port);
  c->last_tried = *to;
  c->conn = thirl_session_queue_new_id(q);
  c->state = THIRL_SESSION_CONTROL_CONNECTING;
  c->since = now;
  c->next = THIRL_NEVER;
  thirl_session_queue_connect(q, c->conn, &from, to);
}

/* Full jitter: anywhere between nothing and the doubled bound, so that a thousand clients do not come back in step. */
static void come_back_later(thirl_session_control *c, thirl_time now) {
  unsigned doublings = THIRL_MIN(c->failures, 7u);
  thirl_time bound = THIRL_MIN(BACKOFF_FIRST << doublings, BACKOFF_MAX);
  c->failures++;
  c->conn = 0;
  c->tried = 0;
  c->state = THIRL_SESSION_CONTROL_WAITING;
  c->next = now + thirl_dice_below(&c->dice, bound) + 1;
  thirl_meet_client_lost(c->client);
}

static bool has_untried(const thirl_session_control *c) {
  return c->tried + 1 < c->n_servers;
}

static thirl_time attempt_ends(const thirl_session_control *c) {
  return c->since + (has_untried(c) ? CONNECT_PATIENCE : CONNECT_TIMEOUT);
}

/* This address does not answer: the next one at once, or, when all were tried, later. */
static void try_next(thirl_session_control *c, thirl_time now) {
  bool at_once = has_untried(c);
  size_t tried = c->tried + 1;
  c->turn++;
  c->last_error = THIRL_E_NO_SERVER;
  if (!at_once) {
    come_back_later(c, now);
    return;
  }
  c->tried = tried;
  c->conn = 0;
  c->state = THIRL_SESSION_CONTROL_WAITING;
  c->next = now;
}

void thirl_session_control_drop(thirl_session_control *c, thirl_time now, thirl_error why, thirl_session_queue *q) {
  if (c->conn) thirl_session_queue_abort(q, c->conn);
  c->last_error = why;
  come_back_later(c, now);
}

void thirl_session_control_stop(thirl_session_control *c, thirl_session_queue *q) {
  if (c->conn) thirl_session_queue_close(q, c->conn);
  c->conn = 0;
  c->next = THIRL_NEVER;
  c->state = THIRL_SESSION_CONTROL_OFF;
  thirl_meet_client_lost(c->client);
}

bool thirl_session_control_input(thirl_session_control *c, thirl_time now, const thirl_net_event *ev) {
  switch (ev->kind) {
  case THIRL_NET_CONNECTED:
    c->state = THIRL_SESSION_CONTROL_UP;
    c->local = ev->local;
    c->tried = 0;
    return thirl_meet_client_connected(c->client, now) != THIRL_OK;
  case THIRL_NET_FAILED:
    if (ev->error == THIRL_E_IN_USE) c->local.port = 0;
    if (c->state == THIRL_SESSION_CONTROL_CONNECTING) {
      try_next(c, now);
    } else {
      c->last_error = THIRL_E_NO_SERVER;
      come_back_later(c, now);
    }
    return true;
  default:
    return false;
  }
}

void thirl_session_control_tick(thirl_session_control *c, thirl_time now, thirl_session_queue *q) {
  if (c->state == THIRL_SESSION_CONTROL_CONNECTING && now >= attempt_ends(c)) {
    c->local.port = 0;
    thirl_session_queue_abort(q, c->conn);
    try_next(c, now);
  }
  if (c->state == THIRL_SESSION_CONTROL_WAITING && now >= c->next) connect_now(c, now, q);
  if (c->state == THIRL_SESSION_CONTROL_UP) thirl_meet_client_tick(c->client, now);
  if (thirl_session_control_is_registered(c) && now >= c->since + SETTLED) c->failures = 0;
}

thirl_time thirl_session_control_deadline(const thirl_session_control *c) {
  switch (c->state) {
  case THIRL_SESSION_CONTROL_WAITING:
    return c->next;
  case THIRL_SESSION_CONTROL_CONNECTING:
    return attempt_ends(c);
  case THIRL_SESSION_CONTROL_UP:
    return thirl_meet_client_deadline(c->client);
  default:
    return THIRL_NEVER;
  }
}

bool thirl_session_control_is_registered(const thirl_session_control *c) {
  return c->state == THIRL_SESSION_CONTROL_UP && thirl_meet_client_state_of(c->client) == THIRL_MEET_CLIENT_REGISTERED;
}
