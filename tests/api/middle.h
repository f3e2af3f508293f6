/* SPDX-License-Identifier: MIT */
/*
 * A relay that is not to be trusted: passes everything between one client and the server on, but on the client's relay channels it is itself the
 * other end, with a key of its own. Serves one client, on a thread.
 */
#ifndef THIRL_TESTS_API_MIDDLE_H
#define THIRL_TESTS_API_MIDDLE_H

#include <stdint.h>

typedef struct middle middle;

/** In front of the server at this port of 127.0.0.1. */
middle *middle_new(uint16_t server_port);
uint16_t middle_port(const middle *m);
/** Ends its thread. The bytes of plaintext that the client gave away. */
uint64_t middle_free(middle *m);

#endif
