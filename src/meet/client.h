/* SPDX-License-Identifier: MIT */
/*
 * The client's half of the rendezvous over one control connection: registers, refreshes, connects, is offered, and cuts relay channels out of the
 * stream. Sans I/O. It does not reconnect and opens no socket: the endpoint does; one client object serves one connection after another.
 *
 *   connected(now) .. next(now, &in, &event) .. tick(now) .. pull() .. deadline() .. lost()
 */
#ifndef THIRL_MEET_CLIENT_H
#define THIRL_MEET_CLIENT_H

#include "base/p256.h"
#include "base/rand.h"
#include "base/time.h"
#include "meet/channel.h"
#include "meet/line.h"
#include "meet/message.h"

typedef struct thirl_meet_client thirl_meet_client;

typedef struct thirl_meet_client_config {
  const thirl_p256 *key; /* borrowed for the client's life */
  thirl_peerid id;
  const thirl_secrets *secrets; /* borrowed */
  thirl_time request_timeout; /* how long a request may go unanswered before the connection counts as dead; 0 = 10 s */
  thirl_time refresh; /* between refreshes and keepalives, at most half the lifetime that the server gives; 0 = 25 s */
} thirl_meet_client_config;

typedef enum thirl_meet_client_state {
  THIRL_MEET_CLIENT_IDLE,
  THIRL_MEET_CLIENT_EXPECT_CHALLENGE,
  THIRL_MEET_CLIENT_EXPECT_REGISTERED,
  THIRL_MEET_CLIENT_REGISTERED,
  THIRL_MEET_CLIENT_DEAD
} thirl_meet_client_state;

typedef enum thirl_meet_event_kind {
  THIRL_MEET_REGISTERED, /* mapped: how the server sees us; rtt */
  THIRL_MEET_FAILED, /* error: the registration or the connection is over (E_SERVER, E_TIMEOUT, E_PROTOCOL, E_INTEGRITY, E_REPLAY; E_LIMIT: the server does not read; E_NOMEM, E_CRYPTO); the endpoint closes and retries */
  THIRL_MEET_CONNECTED,     /* session, peer, offer (decoded), channel, fire_at: GO */
  THIRL_MEET_NOT_CONNECTED, /* session, error: E_NO_PEER, E_LIMIT, E_SERVER, E_PROTOCOL (the answer makes no sense) */
  THIRL_MEET_OFFERED,       /* session, peer (the dialer), offer, offer_bytes, offer_mac, channel, fire_at: GO */
  THIRL_MEET_CHANNEL_DATA,  /* channel, payload (borrowed until the next call) */
  THIRL_MEET_CHANNEL_ROOM,  /* channel: credit came, write on */
  THIRL_MEET_CHANNEL_ENDED, /* channel, error: by the other peer or the server */
  THIRL_MEET_DRAINING       /* the server is about to stop */
} thirl_meet_event_kind;

typedef struct thirl_meet_event {
  thirl_meet_event_kind kind;
  thirl_error error;
  thirl_peerid peer;
  uint8_t session[THIRL_MEET_SESSION_ID_LEN];
  thirl_meet_offer offer;
  thirl_bytes offer_bytes;
  uint8_t offer_mac[THIRL_MEET_MAC_LEN];
  uint16_t channel;
  thirl_time fire_at, rtt;
  thirl_addr mapped;
  thirl_bytes payload;
} thirl_meet_event;

/** What was dropped, for tests and for the curious. Counters only grow. */
typedef struct thirl_meet_client_stats {
  uint64_t sent, received;  /* control messages */
  uint64_t malformed;       /* bytes that are no message, or a message that makes no sense */
  uint64_t unauthenticated; /* indications with no MAC or a wrong one */
  uint64_t stray;           /* answers that nobody waits for, channels that are not open, methods that are not known */
  uint64_t stray_data;      /* ChannelData for channels that are not open */
} thirl_meet_client_stats;

/** E_INVALID: a key or secrets are missing, or id is not the key's; E_NOMEM, E_CRYPTO. */
thirl_error thirl_meet_client_new(const thirl_meet_client_config *cfg, thirl_meet_client **out);
void thirl_meet_client_free(thirl_meet_client *c);

/**
 * What is left at the server with the next REGISTER or UPDATE: this side's standing offer (consent travels ahead) and ticket checks. Replaces all of it; kept
 * from one connection to the next. Sends an UPDATE when registered. E_RANGE.
 */
thirl_error thirl_meet_client_set_standing(thirl_meet_client *c, thirl_time now,
                                           const thirl_meet_offer *offer /* may be NULL */,
                                           const uint8_t (*checks)[THIRL_MEET_CHECK_LEN], size_t n_checks);
/** The control connection is up: begin to register. E_STATE when there is one already (call lost first), E_NOMEM, E_CRYPTO. */
thirl_error thirl_meet_client_connected(thirl_meet_client *c, thirl_time now);
/** The control connection is gone: all channels are gone with it; commands under way are forgotten (no events; the endpoint knows). */
void thirl_meet_client_lost(thirl_meet_client *c);
/**
 * Ask for a peer. May be called before REGISTERED: it then goes out right behind the REGISTER (one round trip saved). Answered by CONNECTED or
 * NOT_CONNECTED with the same session id. The offer is encoded and MACed here. E_STATE when there is no connection, E_INVALID when this session id
 * is under way, E_RANGE for the offer, E_LIMIT, E_NOMEM, E_CRYPTO.
 */
thirl_error thirl_meet_client_connect(thirl_meet_client *c, thirl_time now, const thirl_meet_ticket *ticket,
                                      const uint8_t session[THIRL_MEET_SESSION_ID_LEN], const thirl_meet_offer *offer);
/** End a channel; the other side hears reason. Unknown channels are ignored. */
void thirl_meet_client_end_channel(thirl_meet_client *c, thirl_time now, uint16_t channel, thirl_error reason);

/**
 * Cut the next event out of received bytes; OK and an event, or E_AGAIN: then all of *in is used up and there is no event. Call with no bytes for the events that wait
 * for other reasons. What is borrowed in *ev is good until the next call of anything but the readers. Bytes that cannot be a stream of messages are
 * FAILED(E_PROTOCOL); after FAILED nothing is sent and what comes in is ignored, until lost or connected.
 */
thirl_error thirl_meet_client_next(thirl_meet_client *c, thirl_time now, thirl_bytes *in, thirl_meet_event *ev);
/** Time has come: refresh, time out. Then call next() with no bytes for the events. */
void thirl_meet_client_tick(thirl_meet_client *c, thirl_time now);
thirl_time thirl_meet_client_deadline(const thirl_meet_client *c);
/** Control messages to send, at most cap bytes. May end in the middle of one: no ChannelData before has_output is false. */
size_t thirl_meet_client_pull(thirl_meet_client *c, uint8_t *buf, size_t cap);
bool thirl_meet_client_has_output(const thirl_meet_client *c);

/** How many bytes of ChannelData payload may be sent on this channel now; 0 for an unknown one. */
size_t thirl_meet_client_channel_credit(const thirl_meet_client *c, uint16_t channel);
/** Count n bytes of payload as sent (n at most the credit). */
void thirl_meet_client_channel_spend(thirl_meet_client *c, uint16_t channel, size_t n);
thirl_meet_client_state thirl_meet_client_state_of(const thirl_meet_client *c);
/** The smallest round trip to the server seen on this connection; 0 = not known. */
thirl_time thirl_meet_client_rtt(const thirl_meet_client *c);
thirl_meet_client_stats thirl_meet_client_stats_of(const thirl_meet_client *c);

#endif
