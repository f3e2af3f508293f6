/* SPDX-License-Identifier: MIT */
/* What machines are handed because they may not have it themselves: the operating system's randomness and its clock. */
#ifndef THIRL_IO_SECRETS_H
#define THIRL_IO_SECRETS_H

#include "base/rand.h"
#include "base/time.h"

/** Secrets from getrandom(2). A kernel that cannot give them ends the process: going on with guessable keys is worse. */
thirl_secrets thirl_io_secrets(void);

/** The monotonic clock (CLOCK_MONOTONIC) in microseconds: the now of every machine that the carrier drives. */
thirl_time thirl_io_now(void);

#endif
