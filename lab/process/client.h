/* SPDX-License-Identifier: MIT */
/* What a program does with a lab that is up: run something in it, end it. */
#ifndef THIRL_LAB_CLIENT_H
#define THIRL_LAB_CLIENT_H

#include "lab/process/control.h"
#include "lab/process/state.h"

/** Where a host is. Close both. */
typedef struct thirl_lab_client_place {
  char host[THIRL_LAB_WORDS_MAX];
  char mark[THIRL_LAB_SWEEP_MARK_LEN + 1];
  int user, net; /* namespaces; user -1: none */
} thirl_lab_client_place;

/** One question of control.h, with its sentences in why. fd: goes along, or -1; to: where text goes, or -1. */
thirl_error thirl_lab_client_ask(const thirl_lab_state *s, const char *request, int fd, int to,
                                 thirl_lab_control_packet *out, thirl_lab_complaint *why);
thirl_error thirl_lab_client_find(const thirl_lab_state *s, const char *host, thirl_lab_client_place *out,
                                  thirl_lab_complaint *why);
void thirl_lab_client_leave(thirl_lab_client_place *p);
/** The calling process (one thread) is there from now on, and what it starts carries the lab's mark. */
thirl_error thirl_lab_client_go(const thirl_lab_client_place *p, const thirl_lab_state *s, thirl_lab_complaint *why);
/** Ends the lab and everything in it; when it returns nothing is left. */
thirl_error thirl_lab_client_down(const thirl_lab_state *s, thirl_lab_complaint *why);

#endif
