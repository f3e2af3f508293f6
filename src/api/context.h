/* SPDX-License-Identifier: MIT */
/* What the other files of api/ may do with a context beyond the public face. */
#ifndef THIRL_API_CONTEXT_H
#define THIRL_API_CONTEXT_H

#include "thirl/thirl.h"

/** Take no more incoming sessions; those that are there live on. */
void thirl_api_context_stop_listening(thirl_context *c);

#endif
