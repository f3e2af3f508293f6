/* SPDX-License-Identifier: MIT */
/* What a person (or, with --json, a program) reads on stderr. Nothing of it ever goes to stdout. */
#ifndef THIRL_APPS_STATUS_H
#define THIRL_APPS_STATUS_H

#include "command.h"

void status_init(const arguments *a);
/** The line the other side needs. */
void status_ticket(const char *ticket);
/** One event of a context. */
void status_event(const thirl_event *ev);
/** What went wrong, and more words when there are some. */
void status_error(thirl_error e, const char *more);

#endif
