/* SPDX-License-Identifier: MIT */
/* The caller's options, brought to this version of the library and judged. */
#ifndef THIRL_API_OPTIONS_H
#define THIRL_API_OPTIONS_H

#include "session/session.h"
#include "thirl/thirl.h"

/**
 * in may be NULL. out has this version's size, no zero that means a default in max_incoming, and server from the environment when none is named; its
 * strings are borrowed.
 *
 * why   one sentence on failure, cut to fit
 *
 * E_INVALID, E_RANGE, E_UNSUPPORTED: see thirl_context_new.
 */
thirl_error thirl_api_options_read(const thirl_options *in, thirl_options *out, char *why, size_t why_cap);
/** What of it concerns a session. */
thirl_session_policy thirl_api_options_policy(const thirl_options *o);

#endif
