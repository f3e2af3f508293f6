/* SPDX-License-Identifier: MIT */
/*
 * The text of sysctl.conf and of the files in sysctl.d, line by line (sysctl.conf(5), sysctl.d(5)).
 *
 * A name has one form here, dots between its parts, whatever the file says: "net/ipv4/tcp_syncookies" becomes "net.ipv4.tcp_syncookies", and the dot in
 * the name of an interface a slash: "net/ipv4/conf/eth0.5/rp_filter" becomes "net.ipv4.conf.eth0/5.rp_filter".
 */
#ifndef THIRL_TUNE_SYSCTL_FILE_H
#define THIRL_TUNE_SYSCTL_FILE_H

#include "base/bytes.h"

enum { THIRL_TUNE_NAME_MAX = 160, THIRL_TUNE_VALUE_MAX = 256 }; /* bytes, the closing zero included */

/** One setting as a file has it. */
typedef struct thirl_tune_line {
  char name[THIRL_TUNE_NAME_MAX];
  char value[THIRL_TUNE_VALUE_MAX]; /* blanks at the ends gone, blanks inside folded to one */
  unsigned line;                    /* from 1 */
  bool may_fail;                    /* "-name = value": nobody complains when it cannot be set */
  bool is_pattern;                  /* the name has * ? or [ in it */
  bool is_exclusion;                /* "-name": no pattern sets it */
} thirl_tune_line;

/** Walks a text. Borrows it. */
typedef struct thirl_tune_sysctl_file {
  thirl_bytes text;
  size_t at;
  unsigned line;
  unsigned bad; /* lines that are neither a setting nor a comment, or are too long */
} thirl_tune_sysctl_file;

thirl_tune_sysctl_file thirl_tune_sysctl_file_of(thirl_bytes text);
/** The next setting; false at the end. Names and values hold printable ASCII only: a line with anything else is bad. */
bool thirl_tune_sysctl_file_next(thirl_tune_sysctl_file *f, thirl_tune_line *out);
/** The one form of a name. False: empty, too long, or not of printable ASCII without blanks. */
bool thirl_tune_sysctl_file_name(thirl_bytes written, char out[THIRL_TUNE_NAME_MAX]);
/** The path below /proc/sys of a name in the one form. False: it would lead elsewhere, or does not fit. */
bool thirl_tune_sysctl_file_path(const char *name, char out[THIRL_TUNE_NAME_MAX]);
/** Does a name fit a pattern of shell wildcards? None of * and ? stands for a dot between two parts. */
bool thirl_tune_sysctl_file_match(const char *pattern, const char *name);

#endif
