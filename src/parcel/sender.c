/* SPDX-License-Identifier: MIT */
/* The sender's half of a transfer. Which files, how they are read and what a person is told is the user's business. */
#include "parcel/sender.h"

#include <stdlib.h>
#include <string.h>

enum {
  SMALL = 128,                            /* the longest of what is said beside ENTRY and DATA, with room to spare */
  OUT_MAX = THIRL_PARCEL_READ_MAX + 8192, /* one DATA at a time: what waits long has left the processor's caches */
  OUT_LOW = THIRL_PARCEL_READ_MAX + SMALL /* room that one step needs at most */
};

enum { IDLE, OPENING, PROVING, SENDING, CHECKING };

/* Bits of what was said of an entry. */
enum { WANTED = 1, DIFFERED = 2, WANTED_ANEW = 4, SENT = 8, STORED = 16 };

thirl_error thirl_parcel_sender_init(thirl_parcel_sender *s, const thirl_parcel_offer *offer) {
  memset(s, 0, sizeof *s);
  s->offer = offer;
  thirl_buffer_init(&s->out, OUT_MAX);
  s->digest = thirl_digest_new();
  s->states = calloc(offer->n, 1);
  return s->digest && s->states ? THIRL_OK : THIRL_E_NOMEM;
}

void thirl_parcel_sender_fini(thirl_parcel_sender *s) {
  thirl_buffer_fini(&s->out);
  thirl_digest_free(s->digest);
  s->digest = NULL;
  free(s->states);
  s->states = NULL;
}

static void die(thirl_parcel_sender *s, thirl_error e) {
  if (s->dead == THIRL_OK && e != THIRL_OK) s->dead = e;
}

static void say(thirl_parcel_sender *s, const thirl_parcel_message *m) {
  uint8_t bytes[THIRL_PARCEL_HEAD_LEN + THIRL_PARCEL_BODY_MAX];
  thirl_writer w = thirl_writer_of(bytes, sizeof bytes);
  thirl_parcel_wire_write(&w, m);
  die(s, w.bad ? THIRL_E_RANGE : thirl_buffer_append(&s->out, thirl_writer_done(&w)));
}

static void say_offer(thirl_parcel_sender *s) {
  if (!s->greeted) {
    say(s, &(thirl_parcel_message){.type = THIRL_PARCEL_HELLO, .role = THIRL_PARCEL_SENDS});
    say(s, &(thirl_parcel_message){.type = THIRL_PARCEL_OFFER, .entries = s->offer->n, .bytes = s->offer->bytes});
    s->greeted = true;
  }
  while (s->told < s->offer->n && thirl_buffer_room(&s->out) >= THIRL_PARCEL_HEAD_LEN + THIRL_PARCEL_BODY_MAX) {
    thirl_parcel_message m = {.type = THIRL_PARCEL_ENTRY, .entry = thirl_parcel_offer_get(s->offer, s->told)};
    say(s, &m);
    s->told++;
  }
}

/* ---- the file that is being served ---- */

static const thirl_parcel_message *served(const thirl_parcel_sender *s) {
  return &s->wants[s->first];
}

static void next_file(thirl_parcel_sender *s) {
  s->first = (s->first + 1) % THIRL_PARCEL_WANTS_MAX;
  s->n--;
  s->phase = IDLE;
}

static void fail(thirl_parcel_sender *s, thirl_parcel_reason r) {
  if (r == THIRL_PARCEL_DIFFERS) s->states[served(s)->index] |= DIFFERED;
  say(s, &(thirl_parcel_message){.type = THIRL_PARCEL_FAIL, .index = served(s)->index, .reason = (uint8_t)r});
  next_file(s);
}

static void begin(thirl_parcel_sender *s, uint64_t offset) {
  if (offset == 0) die(s, thirl_digest_reset(s->digest));
  s->at = offset;
  s->phase = SENDING;
  s->tally.reused += offset;
  say(s, &(thirl_parcel_message){.type = THIRL_PARCEL_BEGIN, .index = served(s)->index, .offset = offset});
}

/* All that the receiver says it has was read: is it the same? */
static void compare(thirl_parcel_sender *s) {
  const thirl_parcel_message *w = served(s);
  uint8_t hash[THIRL_SHA256_LEN];
  thirl_error e = thirl_digest_get(s->digest, hash);
  bool same = memcmp(hash, w->hash, sizeof hash) == 0, whole = w->flags & THIRL_PARCEL_ONLY_IF_SAME;
  if (e != THIRL_OK)
    die(s, e);
  else if (whole && same) {
    s->tally.reused += s->size;
    s->phase = CHECKING;
  } else if (whole)
    fail(s, THIRL_PARCEL_DIFFERS);
  else
    begin(s, same ? w->offset : 0);
}

void thirl_parcel_sender_opened(thirl_parcel_sender *s, thirl_parcel_reason r) {
  s->waiting = false;
  s->at = 0;
  die(s, thirl_digest_reset(s->digest));
  if (r == THIRL_PARCEL_OK)
    s->phase = PROVING;
  else
    fail(s, r);
}

void thirl_parcel_sender_read(thirl_parcel_sender *s, thirl_bytes b, thirl_parcel_reason r) {
  s->waiting = false;
  if (r != THIRL_PARCEL_OK || b.n == 0) {
    fail(s, r != THIRL_PARCEL_OK ? r : THIRL_PARCEL_CHANGED); /* shorter than it was */
    return;
  }
  die(s, thirl_digest_add(s->digest, b));
  s->at += b.n;
  if (s->phase != SENDING) return;
  say(s, &(thirl_parcel_message){.type = THIRL_PARCEL_DATA, .data = b});
  die(s, thirl_buffer_append(&s->out, b));
  s->tally.moved += b.n;
}

void thirl_parcel_sender_checked(thirl_parcel_sender *s, thirl_parcel_reason r) {
  thirl_parcel_message m = {.type = THIRL_PARCEL_DONE, .index = served(s)->index};
  s->waiting = false;
  if (r != THIRL_PARCEL_OK) {
    fail(s, r);
    return;
  }
  die(s, thirl_digest_get(s->digest, m.hash));
  s->states[m.index] |= SENT;
  say(s, &m);
  next_file(s);
}

/* ---- what the receiver says ---- */

static thirl_error take_want(thirl_parcel_sender *s, const thirl_parcel_message *m) {
  if (m->index >= s->offer->n || s->told < s->offer->n || s->n == THIRL_PARCEL_WANTS_MAX) return THIRL_E_PROTOCOL;
  thirl_parcel_entry e = thirl_parcel_offer_get(s->offer, m->index);
  bool whole = m->flags & THIRL_PARCEL_ONLY_IF_SAME;
  if (e.kind != THIRL_PARCEL_FILE || m->flags > THIRL_PARCEL_ONLY_IF_SAME) return THIRL_E_PROTOCOL;
  if (m->offset > e.size || (whole && m->offset != e.size)) return THIRL_E_PROTOCOL;
  /* Once, and once more from its beginning when what the receiver has turned out to be another file. */
  uint8_t *state = &s->states[m->index];
  if (*state & WANTED && (*state != (WANTED | DIFFERED) || m->offset > 0 || whole)) return THIRL_E_PROTOCOL;
  *state |= *state & WANTED ? WANTED_ANEW : WANTED;
  s->wants[(s->first + s->n++) % THIRL_PARCEL_WANTS_MAX] = *m;
  return THIRL_OK;
}

/* Once; and what was not sent to its end cannot be there. */
static thirl_error take_stored(thirl_parcel_sender *s, const thirl_parcel_message *m, thirl_parcel_action *a) {
  if (m->index >= s->offer->n || s->states[m->index] & STORED) return THIRL_E_PROTOCOL;
  *a = (thirl_parcel_action){.kind = THIRL_PARCEL_TELL_STORED, .index = m->index};
  a->reason = thirl_parcel_reason_of(m->reason);
  if (a->reason == THIRL_PARCEL_OK && !(s->states[m->index] & SENT)) return THIRL_E_PROTOCOL;
  s->states[m->index] |= STORED;
  if (a->reason == THIRL_PARCEL_OK)
    s->tally.stored++;
  else
    s->tally.failed++;
  return THIRL_OK;
}

static thirl_error take_end(thirl_parcel_sender *s, const thirl_parcel_message *m, thirl_parcel_action *a) {
  if (m->index >= s->offer->n && m->index != THIRL_PARCEL_NO_ENTRY) return THIRL_E_PROTOCOL;
  *a = (thirl_parcel_action){.kind = THIRL_PARCEL_TELL_END, .index = m->index};
  a->reason = thirl_parcel_reason_of(m->reason);
  if (a->reason == THIRL_PARCEL_OK && s->tally.stored != s->offer->files) return THIRL_E_PROTOCOL;
  s->over = true;
  return THIRL_OK;
}

/* *acted: a is set. */
static thirl_error take(thirl_parcel_sender *s, const thirl_parcel_message *m, thirl_parcel_action *a, bool *acted) {
  thirl_error e;
  if (s->heard == (m->type == THIRL_PARCEL_HELLO)) return THIRL_E_PROTOCOL;
  switch (m->type) {
  case THIRL_PARCEL_HELLO:
    s->heard = true;
    return m->role == THIRL_PARCEL_RECEIVES ? THIRL_OK : THIRL_E_STATE;
  case THIRL_PARCEL_WANT:
    return take_want(s, m);
  case THIRL_PARCEL_STORED:
    e = take_stored(s, m, a);
    break;
  case THIRL_PARCEL_END:
    e = take_end(s, m, a);
    break;
  default:
    return THIRL_E_PROTOCOL;
  }
  *acted = e == THIRL_OK;
  return e;
}

/* ---- what is to be done ---- */

static bool ask(thirl_parcel_sender *s, thirl_parcel_action_kind kind, uint64_t until, thirl_parcel_action *a) {
  uint64_t left = until - s->at;
  *a = (thirl_parcel_action){.kind = kind, .index = served(s)->index, .offset = s->at};
  a->n = left < THIRL_PARCEL_READ_MAX ? (size_t)left : THIRL_PARCEL_READ_MAX;
  s->waiting = true;
  return true;
}

/* False: nothing now. */
static bool work(thirl_parcel_sender *s, thirl_parcel_action *a) {
  while (s->dead == THIRL_OK && thirl_buffer_room(&s->out) >= OUT_LOW) {
    switch (s->phase) {
    case IDLE:
      if (s->n == 0) return false;
      s->phase = OPENING;
      s->at = 0;
      s->size = thirl_parcel_offer_get(s->offer, served(s)->index).size;
      return ask(s, THIRL_PARCEL_DO_OPEN, 0, a);
    case PROVING:
      if (s->at < served(s)->offset) return ask(s, THIRL_PARCEL_DO_READ, served(s)->offset, a);
      compare(s);
      break;
    case SENDING:
      if (s->at < s->size) return ask(s, THIRL_PARCEL_DO_READ, s->size, a);
      s->phase = CHECKING;
      break;
    default:
      return ask(s, THIRL_PARCEL_DO_CHECK, s->at, a);
    }
  }
  return false;
}

thirl_error thirl_parcel_sender_step(thirl_parcel_sender *s, thirl_bytes *in, thirl_parcel_action *a) {
  thirl_parcel_message m;
  bool acted = false;
  say_offer(s);
  while (s->dead == THIRL_OK && !s->over && !s->waiting) {
    thirl_error e = thirl_parcel_inbox_next(&s->inbox, in, &m);
    if (e == THIRL_E_AGAIN) break;
    die(s, e == THIRL_OK ? take(s, &m, a, &acted) : e);
    if (acted) return THIRL_OK;
  }
  if (s->dead != THIRL_OK) return s->dead;
  if (s->over) *in = (thirl_bytes){NULL, 0};
  if (s->over || s->waiting || !work(s, a)) return s->dead != THIRL_OK ? s->dead : THIRL_E_AGAIN;
  s->tally.passed = thirl_parcel_offer_before(s->offer, served(s)->index) + s->at;
  return THIRL_OK;
}
