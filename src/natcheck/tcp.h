/* SPDX-License-Identifier: MIT */
/* All tests over TCP, in their order. */
#ifndef THIRL_NATCHECK_TCP_H
#define THIRL_NATCHECK_TCP_H

#include "base/net.h"
#include "base/rand.h"
#include "natcheck/terms.h"

typedef enum thirl_natcheck_tcp_step {
  THIRL_NATCHECK_TCP_IDLE,
  THIRL_NATCHECK_TCP_REACH,
  THIRL_NATCHECK_TCP_FILTER,
  THIRL_NATCHECK_TCP_MAP,
  THIRL_NATCHECK_TCP_PROVE,
  THIRL_NATCHECK_TCP_SAMPLE,
  THIRL_NATCHECK_TCP_HAIRPIN,
  THIRL_NATCHECK_TCP_OVER
} thirl_natcheck_tcp_step;

typedef struct thirl_natcheck_tcp {
  thirl_natcheck_tcp_step step;
  bool hairpin_wanted;
  uint16_t port;
} thirl_natcheck_tcp;

void thirl_natcheck_tcp_init(thirl_natcheck_tcp *t, thirl_natcheck_report *report, const thirl_secrets *secrets,
                             thirl_net_id first_id);
void thirl_natcheck_tcp_fini(thirl_natcheck_tcp *t);
void thirl_natcheck_tcp_start(thirl_natcheck_tcp *t, thirl_time now);
void thirl_natcheck_tcp_stop(thirl_natcheck_tcp *t);
bool thirl_natcheck_tcp_input(thirl_natcheck_tcp *t, thirl_time now, const thirl_net_event *ev);
bool thirl_natcheck_tcp_poll(thirl_natcheck_tcp *t, thirl_time now, thirl_net_action *out);
size_t thirl_natcheck_tcp_pull(thirl_natcheck_tcp *t, thirl_net_id id, uint8_t *buf, size_t cap);
thirl_time thirl_natcheck_tcp_deadline(const thirl_natcheck_tcp *t);

#endif
