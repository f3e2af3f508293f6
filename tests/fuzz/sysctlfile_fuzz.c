/* SPDX-License-Identifier: MIT */
/*
 * Any text as sysctl.conf and as limits.conf: lines that are told are printable and within their limits, names have one form that leads nowhere else, and
 * judging them ends. The first byte says where the text is cut into two files.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tune/limits_file.h"
#include "tune/remark.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept) {
  if (!kept) abort();
}

static void is_printable(const char *text, size_t max) {
  promise(strnlen(text, max) < max);
  for (; *text; text++)
    promise(*text >= ' ' && *text < 0x7f);
}

static unsigned walk(thirl_bytes text) {
  thirl_tune_sysctl_file f = thirl_tune_sysctl_file_of(text);
  thirl_tune_line l;
  unsigned n = 0, last = 0;
  while (thirl_tune_sysctl_file_next(&f, &l)) {
    char again[THIRL_TUNE_NAME_MAX], path[THIRL_TUNE_NAME_MAX];
    is_printable(l.name, sizeof l.name);
    is_printable(l.value, sizeof l.value);
    promise(l.line > last && l.name[0] != '\0');
    last = l.line;
    n++;
    if (!thirl_tune_sysctl_file_path(l.name, path)) continue;
    promise(path[0] != '/' && !strstr(path, "/../") && strncmp(path, "../", 3) != 0 && !strstr(path, "//"));
    /* A path is a name too, and the same one: but for a single part, whose dots are separators then. */
    if (strchr(path, '/')) promise(thirl_tune_sysctl_file_name(THIRL_BYTES(path, strlen(path)), again));
    if (strchr(path, '/')) promise(strcmp(again, l.name) == 0);
  }
  promise(last <= f.line && n + f.bad <= f.line);
  return n;
}

static void walk_limits(thirl_bytes text) {
  thirl_tune_limits_file f = thirl_tune_limits_file_of(text);
  thirl_tune_limit l;
  while (thirl_tune_limits_file_next(&f, &l)) {
    is_printable(l.domain, sizeof l.domain);
    is_printable(l.item, sizeof l.item);
    is_printable(l.value, sizeof l.value);
    promise(!(l.is_unlimited && l.number));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t cut = size ? 1 + (size - 1) * data[0] / 256 : 0;
  thirl_bytes first = THIRL_BYTES(data + (size > 0), size ? cut - 1 : 0), second = THIRL_BYTES(data + cut, size - cut);
  const thirl_tune_file files[] = {
      {.path = "/usr/lib/sysctl.d/50-a.conf", .text = first, .place = THIRL_TUNE_PLACE_LIB},
      {.path = "/etc/sysctl.conf", .text = second, .place = THIRL_TUNE_PLACE_CONF},
      {.path = "/etc/security/limits.conf", .text = second, .place = THIRL_TUNE_PLACE_PAM},
  };
  const thirl_tune_scene scene = {.nr_open = 1048576};
  thirl_tune_remarks r;
  if (size == 0) return 0;
  walk(first);
  walk(second);
  walk_limits(second);
  if (thirl_tune_remark_judge(&scene, files, 3, &r) != THIRL_OK) return 0;
  for (unsigned i = 0; i < r.n; i++) {
    promise(r.list[i].myth && r.list[i].line > 0);
    is_printable(r.list[i].name, sizeof r.list[i].name);
  }
  thirl_tune_remark_fini(&r);
  return 0;
}
