/* SPDX-License-Identifier: MIT */
#include "tune/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { COMMENT_WIDTH = 100 };

void thirl_tune_page_add(thirl_buffer *out, thirl_error *sticky, const char *format, ...) {
  char text[THIRL_TUNE_PAGE_MAX];
  va_list ap;
  if (*sticky != THIRL_OK) return;
  va_start(ap, format);
  int n = vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  if (n < 0) return;
  if ((size_t)n >= sizeof text) n = (int)sizeof text - 1;
  *sticky = thirl_buffer_append(out, THIRL_BYTES(text, (size_t)n));
}

void thirl_tune_page_comment(thirl_buffer *out, thirl_error *sticky, const char *words) {
  size_t column = 0;
  while (*words) {
    size_t blanks = strspn(words, " \t\r\n");
    words += blanks;
    size_t n = strcspn(words, " \t\r\n");
    if (n == 0) break;
    bool begins = column == 0 || column + 1 + n > COMMENT_WIDTH;
    thirl_tune_page_add(out, sticky, "%s%.*s", !begins ? " " : column ? "\n# " : "# ", (int)n, words);
    column = begins ? 2 + n : column + 1 + n;
    words += n;
  }
  if (column) thirl_tune_page_add(out, sticky, "\n");
}
