/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void thirl_log_print(const thirl_log *log, thirl_log_level level, const char *format, ...) {
  char text[500];
  va_list ap;
  if (!log || !log->line || level > log->max) return;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  log->line(log->ctx, level, text);
}
