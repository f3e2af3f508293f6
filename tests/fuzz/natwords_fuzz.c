/* SPDX-License-Identifier: MIT */
/* Words of a NAT from any text: a config that they have made can be written down, and what is written makes the same config again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "natbox/natbox.h"
#include "natbox/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept) {
  if (!kept) abort();
}

/* Words with blanks between them; how many were taken. */
static unsigned take_words(thirl_natbox_config *c, const char *text, size_t size) {
  unsigned taken = 0;
  for (size_t at = 0; at < size;) {
    size_t n = 0;
    while (at + n < size && text[at + n] != ' ')
      n++;
    thirl_natbox_config before = *c;
    const thirl_natbox_word *which = NULL;
    thirl_error e = thirl_natbox_words_set(c, text + at, n, &which);
    promise(e == THIRL_OK || e == THIRL_E_NOT_FOUND || e == THIRL_E_SYNTAX || e == THIRL_E_RANGE);
    promise((e == THIRL_E_NOT_FOUND) == (which == NULL));
    promise(e == THIRL_OK || memcmp(&before, c, sizeof before) == 0);
    taken += e == THIRL_OK;
    at += n + 1;
  }
  return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  thirl_natbox_config base, c, again, twice;
  static char text[THIRL_NATBOX_WORDS_MAX], second[THIRL_NATBOX_WORDS_MAX];
  promise(thirl_natbox_config_preset("portrestricted", thirl_addr_v4(192, 0, 2, 1, 0), &base) == THIRL_OK);
  c = again = base;
  take_words(&c, (const char *)data, size);
  promise(thirl_natbox_words_format(&c, &base, text, sizeof text) == THIRL_OK);
  unsigned n_words = text[0] != '\0';
  for (const char *p = text; *p; p++)
    n_words += *p == ' ';
  promise(take_words(&again, text, strlen(text)) == n_words);
  promise(thirl_natbox_words_format(&again, &base, second, sizeof second) == THIRL_OK);
  promise(strcmp(text, second) == 0);
  twice = c;
  thirl_natbox *box = thirl_natbox_new(&twice, 1); /* whatever the words say, it is a NAT */
  if (!box) return 0;
  thirl_natbox_packet p = {.protocol = THIRL_NATBOX_UDP,
                           .ttl = 64,
                           .src = thirl_addr_v4(10, 0, 0, 1, 5000),
                           .dst = thirl_addr_v4(203, 0, 113, 1, 80)};
  (void)thirl_natbox_outbound(box, THIRL_S, &p);
  thirl_natbox_free(box);
  return 0;
}
