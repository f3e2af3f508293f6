/* SPDX-License-Identifier: MIT */
/*
 * Files across a stream. The first byte chooses: bytes from a hostile sender to a receiver, from a hostile receiver to a sender, or a name. Of a receiver:
 * no name comes out that is not safe, no byte beyond the size that was announced or out of order, and what is committed has all its bytes. Of a
 * sender: it reads only within its files, and asks for one thing at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "parcel/receiver.h"
#include "parcel/sender.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEMAND(condition)                                                                                              \
  do {                                                                                                                 \
    if (!(condition)) abort();                                                                                         \
  } while (0)

enum { STEPS_MAX = 3000, SEEN_MAX = 256 };

/* Safe by other means than name.c's: what the kernel would make of it. */
static void demand_safe(thirl_bytes name) {
  size_t part = 0;
  DEMAND(name.n > 0 && name.n <= THIRL_PARCEL_NAME_MAX);
  for (size_t i = 0; i <= name.n; i++) {
    if (i < name.n && name.p[i] != '/') {
      DEMAND(name.p[i] != '\0');
      continue;
    }
    size_t n = i - part;
    DEMAND(n > 0 && n <= 255);
    DEMAND(!(n == 1 && name.p[part] == '.') && !(n == 2 && name.p[part] == '.' && name.p[part + 1] == '.'));
    part = i + 1;
  }
}

/* ---- a hostile sender ---- */

typedef struct seen {
  bool begun, over;
  uint64_t at;
} seen;

static void act_as_receiver(thirl_parcel_receiver *r, const thirl_parcel_action *a, seen *files, uint8_t dice) {
  static const uint8_t zeroes[THIRL_PARCEL_READ_MAX];
  seen none = {0}, *s = a->index < SEEN_MAX ? &files[a->index] : &none;
  thirl_parcel_entry e = {0};
  if (a->kind != THIRL_PARCEL_DO_ASK && a->kind != THIRL_PARCEL_TELL_END) {
    DEMAND(a->index < r->offer.n);
    e = thirl_parcel_offer_get(&r->offer, a->index);
    demand_safe(e.name);
  }
  switch (a->kind) {
  case THIRL_PARCEL_DO_ASK:
    for (uint32_t i = 0; i < r->offer.n; i++)
      demand_safe(thirl_parcel_offer_get(&r->offer, i).name);
    if (dice % 16)
      thirl_parcel_receiver_accept(r, dice & 1);
    else
      thirl_parcel_receiver_refuse(r, THIRL_PARCEL_DECLINED, THIRL_PARCEL_NO_ENTRY);
    break;
  case THIRL_PARCEL_DO_PREPARE: {
    thirl_parcel_have have = {.n = dice % 3 ? 0 : e.size < 9 ? e.size : 9};
    if (dice % 5 == 1 && e.size < 100) have = (thirl_parcel_have){.whole = true, .n = e.size};
    if (dice % 7 == 1) have = (thirl_parcel_have){.reason = THIRL_PARCEL_EXISTS};
    thirl_parcel_receiver_prepared(r, have);
    break;
  }
  case THIRL_PARCEL_DO_READ:
    DEMAND(a->n > 0 && a->n <= THIRL_PARCEL_READ_MAX && a->offset + a->n <= e.size);
    thirl_parcel_receiver_read(r, THIRL_BYTES(zeroes, dice % 9 ? a->n : 0));
    break;
  case THIRL_PARCEL_DO_BEGIN:
    DEMAND(a->offset <= e.size);
    s->begun = true;
    s->at = a->offset;
    break;
  case THIRL_PARCEL_DO_WRITE:
    DEMAND(a->data.n > 0 && a->offset + a->data.n <= e.size && e.kind == THIRL_PARCEL_FILE);
    if (s != &none) DEMAND(s->begun && !s->over && a->offset == s->at);
    s->at += a->data.n;
    if (dice == 255) thirl_parcel_receiver_refuse(r, THIRL_PARCEL_NO_SPACE, a->index);
    break;
  case THIRL_PARCEL_DO_COMMIT:
    if (s != &none) DEMAND(s->begun && !s->over && s->at == e.size);
    s->over = true;
    thirl_parcel_receiver_stored(r, a->index, dice % 4 ? THIRL_PARCEL_OK : THIRL_PARCEL_IO);
    break;
  case THIRL_PARCEL_DO_KEEP:
  case THIRL_PARCEL_DO_DROP:
    s->over = true;
    break;
  default:
    DEMAND(a->kind == THIRL_PARCEL_TELL_END);
  }
}

static void be_sender(const uint8_t *data, size_t size) {
  static seen files[SEEN_MAX];
  thirl_parcel_receiver r;
  thirl_parcel_action a;
  thirl_error e = THIRL_E_AGAIN;
  memset(files, 0, sizeof files);
  thirl_parcel_receiver_init(&r);
  for (size_t at = 0, steps = 0; at < size && steps < STEPS_MAX && e == THIRL_E_AGAIN;) {
    uint8_t dice = data[at];
    thirl_bytes in = {data + at, 1 + dice % 60};
    if (in.n > size - at) in.n = size - at;
    at += in.n;
    while ((e = thirl_parcel_receiver_step(&r, &in, &a)) == THIRL_OK && steps++ < STEPS_MAX)
      act_as_receiver(&r, &a, files, (uint8_t)(dice + steps));
    DEMAND(thirl_buffer_view(&r.out).n <= 65536);
    thirl_buffer_consume(&r.out, thirl_buffer_view(&r.out).n);
    DEMAND(r.n + r.storing <= THIRL_PARCEL_WANTS_MAX);
  }
  DEMAND(e == THIRL_E_AGAIN || e == THIRL_E_PROTOCOL || e == THIRL_E_STATE || e == THIRL_OK);
  thirl_parcel_receiver_fini(&r);
}

/* ---- a hostile receiver ---- */

static void be_receiver(const uint8_t *data, size_t size) {
  static const uint8_t content[300];
  static const uint64_t sizes[] = {0, 1, 300, 299};
  thirl_parcel_offer offer = {0};
  thirl_parcel_sender s;
  thirl_parcel_action a;
  thirl_error e = THIRL_E_AGAIN;
  for (size_t i = 0; i < 4; i++) {
    thirl_parcel_entry entry = {THIRL_PARCEL_FILE, 6, 0, 0, sizes[i], THIRL_BYTES(&"abcd"[i], 1)};
    DEMAND(thirl_parcel_offer_add(&offer, &entry) == THIRL_OK);
  }
  DEMAND(thirl_parcel_sender_init(&s, &offer) == THIRL_OK);
  for (size_t at = 0, steps = 0; at < size && steps < STEPS_MAX && e == THIRL_E_AGAIN;) {
    uint8_t dice = data[at];
    thirl_bytes in = {data + at, 1 + dice % 60};
    if (in.n > size - at) in.n = size - at;
    at += in.n;
    while ((e = thirl_parcel_sender_step(&s, &in, &a)) == THIRL_OK && steps++ < STEPS_MAX) {
      if (a.kind == THIRL_PARCEL_TELL_END || a.kind == THIRL_PARCEL_TELL_STORED) continue;
      DEMAND(a.index < 4);
      if (a.kind == THIRL_PARCEL_DO_OPEN)
        thirl_parcel_sender_opened(&s, dice % 8 ? THIRL_PARCEL_OK : THIRL_PARCEL_UNREADABLE);
      else if (a.kind == THIRL_PARCEL_DO_CHECK)
        thirl_parcel_sender_checked(&s, dice % 8 ? THIRL_PARCEL_OK : THIRL_PARCEL_CHANGED);
      else {
        DEMAND(a.kind == THIRL_PARCEL_DO_READ && a.n > 0 && a.offset + a.n <= sizes[a.index]);
        thirl_parcel_sender_read(&s, THIRL_BYTES(content, dice % 16 ? a.n : 0), THIRL_PARCEL_OK);
      }
    }
    thirl_buffer_consume(&s.out, thirl_buffer_view(&s.out).n);
  }
  DEMAND(e == THIRL_E_AGAIN || e == THIRL_E_PROTOCOL || e == THIRL_E_STATE || e == THIRL_OK);
  thirl_parcel_sender_fini(&s);
  thirl_parcel_offer_fini(&offer);
}

static void be_name(thirl_bytes name) {
  char shown[THIRL_PARCEL_SHOWN_MAX], unfinished[THIRL_PARCEL_PART_MAX + 1];
  if (thirl_parcel_name_is_safe(name)) {
    demand_safe(name);
    thirl_bytes last = thirl_parcel_name_last(name);
    DEMAND(thirl_parcel_name_unfinished(last, unfinished) == THIRL_OK);
    DEMAND(thirl_parcel_name_is_part(THIRL_BYTES(unfinished, strlen(unfinished))));
    DEMAND(!thirl_parcel_name_is_safe(THIRL_BYTES(unfinished, strlen(unfinished))) && !strchr(unfinished, '/'));
  }
  thirl_parcel_name_clean(name, shown);
  for (const char *c = shown; *c; c++)
    DEMAND((unsigned char)*c >= 0x20 && *c != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  if (data[0] % 3 == 0)
    be_sender(data + 1, size - 1);
  else if (data[0] % 3 == 1)
    be_receiver(data + 1, size - 1);
  else
    be_name(THIRL_BYTES(data + 1, size - 1));
  return 0;
}
