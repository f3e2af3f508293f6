/* SPDX-License-Identifier: MIT */
/* Rules that were made with iptables, in the words of iptables-save: nft shows of them only that something foreign is there. */
#ifndef THIRL_TUNE_IPTABLES_H
#define THIRL_TUNE_IPTABLES_H

#include "tune/facts.h"
#include "tune/text.h"

/**
 * Adds what "iptables-save" or "ip6tables-save" says to what is known of the rules. False: not all of it was understood, and there may be more to the rules.
 */
bool thirl_tune_iptables_parse(thirl_tune_facts *f, thirl_tune_text t);

#endif
