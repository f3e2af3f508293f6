/* SPDX-License-Identifier: MIT */
/* Configuration files and logs in which one thing is looked for. */
#ifndef THIRL_TUNE_FILES_H
#define THIRL_TUNE_FILES_H

#include "tune/facts.h"
#include "tune/text.h"

/** A file of /etc/security/limits.d or limits.conf: does it set nofile? */
void thirl_tune_files_limits(thirl_tune_facts *f, thirl_tune_text t);
/** A file of /etc/sysctl.d or sysctl.conf: does it set tcp_tw_recycle? */
void thirl_tune_files_sysctl(thirl_tune_facts *f, thirl_tune_text t);
/** /dev/kmsg, "6,1234,5678901,-;text", times in us since the start: "nf_conntrack: table full" of the hour before now. */
void thirl_tune_files_log(thirl_tune_facts *f, thirl_tune_text t, int64_t now_us);

#endif
