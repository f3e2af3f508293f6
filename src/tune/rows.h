/* SPDX-License-Identifier: MIT */
/* The rows of the catalogue, section by section, each in the order of its ids in row.h: rows_memory.c and its likes. For catalogue.c alone. */
#ifndef THIRL_TUNE_ROWS_H
#define THIRL_TUNE_ROWS_H

#include "tune/row.h"

extern const thirl_tune_row thirl_tune_rows_memory[], thirl_tune_rows_udp[], thirl_tune_rows_tcp[],
    thirl_tune_rows_conntrack[], thirl_tune_rows_device[], thirl_tune_rows_reach[];

#endif
