/* SPDX-License-Identifier: MIT */
/* A network of our own: nothing in it but a loopback interface with public-looking addresses, so that peers may probe each other there. */
#ifndef THIRL_TEST_SUPPORT_ISLAND_H
#define THIRL_TEST_SUPPORT_ISLAND_H

#include "base/addr.h"

/**
 * Move the calling process, which must have one thread only, into a fresh network namespace (and a user namespace, when it is not root) whose
 * loopback has 203.0.113.0/24. It goes away with the process. E_PERMISSION, E_IO.
 */
thirl_error island_enter(void);
/** 203.0.113.host, with this port. */
thirl_addr island_addr(uint8_t host, uint16_t port);

#endif
