/* SPDX-License-Identifier: MIT */
/* "nft -j list ruleset": the one program that is run, and it only reads. */
#ifndef THIRL_HOST_RULES_H
#define THIRL_HOST_RULES_H

#include "host/dump.h"
#include "tune/terms.h"

/** Fills d. READ, NO_TOOL (not installed), NOT_PERMITTED (it refused), TOO_MANY, MALFORMED (it took more than five seconds, or could not be run). */
thirl_tune_why thirl_host_rules_ask(thirl_host_dump *d);

#endif
