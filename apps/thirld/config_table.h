/* SPDX-License-Identifier: MIT */
/*
 * The settings of thirld.conf: one table for reading them, for --help, for the manual and for the sample (config_sample.h). The limits among them are rows of
 * src/server/limits.h, where their defaults and ranges are.
 */
#ifndef THIRLD_CONFIG_TABLE_H
#define THIRLD_CONFIG_TABLE_H

#include "config.h"

typedef struct config_row {
  const char *section; /* "server" or "limits" */
  const char *name;    /* "listen-tcp"; of a limit: in name_buffer */
  const char *value;   /* what stands for its value, "ADDRESS[:PORT]" */
  const char
      *normal; /* what holds without it, a line for each time; of a limit: in normal_buffer. NULL: nothing does */
  const char *example;   /* a value, where there is no normal one */
  const char *what;      /* one line, no full stop */
  const char *paragraph; /* of this one and those behind it that have none: plain text */
  uint64_t least, most;  /* of a limit */
  char name_buffer[48], normal_buffer[24];
} config_row;

/** The i-th, in the order in which they are shown. False past the last. */
bool config_table_get(size_t i, config_row *out);
/** Whether there are settings in it. */
bool config_table_has_section(const char *section);
/** Set one by its name. E_NOT_FOUND, E_SYNTAX, E_RANGE, E_LIMIT (too often). */
thirl_error config_table_set(config *c, const char *section, const char *name, const char *value);

#endif
