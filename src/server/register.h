/* SPDX-License-Identifier: MIT */
/*
 * The door: who may come in. A REGISTER without a nonce is answered with a challenge and leaves no trace; one with a nonce is
 * looked at in the order of what it costs: nonce (1 us), addresses, budget of the address, id, key agreement and MAC, signature.
 */
#ifndef THIRL_SERVER_REGISTER_H
#define THIRL_SERVER_REGISTER_H

#include "base/p256.h"
#include "server/challenge.h"
#include "server/registry.h"

typedef struct thirl_server_register {
  uint8_t secret[THIRL_SERVER_CHALLENGE_SECRET_LEN];
  thirl_p256 *key; /* one per server start */
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  thirl_server_budget_table table; /* strangers' costs, by address */
} thirl_server_register;

/** Draws the secret and the key from secrets, so that a simulated server is the same in each run. E_CRYPTO, E_NOMEM. */
thirl_error thirl_server_register_init(thirl_server_register *r, const thirl_secrets *secrets);
/** Wipes. */
void thirl_server_register_fini(thirl_server_register *r);

/** Answer whatever needs a registration with 401, a nonce for this connection and the server's key. */
void thirl_server_register_challenge(thirl_server_register *r, thirl_server_context *ctx, thirl_server_conn *c,
                                     const thirl_meet_message *request);
/** Answer a request of a stranger with an error. Counts it as refused. */
void thirl_server_register_refuse(thirl_server_context *ctx, thirl_server_conn *c, const thirl_meet_message *request,
                                  unsigned code);

/**
 * Answer a REGISTER request.
 *
 * 400  incomplete, an offer with an address that is not to be passed on, or this connection has registered before
 * 401  no key yet: the challenge
 * 403  id, MAC or signature are not of this key
 * 429  more than registers_per_second_per_ip
 * 438  the nonce is too old, of another connection, or none of ours: with a new one
 * 508  max_registrations or max_registrations_per_peer reached, or the server drains, or is out of memory
 *
 * *made      the new peer, or NULL: set the connection's state
 * *replaced  the peers that it replaces, linked by next, or NULL: to be taken apart by the caller (thirl_server_registry_add)
 */
void thirl_server_register_request(thirl_server_register *r, thirl_server_context *ctx, thirl_server_registry *registry,
                                   thirl_server_conn *c, const thirl_stun_msg *in, const thirl_meet_message *m,
                                   thirl_server_peer **made, thirl_server_peer **replaced);

/** Answer an authenticated UPDATE. 400 for an offer that is not to be passed on; nothing is changed then. *gone: LIFETIME was 0, the peer signs off. */
void thirl_server_register_update(thirl_server_context *ctx, thirl_server_peer *p, const thirl_meet_message *m,
                                  bool *gone);

#endif
