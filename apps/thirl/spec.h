/* SPDX-License-Identifier: MIT */
/* What -L, -R and --allow-forward say: ssh's grammar, [bind:]port:host:hostport, with brackets around addresses of IPv6. */
#ifndef THIRL_APPS_SPEC_H
#define THIRL_APPS_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "thirl/error.h"

enum { SPEC_HOST_MAX = 256, SPEC_TEXT_MAX = SPEC_HOST_MAX + 16 };

/** A host (a name or an address without brackets, "*" for any) and a port (0: any). Where none is named, to listen, it is "localhost". */
typedef struct spec_end {
  char host[SPEC_HOST_MAX];
  uint16_t port;
} spec_end;

typedef struct spec_forward {
  spec_end here;  /* where to listen */
  spec_end there; /* where to connect to */
} spec_forward;

/** "8022:localhost:22", "*:8022:[2001:db8::1]:22", "[::1]:0:host:22". E_SYNTAX; ports 1 to 65535, but for the first, which may be 0. */
thirl_error spec_read_forward(const char *text, spec_forward *out);
/** "localhost:22", "[::1]:22", "*:22", "host:*"; stars only with allow_any. "22" alone and port 0 are for listening only. E_SYNTAX. */
thirl_error spec_read_end(const char *text, bool allow_any, bool to_listen, spec_end *out);
/** Does a rule (with stars) allow this end? Names count as written, but for upper and lower case. */
bool spec_allows(const spec_end *rule, const spec_end *asked);
/** "host:port" or "[address]:port"; out holds SPEC_TEXT_MAX. Returns out. */
const char *spec_write_end(const spec_end *e, char *out);

#endif
