/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL's randomness from a seed, for a world that replays bit for bit: keys, nonces, signatures and TLS hellos
 * included. For the whole process and for all its threads: one world at a time, on one thread. Never in a program
 * that talks to anybody.
 */
#ifndef THIRL_SIM_RAND_H
#define THIRL_SIM_RAND_H

#include <stdint.h>

#include "thirl/error.h"

/**
 * From now on OpenSSL draws from the seed; called again it starts anew from the new seed. E_CRYPTO when OpenSSL will
 * not have it.
 */
thirl_error thirl_sim_rand_install(uint64_t seed);
/** OpenSSL draws from where it drew before the first install. Does nothing when nothing is installed. */
void thirl_sim_rand_restore(void);

#endif
