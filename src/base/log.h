/* SPDX-License-Identifier: MIT */
/* Log lines as data handed to a sink. Subject, object, reason; never a secret. Machines log little: what a user must know is an event. */
#ifndef THIRL_BASE_LOG_H
#define THIRL_BASE_LOG_H

typedef enum thirl_log_level { THIRL_LOG_ERROR, THIRL_LOG_WARN, THIRL_LOG_INFO, THIRL_LOG_DEBUG } thirl_log_level;

typedef struct thirl_log {
  void (*line)(void *ctx, thirl_log_level level, const char *text); /* NULL: no log */
  void *ctx;
  thirl_log_level max; /* lines above it are not even formatted */
} thirl_log;

/** Formats and hands over one line (cut at 500 bytes). log may be NULL. */
void thirl_log_print(const thirl_log *log, thirl_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
