/* SPDX-License-Identifier: MIT */
#include "looks.h"

#include <stdlib.h>
#include <string.h>

bool looks_dumb(void) {
  const char *term = getenv("TERM");
  return !term || !*term || strcmp(term, "dumb") == 0;
}

bool looks_coloured(void) {
  const char *no = getenv("NO_COLOR");
  return !looks_dumb() && !(no && *no);
}
