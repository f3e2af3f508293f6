/* SPDX-License-Identifier: MIT */
/* Plain IPv4 sockets in network namespaces, so that one process holds both ends of a flow and the server too. For the lab's tests; Linux only. */
#ifndef THIRL_LAB_NSOCK_H
#define THIRL_LAB_NSOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>

/**
 * A socket in a namespace (a name below /run/netns, or a path), bound to an address, non-blocking, with SO_REUSEADDR and SO_REUSEPORT.
 * The calling thread stays in that namespace. type is SOCK_DGRAM or SOCK_STREAM. -1 and errno.
 */
int thirl_lab_nsock_open(const char *namespace, int type, struct sockaddr_in local);
/** The same, and it listens. */
int thirl_lab_nsock_listen(const char *namespace, struct sockaddr_in local);

/** false: not an address. */
bool thirl_lab_nsock_address(const char *ip, uint16_t port, struct sockaddr_in *out);
bool thirl_lab_nsock_same(const struct sockaddr_in *a, const struct sockaddr_in *b);
/** Port 0 when it has none. */
struct sockaddr_in thirl_lab_nsock_local(int fd);
/** 0, or the error that a connect in the background ended with; EINPROGRESS: not yet. */
int thirl_lab_nsock_outcome(int fd);
/** Close so that the other end gets a RST, and nothing lingers. */
void thirl_lab_nsock_drop(int fd);

#endif
