/* SPDX-License-Identifier: MIT */
/* "nft -j list ruleset", and iptables-save where there are rules of iptables: the programs that are run, and they only read. */
#ifndef THIRL_HOST_RULES_H
#define THIRL_HOST_RULES_H

#include "host/dump.h"
#include "tune/terms.h"

/** Fills d. READ, NO_TOOL (not installed), NOT_PERMITTED (it refused), TOO_MANY, MALFORMED (it took more than five seconds, or could not be run). */
thirl_tune_why thirl_host_rules_ask(thirl_host_dump *d);
/** The same by iptables-save, of rules for IPv4 or IPv6, in nftables or (is_old) in tables of their own. Only where there are such rules. */
thirl_tune_why thirl_host_rules_ask_iptables(bool is_old, bool is_v6, thirl_host_dump *d);

#endif
