/* SPDX-License-Identifier: MIT */
#include "host/dump.h"

#include <stdarg.h>
#include <stdio.h>

void thirl_host_dump_init(thirl_host_dump *d) {
  thirl_buffer_init(&d->text, THIRL_HOST_DUMP_MAX);
  d->is_cut = false;
}

void thirl_host_dump_fini(thirl_host_dump *d) {
  thirl_buffer_fini(&d->text);
}

void thirl_host_dump_clear(thirl_host_dump *d) {
  thirl_buffer_consume(&d->text, thirl_buffer_view(&d->text).n);
  d->is_cut = false;
}

void thirl_host_dump_append(thirl_host_dump *d, const void *p, size_t n) {
  if (thirl_buffer_append(&d->text, THIRL_BYTES(p, n)) != THIRL_OK) d->is_cut = true;
}

void thirl_host_dump_print(thirl_host_dump *d, const char *format, ...) {
  char line[512];
  va_list ap;
  va_start(ap, format);
  int n = vsnprintf(line, sizeof line, format, ap);
  va_end(ap);
  if (n > 0) thirl_host_dump_append(d, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

thirl_tune_text thirl_host_dump_view(const thirl_host_dump *d) {
  thirl_bytes b = thirl_buffer_view(&d->text);
  return (thirl_tune_text){(const char *)b.p, b.n};
}
