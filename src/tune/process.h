/* SPDX-License-Identifier: MIT */
/* The process that is looked at, from the files of /proc/PID. */
#ifndef THIRL_TUNE_PROCESS_H
#define THIRL_TUNE_PROCESS_H

#include "tune/facts.h"
#include "tune/text.h"

/** limits: "Max open files". */
void thirl_tune_process_limits(thirl_tune_process *p, thirl_tune_text t);
/** status: its name, CapEff. */
void thirl_tune_process_status(thirl_tune_process *p, thirl_tune_text t);
/** cgroup: the unit of systemd, when it is a service. */
void thirl_tune_process_unit(thirl_tune_process *p, thirl_tune_text t);
/** What a link of /proc/PID/fd leads to, one on each line: "socket:[1234]". Counts them all and keeps the sockets. */
void thirl_tune_process_files(thirl_tune_process *p, thirl_tune_text t);
/** Is this socket one of its? False when not all of them are known. */
bool thirl_tune_process_owns(const thirl_tune_process *p, uint64_t inode);

#endif
