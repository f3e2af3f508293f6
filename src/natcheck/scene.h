/* SPDX-License-Identifier: MIT */
/*
 * What the tests over UDP share: the sockets and questions, the server with its four endpoints, and what is known so far. No code to speak of.
 *
 * Each test is a struct with two functions: begin adds the first questions; finish is called when all are done, reads them, and either adds more and
 * returns false, or writes what it has found into the report and returns true.
 */
#ifndef THIRL_NATCHECK_SCENE_H
#define THIRL_NATCHECK_SCENE_H

#include "natcheck/ask.h"

typedef struct thirl_natcheck_scene {
  thirl_natcheck_ask ask;
  thirl_natcheck_report *report;
  thirl_natcheck_protocol *out; /* report->udp */
  unsigned socket;              /* the one whose mapping is looked at */
  unsigned server;              /* the one that is asked most, in report->servers */
  thirl_addr asked, other;      /* its endpoints; other unset: there is no usable one */
  thirl_addr port;              /* the other port of asked; unset: there is none. A server with one IP may have that */
} thirl_natcheck_scene;

#define THIRL_NATCHECK_RTO     (500 * THIRL_MS)
#define THIRL_NATCHECK_PACE    (100 * THIRL_MS) /* between tries whose number matters, at least */
#define THIRL_NATCHECK_PATIENT (1600 * THIRL_MS)

enum {
  THIRL_NATCHECK_TRIES = 7, /* Rc of RFC 8489 */
  THIRL_NATCHECK_BATCH = 8 /* tries after which silence is looked at: with 7 of 8 controls answered it is no accident */
};

/** Between two tries of the same: as often as the path allows to tell them apart, and not oftener than twice a round trip. */
static inline thirl_time thirl_natcheck_scene_pace(const thirl_natcheck_scene *s) {
  return THIRL_MIN(THIRL_MAX(s->out->rtt / 2, THIRL_NATCHECK_PACE), THIRL_S);
}

/** How late an answer may come. */
static inline thirl_time thirl_natcheck_scene_grace(const thirl_natcheck_scene *s) {
  return THIRL_MIN(THIRL_MAX(4 * s->out->rtt, 500 * THIRL_MS), 3 * THIRL_S);
}

/** A Binding request that is repeated until it is answered. */
static inline thirl_natcheck_question thirl_natcheck_scene_plain(const thirl_natcheck_scene *s, unsigned from,
                                                                 thirl_addr to) {
  thirl_time rtt = s->out->rtt;
  return (thirl_natcheck_question){
      .from = from,
      .to = to,
      .expect = to,
      .expect_at = from,
      .tries = THIRL_NATCHECK_TRIES,
      .enough = 1,
      .interval = rtt ? THIRL_MIN(THIRL_MAX(2 * rtt, THIRL_NATCHECK_PACE), THIRL_NATCHECK_RTO) : THIRL_NATCHECK_RTO,
      .grace = THIRL_NATCHECK_PATIENT};
}

/** One that is sent a fixed number of times, however often it is answered. */
static inline thirl_natcheck_question thirl_natcheck_scene_counted(const thirl_natcheck_scene *s, unsigned from,
                                                                   thirl_addr to) {
  return (thirl_natcheck_question){.from = from,
                                   .to = to,
                                   .expect = to,
                                   .expect_at = from,
                                   .tries = THIRL_NATCHECK_BATCH,
                                   .enough = THIRL_NATCHECK_ASK_TRIES + 1,
                                   .interval = thirl_natcheck_scene_pace(s),
                                   .steady = true,
                                   .grace = thirl_natcheck_scene_grace(s)};
}

/** The question, or one that was never sent, when there were too many. */
static inline const thirl_natcheck_asked *thirl_natcheck_scene_get(const thirl_natcheck_scene *s, unsigned question) {
  static const thirl_natcheck_asked never;
  return question < s->ask.n_questions ? &s->ask.questions[question] : &never;
}

/** Remember the outer address. */
static inline void thirl_natcheck_scene_note_outer(thirl_natcheck_protocol *p, const thirl_addr *mapped) {
  thirl_addr ip = thirl_addr_with_port(*mapped, 0);
  for (unsigned i = 0; i < p->n_outer; i++)
    if (thirl_addr_equal(&p->outer[i], &ip)) return;
  if (p->n_outer < THIRL_NATCHECK_OUTER_MAX) p->outer[p->n_outer++] = ip;
}

/** Add an answered or unanswered question to what is known. */
static inline void thirl_natcheck_scene_note(thirl_natcheck_scene *s, const thirl_natcheck_asked *k) {
  s->out->rewritten |= k->rewritten;
  s->out->misdirected |= k->misdirected;
  if (k->n_heard) thirl_natcheck_scene_note_outer(s->out, &k->mapped);
}

#endif
