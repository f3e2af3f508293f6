/* SPDX-License-Identifier: MIT */
#include "tune/journal.h"

#include <string.h>

#include "tune/allow.h"
#include "tune/page.h"

thirl_tune_change *thirl_tune_journal_find(thirl_tune_journal *j, const char *name) {
  for (unsigned i = 0; i < j->n; i++)
    if (strcmp(j->list[i].name, name) == 0) return &j->list[i];
  return NULL;
}

thirl_error thirl_tune_journal_note(thirl_tune_journal *j, const thirl_tune_change *change) {
  thirl_tune_change *c = thirl_tune_journal_find(j, change->name);
  if (!c && j->n == THIRL_TUNE_JOURNAL_MAX) return THIRL_E_LIMIT;
  if (!c) {
    j->list[j->n++] = *change;
    return THIRL_OK;
  }
  memcpy(c->made, change->made, sizeof c->made);
  memcpy(c->why, change->why, sizeof c->why);
  return THIRL_OK;
}

void thirl_tune_journal_remove(thirl_tune_journal *j, const char *name) {
  thirl_tune_change *c = thirl_tune_journal_find(j, name);
  if (!c) return;
  size_t after = j->n - 1 - (size_t)(c - j->list);
  memmove(c, c + 1, after * sizeof *c);
  j->n--;
}

bool thirl_tune_journal_is_of(const thirl_tune_journal *j, const char *here) {
  return strcmp(j->where[0] ? j->where : THIRL_TUNE_WHERE_HOST, here) == 0;
}

thirl_tune_undo thirl_tune_journal_undo(const thirl_tune_change *c, const char *current) {
  if (thirl_tune_allow_same(current, c->old)) return THIRL_TUNE_UNDO_NOTHING;
  return thirl_tune_allow_same(current, c->made) ? THIRL_TUNE_UNDO_RESTORE : THIRL_TUNE_UNDO_FOREIGN;
}

thirl_error thirl_tune_journal_format(const thirl_tune_journal *j, thirl_buffer *out) {
  thirl_error e = THIRL_OK;
  thirl_tune_page_add(out, &e,
                      "# Written by \"thirl tune --apply\"; \"thirl tune --undo\" removes it and restores what was.\n");
  for (unsigned i = 0; i < j->n; i++) {
    const thirl_tune_change *c = &j->list[i];
    thirl_tune_page_add(out, &e, "\n");
    thirl_tune_page_comment(out, &e, c->why);
    thirl_tune_page_add(out, &e, "# was: %s\n%s = %s\n", c->old[0] ? c->old : "(empty)", c->name, c->made);
  }
  return e;
}
