/* SPDX-License-Identifier: MIT */
/* Network interfaces of a namespace. The first file names them; the others add to those that are known. */
#ifndef THIRL_TUNE_LINKS_H
#define THIRL_TUNE_LINKS_H

#include "tune/facts.h"
#include "tune/text.h"

/** /proc/net/dev: their names and counters. */
void thirl_tune_links_dev(thirl_tune_facts *f, thirl_tune_text t);
/** /proc/net/route, ipv6_route, if_inet6: who leads out, and who has an address of the Internet. */
void thirl_tune_links_route4(thirl_tune_facts *f, thirl_tune_text t);
void thirl_tune_links_route6(thirl_tune_facts *f, thirl_tune_text t);
void thirl_tune_links_address6(thirl_tune_facts *f, thirl_tune_text t);
/**
 * What no file of /proc tells, "NAME KEY=VALUE ...", a line for each time something is known of an interface:
 *
 *   eth0 address=192.0.2.1 qdisc=fq_codel qdisc_packets=1 qdisc_drops=0 qdisc_overlimits=0 qdisc_backlog=0 gro=1 ring_rx=256
 *
 * Keys are the members of thirl_tune_link that are numbers, and up, virtual, ethernet, address, device, qdisc. KEY=!WORD: not known, for that reason (terms.h).
 */
void thirl_tune_links_dump(thirl_tune_facts *f, thirl_tune_text t);
/** /proc/interrupts: which processors served the interrupts of an interface. */
void thirl_tune_links_interrupts(thirl_tune_facts *f, thirl_tune_text t);
/** NULL: unknown. */
thirl_tune_link *thirl_tune_links_find(thirl_tune_facts *f, thirl_tune_text name);

#endif
