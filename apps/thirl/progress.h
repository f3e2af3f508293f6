/* SPDX-License-Identifier: MIT */
/* How far a transfer is: a bar on a terminal, an object a second with --json, otherwise nothing. */
#ifndef THIRL_APPS_PROGRESS_H
#define THIRL_APPS_PROGRESS_H

#include "parcel/progress.h"
#include "parcel/terms.h"

enum { PROGRESS_LINE_MAX = 512, PROGRESS_SIZE_MAX = 16 };

typedef struct progress_view {
  thirl_bytes name; /* of the file that is under way */
  uint64_t passed, total;
  double rate; /* bytes a second; 0: not known */
  bool has_left;
  uint64_t left_s;
} progress_view;

/** "1.4 MiB". */
const char *progress_size(uint64_t bytes, char out[PROGRESS_SIZE_MAX]);
/** One line of at most so many columns, without control characters. */
const char *progress_line(const progress_view *v, unsigned columns, char out[PROGRESS_LINE_MAX]);

/** Sums of all sessions of this run, as tallies are of one. */
typedef struct progress {
  thirl_parcel_progress rate;
  uint64_t moved; /* of the sessions before */
  uint64_t total, shown_at, told_at;
} progress;

void progress_begin(progress *p, uint64_t total);
/** The tally of the present session, and the name of the file that is under way. now in microseconds. */
void progress_show(progress *p, thirl_time now, const thirl_parcel_tally *t, thirl_bytes name);
/** What went over the wire in all sessions of this run, the present one included. */
uint64_t progress_moved(const progress *p, const thirl_parcel_tally *t);
/** The end, as one object with --json: how it went, and how many bytes did not have to be sent since they were there. */
void progress_tell_end(const progress *p, const thirl_parcel_tally *t, const char *result);
/** The session is gone: its tally becomes part of the sums. */
void progress_add(progress *p, const thirl_parcel_tally *t);
/** Takes the bar away. */
void progress_end(void);

#endif
