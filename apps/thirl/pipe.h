/* SPDX-License-Identifier: MIT */
/* One session between stdin and stdout: what `listen` and `connect` have in common. */
#ifndef THIRL_APPS_PIPE_H
#define THIRL_APPS_PIPE_H

#include "command.h"

/**
 * Runs the context until one session has ended. session: the one dialled, or 0 to take the first that comes in. deadline_s: how long to wait for the
 * first to come in, 0 for ever. Returns the exit code; has said everything.
 */
int pipe_run(thirl_context *c, thirl_session_handle session, unsigned deadline_s);

#endif
