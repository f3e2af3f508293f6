/* SPDX-License-Identifier: MIT */
/*
 * Who may come in: filtering over UDP. RFC 5780 section 4.4, tests II and III, with two differences.
 *
 * All three requests (plain, change of address and port, change of port) go out side by side from one fresh socket, several times: how many plain ones are
 * answered says what silence is worth. And what seems to be filtered is believed only when the server has shown, through a hole that was opened for
 * it, that it does send from there: a server without a second address, or one that lies, would otherwise make every NAT a strict one.
 *
 * The filter test must come before anything else speaks to the server's other addresses: there are NATs that keep one list for all mappings.
 */
#ifndef THIRL_NATCHECK_FILTER_H
#define THIRL_NATCHECK_FILTER_H

#include "natcheck/classify.h"
#include "natcheck/scene.h"

typedef struct thirl_natcheck_filter {
  thirl_natcheck_knocks knocks;
  unsigned socket, tries;
  unsigned plain, both, port; /* questions */
  bool refused;
} thirl_natcheck_filter;

void thirl_natcheck_filter_begin(thirl_natcheck_filter *f, thirl_natcheck_scene *s, thirl_time now);
bool thirl_natcheck_filter_finish(thirl_natcheck_filter *f, thirl_natcheck_scene *s, thirl_time now);
/** Something has come in: no need to go on asking, when it decides. */
void thirl_natcheck_filter_hasten(thirl_natcheck_filter *f, thirl_natcheck_scene *s);

typedef struct thirl_natcheck_proof {
  thirl_natcheck_filter *filter;
  thirl_addr target; /* from where the server is to send */
  uint32_t change;
  unsigned socket, asked, opened, question;
  bool prepared;
} thirl_natcheck_proof;

/** After the filter test; adds nothing when there is nothing to prove. */
void thirl_natcheck_filter_begin_proof(thirl_natcheck_proof *p, thirl_natcheck_filter *f, thirl_natcheck_scene *s,
                                       thirl_time now);
/** When it is over the report has its filtering. */
bool thirl_natcheck_filter_finish_proof(thirl_natcheck_proof *p, thirl_natcheck_scene *s, thirl_time now);

#endif
