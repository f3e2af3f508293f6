/* SPDX-License-Identifier: MIT */
#include "natcheck/dial.h"

#include <string.h>

#include "stun/writer.h"

void thirl_natcheck_dial_init(thirl_natcheck_dial *d, const thirl_secrets *secrets, thirl_net_id first_id) {
  memset(d, 0, sizeof *d);
  d->secrets = *secrets;
  d->next_id = first_id;
}

void thirl_natcheck_dial_fini(thirl_natcheck_dial *d) {
  for (unsigned i = 0; i < d->n_calls; i++)
    thirl_stun_stream_fini(&d->calls[i].in);
  d->n_calls = 0;
}

unsigned thirl_natcheck_dial_open(thirl_natcheck_dial *d, uint16_t port) {
  if (d->n_doors == THIRL_NATCHECK_DIAL_DOORS) return d->n_doors;
  d->doors[d->n_doors] = (thirl_natcheck_door){.state = THIRL_NATCHECK_DOOR_WANTED, .id = d->next_id++, .port = port};
  return d->n_doors++;
}

unsigned thirl_natcheck_dial_add(thirl_natcheck_dial *d, const thirl_natcheck_call *c) {
  if (d->n_calls == THIRL_NATCHECK_DIAL_CALLS) return d->n_calls;
  thirl_natcheck_dialled *k = &d->calls[d->n_calls];
  *k = (thirl_natcheck_dialled){.c = *c};
  thirl_stun_stream_init(&k->in, THIRL_STUN_FRAMING_TURN, THIRL_STUN_MSG_MAX);
  return d->n_calls++;
}

static void finish(thirl_natcheck_dialled *k, thirl_error e) {
  k->state = THIRL_NATCHECK_DIAL_DONE;
  k->wants_write = false;
  k->error = e;
  k->reset |= e != THIRL_OK && k->id != 0;
}

void thirl_natcheck_dial_stop(thirl_natcheck_dial *d, unsigned call) {
  if (call >= d->n_calls || d->calls[call].state == THIRL_NATCHECK_DIAL_DONE) return;
  finish(&d->calls[call], THIRL_E_TIMEOUT);
}

void thirl_natcheck_dial_end(thirl_natcheck_dial *d) {
  d->ending = true;
  for (unsigned i = 0; i < d->n_calls; i++) {
    if (d->calls[i].state != THIRL_NATCHECK_DIAL_DONE) finish(&d->calls[i], THIRL_E_TIMEOUT);
    d->calls[i].reset |= d->calls[i].id != 0;
  }
}

bool thirl_natcheck_dial_is_idle(const thirl_natcheck_dial *d) {
  for (unsigned i = 0; i < d->n_calls; i++)
    if (d->calls[i].state != THIRL_NATCHECK_DIAL_DONE) return false;
  return true;
}

/* ---- answers ---- */

static void ask(thirl_natcheck_dial *d, thirl_natcheck_dialled *k) {
  thirl_secrets_fill(&d->secrets, k->tid, sizeof k->tid);
  k->wants_write = true;
  k->has_written = false;
}

bool thirl_natcheck_dial_again(thirl_natcheck_dial *d, unsigned call, thirl_time now) {
  if (call >= d->n_calls) return false;
  thirl_natcheck_dialled *k = &d->calls[call];
  if (k->state != THIRL_NATCHECK_DIAL_DONE || !k->answered || !k->id || k->reset) return false;
  k->state = THIRL_NATCHECK_DIAL_ASKING;
  k->due = thirl_time_after(now, k->c.patience);
  ask(d, k);
  return true;
}

static bool read_mapped(const thirl_natcheck_dial *d, const thirl_stun_msg *m, thirl_addr *mapped, bool *rewritten) {
  thirl_addr plain;
  bool has_plain = thirl_stun_msg_get_addr(m, THIRL_STUN_ATTR_MAPPED_ADDRESS, &plain) == THIRL_OK;
  bool has_xor = thirl_stun_msg_get_xor_addr(m, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, mapped) == THIRL_OK;
  if (!has_xor) *mapped = plain;
  *rewritten = has_xor && has_plain && !thirl_addr_equal(&plain, mapped);
  return (has_xor || has_plain) && mapped->family == d->local.family && !thirl_addr_is_any(mapped) && mapped->port != 0;
}

static void take_success(thirl_natcheck_dial *d, thirl_natcheck_dialled *k, const thirl_stun_msg *m) {
  thirl_addr mapped;
  bool rewritten;
  if (!read_mapped(d, m, &mapped, &rewritten)) {
    finish(k, THIRL_E_PROTOCOL);
    return;
  }
  k->rewritten |= rewritten;
  k->contradictory |= k->answered > 0 && !thirl_addr_equal(&mapped, &k->mapped);
  if (k->answered++ == 0) {
    k->mapped = mapped;
    (void)thirl_stun_msg_get_addr(m, THIRL_STUN_ATTR_OTHER_ADDRESS, &k->other);
    k->has_probe = thirl_stun_msg_get_u32(m, THIRL_STUN_ATTR_THIRL_PROBE, &k->probe) == THIRL_OK;
  }
  if (k->c.twice && k->answered == 1)
    ask(d, k);
  else
    finish(k, THIRL_OK);
}

static void take_message(thirl_natcheck_dial *d, thirl_natcheck_dialled *k, thirl_bytes packet) {
  thirl_stun_msg m;
  if (thirl_stun_msg_decode(packet, &m) != THIRL_OK || !thirl_stun_msg_same_tid(&m, k->tid)) return;
  if (m.method != THIRL_STUN_METHOD_BINDING || !k->has_written) return;
  if (m.cls == THIRL_STUN_SUCCESS) {
    take_success(d, k, &m);
  } else if (m.cls == THIRL_STUN_ERROR) {
    if (thirl_stun_msg_get_error(&m, &k->code, NULL) != THIRL_OK) k->code = 500;
    finish(k, THIRL_OK);
  }
}

static void take_data(thirl_natcheck_dial *d, thirl_natcheck_dialled *k, thirl_bytes in) {
  thirl_bytes packet;
  thirl_error e = THIRL_OK;
  while (k->state == THIRL_NATCHECK_DIAL_ASKING && (e = thirl_stun_stream_next(&k->in, &in, &packet)) == THIRL_OK)
    take_message(d, k, packet);
  if (k->state == THIRL_NATCHECK_DIAL_ASKING && e != THIRL_E_AGAIN) finish(k, e);
}

static void take_call(thirl_natcheck_dial *d, thirl_natcheck_dialled *k, thirl_time now, const thirl_net_event *ev) {
  switch (ev->kind) {
  case THIRL_NET_CONNECTED:
    if (k->state != THIRL_NATCHECK_DIAL_CONNECTING) break;
    k->connected = true;
    k->local = ev->local;
    k->rtt = now - k->begun;
    k->state = THIRL_NATCHECK_DIAL_ASKING;
    if (k->c.mute)
      finish(k, THIRL_OK);
    else
      ask(d, k);
    break;
  case THIRL_NET_DATA:
    take_data(d, k, ev->payload);
    break;
  case THIRL_NET_EOF:
    if (k->state != THIRL_NATCHECK_DIAL_DONE) finish(k, THIRL_E_EOF);
    break;
  case THIRL_NET_FAILED:
    k->id = 0;
    k->reset = false;
    if (k->state != THIRL_NATCHECK_DIAL_DONE) finish(k, ev->error);
    break;
  default:
    break;
  }
}

/* ---- doors ---- */

static void take_knock(thirl_natcheck_dial *d, thirl_natcheck_door *door, const thirl_net_event *ev) {
  if (d->n_resets < THIRL_NATCHECK_DIAL_RESETS) d->resets[d->n_resets++] = ev->id;
  if (door->n_knocks < THIRL_NATCHECK_DIAL_KNOCKS) door->knocks[door->n_knocks++] = ev->remote;
}

static bool take_door(thirl_natcheck_dial *d, const thirl_net_event *ev) {
  thirl_net_id id = ev->kind == THIRL_NET_ACCEPTED ? ev->listener : ev->id;
  for (unsigned i = 0; i < d->n_doors; i++) {
    thirl_natcheck_door *door = &d->doors[i];
    if (door->id == 0 || door->id != id) continue;
    if (ev->kind == THIRL_NET_LISTENING && door->state == THIRL_NATCHECK_DOOR_OPENING) {
      door->state = THIRL_NATCHECK_DOOR_OPEN;
      door->port = ev->local.port;
    } else if (ev->kind == THIRL_NET_FAILED) {
      door->state = THIRL_NATCHECK_DOOR_BROKEN;
      door->error = ev->error;
      door->id = 0;
    } else if (ev->kind == THIRL_NET_ACCEPTED) {
      take_knock(d, door, ev);
    }
    return true;
  }
  return false;
}

/* A connection that came in and is gone already needs no reset. */
static bool take_gone(thirl_natcheck_dial *d, const thirl_net_event *ev) {
  for (unsigned i = 0; i < d->n_resets && ev->kind == THIRL_NET_FAILED; i++)
    if (d->resets[i] == ev->id) {
      d->resets[i] = d->resets[--d->n_resets];
      return true;
    }
  return false;
}

bool thirl_natcheck_dial_input(thirl_natcheck_dial *d, thirl_time now, const thirl_net_event *ev) {
  if (take_door(d, ev) || take_gone(d, ev)) return true;
  for (unsigned i = 0; i < d->n_calls; i++) {
    if (d->calls[i].id == 0 || d->calls[i].id != ev->id) continue;
    take_call(d, &d->calls[i], now, ev);
    return true;
  }
  return false;
}

/* ---- what is to be done ---- */

static bool poll_door(thirl_natcheck_dial *d, thirl_natcheck_door *door, thirl_net_action *out) {
  if (d->ending && door->id) {
    bool is_open = door->state == THIRL_NATCHECK_DOOR_OPENING || door->state == THIRL_NATCHECK_DOOR_OPEN;
    *out = (thirl_net_action){.verb = THIRL_NET_ABORT, .id = door->id};
    door->state = THIRL_NATCHECK_DOOR_CLOSED;
    door->id = 0;
    return is_open;
  }
  if (door->state != THIRL_NATCHECK_DOOR_WANTED) return false;
  door->state = THIRL_NATCHECK_DOOR_OPENING;
  *out =
      (thirl_net_action){.verb = THIRL_NET_LISTEN, .id = door->id, .local = thirl_addr_with_port(d->local, door->port)};
  return true;
}

static bool may_begin(const thirl_natcheck_dial *d, const thirl_natcheck_dialled *k, thirl_time now) {
  return now >= k->c.not_before && (k->c.door >= d->n_doors || d->doors[k->c.door].state == THIRL_NATCHECK_DOOR_OPEN);
}

static bool is_locked_out(const thirl_natcheck_dial *d, const thirl_natcheck_dialled *k) {
  return k->c.door < d->n_doors && d->doors[k->c.door].state == THIRL_NATCHECK_DOOR_BROKEN;
}

static bool poll_call(thirl_natcheck_dial *d, thirl_natcheck_dialled *k, thirl_time now, thirl_net_action *out) {
  bool runs = k->state == THIRL_NATCHECK_DIAL_CONNECTING || k->state == THIRL_NATCHECK_DIAL_ASKING;
  if (runs && now >= k->due) finish(k, THIRL_E_TIMEOUT);
  if (k->reset && k->id) {
    *out = (thirl_net_action){.verb = THIRL_NET_ABORT, .id = k->id};
    k->id = 0;
    k->reset = false;
    return true;
  }
  if (k->state == THIRL_NATCHECK_DIAL_WAITING && is_locked_out(d, k)) finish(k, d->doors[k->c.door].error);
  if (k->state == THIRL_NATCHECK_DIAL_WAITING && may_begin(d, k, now)) {
    uint16_t port = k->c.door < d->n_doors ? d->doors[k->c.door].port : 0;
    k->state = THIRL_NATCHECK_DIAL_CONNECTING;
    k->id = d->next_id++;
    k->begun = now;
    k->due = thirl_time_after(now, k->c.patience);
    *out = (thirl_net_action){
        .verb = THIRL_NET_CONNECT, .id = k->id, .local = thirl_addr_with_port(d->local, port), .remote = k->c.to};
    return true;
  }
  if (!k->wants_write) return false;
  k->wants_write = false;
  *out = (thirl_net_action){.verb = THIRL_NET_WRITE, .id = k->id};
  return true;
}

bool thirl_natcheck_dial_poll(thirl_natcheck_dial *d, thirl_time now, thirl_net_action *out) {
  if (d->n_resets) {
    *out = (thirl_net_action){.verb = THIRL_NET_ABORT, .id = d->resets[--d->n_resets]};
    return true;
  }
  for (unsigned i = 0; i < d->n_doors; i++)
    if (poll_door(d, &d->doors[i], out)) return true;
  for (unsigned i = 0; i < d->n_calls; i++)
    if (poll_call(d, &d->calls[i], now, out)) return true;
  return false;
}

size_t thirl_natcheck_dial_pull(thirl_natcheck_dial *d, thirl_net_id id, uint8_t *buf, size_t cap) {
  for (unsigned i = 0; i < d->n_calls; i++) {
    thirl_natcheck_dialled *k = &d->calls[i];
    thirl_stun_writer w;
    thirl_bytes done;
    if (k->id != id || k->state != THIRL_NATCHECK_DIAL_ASKING || k->has_written) continue;
    k->has_written = true;
    thirl_stun_writer_init(&w, buf, THIRL_MIN(cap, (size_t)THIRL_NATCHECK_DIAL_BYTES), THIRL_STUN_REQUEST,
                           THIRL_STUN_METHOD_BINDING, k->tid);
    if (k->c.change) thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_CHANGE_REQUEST, k->c.change);
    return thirl_stun_writer_finish(&w, &done) == THIRL_OK ? done.n : 0;
  }
  return 0;
}

thirl_time thirl_natcheck_dial_deadline(const thirl_natcheck_dial *d) {
  thirl_time due = THIRL_NEVER;
  for (unsigned i = 0; i < d->n_calls; i++) {
    const thirl_natcheck_dialled *k = &d->calls[i];
    bool can_begin = k->state == THIRL_NATCHECK_DIAL_WAITING &&
                     (k->c.door >= d->n_doors || d->doors[k->c.door].state == THIRL_NATCHECK_DOOR_OPEN);
    if (can_begin) due = THIRL_MIN(due, k->c.not_before);
    if (k->state == THIRL_NATCHECK_DIAL_CONNECTING || k->state == THIRL_NATCHECK_DIAL_ASKING)
      due = THIRL_MIN(due, k->due);
  }
  return due;
}
