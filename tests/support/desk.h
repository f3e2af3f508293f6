/* SPDX-License-Identifier: MIT */
/*
 * One endpoint on a desk: the test is the network, the server and every peer, in virtual time and without a network. Whatever the endpoint may not do
 * ends the program: an action for an id that is dead or unknown, an id used twice, a deadline that stays in the past, a WRITE that gives no bytes for
 * ever, a connection to an address that nobody may be made to probe, more connections than its limits say.
 */
#ifndef THIRL_TEST_SUPPORT_DESK_H
#define THIRL_TEST_SUPPORT_DESK_H

#include "meet/message.h"
#include "session/endpoint.h"
#include "stun/stream.h"

enum { DESK_CONNS_MAX = 8192, DESK_CONNECTS_MAX = 32, DESK_EVENTS_MAX = 1024, DESK_CREDIT = 65536 };

typedef enum desk_state { DESK_CONNECTING, DESK_OPEN, DESK_LISTENING, DESK_DEAD } desk_state;

typedef struct desk_conn {
  thirl_net_id id;
  desk_state state;
  bool writable, is_server, is_control;
  thirl_addr local, remote;
  thirl_time born;
  thirl_stun_stream cut; /* what the endpoint says to the server */
  uint64_t bytes_out;
  uint8_t last[300]; /* the last bytes that it said to a peer, up to so many */
  size_t last_n;
} desk_conn;

/** A CONNECT that the endpoint has sent. */
typedef struct desk_connect {
  uint8_t tid[THIRL_STUN_TID_LEN];
  uint8_t session[THIRL_MEET_SESSION_ID_LEN];
  thirl_peerid peer;
  thirl_meet_offer offer;
  thirl_time at;
  bool answered;
} desk_connect;

typedef struct desk {
  thirl_session_endpoint *e;
  thirl_time now;
  thirl_dice dice;
  thirl_secrets secrets;
  bool server_is_deaf; /* connections to it come up, and are not answered */
  bool server_is_away; /* connections to it stay connecting */
  bool lanes_are_deaf; /* Binding is not answered */
  bool is_stalled;     /* nothing is pulled */
  bool sleeps;         /* events are not taken */
  thirl_addr mapped;   /* how the server sees the ip of the endpoint; ports are kept */
  desk_conn *conns;
  size_t n_conns;
  thirl_net_id next_accepted;
  uint16_t next_port;
  /* the server's half of the registration */
  bool has_keys;
  thirl_meet_keys keys;
  uint64_t sent, received;
  thirl_meet_offer standing;
  size_t n_checks;
  unsigned n_registers, n_updates, n_bindings, n_channel_ends, n_pulls;
  desk_connect connects[DESK_CONNECTS_MAX];
  size_t n_connects;      /* ever */
  uint16_t ended_channel; /* the last that the endpoint ended, and why */
  thirl_error ended_why;
  void (*on_channel)(void *ctx, uint16_t channel, thirl_bytes data); /* what it says on a relay channel */
  void *ctx;
  thirl_session_endpoint_event events[DESK_EVENTS_MAX];
  size_t n_events;
  unsigned n_connecting; /* CONNECT actions ever */
} desk;

extern const thirl_addr desk_server;

/** policy may be NULL. */
desk *desk_new(uint64_t seed, size_t max_incoming, const thirl_session_policy *policy);
void desk_free(desk *d);
const thirl_peerid *desk_id(void);
/** Begin; the server answers all it is asked. */
void desk_start(desk *d);
/** The same, until it is registered and its lanes are mapped. */
void desk_register(desk *d);

void desk_input(desk *d, const thirl_net_event *ev);
/** The application has touched the endpoint: drain, pull, drain. */
void desk_settle(desk *d);
/** Time passes, deadline by deadline. */
void desk_wait(desk *d, thirl_time t);

/* ---- connections ---- */
desk_conn *desk_find(desk *d, thirl_net_id id);
/** The control connection; NULL. */
desk_conn *desk_control(desk *d);
/** The i-th living connection to somebody who is not the server; NULL. */
desk_conn *desk_link(desk *d, size_t i);
size_t desk_alive(const desk *d, desk_state s);
void desk_connected(desk *d, desk_conn *c);
void desk_fail(desk *d, desk_conn *c, thirl_error why);
void desk_eof(desk *d, desk_conn *c);
void desk_data(desk *d, desk_conn *c, thirl_bytes b);
/** Somebody connects to the first listener; NULL when there is none. */
desk_conn *desk_accept(desk *d, thirl_addr from);

/* ---- the server's words, under its key; nothing when there is no registration ---- */
void desk_say(desk *d, thirl_meet_message m);
void desk_say_data(desk *d, uint16_t channel, thirl_bytes b);
void desk_say_end(desk *d, uint16_t channel, thirl_error why);
/** An OFFER with a MAC of this ticket (NULL: a forged one). */
void desk_say_offer(desk *d, const thirl_meet_ticket *t, const thirl_peerid *from, const uint8_t *session,
                    const thirl_meet_offer *o, uint16_t channel, thirl_time fire_in);
/** GO in answer to the i-th CONNECT from the end (0: the last). False: there is none, or it was answered. */
bool desk_say_go(desk *d, size_t i, const thirl_meet_offer *o, uint16_t channel, thirl_time fire_in);
bool desk_say_refused(desk *d, size_t i, unsigned code);

/** n simultaneous-open candidates on 198.51.100.x, all of lane i % 3, with good credentials. */
thirl_meet_offer desk_offer(size_t n);
/** One RFC 4571 frame with a check for the side with this ufrag and password, from one with that ufrag. */
size_t desk_check(uint8_t *out, size_t cap, const char *ufrag, const char *pwd, const char *from, bool nominate,
                  bool controlling);

/** The i-th event of this kind that was taken; NULL. of: the kind of the session's event, when kind is OF. */
const thirl_session_endpoint_event *desk_event(const desk *d, thirl_session_endpoint_event_kind kind,
                                               thirl_session_event_kind of, size_t i);
size_t desk_count(const desk *d, thirl_session_endpoint_event_kind kind, thirl_session_event_kind of);

#endif
