/* SPDX-License-Identifier: MIT */
/* All tests over UDP, in their order. */
#ifndef THIRL_NATCHECK_UDP_H
#define THIRL_NATCHECK_UDP_H

#include "natcheck/filter.h"
#include "natcheck/hairpin.h"
#include "natcheck/lifetime.h"
#include "natcheck/mapping.h"
#include "natcheck/samples.h"
#include "natcheck/scene.h"

/* The order matters: see filter.h for why the filter comes first. */
typedef enum thirl_natcheck_udp_step {
  THIRL_NATCHECK_UDP_IDLE,
  THIRL_NATCHECK_UDP_REACH, /* does any server answer? */
  THIRL_NATCHECK_UDP_FILTER,
  THIRL_NATCHECK_UDP_MAP,
  THIRL_NATCHECK_UDP_PROVE,
  THIRL_NATCHECK_UDP_SAMPLE,
  THIRL_NATCHECK_UDP_HAIRPIN,
  THIRL_NATCHECK_UDP_LIFETIME,
  THIRL_NATCHECK_UDP_OVER
} thirl_natcheck_udp_step;

typedef struct thirl_natcheck_udp {
  thirl_natcheck_udp_step step;
  thirl_natcheck_scene scene;
  bool hairpin_wanted;
  thirl_time lifetime; /* 0: not wanted */
  uint16_t port;
  thirl_time begun; /* of this step */
  thirl_natcheck_filter filter;
  thirl_natcheck_proof proof;
  thirl_natcheck_map map;
  thirl_natcheck_samples samples;
  thirl_natcheck_hairpin hairpin;
  thirl_natcheck_lifetime life;
} thirl_natcheck_udp;

/** report->servers is filled. local: what to bind to, the port is not used. Ids of sockets from first_id on. */
void thirl_natcheck_udp_init(thirl_natcheck_udp *u, thirl_natcheck_report *report, const thirl_secrets *secrets,
                             const thirl_addr *local, thirl_net_id first_id);
void thirl_natcheck_udp_start(thirl_natcheck_udp *u, thirl_time now);
/** Stop where it is: what is not known yet stays unknown. */
void thirl_natcheck_udp_stop(thirl_natcheck_udp *u);
/** False: not about one of its sockets. */
bool thirl_natcheck_udp_input(thirl_natcheck_udp *u, thirl_time now, const thirl_net_event *ev);
bool thirl_natcheck_udp_poll(thirl_natcheck_udp *u, thirl_time now, thirl_net_action *out);
thirl_time thirl_natcheck_udp_deadline(const thirl_natcheck_udp *u);

#endif
