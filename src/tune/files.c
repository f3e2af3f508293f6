/* SPDX-License-Identifier: MIT */
#include "tune/files.h"

static bool is_comment(thirl_tune_text line) {
  thirl_tune_text word;
  return !thirl_tune_text_word(&line, &word) || word.p[0] == '#' || word.p[0] == ';';
}

void thirl_tune_files_limits(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text line, word;
  while (thirl_tune_text_line(&t, &line)) {
    if (is_comment(line)) continue;
    while (thirl_tune_text_word(&line, &word))
      if (thirl_tune_text_is(word, "nofile")) f->limits_d_sets_nofile = true;
  }
}

void thirl_tune_files_sysctl(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text line;
  while (thirl_tune_text_line(&t, &line))
    if (!is_comment(line) && thirl_tune_text_has(line, "tcp_tw_recycle")) f->sysctl_d_has_tw_recycle = true;
}

/* "... table full in netns 4026532675, dropping packet"; older kernels do not say in which. */
static bool is_of_another(const thirl_tune_facts *f, thirl_tune_text line) {
  thirl_tune_text word;
  uint64_t inode = 0;
  bool next = false;
  while (thirl_tune_text_word(&line, &word)) {
    if (next)
      for (size_t i = 0; i < word.n && word.p[i] >= '0' && word.p[i] <= '9' && i < 18; i++)
        inode = inode * 10 + (uint64_t)(word.p[i] - '0');
    next = thirl_tune_text_is(word, "netns");
  }
  return inode && f->namespace && inode != f->namespace;
}

void thirl_tune_files_log(thirl_tune_facts *f, thirl_tune_text t, int64_t now_us) {
  static const int64_t hour_us = (int64_t)3600 * 1000000;
  thirl_tune_text line, head, field = {0};
  while (thirl_tune_text_line(&t, &line)) {
    int64_t at = 0;
    if (!thirl_tune_text_cut(&line, ';', &head)) continue;
    bool ok = true;
    for (int i = 0; i < 3 && ok; i++)
      ok = thirl_tune_text_cut(&head, ',', &field);
    if (!ok || !thirl_tune_text_decimal(field, &at) || at > now_us || now_us - at > hour_us) continue;
    if (thirl_tune_text_has(line, "nf_conntrack: table full") && !is_of_another(f, line)) f->n_table_full_lines++;
  }
}
