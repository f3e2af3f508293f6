/* SPDX-License-Identifier: MIT */
/*
 * A client and a server that says what the test tells it to, on one table, in virtual time. The server checks by itself whatever must hold of every message of
 * the client: that it can be decoded, its MAC, its signature, and that counters go 1, 2, 3.
 */
#ifndef THIRL_TESTS_UNIT_MEET_RIG_H
#define THIRL_TESTS_UNIT_MEET_RIG_H

#include "meet/client.h"

enum { RIG_HEARD_MAX = 128, RIG_WIRE_MAX = 1 << 17 };

#define RIG_RTT      (100 * THIRL_MS) /* what the helpers let pass before an answer */
#define RIG_LIFETIME 90               /* seconds */
#define RIG_TIMEOUT  (10 * THIRL_S)
#define RIG_REFRESH  (25 * THIRL_S)

/** One message of the client. */
typedef struct rig_heard {
  uint8_t raw[THIRL_MEET_MESSAGE_MAX];
  size_t n;
  thirl_stun_msg in;
  thirl_meet_message m;
} rig_heard;

typedef struct rig {
  thirl_time now;
  size_t chunk; /* the client gets its bytes in pieces of so many; 0 = all at once */
  thirl_meet_client *client;
  thirl_p256 *client_key, *server_key;
  thirl_peerid id;
  uint8_t drawn;
  thirl_secrets secrets;
  uint8_t server_point[THIRL_P256_PUBLIC_LEN];
  uint8_t nonce[8];
  thirl_meet_keys keys;
  bool has_keys;
  uint64_t sent, received; /* counters of the server */
  rig_heard heard[RIG_HEARD_MAX];
  size_t n_heard;
  uint8_t wire[RIG_WIRE_MAX];
  size_t wire_at, wire_n;
} rig;

/** For cmocka: *state is a rig, the client is new and idle, the time is 1000 s. */
int rig_setup(void **state);
int rig_teardown(void **state);

/** Take all that the client wants to send, in small pieces; the messages replace those heard before. Returns how many. */
size_t rig_hear(rig *r);

/** An answer to a message of the client: class, method and transaction id are set. */
thirl_meet_message rig_answer(const rig_heard *to, thirl_stun_class cls);
thirl_meet_message rig_error(const rig_heard *to, unsigned code);
/** A 401 or 438 with nonce and server key. */
thirl_meet_message rig_challenge(rig *r, const rig_heard *to, unsigned code);
thirl_meet_message rig_indication(uint16_t method);
/** A full success of a REGISTER. */
thirl_meet_message rig_registered(const rig_heard *to);
/** GO fields: the offer, channel, fire in 40 ms, credit 1000. */
void rig_put_go(thirl_meet_message *m, uint16_t channel);
/** A full OFFER indication. */
thirl_meet_message rig_offered(uint16_t channel);

/** The server says m with its next counter and its key (before there are keys: without both). */
void rig_say(rig *r, thirl_meet_message m);
/** Without a MAC. */
void rig_say_plain(rig *r, const thirl_meet_message *m);
/** With any counter and any key. */
void rig_say_with(rig *r, thirl_meet_message m, uint64_t counter, const uint8_t *key);
void rig_say_bytes(rig *r, const void *p, size_t n);
void rig_say_data(rig *r, uint16_t channel, const char *text);

/** The client's next event out of what the server said and of what waits; false when there is none. */
bool rig_event(rig *r, thirl_meet_event *ev);
/** The next event is of this kind. */
void rig_expect(rig *r, thirl_meet_event_kind kind, thirl_meet_event *ev);
/** The next event is FAILED with this error, there is none behind it, and the client is dead and silent. */
void rig_expect_failed(rig *r, thirl_error e);
void rig_expect_no_event(rig *r);

/** Connected, the challenge has been answered: the signed REGISTER is heard[0]. Takes one round trip. */
void rig_until_signed(rig *r);
/** The same, and the REGISTER has been answered. Takes another. */
void rig_until_registered(rig *r);
/** Registered, with this relay channel open, its credit 1000. */
void rig_until_channel(rig *r, uint16_t channel);

/** What the tests dial with. */
const thirl_meet_offer *rig_offer(void);
thirl_meet_ticket rig_ticket(void);
/** Ask the client to dial; the session id is all session. */
thirl_error rig_dial(rig *r, uint8_t session);

#endif
