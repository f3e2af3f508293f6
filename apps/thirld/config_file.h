/* SPDX-License-Identifier: MIT */
/* thirld.conf: text to values. Knows the grammar; opens no file but the one that is asked for. */
#ifndef THIRLD_CONFIG_FILE_H
#define THIRLD_CONFIG_FILE_H

#include "config.h"

enum {
  CONFIG_BYTES_MAX = 65536, /* a longer file is none of ours */
  CONFIG_LINE_MAX = 190
};

/**
 * Read settings on top of what c holds. E_SYNTAX, with a sentence for a person that begins with the line number ("12: ...") in complaint; c is
 * then as far as it was read.
 */
thirl_error config_parse(config *c, thirl_bytes text, char complaint[CONFIG_COMPLAINT_MAX]);
/** The same from a file. E_NOT_FOUND, E_PERMISSION, E_IO, E_LIMIT (too long), with a sentence too. */
thirl_error config_load(config *c, const char *path, char complaint[CONFIG_COMPLAINT_MAX]);

#endif
