/* SPDX-License-Identifier: MIT */
/* What the command line names, as an offer: the files, and with -r the folders and what is in them. */
#ifndef THIRL_APPS_PARCEL_LIST_H
#define THIRL_APPS_PARCEL_LIST_H

#include "parcel/offer.h"
#include "parcel/reason.h"

typedef struct parcel_origin parcel_origin;

/** All zeroes is an empty one. */
typedef struct parcel_list {
  thirl_parcel_offer offer;
  parcel_origin *origins; /* of each entry */
  size_t cap;
  bool recursive;
  unsigned missing; /* files and folders that were left out because they could not be read */
} parcel_list;

/**
 * One word of the command line. What of a folder cannot go (a link, a device, what may not be read) is left out with a line on stderr; what could
 * not be read is counted as missing. Exit code, with the complaint made.
 */
int parcel_list_add(parcel_list *l, const char *path);
/** Two words that would be one name are a mistake. Exit code, with the complaint made. */
int parcel_list_check(const parcel_list *l);
/** Open a file for reading; is it still what it was? *fd is the caller's. UNREADABLE, CHANGED. */
thirl_parcel_reason parcel_list_open(const parcel_list *l, uint32_t index, int *fd);
/** Is an open file still what it was? */
thirl_parcel_reason parcel_list_check_file(const parcel_list *l, uint32_t index, int fd);
void parcel_list_fini(parcel_list *l);

#endif
