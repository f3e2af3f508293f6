/* SPDX-License-Identifier: MIT */
/* Settings below /proc/sys: what is read, and what it means when one is not there. */
#ifndef THIRL_TUNE_SYSCTL_H
#define THIRL_TUNE_SYSCTL_H

#include "tune/facts.h"
#include "tune/text.h"

/** Below /proc/sys: "net/core/rmem_max". Several may be numbers of one file. Never NULL. */
const char *thirl_tune_sysctl_path(thirl_tune_sysctl s);
/** The other way, with dots or slashes: "net.core.rmem_max" -> its first number. False: none that we read. */
bool thirl_tune_sysctl_find(const char *key, thirl_tune_sysctl *out);
/** What stood in the file of a setting. MALFORMED when it has no such number. */
void thirl_tune_sysctl_parse(thirl_tune_facts *f, thirl_tune_sysctl s, thirl_tune_text t);
/** The settings that are words: net.ipv4.tcp_congestion_control, net.core.default_qdisc, net.ipv4.ip_local_reserved_ports. */
void thirl_tune_sysctl_congestion(thirl_tune_facts *f, thirl_tune_text t);
void thirl_tune_sysctl_default_qdisc(thirl_tune_facts *f, thirl_tune_text t);
void thirl_tune_sysctl_reserved(thirl_tune_facts *f, thirl_tune_text t);
/** "6.12.5-amd64" */
void thirl_tune_sysctl_kernel(thirl_tune_facts *f, thirl_tune_text t);
/** A mount table (/proc/self/mountinfo): is /proc/sys read-only? */
void thirl_tune_sysctl_mounts(thirl_tune_facts *f, thirl_tune_text t);
/**
 * When all were tried: is this a child namespace, and why are the missing ones missing? A file that was not there is NO_SUCH until now; it becomes
 * NOT_IN_NAMESPACE, NOT_LOADED or NOT_IN_KERNEL, unless there are no settings at all.
 */
void thirl_tune_sysctl_settle(thirl_tune_facts *f);

#endif
