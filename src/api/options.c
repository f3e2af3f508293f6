/* SPDX-License-Identifier: MIT */
#include "api/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/terms.h"

enum {
  FIRST_SIZE = sizeof(thirl_options), /* of version 0.1: no caller has less */
  SIZE_MAX_SANE = 4096,               /* more than any version will have: the field was never set */
  DEFAULT_INCOMING = 16
};

#define WINDOW_MAX ((size_t)1 << 30)

/* Newer callers may have fields that we do not know: fine as long as they leave them alone. */
static bool is_zero(const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (p[i]) return false;
  return true;
}

static thirl_error say(char *why, size_t cap, thirl_error e, const char *sentence) {
  snprintf(why, cap, "%s", sentence);
  return e;
}

thirl_error thirl_api_options_read(const thirl_options *in, thirl_options *out, char *why, size_t cap) {
  *out = (thirl_options)THIRL_OPTIONS_INIT;
  if (in) {
    if (in->size < FIRST_SIZE || in->size > SIZE_MAX_SANE)
      return say(why, cap, THIRL_E_INVALID, "the options were not begun with THIRL_OPTIONS_INIT");
    if (in->size > sizeof *out && !is_zero((const uint8_t *)in + sizeof *out, in->size - sizeof *out))
      return say(why, cap, THIRL_E_UNSUPPORTED,
                 "the options ask for something that this version of libthirl does not know");
    memcpy(out, in, sizeof *out);
    out->size = sizeof *out;
  }
  if (out->direct_only && out->relay_only)
    return say(why, cap, THIRL_E_INVALID, "direct_only and relay_only exclude each other");
  size_t w = out->window;
  if (w && (w < THIRL_SESSION_STREAM_INITIAL || w > WINDOW_MAX || (w & (w - 1))))
    return say(why, cap, THIRL_E_RANGE, "the window is no power of two from 32768 to 1073741824");
  if (out->max_incoming > THIRL_SESSION_PEERS_MAX) return say(why, cap, THIRL_E_RANGE, "max_incoming is more than 256");
  if (!out->max_incoming) out->max_incoming = DEFAULT_INCOMING;
  if (!out->server) out->server = getenv("THIRL_SERVER");
  return THIRL_OK;
}

thirl_session_policy thirl_api_options_policy(const thirl_options *o) {
  return (thirl_session_policy){
      .direct_only = o->direct_only,
      .relay_only = o->relay_only,
      .dial_timeout = o->timeout_ms * THIRL_MS,
      .lost_after = o->lost_after_ms * THIRL_MS,
      .window = o->window,
  };
}
