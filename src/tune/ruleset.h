/* SPDX-License-Identifier: MIT */
/* What the rules of the firewall and of NAT mean for us: not what they do to one packet, but whether they track, translate, drop. */
#ifndef THIRL_TUNE_RULESET_H
#define THIRL_TUNE_RULESET_H

#include "tune/facts.h"
#include "tune/text.h"

enum { THIRL_TUNE_RULESET_BYTES = 8 << 20 }; /* a longer one is not looked at */

/** "nft -j list ruleset". MALFORMED when it is not JSON, TOO_MANY when it is too long. */
void thirl_tune_ruleset_parse(thirl_tune_facts *f, thirl_tune_text json);
/** /proc/net/ip_tables_names, ip6_tables_names: tables of the old iptables, whose rules nft does not show. */
void thirl_tune_ruleset_legacy(thirl_tune_facts *f, thirl_tune_text t);

#endif
