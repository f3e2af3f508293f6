/* SPDX-License-Identifier: MIT */
/*
 * Settings that pages about tuning hand down from one to the next, and what they are worth on a kernel of today (6.x). docs/tuning-2012.md is the same for
 * a reader. Most stand in one article of 2012 or come from it.
 */
#ifndef THIRL_TUNE_MYTH_H
#define THIRL_TUNE_MYTH_H

#include "tune/belief.h"
#include "tune/limits_file.h"
#include "tune/sysctl_file.h"

/** "no effect" and so on; never NULL. */
const char *thirl_tune_myth_word(thirl_tune_myth_verdict v);

/** What the judgement depends on. What nobody knows is false or 0. */
typedef struct thirl_tune_scene {
  bool is_nat;          /* this machine translates the addresses of others */
  bool is_no_nat;       /* it certainly does not */
  bool cookies_are_off; /* tcp_syncookies = 0 */
  bool has_bbr;         /* the congestion control is BBR */
  uint64_t nr_open;     /* fs.nr_open */
} thirl_tune_scene;

/** The truth about one setting, or NULL: nothing to say about it. */
const thirl_tune_myth *thirl_tune_myth_of_setting(const thirl_tune_scene *scene, const char *name, const char *value);
/** The truth about one limit, or NULL. */
const thirl_tune_myth *thirl_tune_myth_of_limit(const thirl_tune_scene *scene, const thirl_tune_limit *limit);
/** That another line wins; that a line says what another says already; that the boot does not read sysctl.conf. */
const thirl_tune_myth *thirl_tune_myth_overridden(void);
const thirl_tune_myth *thirl_tune_myth_twice(void);
const thirl_tune_myth *thirl_tune_myth_unread(void);
/** All that is known about settings: the i-th, or NULL behind the last. */
const thirl_tune_myth *thirl_tune_myth_at(unsigned i);

#endif
