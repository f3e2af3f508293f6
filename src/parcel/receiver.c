/* SPDX-License-Identifier: MIT */
/* The receiver's half of a transfer. Where files are, how they are written and what a person is asked is the user's business. */
#include "parcel/receiver.h"

#include <string.h>

enum {
  OUT_MAX = 65536,
  OUT_LOW = 4096 /* room that one step needs at most */
};

enum { HEARING, ASKING, TAKING, ENDING, OVER };
enum { PROVING, WANTED, COMING };

void thirl_parcel_receiver_init(thirl_parcel_receiver *r) {
  memset(r, 0, sizeof *r);
  thirl_buffer_init(&r->out, OUT_MAX);
}

void thirl_parcel_receiver_fini(thirl_parcel_receiver *r) {
  for (size_t i = 0; i < THIRL_PARCEL_WANTS_MAX; i++)
    thirl_digest_free(r->slots[i].digest);
  thirl_parcel_offer_fini(&r->offer);
  thirl_buffer_fini(&r->out);
}

static void die(thirl_parcel_receiver *r, thirl_error e) {
  if (r->dead == THIRL_OK && e != THIRL_OK) r->dead = e;
}

static void say(thirl_parcel_receiver *r, const thirl_parcel_message *m) {
  uint8_t bytes[THIRL_PARCEL_HEAD_LEN + 64];
  thirl_writer w = thirl_writer_of(bytes, sizeof bytes);
  thirl_parcel_wire_write(&w, m);
  die(r, w.bad ? THIRL_E_RANGE : thirl_buffer_append(&r->out, thirl_writer_done(&w)));
}

static void say_stored(thirl_parcel_receiver *r, uint32_t index, thirl_parcel_reason reason) {
  if (reason == THIRL_PARCEL_OK)
    r->tally.stored++;
  else
    r->tally.failed++;
  if (r->phase == TAKING)
    say(r, &(thirl_parcel_message){.type = THIRL_PARCEL_STORED, .index = index, .reason = (uint8_t)reason});
}

/* ---- the slots ---- */

static thirl_parcel_slot *slot_at(thirl_parcel_receiver *r, size_t i) {
  return &r->slots[(r->first + i) % THIRL_PARCEL_WANTS_MAX];
}

/* The one whose hash is being made is always the last. */
static thirl_parcel_slot *proving(thirl_parcel_receiver *r) {
  thirl_parcel_slot *last = r->n > 0 ? slot_at(r, r->n - 1) : NULL;
  return last && last->state == PROVING ? last : NULL;
}

static void drop_first(thirl_parcel_receiver *r) {
  r->first = (r->first + 1) % THIRL_PARCEL_WANTS_MAX;
  r->n--;
}

static void want(thirl_parcel_receiver *r, thirl_parcel_slot *s) {
  thirl_parcel_message m = {.type = THIRL_PARCEL_WANT, .index = s->index, .offset = s->have};
  if (s->whole) m.flags = THIRL_PARCEL_ONLY_IF_SAME;
  die(r, thirl_digest_get(s->digest, m.hash));
  s->state = WANTED;
  say(r, &m);
}

static void add_slot(thirl_parcel_receiver *r, uint32_t index, uint64_t size, thirl_parcel_have have) {
  thirl_parcel_slot *s = slot_at(r, r->n);
  if (!s->digest) s->digest = thirl_digest_new();
  if (!s->digest) {
    die(r, THIRL_E_NOMEM);
    return;
  }
  die(r, thirl_digest_reset(s->digest));
  s->index = index;
  s->size = size;
  s->whole = have.whole;
  s->have = have.n < size ? have.n : size;
  s->at = 0;
  s->state = PROVING;
  r->n++;
}

/* The first is wanted once more, from its beginning: behind all that were wanted, but before one that is not yet. */
static void want_anew(thirl_parcel_receiver *r) {
  thirl_parcel_slot *unsaid = proving(r), *first = slot_at(r, 0);
  uint32_t index = first->index;
  uint64_t size = first->size;
  drop_first(r);
  add_slot(r, index, size, (thirl_parcel_have){.n = 0});
  if (r->dead != THIRL_OK) return;
  thirl_parcel_slot *last = slot_at(r, r->n - 1);
  want(r, last);
  if (!unsaid) return;
  thirl_parcel_slot between = *unsaid;
  *unsaid = *last;
  *last = between;
}

/* ---- what the user answers ---- */

void thirl_parcel_receiver_accept(thirl_parcel_receiver *r, bool overwrite) {
  if (r->phase != ASKING) return;
  r->phase = TAKING;
  r->overwrite = overwrite;
}

void thirl_parcel_receiver_refuse(thirl_parcel_receiver *r, thirl_parcel_reason reason, uint32_t index) {
  if (r->phase >= ENDING) return;
  say(r, &(thirl_parcel_message){.type = THIRL_PARCEL_END, .reason = (uint8_t)reason, .index = index});
  r->phase = ENDING;
  r->waiting = false;
  r->end_reason = reason;
  r->end_index = index;
}

void thirl_parcel_receiver_prepared(thirl_parcel_receiver *r, thirl_parcel_have have) {
  if (!r->waiting || r->phase != TAKING) return;
  uint32_t index = r->next++;
  thirl_parcel_entry e = thirl_parcel_offer_get(&r->offer, index);
  r->waiting = false;
  if (have.reason != THIRL_PARCEL_OK)
    say_stored(r, index, have.reason);
  else if (e.kind == THIRL_PARCEL_FILE)
    add_slot(r, index, e.size, have);
}

void thirl_parcel_receiver_read(thirl_parcel_receiver *r, thirl_bytes b) {
  thirl_parcel_slot *s = proving(r);
  if (!r->waiting || !s) return;
  r->waiting = false;
  if (b.n > s->have - s->at) b.n = (size_t)(s->have - s->at);
  die(r, thirl_digest_add(s->digest, b));
  s->at += b.n;
  if (b.n > 0) return;
  if (s->whole) s->at = s->have; /* it cannot be read, so the hash is another file's */
  s->have = s->at;
}

void thirl_parcel_receiver_stored(thirl_parcel_receiver *r, uint32_t index, thirl_parcel_reason reason) {
  if (r->storing == 0) return;
  r->storing--;
  say_stored(r, index, reason);
}

/* ---- the offer ---- */

static thirl_error end_of_offer(thirl_parcel_receiver *r, thirl_parcel_action *a, bool *acted) {
  bool has_twin, has_parents;
  uint32_t twin = 0;
  if (r->offer.bytes != r->announced_bytes) return THIRL_E_PROTOCOL;
  thirl_error e = thirl_parcel_offer_find_twin(&r->offer, &has_twin, &twin);
  if (e != THIRL_OK) return e;
  if (has_twin) {
    thirl_parcel_receiver_refuse(r, THIRL_PARCEL_NAME, twin);
    return THIRL_OK;
  }
  /* No folder is made that was not told: what is counted and shown is all that comes. */
  e = thirl_parcel_offer_has_parents(&r->offer, &has_parents);
  if (e != THIRL_OK || !has_parents) return e != THIRL_OK ? e : THIRL_E_PROTOCOL;
  r->phase = ASKING;
  *a = (thirl_parcel_action){.kind = THIRL_PARCEL_DO_ASK};
  *acted = true;
  return THIRL_OK;
}

static thirl_error take_entry(thirl_parcel_receiver *r, const thirl_parcel_message *m, thirl_parcel_action *a,
                              bool *acted) {
  if (r->offer.n == r->announced) return THIRL_E_PROTOCOL;
  if (!thirl_parcel_name_is_safe(m->entry.name)) {
    uint32_t index = r->offer.n;
    thirl_parcel_receiver_refuse(r, THIRL_PARCEL_NAME, index);
    *a = (thirl_parcel_action){.kind = THIRL_PARCEL_TELL_END, .reason = THIRL_PARCEL_NAME, .index = index};
    a->data = m->entry.name;
    r->phase = OVER;
    *acted = true;
    return THIRL_OK;
  }
  thirl_error e = thirl_parcel_offer_add(&r->offer, &m->entry);
  if (e == THIRL_E_LIMIT) {
    thirl_parcel_receiver_refuse(r, THIRL_PARCEL_TOO_MANY, THIRL_PARCEL_NO_ENTRY);
    return THIRL_OK;
  }
  if (e != THIRL_OK) return e == THIRL_E_RANGE ? THIRL_E_PROTOCOL : e;
  return r->offer.n == r->announced ? end_of_offer(r, a, acted) : THIRL_OK;
}

static thirl_error hear(thirl_parcel_receiver *r, const thirl_parcel_message *m, thirl_parcel_action *a, bool *acted) {
  if (r->heard == (m->type == THIRL_PARCEL_HELLO)) return THIRL_E_PROTOCOL;
  if (m->type == THIRL_PARCEL_HELLO) {
    r->heard = true;
    return m->role == THIRL_PARCEL_SENDS ? THIRL_OK : THIRL_E_STATE;
  }
  if (m->type == THIRL_PARCEL_ENTRY) return take_entry(r, m, a, acted);
  if (m->type != THIRL_PARCEL_OFFER || r->announced > 0 || m->entries == 0) return THIRL_E_PROTOCOL;
  r->announced = m->entries;
  r->announced_bytes = m->bytes;
  if (m->entries > THIRL_PARCEL_ENTRIES_MAX)
    thirl_parcel_receiver_refuse(r, THIRL_PARCEL_TOO_MANY, THIRL_PARCEL_NO_ENTRY);
  return THIRL_OK;
}

/* ---- the files ---- */

static thirl_error take_begin(thirl_parcel_receiver *r, thirl_parcel_slot *s, uint64_t offset, thirl_parcel_action *a) {
  if (s->state != WANTED || s->whole || (offset != s->have && offset != 0)) return THIRL_E_PROTOCOL;
  *a = (thirl_parcel_action){.kind = THIRL_PARCEL_DO_BEGIN, .index = s->index, .offset = offset};
  a->again = offset != s->have;
  if (a->again) die(r, thirl_digest_reset(s->digest));
  s->at = offset;
  s->state = COMING;
  r->tally.reused += offset;
  return THIRL_OK;
}

static thirl_error take_data(thirl_parcel_receiver *r, thirl_parcel_slot *s, thirl_bytes b, thirl_parcel_action *a) {
  if (s->state != COMING || b.n > s->size - s->at) return THIRL_E_PROTOCOL;
  die(r, thirl_digest_add(s->digest, b));
  *a = (thirl_parcel_action){.kind = THIRL_PARCEL_DO_WRITE, .index = s->index, .offset = s->at, .data = b};
  s->at += b.n;
  r->tally.moved += b.n;
  return THIRL_OK;
}

static void drop(thirl_parcel_receiver *r, thirl_parcel_reason reason, thirl_parcel_action *a) {
  uint32_t index = slot_at(r, 0)->index;
  drop_first(r);
  say_stored(r, index, reason);
  *a = (thirl_parcel_action){.kind = THIRL_PARCEL_DO_DROP, .index = index, .reason = reason};
}

static thirl_error take_done(thirl_parcel_receiver *r, thirl_parcel_slot *s, const uint8_t *theirs,
                             thirl_parcel_action *a) {
  uint8_t ours[THIRL_SHA256_LEN];
  bool is_kept = s->state == WANTED && s->whole;
  if (!is_kept && (s->state != COMING || s->at != s->size)) return THIRL_E_PROTOCOL;
  die(r, thirl_digest_get(s->digest, ours));
  if (memcmp(ours, theirs, sizeof ours) != 0) {
    if (is_kept) return THIRL_E_PROTOCOL; /* it had said that they are equal */
    drop(r, THIRL_PARCEL_MISMATCH, a);
    return THIRL_OK;
  }
  *a = (thirl_parcel_action){.kind = is_kept ? THIRL_PARCEL_DO_KEEP : THIRL_PARCEL_DO_COMMIT, .index = s->index};
  drop_first(r);
  if (is_kept) {
    r->tally.reused += s->size;
    say_stored(r, s->index, THIRL_PARCEL_OK);
  } else {
    r->storing++;
  }
  return THIRL_OK;
}

static thirl_error take_fail(thirl_parcel_receiver *r, thirl_parcel_slot *s, thirl_parcel_reason reason,
                             thirl_parcel_action *a, bool *acted) {
  if (s->state == PROVING || reason == THIRL_PARCEL_OK) return THIRL_E_PROTOCOL;
  if (!s->whole || reason != THIRL_PARCEL_DIFFERS) {
    drop(r, reason, a);
  } else if (r->overwrite) {
    want_anew(r);
    *acted = false;
  } else {
    drop(r, THIRL_PARCEL_EXISTS, a);
  }
  return THIRL_OK;
}

static thirl_error take(thirl_parcel_receiver *r, const thirl_parcel_message *m, thirl_parcel_action *a, bool *acted) {
  if (r->phase == HEARING) return hear(r, m, a, acted);
  thirl_parcel_slot *s = r->n > 0 ? slot_at(r, 0) : NULL;
  *acted = true;
  if (!s || (m->type != THIRL_PARCEL_DATA && m->index != s->index)) return THIRL_E_PROTOCOL;
  switch (m->type) {
  case THIRL_PARCEL_BEGIN:
    return take_begin(r, s, m->offset, a);
  case THIRL_PARCEL_DATA:
    return take_data(r, s, m->data, a);
  case THIRL_PARCEL_DONE:
    return take_done(r, s, m->hash, a);
  case THIRL_PARCEL_FAIL:
    return take_fail(r, s, thirl_parcel_reason_of(m->reason), a, acted);
  default:
    return THIRL_E_PROTOCOL;
  }
}

/* ---- what is to be done ---- */

/* False: nothing now. */
static bool prepare(thirl_parcel_receiver *r, thirl_parcel_action *a) {
  thirl_parcel_slot *s = proving(r);
  if (s && s->at < s->have) {
    uint64_t left = s->have - s->at;
    *a = (thirl_parcel_action){.kind = THIRL_PARCEL_DO_READ, .index = s->index, .offset = s->at};
    a->n = left < THIRL_PARCEL_READ_MAX ? (size_t)left : THIRL_PARCEL_READ_MAX;
    r->waiting = true;
    return true;
  }
  if (s) want(r, s);
  if (r->next == r->offer.n || r->n + r->storing == THIRL_PARCEL_WANTS_MAX) return false;
  *a = (thirl_parcel_action){.kind = THIRL_PARCEL_DO_PREPARE, .index = r->next};
  r->waiting = true;
  return true;
}

static void count(thirl_parcel_receiver *r) {
  const thirl_parcel_slot *s = r->n > 0 ? slot_at(r, 0) : NULL;
  r->tally.passed = thirl_parcel_offer_before(&r->offer, s ? s->index : r->next) + (s && !s->whole ? s->at : 0);
}

static bool is_complete(const thirl_parcel_receiver *r) {
  return r->next == r->offer.n && r->n == 0 && r->storing == 0;
}

/* False: nothing now. */
static bool work(thirl_parcel_receiver *r, thirl_parcel_action *a) {
  if (r->phase == TAKING && !r->waiting) {
    if (prepare(r, a)) return true;
    if (is_complete(r))
      thirl_parcel_receiver_refuse(r, r->tally.failed ? THIRL_PARCEL_PARTLY : THIRL_PARCEL_OK, THIRL_PARCEL_NO_ENTRY);
  }
  if (r->phase != ENDING) return false;
  r->phase = OVER;
  *a = (thirl_parcel_action){.kind = THIRL_PARCEL_TELL_END, .reason = r->end_reason, .index = r->end_index};
  return true;
}

thirl_error thirl_parcel_receiver_step(thirl_parcel_receiver *r, thirl_bytes *in, thirl_parcel_action *a) {
  thirl_parcel_message m;
  bool acted = false;
  if (!r->greeted) say(r, &(thirl_parcel_message){.type = THIRL_PARCEL_HELLO, .role = THIRL_PARCEL_RECEIVES});
  r->greeted = true;
  if (thirl_buffer_room(&r->out) < OUT_LOW && r->dead == THIRL_OK) return THIRL_E_AGAIN;
  while (r->dead == THIRL_OK && (r->phase == HEARING || r->phase == TAKING)) {
    thirl_error e = thirl_parcel_inbox_next(&r->inbox, in, &m);
    if (e == THIRL_E_AGAIN) break;
    die(r, e == THIRL_OK ? take(r, &m, a, &acted) : e);
    if (r->dead != THIRL_OK) break;
    if (r->phase != HEARING) count(r);
    if (acted) return THIRL_OK;
  }
  if (r->dead == THIRL_OK && work(r, a)) {
    if (r->phase == TAKING) count(r);
    return THIRL_OK;
  }
  if (r->phase >= ENDING) *in = (thirl_bytes){NULL, 0};
  return r->dead != THIRL_OK ? r->dead : THIRL_E_AGAIN;
}
