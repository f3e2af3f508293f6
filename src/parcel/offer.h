/* SPDX-License-Identifier: MIT */
/* What is offered: the files and folders of one transfer, in order. */
#ifndef THIRL_PARCEL_OFFER_H
#define THIRL_PARCEL_OFFER_H

#include "parcel/wire.h"

enum {
  THIRL_PARCEL_ENTRIES_MAX = 100000,
  THIRL_PARCEL_NAMES_MAX = 16 << 20 /* bytes of all names */
};

typedef struct thirl_parcel_item thirl_parcel_item;

/** All zeroes is an empty one. */
typedef struct thirl_parcel_offer {
  thirl_parcel_item *items;
  uint8_t *names;
  size_t items_cap, names_n, names_cap;
  uint32_t n, files; /* entries; those that are files */
  uint64_t bytes;    /* of all files */
} thirl_parcel_offer;

void thirl_parcel_offer_fini(thirl_parcel_offer *o);
/** The name is copied. E_LIMIT: too many, or names too long in all. E_RANGE: the bytes in all are more than a file can have. E_NOMEM. */
thirl_error thirl_parcel_offer_add(thirl_parcel_offer *o, const thirl_parcel_entry *e);
/** index < n. The name is borrowed until the next add. */
thirl_parcel_entry thirl_parcel_offer_get(const thirl_parcel_offer *o, uint32_t index);
/** Bytes of the files before the entry; index <= n. */
uint64_t thirl_parcel_offer_before(const thirl_parcel_offer *o, uint32_t index);
/** Do two entries have one name? *index: one of them. E_NOMEM. */
thirl_error thirl_parcel_offer_find_twin(const thirl_parcel_offer *o, bool *has, uint32_t *index);
/** Is the folder of each entry, but of those at the top, an entry before it? E_NOMEM. */
thirl_error thirl_parcel_offer_has_parents(const thirl_parcel_offer *o, bool *has);
/** Of all that is said of all entries: the same offer has the same. E_CRYPTO, E_NOMEM. */
thirl_error thirl_parcel_offer_hash(const thirl_parcel_offer *o, uint8_t out[THIRL_SHA256_LEN]);

#endif
