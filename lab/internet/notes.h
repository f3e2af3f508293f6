/* SPDX-License-Identifier: MIT */
/* The event log of a lab, as data: what happened that a person wants to hear of. Bounded; nothing waits for its reader. */
#ifndef THIRL_LAB_NOTES_H
#define THIRL_LAB_NOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/time.h"

enum { THIRL_LAB_NOTES_MAX = 1024 }; /* that nobody has asked for; what comes on top is counted */

typedef enum thirl_lab_note_kind {
  /* An event of the topology has come about; event is its index. What it means for a host's own address, or for a NAT of the kernel, is left to
     whoever reads this. */
  THIRL_LAB_NOTE_EVENT,
  THIRL_LAB_NOTE_UNREACHABLE, /* nobody answers for an address on the net of this node's side */
  THIRL_LAB_NOTE_TOO_BIG,     /* a packet was longer than the cable takes; once for each cable until its terms change */
  THIRL_LAB_NOTE_FULL         /* a queue of the cable ran over; likewise */
} thirl_lab_note_kind;

typedef struct thirl_lab_note {
  thirl_lab_note_kind kind;
  thirl_time at;
  size_t event; /* EVENT: index in the topology; SIZE_MAX: by thirl_lab_engine_apply */
  size_t node;  /* SIZE_MAX: the internet's own router */
  bool inner;
  thirl_addr addr; /* UNREACHABLE */
} thirl_lab_note;

typedef struct thirl_lab_notes {
  thirl_lab_note notes[THIRL_LAB_NOTES_MAX];
  size_t first, n;
  uint64_t missed;
} thirl_lab_notes;

void thirl_lab_notes_add(thirl_lab_notes *l, const thirl_lab_note *note);
/** The oldest; false: none. */
bool thirl_lab_notes_take(thirl_lab_notes *l, thirl_lab_note *out);

#endif
