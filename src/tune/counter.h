/* SPDX-License-Identifier: MIT */
/* Counters and states, from the files that show them. A counter is added to what is there, so that two files may feed one (IPv4 and IPv6). */
#ifndef THIRL_TUNE_COUNTER_H
#define THIRL_TUNE_COUNTER_H

#include "tune/facts.h"
#include "tune/text.h"

/** /proc/net/netstat, /proc/net/snmp: a line of names, a line of numbers. */
void thirl_tune_counter_pairs(thirl_tune_facts *f, thirl_tune_text t);
/** /proc/net/snmp6: a name and a number on each line. */
void thirl_tune_counter_snmp6(thirl_tune_facts *f, thirl_tune_text t);
/** /proc/net/stat/nf_conntrack, arp_cache: a line of names, then hexadecimal numbers, a line for each processor. */
void thirl_tune_counter_conntrack(thirl_tune_facts *f, thirl_tune_text t);
void thirl_tune_counter_neighbours(thirl_tune_facts *f, thirl_tune_text t);
/** /proc/net/softnet_stat */
void thirl_tune_counter_softnet(thirl_tune_facts *f, thirl_tune_text t);
/** /proc/stat */
void thirl_tune_counter_cpu(thirl_tune_facts *f, thirl_tune_text t);
/** /proc/net/sockstat and sockstat6 */
void thirl_tune_counter_sockstat(thirl_tune_facts *f, thirl_tune_text t);
/** /proc/meminfo */
void thirl_tune_counter_memory(thirl_tune_facts *f, thirl_tune_text t);
/** /proc/pressure/cpu, memory: the share of the last ten seconds, in 1/100 %. */
void thirl_tune_counter_pressure(thirl_tune_facts *f, thirl_tune_gauge which, thirl_tune_text t);
/** Names that a file which was there did not have: this kernel does not count them. After all files. */
void thirl_tune_counter_settle(thirl_tune_facts *f);
/** All numbers of one file are unknown for this reason: "TcpExt", "Udp", "ct", "sockstat" ... */
void thirl_tune_counter_miss(thirl_tune_facts *f, const char *family, thirl_tune_why why);

#endif
