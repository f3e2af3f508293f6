/* SPDX-License-Identifier: MIT */
/*
 * A NAT of the model with packets as bytes: one box for each family, fragments, and what the box itself says. Hops, routes and the router's own
 * addresses are gateway.h's.
 *
 * IPv4 goes through the box as it is configured. IPv6 meets a firewall with the same filtering where the box translates IPv4 only, as at home.
 */
#ifndef THIRL_LAB_NAT_H
#define THIRL_LAB_NAT_H

#include "lab/frame/flight.h"
#include "lab/frame/fragment.h"
#include "lab/frame/headers.h"
#include "natbox/natbox.h"

typedef struct thirl_lab_nat {
  thirl_natbox *v4, *v6;
  thirl_lab_fragments fragments;
  uint64_t lost_fragments, unknown; /* dropped: no first piece; a protocol that cannot be translated */
  thirl_time now;
} thirl_lab_nat;

/** own: the first IPv4 address outside, for a configuration whose own external address is of IPv6. E_NOMEM. */
thirl_error thirl_lab_nat_init(thirl_lab_nat *n, const thirl_natbox_config *config, thirl_addr own, uint64_t seed);
void thirl_lab_nat_fini(thirl_lab_nat *n);
thirl_natbox *thirl_lab_nat_box(const thirl_lab_nat *n, thirl_family family);

typedef enum thirl_lab_nat_way { THIRL_LAB_NAT_GONE, THIRL_LAB_NAT_OUT, THIRL_LAB_NAT_IN } thirl_lab_nat_way;

/**
 * A packet from the inside or the outside. OUT, IN: *f, changed or replaced by the box's own answer, goes there. GONE: *f is empty.
 * *is_answer: it was replaced.
 */
thirl_lab_nat_way thirl_lab_nat_input(thirl_lab_nat *n, thirl_time now, bool from_inside, thirl_lab_flight *f,
                                      thirl_lab_headers *h, bool *is_answer);
/** Delayed answers: until GONE. */
thirl_lab_nat_way thirl_lab_nat_poll(thirl_lab_nat *n, thirl_time now, thirl_lab_flight *out, thirl_lab_headers *h);
thirl_time thirl_lab_nat_deadline(const thirl_lab_nat *n);

void thirl_lab_nat_reboot(thirl_lab_nat *n);
/** The address of this family is another one now. */
void thirl_lab_nat_renumber(thirl_lab_nat *n, thirl_addr external);
void thirl_lab_nat_configure(thirl_lab_nat *n, const thirl_natbox_config *config);

#endif
