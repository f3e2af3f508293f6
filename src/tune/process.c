/* SPDX-License-Identifier: MIT */
#include "tune/process.h"

#include <stdlib.h>
#include <string.h>

static thirl_tune_number number_or_unlimited(thirl_tune_text t) {
  thirl_tune_number n = {0, THIRL_TUNE_WHY_MALFORMED};
  if (thirl_tune_text_is(t, "unlimited"))
    n = (thirl_tune_number){THIRL_TUNE_UNLIMITED, THIRL_TUNE_WHY_READ};
  else if (thirl_tune_text_decimal(t, &n.v))
    n.why = THIRL_TUNE_WHY_READ;
  return n;
}

void thirl_tune_process_limits(thirl_tune_process *p, thirl_tune_text t) {
  static const char name[] = "Max open files";
  thirl_tune_text line, word;
  p->nofile_soft.why = p->nofile_hard.why = THIRL_TUNE_WHY_MALFORMED;
  while (thirl_tune_text_line(&t, &line)) {
    if (!thirl_tune_text_begins(line, name)) continue;
    thirl_tune_text rest = {line.p + strlen(name), line.n - strlen(name)};
    if (thirl_tune_text_word(&rest, &word)) p->nofile_soft = number_or_unlimited(word);
    if (thirl_tune_text_word(&rest, &word)) p->nofile_hard = number_or_unlimited(word);
  }
}

void thirl_tune_process_status(thirl_tune_process *p, thirl_tune_text t) {
  thirl_tune_text line, name, word;
  p->cap_effective.why = THIRL_TUNE_WHY_MALFORMED;
  while (thirl_tune_text_line(&t, &line)) {
    uint64_t mask;
    if (!thirl_tune_text_cut(&line, ':', &name) || !thirl_tune_text_word(&line, &word)) continue;
    if (thirl_tune_text_is(name, "Name")) thirl_tune_text_copy(word, p->name, sizeof p->name);
    if (thirl_tune_text_is(name, "CapEff") && thirl_tune_text_hex(word, &mask))
      p->cap_effective = (thirl_tune_number){(int64_t)(mask & INT64_MAX), THIRL_TUNE_WHY_READ};
  }
}

/* The last part of the path that ends in .service: "1:name=systemd:/system.slice/thirld.service", "0::/..." */
void thirl_tune_process_unit(thirl_tune_process *p, thirl_tune_text t) {
  thirl_tune_text line, part;
  p->unit[0] = '\0';
  while (thirl_tune_text_line(&t, &line)) {
    bool more = true;
    while (more) {
      more = thirl_tune_text_cut(&line, '/', &part);
      if (!more) part = line;
      size_t n = strlen(".service");
      if (part.n > n && part.n < sizeof p->unit && memcmp(part.p + part.n - n, ".service", n) == 0)
        thirl_tune_text_copy(part, p->unit, sizeof p->unit);
    }
  }
}

static int by_number(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

void thirl_tune_process_files(thirl_tune_process *p, thirl_tune_text t) {
  static const char prefix[] = "socket:[";
  thirl_tune_text line, digits;
  if (p->files_open.why != THIRL_TUNE_WHY_READ) p->files_open = (thirl_tune_number){0, THIRL_TUNE_WHY_READ};
  if (p->inodes_why != THIRL_TUNE_WHY_TOO_MANY) p->inodes_why = THIRL_TUNE_WHY_READ;
  while (thirl_tune_text_line(&t, &line)) {
    int64_t inode;
    p->files_open.v++;
    if (!thirl_tune_text_begins(line, prefix)) continue;
    thirl_tune_text rest = {line.p + strlen(prefix), line.n - strlen(prefix)};
    if (!thirl_tune_text_cut(&rest, ']', &digits) || !thirl_tune_text_decimal(digits, &inode)) continue;
    if (p->n_inodes < THIRL_TUNE_INODES)
      p->inodes[p->n_inodes++] = (uint64_t)inode;
    else
      p->inodes_why = THIRL_TUNE_WHY_TOO_MANY;
  }
  qsort(p->inodes, p->n_inodes, sizeof *p->inodes, by_number);
}

bool thirl_tune_process_owns(const thirl_tune_process *p, uint64_t inode) {
  return inode && p->n_inodes && bsearch(&inode, p->inodes, p->n_inodes, sizeof *p->inodes, by_number) != NULL;
}
