/* SPDX-License-Identifier: MIT */
#include "lab/internet/notes.h"

void thirl_lab_notes_add(thirl_lab_notes *l, const thirl_lab_note *note) {
  if (l->n == THIRL_LAB_NOTES_MAX) {
    l->missed++;
    return;
  }
  l->notes[(l->first + l->n++) % THIRL_LAB_NOTES_MAX] = *note;
}

bool thirl_lab_notes_take(thirl_lab_notes *l, thirl_lab_note *out) {
  if (l->n == 0) return false;
  *out = l->notes[l->first];
  l->first = (l->first + 1) % THIRL_LAB_NOTES_MAX;
  l->n--;
  return true;
}
