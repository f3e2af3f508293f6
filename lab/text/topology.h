/* SPDX-License-Identifier: MIT */
/*
 * The text of a network (model.h), one thing a line; '#' begins a comment:
 *
 *   seed 1
 *   net   inet 203.0.113.0/24 2001:db8::/64
 *   host  stun inet 203.0.113.10 203.0.113.11
 *   nat   home inet 203.0.113.1 lan 192.168.1.0/24 preset=portrestricted tcp.unsolicited=rst
 *   host  a home 192.168.1.10
 *   link  home up latency=20ms jitter=2ms loss=0.5% rate=20mbit
 *   at 5s nat home reboot
 *   run   a -- ping -c 1 203.0.113.10
 *
 * A net without a NAT in front of it is a part of the internet; the internet routes between those. The inside of a NAT is a net of the same name.
 * A prefix with bits for a host names the address that leads out of the net; without, a NAT has the first (192.168.1.1) and the internet the last
 * (203.0.113.254). The lines of links and events are in event.h, the words of a NAT in natwords.h; beside them a NAT has engine=natbox|netfilter
 * and recipe=NAME, and "engine netfilter" as a line is for all that say nothing. "link * latency=25ms" is for the outer cable of each node.
 * Names may be used before the line that makes them. No I/O; the same words change a running lab.
 */
#ifndef THIRL_LAB_TOPOLOGY_H
#define THIRL_LAB_TOPOLOGY_H

#include "lab/text/model.h"
#include "lab/text/words.h"

/**
 * Reads a whole topology; name (a file's) begins each complaint. *out is the caller's; free with thirl_lab_topology_free. NULL on failure with why.
 * E_SYNTAX (unknown word, bad value), E_INVALID (clash of addresses or names, a loop, a link to nothing), E_LIMIT, E_NOMEM.
 */
thirl_error thirl_lab_topology_read(const char *name, const char *text, size_t len, thirl_lab_topology **out,
                                    thirl_lab_complaint *why);
void thirl_lab_topology_free(thirl_lab_topology *t);
/** One line for a running lab: "nat home reboot", "link a down", "host a move cgn 100.64.0.9". The event's time is 0. t stays as it is. */
thirl_error thirl_lab_topology_read_event(const thirl_lab_topology *t, const char *line, thirl_lab_event *out,
                                          thirl_lab_complaint *why);
/** NATs whose text does not name an engine get this one; recipes stay netfilter's. */
void thirl_lab_topology_set_engine(thirl_lab_topology *t, thirl_lab_engine engine);
/** The index of a node or net by its name, or SIZE_MAX. */
size_t thirl_lab_topology_find_node(const thirl_lab_topology *t, const char *name);
size_t thirl_lab_topology_find_net(const thirl_lab_topology *t, const char *name);

#endif
