/* SPDX-License-Identifier: MIT */
#include "unit/stun/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/integrity.h"

const char *const vector_names[VECTOR_COUNT] = {"rfc5769-2.1-request", "rfc5769-2.2-response-v4",
                                                "rfc5769-2.3-response-v6", "rfc5769-2.4-request-long-term",
                                                "rfc8489-b.1-request-sha256"};

static int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

static void parse_line(const char *p, vector *out) {
  for (; *p && *p != '#' && *p != '\n'; p++) {
    if (*p == ' ') continue;
    int hi = hex_value(p[0]), lo = hex_value(p[1]);
    assert_true(hi >= 0 && lo >= 0);
    assert_true(out->n < VECTOR_BYTES_MAX);
    out->b[out->n++] = (uint8_t)(hi << 4 | lo);
    p++;
  }
}

void vector_load(const char *name, vector *out) {
  char path[512];
  memset(out, 0, sizeof *out);
  snprintf(path, sizeof path, "%s/tests/vectors/%s.hex", THIRL_SOURCE_DIR, name);
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  size_t n = fread(out->text, 1, sizeof out->text - 1, f);
  assert_true(n > 0 && n < sizeof out->text - 1);
  fclose(f);
  for (const char *line = out->text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
    parse_line(line, out);
}

thirl_bytes vector_param(const vector *v, const char *name) {
  char head[64];
  snprintf(head, sizeof head, "#: %s ", name);
  const char *at = strstr(v->text, head);
  if (!at) return (thirl_bytes){NULL, 0};
  at += strlen(head);
  return THIRL_BYTES(at, strcspn(at, "\n"));
}

thirl_bytes vector_key(const vector *v, bool sha256, uint8_t out[32]) {
  thirl_bytes user = vector_param(v, "username"), realm = vector_param(v, "realm"),
              password = vector_param(v, "password");
  if (realm.n == 0) return password;
  if (sha256) {
    assert_int_equal(thirl_stun_integrity_key_sha256(user, realm, password, out), THIRL_OK);
    return THIRL_BYTES(out, 32);
  }
  assert_int_equal(thirl_stun_integrity_key_md5(user, realm, password, out), THIRL_OK);
  return THIRL_BYTES(out, 16);
}

thirl_bytes vector_literal(const char *s) {
  return THIRL_BYTES(s, strlen(s));
}
