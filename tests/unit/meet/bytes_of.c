/* SPDX-License-Identifier: MIT */
#include "bytes_of.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void bytes_ramp(void *out, size_t n, unsigned first) {
  uint8_t *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)(first + i);
}

static unsigned digit(char c) {
  const char *at = strchr("0123456789abcdef", c);
  assert_true(c != '\0' && at != NULL);
  return (unsigned)(at - "0123456789abcdef");
}

size_t bytes_of_hex(const char *hex, uint8_t *out, size_t cap) {
  size_t n = strlen(hex) / 2;
  assert_true(strlen(hex) % 2 == 0 && n <= cap);
  for (size_t i = 0; i < n; i++)
    out[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
  return n;
}

static void count(void *ctx, void *out, size_t n) {
  uint8_t *counter = ctx, *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = ++*counter;
}

thirl_secrets bytes_secrets(uint8_t *counter) {
  return (thirl_secrets){count, counter};
}
