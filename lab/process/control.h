/* SPDX-License-Identifier: MIT */
/*
 * What is said to a running lab, over a UNIX socket of its own: one packet asks, packets answer, the last of them says how it went. Descriptors travel
 * with packets.
 *
 *   "exec HOST"                     -> done "MARK", the user namespace (or none) and the network namespace of the host
 *   "set LINE"                      -> done, or a complaint
 *   "show", "stats"                 -> text..., done
 *   "status"                        -> done "PID HOSTS NATS SECONDS"
 *   "capture NODE [inner]" + a file -> done when all of it is in the file, at the end of the connection
 *   "down"                          -> done and a descriptor that is at its end when nothing is left of the lab
 */
#ifndef THIRL_LAB_CONTROL_H
#define THIRL_LAB_CONTROL_H

#include "lab/text/words.h"

enum {
  THIRL_LAB_CONTROL_PACKET_MAX = 16 * 1024, /* bytes */
  THIRL_LAB_CONTROL_FDS_MAX = 2             /* descriptors of one packet */
};

typedef enum thirl_lab_control_kind {
  THIRL_LAB_CONTROL_DONE = 'o',
  THIRL_LAB_CONTROL_COMPLAINT = 'e', /* a sentence */
  THIRL_LAB_CONTROL_TEXT = 't',      /* some of it; there is more */
  THIRL_LAB_CONTROL_REQUEST = 'r'
} thirl_lab_control_kind;

typedef struct thirl_lab_control_packet {
  char kind;
  char text[THIRL_LAB_CONTROL_PACKET_MAX]; /* with a NUL at its end */
  size_t len;
  int fds[THIRL_LAB_CONTROL_FDS_MAX]; /* whose they are now: the receiver's; -1: none */
} thirl_lab_control_packet;

/** A socket that listens at path, not blocking; only this user can connect. 0 or an errno. */
int thirl_lab_control_listen(const char *path, int *out);
/** 0 or an errno: ENOENT, ECONNREFUSED when nobody listens. */
int thirl_lab_control_connect(const char *path, int *out);
/** Sends a packet; fds stay the caller's, -1 is passed over. False: the other side is gone, or does not read. */
bool thirl_lab_control_send(int fd, char kind, const char *text, size_t len, const int *fds, size_t n_fds);
/** Receives one. E_EOF: the other side is gone; E_AGAIN: nothing there (a socket that does not block); E_IO. */
thirl_error thirl_lab_control_receive(int fd, thirl_lab_control_packet *out);
/**
 * Asks path and waits for the last answer, with texts on to (a descriptor, -1: nowhere). fd: sent along, or -1. E_NOT_FOUND: there is no such lab, or no
 * longer; E_INVALID: a complaint, in out->text; E_TIMEOUT: it does not answer within 20 seconds.
 */
thirl_error thirl_lab_control_ask(const char *path, const char *request, int fd, int to, thirl_lab_control_packet *out);

#endif
