/* SPDX-License-Identifier: MIT */
/* What a person (or, with --json, a program) reads on stderr. Nothing of it ever goes to stdout. */
#ifndef THIRL_APPS_STATUS_H
#define THIRL_APPS_STATUS_H

#include "command.h"

struct json_t; /* of jansson */

void status_init(const arguments *a);
/** The line the other side needs: "thirl WORDS TICKET". */
void status_ticket(const char *ticket, const char *words);
/** The same with more words behind the ticket: "thirl WORDS TICKET BEHIND". */
void status_ticket_and(const char *ticket, const char *words, const char *behind);
enum { STATUS_SENTENCE_MAX = 320 };
/** What a person is told of an event. False: nothing. */
bool status_sentence(const thirl_event *ev, char *out, size_t cap);
/** One event of a context, on stderr. */
void status_event(const thirl_event *ev);
/** Something that a person may want to know, as one line; in JSON an object of this type with the line as "text". */
void status_note(const char *type, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** With --json an object of a type, which is taken over; otherwise nothing. */
void status_object(const char *type, struct json_t *o);
bool status_is_json(void);
bool status_is_quiet(void);
/** Called before each line, by whoever has drawn something that must not be in its way. NULL: nobody. */
void status_before_line(void (*clear)(void));
/** What went wrong, and more words when there are some. */
void status_error(thirl_error e, const char *more);

#endif
