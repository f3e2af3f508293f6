/* SPDX-License-Identifier: MIT */
/*
 * A server and clients in invented time, without a network: what a client sends is an input at once, what the server has for it is pulled at
 * once unless the client is stalled. The clients' half of the protocol is made of meet/message.h alone. Whatever goes wrong inside aborts.
 */
#ifndef THIRL_TEST_SUPPORT_SERVER_RIG_H
#define THIRL_TEST_SUPPORT_SERVER_RIG_H

#include "base/rand.h"
#include "meet/message.h"
#include "server/server.h"
#include "stun/stream.h"

enum {
  RIG_CLIENTS_MAX = 20000,
  RIG_MESSAGES_MAX = 256, /* received and not yet looked at, per client */
  RIG_CHANNELS_MAX = 64,
  RIG_CONNECTS_MAX = 64,
  RIG_LOG_MAX = 2048
};

/** A received STUN message: its bytes and what they mean. */
typedef struct rig_message {
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n;
  thirl_meet_message m; /* views into bytes */
} rig_message;

/** What has come on one channel number. */
typedef struct rig_channel {
  uint16_t number;
  uint64_t n;        /* bytes */
  uint64_t messages; /* ChannelData messages */
  size_t largest;    /* of them */
  uint64_t pattern;  /* rig_pattern seed; 0: bytes are not compared */
  uint64_t wrong;    /* bytes that were not those of the pattern */
} rig_channel;

typedef enum rig_fate { RIG_OPEN, RIG_CLOSED, RIG_ABORTED } rig_fate;

typedef struct rig rig;

typedef struct rig_client {
  rig *r;
  thirl_net_id id;
  thirl_addr addr;
  rig_fate fate;
  bool writable;      /* a WRITE was said and not yet answered by a pull of 0 */
  bool stalled;       /* does not read */
  size_t cap;         /* bytes per pull; 0 = 65536 */
  unsigned writes;    /* WRITE actions */
  unsigned insurance; /* empty Binding indications received */
  thirl_p256 *key, *ephemeral;
  thirl_peerid peer;
  uint8_t public_key[THIRL_P256_PUBLIC_LEN], server_key[THIRL_P256_PUBLIC_LEN];
  uint8_t nonce[THIRL_MEET_NONCE_MAX];
  size_t nonce_n;
  bool has_keys;
  thirl_meet_keys keys;
  uint64_t sent, received; /* counters */
  uint64_t tids;
  thirl_stun_stream in;
  rig_message *messages; /* a ring, allocated with the first */
  size_t messages_at, messages_n;
  rig_channel *channels;
  size_t channels_n;
  uint64_t bytes_in;                    /* everything pulled */
  uint8_t last[THIRL_MEET_MESSAGE_MAX]; /* the message sent last */
  size_t last_n;
} rig_client;

struct rig {
  thirl_server *server;
  thirl_time now;
  thirl_dice dice;
  thirl_secrets secrets;
  thirl_log log;
  char lines[RIG_LOG_MAX]; /* the log, one line after the other */
  unsigned n_lines;
  rig_client **clients;
  size_t clients_n;
  unsigned listens, binds, aborted_listeners;
  thirl_net_id stray_aborts[64]; /* ABORT for an id that is no client */
  size_t stray_aborts_n;
  bool has_corners;
  thirl_net_action connects[RIG_CONNECTS_MAX]; /* asked for by the server and not yet told of */
  size_t connects_n;
  uint8_t udp[2048]; /* the last SENDTO */
  size_t udp_n;
  thirl_addr udp_to;
  unsigned udp_answers;
  void (*around)(bool entering); /* NULL, or called before and after every call into the server */
  bool audit;                    /* thirl_server_is_consistent after every input */
};

/** Listens on 192.0.2.1:3478, TCP and UDP. limits may be NULL. */
rig *rig_new(uint64_t seed, const thirl_server_limits *limits);
/** The same with NAT discovery: 192.0.2.1 and .2, each on 3478 and 3479. Clients come to the first. */
rig *rig_new_corners(uint64_t seed, const thirl_server_limits *limits);
/** Corner 0..3: bit 0 is the second port, bit 1 the second address. */
thirl_addr rig_corner(unsigned corner);
void rig_free(rig *r);
const thirl_server_stats *rig_stats(const rig *r);
/** Time passes, deadline by deadline. */
void rig_wait(rig *r, thirl_time d);
void rig_input(rig *r, const thirl_net_event *ev);
/** Say what the server has to say and pull for everybody who reads. */
void rig_settle(rig *r);
/** One datagram; the answer, if any, is in r->udp. */
void rig_datagram(rig *r, thirl_addr from, thirl_bytes payload);
/** The same to one of the corners. */
void rig_datagram_at(rig *r, unsigned corner, thirl_addr from, thirl_bytes payload);
/** The outcome of the i-th of r->connects, which leaves the list. */
void rig_connected(rig *r, size_t i, thirl_error outcome);

/** A connection from this address. The client is the rig's. */
rig_client *rig_connect(rig *r, thirl_addr from);
void rig_send(rig_client *c, thirl_bytes bytes);
void rig_eof(rig_client *c);
void rig_lost(rig_client *c);
void rig_stall(rig_client *c, bool stalled);
/** Pull once, at most cap bytes, whether stalled or not. */
size_t rig_pull(rig_client *c, size_t cap);

/** The next message received; NULL: none. It lives until the next call. With keys, MAC and counter are checked. */
const rig_message *rig_next(rig_client *c);

/** A message of this client: fresh id; the next counter when it has keys. */
thirl_meet_message rig_message_of(rig_client *c, thirl_stun_class cls, uint16_t method);
/** Encode (under the keys when there are any) and send; the bytes stay in c->last. */
void rig_send_message(rig_client *c, const thirl_meet_message *m);

/** The i-th key: the same in every run. */
void rig_take_key(rig_client *c, uint64_t i);
/** REGISTER without a key, and the challenge taken from the answer. */
void rig_challenge(rig_client *c);
/** The second REGISTER with these extras (offer, checks, rtt), to be sent; fills what registering needs. */
thirl_meet_message rig_registration(rig_client *c, const thirl_meet_message *extras);
/** All of it, with a standing offer and the check of rig_proof(i). Aborts unless it succeeds. */
void rig_register(rig_client *c, uint64_t i);
/** One client: connected from its own address, registered with key i. */
rig_client *rig_peer(rig *r, uint64_t i);
/** The address of the i-th client. */
thirl_addr rig_addr(uint64_t i);

/** The proof of the i-th peer's ticket, and its check. */
void rig_proof(uint64_t i, uint8_t out[THIRL_MEET_PROOF_LEN]);
void rig_check(uint64_t i, uint8_t out[THIRL_MEET_CHECK_LEN]);
/** An offer of this client as a real one is: three ports for TCP and one for UDP, each with a host and an srflx candidate. Encoded. */
size_t rig_offer(const rig_client *c, uint8_t out[THIRL_MEET_OFFER_MAX]);
/** CONNECT to peer with the proof of ticket i. */
void rig_send_connect(rig_client *c, const thirl_peerid *peer, uint64_t ticket, uint8_t session);
/** The same between two peers of the rig, and both answers: the channel numbers. Aborts unless it succeeds. */
void rig_join(rig_client *a, rig_client *b, uint64_t ticket_of_b, uint8_t session, uint16_t *at_a, uint16_t *at_b);

/** n bytes of ChannelData, at most 16384 per message, of a pattern that goes on from offset. */
void rig_send_data(rig_client *c, uint16_t number, uint64_t pattern, uint64_t offset, size_t n);
/** What has come on a number; made when first asked for. */
rig_channel *rig_channel_of(rig_client *c, uint16_t number);
uint8_t rig_pattern(uint64_t seed, uint64_t at);

#endif
