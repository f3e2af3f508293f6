/* SPDX-License-Identifier: MIT */
/* Listening TCP sockets and UDP sockets, asked of sock_diag, as the lines that thirl_tune_sockets_diag reads. */
#ifndef THIRL_HOST_DIAG_H
#define THIRL_HOST_DIAG_H

#include "host/dump.h"
#include "tune/terms.h"

/** Appends; READ, or why there is nothing. */
thirl_tune_why thirl_host_diag_listeners(thirl_host_dump *d);
thirl_tune_why thirl_host_diag_udp(thirl_host_dump *d);

#endif
