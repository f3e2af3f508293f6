/* SPDX-License-Identifier: MIT */
/* The judges, section by section, each in the order of its ids in row.h: judge_memory.c and its likes. For tune.c alone. */
#ifndef THIRL_TUNE_JUDGES_H
#define THIRL_TUNE_JUDGES_H

#include "tune/verdict.h"

extern thirl_tune_judge *const thirl_tune_judge_memory[],
    *const thirl_tune_judge_udp[], *const thirl_tune_judge_tcp[], *const thirl_tune_judge_conntrack[],
                                                                      *const thirl_tune_judge_device[],
                                                                          *const thirl_tune_judge_reach[];

/* judge_ports.c: those of TCP that are about ports and TIME_WAIT. */
thirl_tune_judge thirl_tune_judge_ports_time_wait, thirl_tune_judge_ports_buckets, thirl_tune_judge_ports_reuse,
    thirl_tune_judge_ports_tracked, thirl_tune_judge_ports_fin, thirl_tune_judge_ports_range,
    thirl_tune_judge_ports_reserved;

/* judge_ip.c: IP and neighbours. */
thirl_tune_judge thirl_tune_judge_ip_reverse_path, thirl_tune_judge_ip_nonlocal_bind, thirl_tune_judge_ip_icmp,
    thirl_tune_judge_ip_v6, thirl_tune_judge_ip_mtu, thirl_tune_judge_ip_neighbours, thirl_tune_judge_ip_unresolved;

#endif
