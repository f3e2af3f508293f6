/* SPDX-License-Identifier: MIT */
/* What a mux sends: debts first, then one frame of data for each stream in turn. */
#ifndef THIRL_MUX_OUTPUT_H
#define THIRL_MUX_OUTPUT_H

#include "mux/table.h"

/** See thirl_mux_pull. */
size_t thirl_mux_output_pull(thirl_mux *m, uint8_t *buf, size_t cap);

#endif
