/* SPDX-License-Identifier: MIT */
/* The only clock of thirl. */
#ifndef THIRL_IO_CLOCK_H
#define THIRL_IO_CLOCK_H

#include "base/time.h"

/** The monotonic clock (CLOCK_MONOTONIC) in microseconds: the now of every machine that the carrier drives. */
thirl_time thirl_io_clock_now(void);

#endif
