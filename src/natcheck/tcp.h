/* SPDX-License-Identifier: MIT */
/*
 * All tests over TCP, in their order. Mapping as over UDP: connections from one local port to all endpoints of the server. Filtering, which RFC 5780 leaves
 * out for TCP: the server is asked on a connection (CHANGE-REQUEST) to connect to the address that this very connection comes from, from elsewhere, and to tell
 * what came of it (THIRL_PROBE, see server/probe.h); what counts is who has knocked at our door.
 *
 * Each attempt has a local port of its own: what a NAT remembers of the first would falsify the second. Silence is believed when several attempts at a time,
 * of three SYNs each, have met it, and handshakes show that so much is not lost by accident.
 */
#ifndef THIRL_NATCHECK_TCP_H
#define THIRL_NATCHECK_TCP_H

#include "natcheck/classify.h"
#include "natcheck/dial.h"

enum { THIRL_NATCHECK_TCP_ATTEMPTS = 3 }; /* of each kind, at a time */

typedef enum thirl_natcheck_tcp_step {
  THIRL_NATCHECK_TCP_IDLE,
  THIRL_NATCHECK_TCP_REACH, /* does any server answer? */
  THIRL_NATCHECK_TCP_FILTER,
  THIRL_NATCHECK_TCP_MAP,
  THIRL_NATCHECK_TCP_RECHECK, /* is the first mapping still the same? */
  THIRL_NATCHECK_TCP_SAMPLE,
  THIRL_NATCHECK_TCP_HAIRPIN,
  THIRL_NATCHECK_TCP_OVER
} thirl_natcheck_tcp_step;

typedef struct thirl_natcheck_tcp {
  thirl_natcheck_tcp_step step;
  thirl_natcheck_dial dial;
  thirl_natcheck_report *report;
  thirl_natcheck_protocol *out; /* report->tcp */
  bool hairpin_wanted;
  uint16_t port;
  thirl_time begun;
  thirl_addr asked, other; /* the endpoints of the server; other unset: there is none */
  unsigned door;           /* whose mapping is looked at */
  unsigned from;           /* first call of this step */
  unsigned first;          /* the call to asked */
  /* filter */
  unsigned doors[2 * THIRL_NATCHECK_TCP_ATTEMPTS], tries, syns;
  thirl_natcheck_knocks knocks;
  thirl_natcheck_why why_ip, why_port;
  thirl_time settle;
  unsigned rechecked; /* how often the first call was answered before */
  /* samples */
  thirl_natcheck_sample samples[THIRL_NATCHECK_SAMPLES_MAX];
  unsigned n_samples, failed;
  /* hairpin */
  bool prepared;
} thirl_natcheck_tcp;

/** report->servers is filled. local: what to bind to, the port is not used. Ids from first_id on. */
void thirl_natcheck_tcp_init(thirl_natcheck_tcp *t, thirl_natcheck_report *report, const thirl_secrets *secrets,
                             const thirl_addr *local, thirl_net_id first_id);
void thirl_natcheck_tcp_fini(thirl_natcheck_tcp *t);
void thirl_natcheck_tcp_start(thirl_natcheck_tcp *t, thirl_time now);
/** Stop where it is: what is not known yet stays unknown. */
void thirl_natcheck_tcp_stop(thirl_natcheck_tcp *t);
/** False: not about one of its sockets. */
bool thirl_natcheck_tcp_input(thirl_natcheck_tcp *t, thirl_time now, const thirl_net_event *ev);
bool thirl_natcheck_tcp_poll(thirl_natcheck_tcp *t, thirl_time now, thirl_net_action *out);
size_t thirl_natcheck_tcp_pull(thirl_natcheck_tcp *t, thirl_net_id id, uint8_t *buf, size_t cap);
thirl_time thirl_natcheck_tcp_deadline(const thirl_natcheck_tcp *t);

#endif
