/* SPDX-License-Identifier: MIT */
/*
 * Questions over UDP: sockets of our own, Binding requests that are repeated until they are answered or given up, and who answered what.
 * Knows no test and draws no conclusion.
 *
 *     open sockets, add questions -> poll until false -> input of what comes in -> is_idle -> read the questions -> clear
 */
#ifndef THIRL_NATCHECK_ASK_H
#define THIRL_NATCHECK_ASK_H

#include "base/net.h"
#include "base/rand.h"
#include "natcheck/terms.h"
#include "stun/msg.h"

enum {
  THIRL_NATCHECK_ASK_SOCKETS = 96,
  THIRL_NATCHECK_ASK_QUESTIONS = 64,
  THIRL_NATCHECK_ASK_TRIES = 24,
  THIRL_NATCHECK_ASK_BYTES = 64 /* no request is longer */
};

/* CHANGE-REQUEST, RFC 5780 section 7.2. */
enum { THIRL_NATCHECK_CHANGE_IP = 4, THIRL_NATCHECK_CHANGE_PORT = 2 };

typedef enum thirl_natcheck_ask_state {
  THIRL_NATCHECK_ASK_CLOSED,
  THIRL_NATCHECK_ASK_WANTED,
  THIRL_NATCHECK_ASK_OPENING,
  THIRL_NATCHECK_ASK_OPEN,
  THIRL_NATCHECK_ASK_BROKEN /* could not be bound */
} thirl_natcheck_ask_state;

typedef struct thirl_natcheck_ask_socket {
  thirl_natcheck_ask_state state;
  thirl_net_id id;
  thirl_addr local; /* what to bind to, then as bound; the IP address once something has arrived */
  thirl_error error;
} thirl_natcheck_ask_socket;

/** What to ask. */
typedef struct thirl_natcheck_question {
  unsigned from; /* socket */
  thirl_addr to;
  thirl_addr expect;      /* who is to answer; unset: anybody may, and only the source of the answers matters */
  unsigned expect_at;     /* the socket at which the answer is to arrive */
  uint32_t change;        /* THIRL_NATCHECK_CHANGE_... */
  uint16_t response_port; /* 0: none */
  unsigned tries;         /* at most, 1..THIRL_NATCHECK_ASK_TRIES */
  unsigned enough;        /* answers after which it is done; more than tries: all tries are made */
  thirl_time interval;    /* between the first two tries */
  bool steady;            /* the interval stays; otherwise it doubles, up to 1.6 s */
  thirl_time grace;       /* how long to wait after the last try */
} thirl_natcheck_question;

/** And what came of it. Sources other than the expected are remembered, their words are not. */
typedef struct thirl_natcheck_asked {
  thirl_natcheck_question q;
  uint8_t tid[THIRL_STUN_TID_LEN]; /* of try 0; of the others the last byte differs */
  unsigned sent;
  thirl_time sent_at[THIRL_NATCHECK_ASK_TRIES], next;
  bool done;
  uint32_t heard;                                  /* a bit for each try that was answered as expected */
  unsigned n_heard;                                /* how many */
  thirl_addr mapped;                               /* of the first answer */
  thirl_addr other;                                /* OTHER-ADDRESS of the first answer */
  uint16_t other_port;                             /* THIRL_OTHER_PORT of the first answer, 0: none */
  thirl_time rtt;                                  /* of the first answer */
  unsigned code;                                   /* of an error response; 0: none */
  bool contradictory;                              /* two answers name different mapped addresses */
  bool rewritten;                                  /* MAPPED-ADDRESS and XOR-MAPPED-ADDRESS differ */
  bool misdirected;                                /* an answer came from somewhere else than expected */
  bool from_asked, from_other_port, from_other_ip; /* sources of answers, compared with q.to */
  bool returned;                                   /* the request itself came back to a socket of ours */
  bool returned_inner;                             /* with one of our own local addresses as its source */
} thirl_natcheck_asked;

typedef struct thirl_natcheck_ask {
  thirl_secrets secrets;
  thirl_addr local; /* what sockets are bound to, but for the port; any of its family */
  thirl_natcheck_ask_socket sockets[THIRL_NATCHECK_ASK_SOCKETS];
  unsigned n_sockets;
  thirl_natcheck_asked questions[THIRL_NATCHECK_ASK_QUESTIONS];
  unsigned n_questions;
  thirl_net_id first_id, next_id; /* ids from first_id on are ours */
  thirl_net_id closing;           /* sockets before this id are given back; see end */
  uint8_t bytes[THIRL_NATCHECK_ASK_BYTES];
} thirl_natcheck_ask;

/** Ids of sockets are first_id, first_id + 1, ... */
void thirl_natcheck_ask_init(thirl_natcheck_ask *a, const thirl_secrets *secrets, thirl_net_id first_id);

/** A socket on this port, 0 = any; its number. THIRL_NATCHECK_ASK_SOCKETS when there are too many: questions from that one end unanswered. */
unsigned thirl_natcheck_ask_open(thirl_natcheck_ask *a, uint16_t port);
/** Every socket is given back; poll says which. */
void thirl_natcheck_ask_end(thirl_natcheck_ask *a);
/** A question, sent with the next poll; its number. THIRL_NATCHECK_ASK_QUESTIONS when there are too many. */
unsigned thirl_natcheck_ask_add(thirl_natcheck_ask *a, thirl_time now, const thirl_natcheck_question *q);
/** Allow more tries to a question that has used up its own. */
void thirl_natcheck_ask_more(thirl_natcheck_ask *a, unsigned question, thirl_time now, unsigned tries);
void thirl_natcheck_ask_stop(thirl_natcheck_ask *a, unsigned question);
/** Forget all questions; late answers mean nothing any more. */
void thirl_natcheck_ask_clear(thirl_natcheck_ask *a);

/** False: not about a socket of ours. */
bool thirl_natcheck_ask_input(thirl_natcheck_ask *a, thirl_time now, const thirl_net_event *ev);
bool thirl_natcheck_ask_poll(thirl_natcheck_ask *a, thirl_time now, thirl_net_action *out);
thirl_time thirl_natcheck_ask_deadline(const thirl_natcheck_ask *a);
/** All questions are done. */
bool thirl_natcheck_ask_is_idle(const thirl_natcheck_ask *a);

#endif
