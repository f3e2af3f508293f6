/* SPDX-License-Identifier: MIT */
/* What a classification does not show: plain sockets at both ends of a NAT try the cases that tell two NATs of one class apart. Each blocks. */
#ifndef THIRL_LAB_TRIAL_H
#define THIRL_LAB_TRIAL_H

#include "lab/tools/classify.h"

/** Two hosts behind one NAT use the same port and speak in turn to three endpoints of the server (UDP). */
typedef struct thirl_lab_trial_twins {
  thirl_lab_classify_result of[2]; /* seen only */
  bool shared;                     /* one outer port served both hosts */
  unsigned answered;               /* of six answers, those that came to the host that had asked */
} thirl_lab_trial_twins;
thirl_error thirl_lab_trial_run_twins(const thirl_lab_classify_place *place, const char *other_host,
                                      thirl_lab_trial_twins *out);

/** A peer sends to a mapping before the host has sent to the peer (UDP). */
typedef struct thirl_lab_trial_early {
  bool let_in;   /* the early packet */
  bool kept;     /* the host's own packet to the peer left by the port that the mapping has */
  bool answered; /* and an answer to where it came from comes in */
} thirl_lab_trial_early;
thirl_error thirl_lab_trial_run_early(const thirl_lab_classify_place *place, thirl_lab_trial_early *out);

/** Does what nobody has asked for reach the host's port through an outer address and port? UDP. */
thirl_error thirl_lab_trial_run_unasked(const thirl_lab_classify_place *place, struct sockaddr_in outer, bool *let_in);

/** Silence of a little less and a little more than the life times of a NAT. Takes a second more than open_ms, which is to be greater than new_ms. */
typedef struct thirl_lab_trial_expiry {
  bool new_before, new_after;      /* UDP: a word of the server comes in, which was never answered before */
  bool open_before, open_after;    /* UDP: the same, but it had been answered */
  bool reused_before, moved_after; /* UDP: to another endpoint through the same outer port; and no longer */
  bool tcp_before, tcp_after;      /* bytes of an established connection come in */
} thirl_lab_trial_expiry;
thirl_error thirl_lab_trial_run_expiry(const thirl_lab_classify_place *place, unsigned new_ms, unsigned open_ms,
                                       thirl_lab_trial_expiry *out);

#endif
