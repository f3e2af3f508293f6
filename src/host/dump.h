/* SPDX-License-Identifier: MIT */
/* Text that grows up to a maximum: what netlink says is written down as lines, and read by the same parsers as a recorded tree. */
#ifndef THIRL_HOST_DUMP_H
#define THIRL_HOST_DUMP_H

#include "base/bytes.h"
#include "tune/text.h"

enum { THIRL_HOST_DUMP_MAX = 16 << 20 };

typedef struct thirl_host_dump {
  thirl_buffer text;
  bool is_cut; /* there was more than the maximum, or no memory */
} thirl_host_dump;

void thirl_host_dump_init(thirl_host_dump *d);
void thirl_host_dump_fini(thirl_host_dump *d);
void thirl_host_dump_clear(thirl_host_dump *d);
void thirl_host_dump_print(thirl_host_dump *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void thirl_host_dump_append(thirl_host_dump *d, const void *p, size_t n);
/** A view until the next change. */
thirl_tune_text thirl_host_dump_view(const thirl_host_dump *d);

#endif
