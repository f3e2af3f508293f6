/* SPDX-License-Identifier: MIT */
/*
 * Does our NAT give a TCP port another outer port for another destination? Asked only when punching takes suspiciously long, to explain it; nothing depends
 * on the answer. One connection from the port of a lane to the server's other address (RFC 5780 OTHER-ADDRESS) or at least its other port, one Binding
 * request, and then the lane's own is asked again, so that a NAT which has restarted meanwhile is not taken for one that maps by destination.
 *
 *     IDLE ---begin---> CONNECTING ---> EXPECT_OTHER ---> EXPECT_LANE ---> IDLE, mapping known
 *                            any loss, or 5 s: IDLE, nothing known
 */
#ifndef THIRL_SESSION_SURVEY_H
#define THIRL_SESSION_SURVEY_H

#include "session/lanes.h"
#include "session/reason.h"

typedef enum thirl_session_survey_state {
  THIRL_SESSION_SURVEY_IDLE,
  THIRL_SESSION_SURVEY_CONNECTING,
  THIRL_SESSION_SURVEY_EXPECT_OTHER,
  THIRL_SESSION_SURVEY_EXPECT_LANE
} thirl_session_survey_state;

typedef struct thirl_session_survey {
  thirl_session_survey_state state;
  thirl_net_id conn; /* 0: none */
  int lane;
  thirl_addr local, mapped; /* the lane when it began */
  thirl_addr to, seen;      /* whom we ask; how it sees us */
  thirl_time until;
  unsigned answers; /* of the lane, when its confirmation was asked for */
  bool is_port;     /* another port of the same address */
  bool asked_lane, write_due;
  uint8_t tid[12];
  thirl_stun_stream cut;
  /* what is known, and in which network: our address inside and outside */
  thirl_session_mapping mapping;
  thirl_addr inside, outside;
} thirl_session_survey;

void thirl_session_survey_init(thirl_session_survey *s);
void thirl_session_survey_fini(thirl_session_survey *s);
/** What is known in the network that the lanes are in now. Where there is no NAT it is known without a question. */
thirl_session_mapping thirl_session_survey_mapping(const thirl_session_survey *s, const thirl_session_lanes *l);
/** Ask. Nothing happens when it is known, when one is under way, or when the server has named no other address. */
void thirl_session_survey_begin(thirl_session_survey *s, thirl_time now, thirl_session_lanes *l,
                                thirl_session_queue *q);
bool thirl_session_survey_owns(const thirl_session_survey *s, thirl_net_id id);
/** An event of its connection. */
void thirl_session_survey_input(thirl_session_survey *s, thirl_time now, const thirl_net_event *ev,
                                thirl_session_lanes *l, thirl_session_queue *q);
size_t thirl_session_survey_pull(thirl_session_survey *s, uint8_t *buf, size_t cap);
/** Time, and what the lane has heard: after every input. */
void thirl_session_survey_evaluate(thirl_session_survey *s, thirl_time now, thirl_session_lanes *l,
                                   thirl_session_queue *q);
thirl_time thirl_session_survey_deadline(const thirl_session_survey *s);

#endif
