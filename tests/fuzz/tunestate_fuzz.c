/* SPDX-License-Identifier: MIT */
/* Any text as the journal of thirl tune --apply: what is taken names only settings that may be written, and is written down and read back the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apps/thirl/tune_state.h"
#include "tune/allow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept) {
  if (!kept) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tune_state s, again;
  if (tune_state_decode(THIRL_BYTES(data ? data : (const uint8_t *)"", size), &s) != THIRL_OK) return 0;
  for (unsigned i = 0; i < s.journal.n; i++) {
    promise(thirl_tune_allow_find(s.journal.list[i].name) != NULL);
    promise(!strchr(s.journal.list[i].old, '\n'));
  }
  for (unsigned i = 0; i < s.folders.n; i++)
    promise(s.folders.path[i][0] == '/' && !strstr(s.folders.path[i], ".."));
  char *text = tune_state_encode(&s), *second = NULL;
  if (text) promise(tune_state_decode(THIRL_BYTES(text, strlen(text)), &again) == THIRL_OK);
  if (text) second = tune_state_encode(&again);
  if (second) promise(strcmp(text, second) == 0);
  if (text) tune_state_fini(&again);
  free(text);
  free(second);
  tune_state_fini(&s);
  return 0;
}
