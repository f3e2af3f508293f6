/* SPDX-License-Identifier: MIT */
#include "tune/ports.h"

static bool is_range(int64_t first, int64_t last) {
  return first >= 0 && last <= 65535 && first <= last;
}

void thirl_tune_ports_add(thirl_tune_ports *set, int64_t first, int64_t last) {
  if (!is_range(first, last)) return;
  for (int64_t p = first; p <= last; p++)
    set->bits[p / 8] = (uint8_t)(set->bits[p / 8] | 1 << p % 8);
}

bool thirl_tune_ports_has(const thirl_tune_ports *set, int64_t port) {
  return port >= 0 && port <= 65535 && (set->bits[port / 8] >> port % 8 & 1);
}

int64_t thirl_tune_ports_count(const thirl_tune_ports *set, int64_t first, int64_t last) {
  int64_t n = 0;
  if (!is_range(first, last)) return 0;
  for (int64_t p = first; p <= last; p++)
    n += thirl_tune_ports_has(set, p);
  return n;
}

bool thirl_tune_ports_parse(thirl_tune_ports *set, thirl_tune_text t) {
  thirl_tune_text word, piece, front;
  if (!thirl_tune_text_word(&t, &word) || thirl_tune_text_is(word, "none")) return true;
  while (word.n) {
    int64_t first, last;
    if (!thirl_tune_text_cut(&word, ',', &piece)) {
      piece = word;
      word.n = 0;
    }
    if (thirl_tune_text_cut(&piece, '-', &front)) {
      if (!thirl_tune_text_decimal(front, &first) || !thirl_tune_text_decimal(piece, &last)) return false;
    } else {
      if (!thirl_tune_text_decimal(piece, &first)) return false;
      last = first;
    }
    if (!is_range(first, last)) return false;
    thirl_tune_ports_add(set, first, last);
  }
  return true;
}
