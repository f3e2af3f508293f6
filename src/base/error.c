/* SPDX-License-Identifier: MIT */
#include "thirl/error.h"

#include <stddef.h>

static const struct {
  const char *name;
  const char *text;
  thirl_error_class cls;
} table[] = {
#define ROW(name, class, sentence) {#name, sentence, THIRL_CLASS_##class},
    THIRL_ERRORS(ROW)
#undef ROW
};

const char *thirl_error_name(thirl_error e) {
  return (size_t)e < THIRL_ERROR_COUNT ? table[e].name : "?";
}

const char *thirl_error_text(thirl_error e) {
  return (size_t)e < THIRL_ERROR_COUNT ? table[e].text : "an unknown error";
}

thirl_error_class thirl_error_class_of(thirl_error e) {
  return (size_t)e < THIRL_ERROR_COUNT ? table[e].cls : THIRL_CLASS_NONE;
}
