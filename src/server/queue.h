/* SPDX-License-Identifier: MIT */
/* Bytes that wait, first in first out, in chunks: memory follows what is held, and nothing is ever moved. The owner bounds it. */
#ifndef THIRL_SERVER_QUEUE_H
#define THIRL_SERVER_QUEUE_H

#include "base/bytes.h"

enum { THIRL_SERVER_QUEUE_CHUNK = 4096 }; /* bytes of memory per chunk, its header included */

typedef struct thirl_server_queue {
  struct thirl_server_chunk *first, *last;
  size_t at; /* where the first chunk's bytes begin */
  size_t n;  /* bytes held */
} thirl_server_queue;

/** Zeroed is empty. Frees all. */
void thirl_server_queue_clear(thirl_server_queue *q);
/** All of it, or E_NOMEM and nothing. */
thirl_error thirl_server_queue_append(thirl_server_queue *q, thirl_bytes in);
/** The first n (at most what is held) bytes are copied to out and forgotten. */
void thirl_server_queue_take(thirl_server_queue *q, uint8_t *out, size_t n);

#endif
