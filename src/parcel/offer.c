/* SPDX-License-Identifier: MIT */
#include "parcel/offer.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

struct thirl_parcel_item {
  thirl_parcel_entry entry; /* name.p is not used: the names may move */
  size_t name_at;
  uint64_t before;
};

void thirl_parcel_offer_fini(thirl_parcel_offer *o) {
  free(o->items);
  free(o->names);
  memset(o, 0, sizeof *o);
}

/* Room for n more things of a size; doubled, so that nothing is allocated for what was only announced. */
static bool grow(void *memory, size_t *cap, size_t needed, size_t size) {
  void **p = memory;
  if (needed <= *cap) return true;
  size_t more = *cap ? *cap * 2 : 64;
  while (more < needed)
    more *= 2;
  void *bigger = realloc(*p, more * size);
  if (!bigger) return false;
  *p = bigger;
  *cap = more;
  return true;
}

thirl_error thirl_parcel_offer_add(thirl_parcel_offer *o, const thirl_parcel_entry *e) {
  void *items = o->items, *names = o->names;
  if (o->n == THIRL_PARCEL_ENTRIES_MAX || e->name.n > THIRL_PARCEL_NAMES_MAX - o->names_n) return THIRL_E_LIMIT;
  if (e->size > (uint64_t)INT64_MAX - o->bytes) return THIRL_E_RANGE;
  bool grown = grow(&items, &o->items_cap, (size_t)o->n + 1, sizeof *o->items);
  o->items = items;
  grown = grown && grow(&names, &o->names_cap, o->names_n + e->name.n, 1);
  o->names = names;
  if (!grown) return THIRL_E_NOMEM;
  o->items[o->n] = (thirl_parcel_item){*e, o->names_n, o->bytes};
  if (e->name.n > 0) memcpy(o->names + o->names_n, e->name.p, e->name.n);
  o->names_n += e->name.n;
  o->bytes += e->size;
  o->n++;
  if (e->kind == THIRL_PARCEL_FILE) o->files++;
  return THIRL_OK;
}

thirl_parcel_entry thirl_parcel_offer_get(const thirl_parcel_offer *o, uint32_t index) {
  thirl_parcel_entry e = o->items[index].entry;
  e.name.p = o->names + o->items[index].name_at;
  return e;
}

uint64_t thirl_parcel_offer_before(const thirl_parcel_offer *o, uint32_t index) {
  return index < o->n ? o->items[index].before : o->bytes;
}

typedef struct named {
  thirl_bytes name;
  uint32_t index;
} named;

static int compare(const void *a, const void *b) {
  thirl_bytes x = ((const named *)a)->name, y = ((const named *)b)->name;
  int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
  return order ? order : (x.n > y.n) - (x.n < y.n);
}

/* NULL: no memory. */
static named *sorted(const thirl_parcel_offer *o) {
  named *all = calloc(o->n, sizeof *all);
  for (uint32_t i = 0; all && i < o->n; i++)
    all[i] = (named){thirl_parcel_offer_get(o, i).name, i};
  if (all) qsort(all, o->n, sizeof *all, compare);
  return all;
}

thirl_error thirl_parcel_offer_find_twin(const thirl_parcel_offer *o, bool *has, uint32_t *index) {
  *has = false;
  if (o->n < 2) return THIRL_OK;
  named *all = sorted(o);
  if (!all) return THIRL_E_NOMEM;
  for (uint32_t i = 1; i < o->n && !*has; i++) {
    *has = compare(&all[i - 1], &all[i]) == 0;
    *index = all[i].index;
  }
  free(all);
  return THIRL_OK;
}

thirl_error thirl_parcel_offer_has_parents(const thirl_parcel_offer *o, bool *has) {
  *has = true;
  if (o->n == 0) return THIRL_OK;
  named *all = sorted(o);
  if (!all) return THIRL_E_NOMEM;
  for (uint32_t i = 0; i < o->n && *has; i++) {
    named parent = {thirl_parcel_offer_get(o, i).name, 0};
    while (parent.name.n > 0 && parent.name.p[parent.name.n - 1] != '/')
      parent.name.n--;
    if (parent.name.n == 0) continue;
    parent.name.n--;
    const named *found = bsearch(&parent, all, o->n, sizeof *all, compare);
    *has = found && found->index < i && o->items[found->index].entry.kind == THIRL_PARCEL_FOLDER;
  }
  free(all);
  return THIRL_OK;
}

thirl_error thirl_parcel_offer_hash(const thirl_parcel_offer *o, uint8_t out[THIRL_SHA256_LEN]) {
  uint8_t bytes[THIRL_PARCEL_HEAD_LEN + THIRL_PARCEL_BODY_MAX];
  thirl_digest *d = thirl_digest_new();
  thirl_error e = d ? THIRL_OK : THIRL_E_NOMEM;
  for (uint32_t i = 0; e == THIRL_OK && i < o->n; i++) {
    thirl_parcel_message m = {.type = THIRL_PARCEL_ENTRY, .entry = thirl_parcel_offer_get(o, i)};
    thirl_writer w = thirl_writer_of(bytes, sizeof bytes);
    thirl_parcel_wire_write(&w, &m);
    e = w.bad ? THIRL_E_RANGE : thirl_digest_add(d, thirl_writer_done(&w));
  }
  if (e == THIRL_OK) e = thirl_digest_get(d, out);
  thirl_digest_free(d);
  return e;
}
