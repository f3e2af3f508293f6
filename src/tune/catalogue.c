/* SPDX-License-Identifier: MIT */
#include "tune/catalogue.h"

#include <stdint.h>
#include <strings.h>
#include <string.h>

#include "tune/rows.h"

#define COUNT(id) +1
enum {
  N_MEMORY = 0 THIRL_TUNE_IDS_MEMORY(COUNT),
  N_UDP = 0 THIRL_TUNE_IDS_UDP(COUNT),
  N_TCP = 0 THIRL_TUNE_IDS_TCP(COUNT),
  N_CONNTRACK = 0 THIRL_TUNE_IDS_CONNTRACK(COUNT),
  N_DEVICE = 0 THIRL_TUNE_IDS_DEVICE(COUNT),
  N_REACH = 0 THIRL_TUNE_IDS_REACH(COUNT)
};

const thirl_tune_row *thirl_tune_catalogue_row(thirl_tune_id id) {
  static const struct {
    const thirl_tune_row *rows;
    unsigned n;
  } sections[] = {{thirl_tune_rows_memory, N_MEMORY}, {thirl_tune_rows_udp, N_UDP},
                  {thirl_tune_rows_tcp, N_TCP},       {thirl_tune_rows_conntrack, N_CONNTRACK},
                  {thirl_tune_rows_device, N_DEVICE}, {thirl_tune_rows_reach, N_REACH}};
  unsigned at = (unsigned)id - 1;
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
    if (at < sections[i].n) return &sections[i].rows[at];
    at -= sections[i].n;
  }
  return NULL;
}

thirl_tune_id thirl_tune_catalogue_find(const char *word, size_t n) {
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++) {
    const char *w = thirl_tune_catalogue_row((thirl_tune_id)id)->word;
    if (strlen(w) == n && strncasecmp(w, word, n) == 0) return (thirl_tune_id)id;
  }
  return THIRL_TUNE_NONE;
}
