/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command.h"

int command_version(const arguments *a) {
  printf(a->json ? "{\"v\":1,\"version\":\"%s\"}\n" : "thirl %s\n", THIRL_VERSION);
  return fflush(stdout) == 0 ? EXIT_OK : EXIT_GENERIC;
}
