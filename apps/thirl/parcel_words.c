/* SPDX-License-Identifier: MIT */
#include "parcel_words.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "exit.h"
#include "parcel/name.h"
#include "status.h"

const char *parcel_words_count(const thirl_parcel_offer *o, char out[64]) {
  char size[PROGRESS_SIZE_MAX], folders[24] = "";
  unsigned n = (unsigned)(o->n - o->files);
  if (n > 0) snprintf(folders, sizeof folders, ", %u folder%s", n, n == 1 ? "" : "s");
  snprintf(out, 64, "%u file%s%s, %s", (unsigned)o->files, o->files == 1 ? "" : "s", folders,
           progress_size(o->bytes, size));
  return out;
}

void parcel_words_file(thirl_bytes name, thirl_parcel_reason r) {
  static unsigned lines;
  char text[THIRL_PARCEL_SHOWN_MAX];
  thirl_parcel_name_clean(name, text);
  if (status_is_json()) {
    status_object("file", json_pack("{s:s,s:s}", "name", text, "result", thirl_parcel_reason_word(r)));
    return;
  }
  if (r == THIRL_PARCEL_OK || lines > PARCEL_WORDS_LINES_MAX) return;
  if (lines++ < PARCEL_WORDS_LINES_MAX)
    status_note("file", "%s: %s", text, thirl_parcel_reason_text(r));
  else
    status_note("file", "and so on");
}

static void say_all_is_well(const thirl_parcel_offer *o, const progress *p, const thirl_parcel_tally *t,
                            const char *did) {
  char count[64], size[PROGRESS_SIZE_MAX];
  uint64_t moved = progress_moved(p, t);
  if (moved < o->bytes)
    status_note("done", "%s: %s; %s of it were there already", did, parcel_words_count(o, count),
                progress_size(o->bytes - moved, size));
  else
    status_note("done", "%s: %s", did, parcel_words_count(o, count));
}

int parcel_words_end(const thirl_parcel_offer *o, const progress *p, const thirl_parcel_tally *t, const char *did,
                     thirl_parcel_reason r, thirl_bytes name) {
  char text[THIRL_PARCEL_SHOWN_MAX], sentence[THIRL_PARCEL_SHOWN_MAX + 200];
  progress_end();
  progress_tell_end(p, t, thirl_parcel_reason_word(r));
  if (r == THIRL_PARCEL_OK) {
    if (!status_is_json()) say_all_is_well(o, p, t, did);
    return EXIT_OK;
  }
  thirl_parcel_name_clean(name, text);
  if (r == THIRL_PARCEL_PARTLY)
    snprintf(sentence, sizeof sentence, "%u of %u files were not %s", (unsigned)t->failed, (unsigned)o->files, did);
  else
    snprintf(sentence, sizeof sentence, "not %s: %s%s%s", did, text, text[0] ? ": " : "", thirl_parcel_reason_text(r));
  status_error(THIRL_E_REFUSED, sentence);
  return EXIT_GENERIC;
}
