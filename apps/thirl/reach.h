/* SPDX-License-Identifier: MIT */
/* From what the command line says about a ticket to a session that is on its way up. */
#ifndef THIRL_APPS_REACH_H
#define THIRL_APPS_REACH_H

#include "command.h"

/** What the library is to know of the command line. */
thirl_options reach_options(const arguments *a);
/** The ticket that the command line, or else the environment, names; "-" is read from stdin. NULL: none, or an empty one. Valid until the next call. */
const char *reach_ticket(const char *word);
/** A context that has begun to dial the ticket. EXIT_OK, or the exit code with the complaint made. */
int reach_dial(thirl_options *o, const char *ticket, thirl_context **c, thirl_session_handle *session);
/** A context that listens; ticket holds THIRL_TICKET_MAX. EXIT_OK, or the exit code with the complaint made. */
int reach_listen(const thirl_options *o, char *ticket, thirl_context **c);
/** EXIT_OK, or the exit code with the complaint made. *c is the caller's on success. */
int reach_peer(const arguments *a, thirl_context **c, thirl_session_handle *session);

#endif
