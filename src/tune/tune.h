/* SPDX-License-Identifier: MIT */
/*
 * Does this machine suit what shall run on it? Two looks at its facts, some seconds apart, and what shall run there become a report. Pure: reads nothing,
 * asks nobody.
 */
#ifndef THIRL_TUNE_TUNE_H
#define THIRL_TUNE_TUNE_H

#include "tune/verdict.h"

/** Every id gets a finding, and what follows from another is marked with its cause. */
void thirl_tune_evaluate(const thirl_tune_case *c, thirl_tune_report *r);
/** A profile by what the machine does: thirld runs here, it forwards and translates, or neither. */
thirl_tune_profile thirl_tune_guess(const thirl_tune_facts *f);

#endif
