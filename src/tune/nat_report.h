/* SPDX-License-Identifier: MIT */
/* What "thirl nat --json" found (docs/nat-json.md), for the judges of reachability. */
#ifndef THIRL_TUNE_NAT_REPORT_H
#define THIRL_TUNE_NAT_REPORT_H

#include "tune/facts.h"
#include "tune/text.h"

enum { THIRL_TUNE_NAT_REPORT_BYTES = 1 << 20 };

/** False, and nothing changed: it is no such report. */
bool thirl_tune_nat_report_parse(thirl_tune_facts *f, thirl_tune_text json);

#endif
