/* SPDX-License-Identifier: MIT */
#include "io/secrets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static void fill(void *ctx, void *out, size_t n) {
  (void)ctx;
  uint8_t *p = out;
  while (n) {
    ssize_t got = getrandom(p, n, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      perror("thirl: getrandom");
      abort();
    }
    p += got;
    n -= (size_t)got;
  }
}

thirl_secrets thirl_io_secrets(void) {
  return (thirl_secrets){fill, NULL};
}
