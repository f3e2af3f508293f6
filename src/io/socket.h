/* SPDX-License-Identifier: MIT */
/*
 * Sockets with the options that hole punching needs, and errno as thirl_error. Knows no loop and no machine.
 *
 * Every socket is non-blocking and close-on-exec. Every TCP socket has SO_REUSEADDR and SO_REUSEPORT before it is bound (with
 * one of them missing, a bind fails with EADDRINUSE as soon as a listener exists on the port), and TCP_NODELAY.
 */
#ifndef THIRL_IO_SOCKET_H
#define THIRL_IO_SOCKET_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/bytes.h"

typedef union thirl_io_sockaddr {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} thirl_io_sockaddr;

/** Zeroes leave the kernel's choice. */
typedef struct thirl_io_socket_options {
  int sndbuf, rcvbuf; /* SO_SNDBUF, SO_RCVBUF in bytes */
  int notsent_lowat;  /* TCP_NOTSENT_LOWAT in bytes: what the kernel may hold that is not sent yet */
  int backlog;        /* of a listener */
} thirl_io_socket_options;

/** The length of the result; 0 when a has no family. */
socklen_t thirl_io_socket_to_sys(const thirl_addr *a, thirl_io_sockaddr *out);
/** No address when the family is neither IPv4 nor IPv6. */
thirl_addr thirl_io_socket_from_sys(const thirl_io_sockaddr *a);

/**
 * What an errno of a connection means to a machine.
 *
 * REFUSED: ECONNREFUSED (RST, or ICMP port unreachable). UNREACHABLE: EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN, EAFNOSUPPORT,
 * EINVAL (no such family or scope here). TIMEOUT: ETIMEDOUT. RESET: ECONNRESET, EPIPE, ECONNABORTED, ENOTCONN. IN_USE: EADDRINUSE,
 * EADDRNOTAVAIL. LIMIT: EMFILE, ENFILE, ENOBUFS, ENOMEM. PERMISSION: EACCES, EPERM. IO: the rest.
 */
thirl_error thirl_io_socket_error(int err);

/**
 * A TCP socket bound to local (not bound when local has neither port nor address) and already connecting to remote.
 *
 * THIRL_OK means that the SYN is out: wait until the socket is writable and ask thirl_io_socket_result. Errors are those of
 * thirl_io_socket_error, with two exceptions that depend on the call: EPERM and EACCES of connect(2) are a local rule against the
 * destination (firewall, prohibit route, Landlock) and mean UNREACHABLE; EADDRNOTAVAIL of bind(2) is an address that this host
 * does not (any longer) have and means UNREACHABLE too. *fd is -1 on failure.
 */
thirl_error thirl_io_socket_connect(const thirl_addr *local, const thirl_addr *remote, const thirl_io_socket_options *o,
                                    int *fd);

/** A listening TCP socket. IPv6 listeners are IPv6 only. *fd is -1 on failure. */
thirl_error thirl_io_socket_listen(const thirl_addr *local, const thirl_io_socket_options *o, int *fd);

/** A bound UDP socket that reports on which local address a datagram arrived. Never shared: no REUSE options. */
thirl_error thirl_io_socket_udp(const thirl_addr *local, const thirl_io_socket_options *o, int *fd);

/** The outcome of a connect(2) whose socket became ready, or an error that arrived later; clears it. */
thirl_error thirl_io_socket_result(int fd);

thirl_addr thirl_io_socket_local(int fd);
thirl_addr thirl_io_socket_remote(int fd);

/** Close with a RST instead of a FIN, without TIME_WAIT, so that the same four-tuple can be used again at once. */
void thirl_io_socket_abort(int fd);

#endif
