/* SPDX-License-Identifier: MIT */
/* A sender and a receiver with files in memory, joined by bytes that the test carries. */
#ifndef THIRL_TESTS_UNIT_PARCEL_RIG_H
#define THIRL_TESTS_UNIT_PARCEL_RIG_H

#include "parcel/receiver.h"
#include "parcel/sender.h"

enum { RIG_FILES_MAX = 300, RIG_SIZE_MAX = 1 << 20 };

typedef struct rig_file {
  uint8_t *bytes;
  size_t n;
  bool there;
} rig_file;

/* What stays from session to session: the sender's files by index, and the receiver's, unfinished and whole. */
typedef struct rig_disks {
  thirl_parcel_offer offer;
  rig_file theirs[RIG_FILES_MAX], part[RIG_FILES_MAX], whole[RIG_FILES_MAX];
} rig_disks;

typedef struct rig {
  rig_disks *disks;
  thirl_parcel_sender sender;
  thirl_parcel_receiver receiver;
  bool overwrite;
  thirl_parcel_reason decline; /* not OK: the offer is refused */
  thirl_parcel_reason check;   /* what the sender finds when it looks at a file again */
  int spoil;                   /* this DATA byte is changed on the way; -1: none */
  uint64_t data_carried;
  thirl_error sender_error, receiver_error;
  bool sender_ended, receiver_ended;
  thirl_parcel_reason sender_end, receiver_end;
  thirl_parcel_reason stored[RIG_FILES_MAX]; /* as the sender was told */
  unsigned told[RIG_FILES_MAX], kept, again, dropped, opened;
} rig;

/** A file of so many bytes that its name and the seed decide, at the sender. Returns its index. */
uint32_t rig_add(rig_disks *d, const char *name, size_t n, unsigned seed);
/** As much of a file as the receiver is to have: of the sender's bytes, or of others. */
void rig_put_part(rig_disks *d, uint32_t index, size_t n, bool same);
void rig_put_whole(rig_disks *d, uint32_t index, size_t n, bool same);
void rig_disks_fini(rig_disks *d);

void rig_begin(rig *r, rig_disks *d);
/** Carries bytes, at most step at a time, until nothing moves any more, or until so many bytes went from the sender to the receiver (0: no limit). */
void rig_run(rig *r, size_t step, uint64_t most);
void rig_end(rig *r);
/** Is what the receiver has of it whole, and equal? */
bool rig_has(const rig_disks *d, uint32_t index);

#endif
