/* SPDX-License-Identifier: MIT */
#include "parcel/reason.h"

static const struct {
  const char *word, *text;
} rows[THIRL_PARCEL_REASON_COUNT] = {
#define ROW(name, word, sentence) [THIRL_PARCEL_##name] = {word, sentence},
    THIRL_PARCEL_REASONS(ROW)
#undef ROW
};

thirl_parcel_reason thirl_parcel_reason_of(uint8_t byte) {
  return byte < THIRL_PARCEL_REASON_COUNT ? (thirl_parcel_reason)byte : THIRL_PARCEL_IO;
}

const char *thirl_parcel_reason_text(thirl_parcel_reason r) {
  return rows[thirl_parcel_reason_of((uint8_t)r)].text;
}

const char *thirl_parcel_reason_word(thirl_parcel_reason r) {
  return rows[thirl_parcel_reason_of((uint8_t)r)].word;
}
