/* SPDX-License-Identifier: MIT */
/*
 * Sockets of a namespace. The process must have been read before: its sockets are marked as ours. Texts may come in pieces that end with a line.
 */
#ifndef THIRL_TUNE_SOCKETS_H
#define THIRL_TUNE_SOCKETS_H

#include "tune/facts.h"
#include "tune/text.h"

/**
 * What sock_diag says, a line for each socket, words in any order after the first:
 *
 *   listen address=0.0.0.0 port=3478 inode=5 backlog=4096 waiting=0
 *   udp address=:: port=3478 inode=6 rcvbuf=212992 sndbuf=212992 drops=0 connected=0
 */
void thirl_tune_sockets_diag(thirl_tune_facts *f, thirl_tune_text t);
/**
 * /proc/net/tcp, tcp6: who listens, who is connected, who is in TIME_WAIT. Listeners are added only while tcp_why is not READ: the file does not tell
 * their backlog, sock_diag does.
 */
void thirl_tune_sockets_tcp(thirl_tune_facts *f, thirl_tune_text t, bool is_v6);
/** /proc/net/udp, udp6: which ports are used. Sockets are added only while udp_why is not READ. */
void thirl_tune_sockets_udp(thirl_tune_facts *f, thirl_tune_text t);

#endif
