/* SPDX-License-Identifier: MIT */
/* What machines are handed because they may not have it themselves: the operating system's randomness. */
#ifndef THIRL_IO_SECRETS_H
#define THIRL_IO_SECRETS_H

#include "base/rand.h"

/** Secrets from getrandom(2). A kernel that cannot give them ends the process: going on with guessable keys is worse. */
thirl_secrets thirl_io_secrets(void);

#endif
