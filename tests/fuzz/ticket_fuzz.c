/* SPDX-License-Identifier: MIT */
/* Any text as a ticket; then the input as what stands inside a ticket, with a checksum that is right. What can be parsed has one text. */
#include <stdlib.h>
#include <string.h>

#include "base/base32.h"
#include "base/hash.h"
#include "meet/ticket.h"

enum { BODY_MAX = 160, CHECKSUM_LEN = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *text) {
  static const thirl_meet_ticket zero;
  char one[THIRL_MEET_TICKET_TEXT_MAX], two[THIRL_MEET_TICKET_TEXT_MAX];
  thirl_meet_ticket t, again;
  if (thirl_meet_ticket_parse(text, &t) != THIRL_OK) {
    if (memcmp(&t, &zero, sizeof t) != 0) abort();
    return;
  }
  if (thirl_meet_ticket_format(&t, one) != THIRL_OK) abort();
  if (thirl_meet_ticket_parse(one, &again) != THIRL_OK || memcmp(&t, &again, sizeof t) != 0) abort();
  if (thirl_meet_ticket_format(&again, two) != THIRL_OK || strcmp(one, two) != 0) abort();
}

static void parse_body(const uint8_t *data, size_t size) {
  uint8_t body[BODY_MAX + CHECKSUM_LEN], digest[THIRL_SHA256_LEN];
  char text[THIRL_MEET_TICKET_TEXT_MAX] = "thirl1";
  if (size > BODY_MAX || thirl_hash_sha256(THIRL_BYTES(data, size), digest) != THIRL_OK) return;
  if (size) memcpy(body, data, size);
  memcpy(body + size, digest, CHECKSUM_LEN);
  if (thirl_base32_encode(THIRL_BYTES(body, size + CHECKSUM_LEN), text + 6, sizeof text - 6) != THIRL_OK) abort();
  parse(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  if (!text) return 0;
  if (size) memcpy(text, data, size);
  text[size] = '\0';
  parse(text);
  free(text);
  parse_body(data, size);
  return 0;
}
