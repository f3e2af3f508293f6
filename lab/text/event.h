/* SPDX-License-Identifier: MIT */
/*
 * What happens to a network, in words:
 *
 *   nat NAME reboot                      it forgets
 *   nat NAME renumber ADDRESS            it forgets, and has another outer address
 *   nat NAME WORD=VALUE...               it behaves differently (natwords.h), and forgets nothing
 *   link NAME [inner] [up|down] WORD=VALUE...   other terms (terms.h), for one direction or both
 *   link NAME [inner] down | up          the cable is cut, and mended
 *   host NAME move NET ADDRESS           it is somewhere else
 */
#ifndef THIRL_LAB_EVENT_H
#define THIRL_LAB_EVENT_H

#include "lab/text/model.h"
#include "lab/text/words.h"

/** Reads the words from first on as they change the network t; out->at and out->line are 0. E_SYNTAX, E_INVALID. */
thirl_error thirl_lab_event_read(const thirl_lab_topology *t, const thirl_lab_words *words, size_t first,
                                 thirl_lab_event *out, thirl_lab_complaint *why);
/** An address for a node on a net: in one of its prefixes, possible there, nobody else's (except: the node itself). */
thirl_error thirl_lab_event_read_address(const thirl_lab_topology *t, size_t net, const char *text,
                                         thirl_lab_prefix *out, thirl_lab_complaint *why);

#endif
