/* SPDX-License-Identifier: MIT */
/* A report on stdout, for a person or for a program. */
#ifndef THIRL_APPS_NAT_PRINT_H
#define THIRL_APPS_NAT_PRINT_H

#include <stdio.h>

#include "natcheck/verdict.h"

void nat_print_text(FILE *to, const thirl_natcheck_report *r);
/** One JSON object; docs/nat-json.md describes it. False: no memory. */
bool nat_print_json(FILE *to, const thirl_natcheck_report *r);

#endif
