/* SPDX-License-Identifier: MIT */
#include "unit/parcel/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void set(rig_file *f, const uint8_t *bytes, size_t n) {
  f->bytes = realloc(f->bytes, n + 1);
  assert_non_null(f->bytes);
  if (n > 0) memcpy(f->bytes, bytes, n);
  f->n = n;
  f->there = true;
}

uint32_t rig_add(rig_disks *d, const char *name, size_t n, unsigned seed) {
  static uint8_t bytes[RIG_SIZE_MAX];
  uint32_t index = d->offer.n;
  thirl_parcel_entry e = {.kind = THIRL_PARCEL_FILE, .mode = 6, .size = n, .name = THIRL_BYTES(name, strlen(name))};
  for (size_t i = 0; i < n; i++)
    bytes[i] = (uint8_t)(i * 37 + (i >> 8) * 11 + seed * 101 + (unsigned char)name[0]);
  assert_true(index < RIG_FILES_MAX && n <= RIG_SIZE_MAX);
  assert_int_equal(thirl_parcel_offer_add(&d->offer, &e), THIRL_OK);
  set(&d->theirs[index], bytes, n);
  return index;
}

static void put(rig_file *f, const rig_file *of, size_t n, bool same) {
  set(f, of->bytes, n);
  if (!same && n > 0) f->bytes[n / 2] ^= 1;
}

void rig_put_part(rig_disks *d, uint32_t index, size_t n, bool same) {
  put(&d->part[index], &d->theirs[index], n, same);
}

void rig_put_whole(rig_disks *d, uint32_t index, size_t n, bool same) {
  put(&d->whole[index], &d->theirs[index], n, same);
}

void rig_disks_fini(rig_disks *d) {
  for (int i = 0; i < RIG_FILES_MAX; i++) {
    free(d->theirs[i].bytes);
    free(d->part[i].bytes);
    free(d->whole[i].bytes);
  }
  thirl_parcel_offer_fini(&d->offer);
}

void rig_begin(rig *r, rig_disks *d) {
  memset(r, 0, sizeof *r);
  r->disks = d;
  r->spoil = -1;
  assert_int_equal(thirl_parcel_sender_init(&r->sender, &d->offer), THIRL_OK);
  thirl_parcel_receiver_init(&r->receiver);
}

void rig_end(rig *r) {
  thirl_parcel_sender_fini(&r->sender);
  thirl_parcel_receiver_fini(&r->receiver);
}

bool rig_has(const rig_disks *d, uint32_t index) {
  const rig_file *a = &d->theirs[index], *b = &d->whole[index];
  return b->there && a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

static thirl_bytes piece(const rig_file *f, const thirl_parcel_action *a) {
  size_t n = a->offset < f->n ? f->n - (size_t)a->offset : 0;
  return THIRL_BYTES(f->bytes + a->offset, n < a->n ? n : a->n);
}

static void do_sender(rig *r, const thirl_parcel_action *a) {
  const rig_file *f = &r->disks->theirs[a->index % RIG_FILES_MAX]; /* TELL_END may be of none */
  switch (a->kind) {
  case THIRL_PARCEL_DO_OPEN:
    r->opened++;
    thirl_parcel_sender_opened(&r->sender, f->there ? THIRL_PARCEL_OK : THIRL_PARCEL_UNREADABLE);
    break;
  case THIRL_PARCEL_DO_READ:
    thirl_parcel_sender_read(&r->sender, piece(f, a), THIRL_PARCEL_OK);
    break;
  case THIRL_PARCEL_DO_CHECK:
    thirl_parcel_sender_checked(&r->sender, r->check);
    break;
  case THIRL_PARCEL_TELL_STORED:
    r->stored[a->index] = a->reason;
    r->told[a->index]++;
    break;
  case THIRL_PARCEL_TELL_END:
    r->sender_ended = true;
    r->sender_end = a->reason;
    break;
  default:
    fail_msg("not an action of a sender: %d", (int)a->kind);
  }
}

static thirl_parcel_have look(const rig *r, uint32_t index) {
  uint64_t size = thirl_parcel_offer_get(&r->receiver.offer, index).size;
  const rig_file *whole = &r->disks->whole[index], *part = &r->disks->part[index];
  if (whole->there && whole->n == size) return (thirl_parcel_have){.whole = true, .n = size};
  if (whole->there && !r->overwrite) return (thirl_parcel_have){.reason = THIRL_PARCEL_EXISTS};
  return (thirl_parcel_have){.n = part->there ? part->n : 0};
}

static void begin(rig *r, const thirl_parcel_action *a) {
  rig_file *part = &r->disks->part[a->index];
  assert_true(a->offset <= (part->there ? part->n : 0));
  part->bytes = realloc(part->bytes, (size_t)thirl_parcel_offer_get(&r->receiver.offer, a->index).size + 1);
  assert_non_null(part->bytes);
  part->n = (size_t)a->offset;
  part->there = true;
  if (a->again) r->again++;
}

static void write_it(rig *r, const thirl_parcel_action *a) {
  rig_file *part = &r->disks->part[a->index];
  uint64_t size = thirl_parcel_offer_get(&r->receiver.offer, a->index).size;
  assert_true(part->there && a->offset == part->n && a->data.n > 0 && a->offset + a->data.n <= size);
  memcpy(part->bytes + part->n, a->data.p, a->data.n);
  part->n += a->data.n;
}

static void commit(rig *r, uint32_t index) {
  rig_file *part = &r->disks->part[index], *whole = &r->disks->whole[index];
  bool taken = whole->there && !r->overwrite;
  if (!taken) {
    set(whole, part->bytes, part->n);
    part->there = false;
  }
  thirl_parcel_receiver_stored(&r->receiver, index, taken ? THIRL_PARCEL_EXISTS : THIRL_PARCEL_OK);
}

static void do_receiver(rig *r, const thirl_parcel_action *a) {
  thirl_parcel_have have;
  switch (a->kind) {
  case THIRL_PARCEL_DO_ASK:
    if (r->decline != THIRL_PARCEL_OK)
      thirl_parcel_receiver_refuse(&r->receiver, r->decline, THIRL_PARCEL_NO_ENTRY);
    else
      thirl_parcel_receiver_accept(&r->receiver, r->overwrite);
    break;
  case THIRL_PARCEL_DO_PREPARE:
    have = look(r, a->index);
    thirl_parcel_receiver_prepared(&r->receiver, have);
    break;
  case THIRL_PARCEL_DO_READ: {
    const rig_file *whole = &r->disks->whole[a->index];
    bool is_whole = whole->there && whole->n == thirl_parcel_offer_get(&r->receiver.offer, a->index).size;
    thirl_parcel_receiver_read(&r->receiver, piece(is_whole ? whole : &r->disks->part[a->index], a));
    break;
  }
  case THIRL_PARCEL_DO_BEGIN:
    begin(r, a);
    break;
  case THIRL_PARCEL_DO_WRITE:
    write_it(r, a);
    break;
  case THIRL_PARCEL_DO_COMMIT:
    commit(r, a->index);
    break;
  case THIRL_PARCEL_DO_KEEP:
    r->kept++;
    break;
  case THIRL_PARCEL_DO_DROP:
    r->dropped++;
    break;
  case THIRL_PARCEL_TELL_END:
    r->receiver_ended = true;
    r->receiver_end = a->reason;
    break;
  default:
    fail_msg("not an action of a receiver: %d", (int)a->kind);
  }
}

/* Both give what they have to say, in pieces of at most step; false: there was nothing. */
static bool turn(rig *r, size_t step, uint64_t *carried) {
  static uint8_t wire[1 << 18];
  thirl_parcel_action a;
  thirl_bytes out = thirl_buffer_view(&r->sender.out), in = {NULL, 0};
  bool any = false;
  if (out.n > step) out.n = step;
  if (out.n > 0) memcpy(wire, out.p, out.n);
  if (r->spoil >= 0 && r->sender.tally.moved > 0 && out.n > (size_t)r->spoil) {
    wire[r->spoil] ^= 1;
    r->spoil = -1;
  }
  thirl_buffer_consume(&r->sender.out, out.n);
  *carried += out.n;
  any = out.n > 0;
  in = THIRL_BYTES(wire, out.n);
  while ((r->receiver_error = thirl_parcel_receiver_step(&r->receiver, &in, &a)) == THIRL_OK) {
    any = true;
    do_receiver(r, &a);
  }
  assert_true(in.n == 0 || r->receiver_error != THIRL_E_AGAIN);
  out = thirl_buffer_view(&r->receiver.out);
  if (out.n > step) out.n = step;
  if (out.n > 0) memcpy(wire, out.p, out.n);
  thirl_buffer_consume(&r->receiver.out, out.n);
  any = any || out.n > 0;
  in = THIRL_BYTES(wire, out.n);
  while ((r->sender_error = thirl_parcel_sender_step(&r->sender, &in, &a)) == THIRL_OK) {
    any = true;
    do_sender(r, &a);
  }
  assert_true(in.n == 0 || r->sender_error != THIRL_E_AGAIN);
  return any && r->receiver_error == THIRL_E_AGAIN && r->sender_error == THIRL_E_AGAIN;
}

void rig_run(rig *r, size_t step, uint64_t most) {
  uint64_t carried = 0;
  while (turn(r, step, &carried) && (most == 0 || carried < most))
    continue;
}
