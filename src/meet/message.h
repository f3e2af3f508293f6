/* SPDX-License-Identifier: MIT */
/*
 * The rendezvous messages as values: what is in each, and how it is put into and taken out of STUN. Both halves, meet/ and server/, use this
 * page and nothing else. Numbers: stun/attr.h. Every message from the signed REGISTER and its success on carries THIRL-COUNTER and
 * MESSAGE-INTEGRITY-SHA256 under the key of its direction: to_server and to_client. Each side numbers them 1, 2, 3.. in one registration, and takes only
 * those that grow. Errors that answer a REGISTER may come without: the server may have no keys yet.
 *
 *   peer                                   server
 *    | REGISTER {peer id} ------------------> |   no state
 *    | <--- 401 {nonce, server key} --------- |   the nonce is a MAC over address, connection and time
 *    | REGISTER {public key, nonce, rtt,      |
 *    |   ephemeral key, signature, offer,     |   verify nonce, then MAC, then signature
 *    |   ticket checks, MI256} -------------> |
 *    | <--- success {mapped, lifetime, MI256} |
 *    | UPDATE {offer?, checks?, rtt, MI256} -> |   refresh: MAC only
 *    | CONNECT {peer, session, proof, offer,  |
 *    |   offer MAC, rtt, MI256} ------------> | ---- OFFER {peer, session, offer, offer MAC, channel, fire in, credit} --> other peer
 *    | <--- success {peer's offer, channel,   |
 *    |   fire in, credit} ------------------- |   or 404: the same for unknown, offline and a wrong ticket
 *    | ChannelData <========================> |   relayed
 *    | CHANNEL {channel, credit | reason} <-> |
 *
 * 438 to a REGISTER carries a new nonce, and the server's key when that has changed; the client derives new keys and counts from 1 again.
 * Standing offer and checks: REGISTER and UPDATE replace what they carry and leave alone what they do not; empty means none any more.
 * Channel numbers are the server's to give, per connection; one that has ended is not given again soon (data for it may be on its way).
 *
 * Keys: shared = ECDH(client's ephemeral, server's key); 64 bytes = HKDF(shared, salt nonce, info "thirl meet v1" || peer id): the first 32 for
 * client to server, the last 32 for server to client.
 * Signature: over "thirl register v1" || nonce || server key (65) || ephemeral key (65), by the registering key.
 */
#ifndef THIRL_MEET_MESSAGE_H
#define THIRL_MEET_MESSAGE_H

#include "base/p256.h"
#include "base/peerid.h"
#include "meet/ticket.h"
#include "meet/offer.h"
#include "stun/msg.h"

enum {
  THIRL_MEET_KEY_LEN = 32,
  THIRL_MEET_SESSION_ID_LEN = 16,
  THIRL_MEET_NONCE_MAX = 64,
  THIRL_MEET_CHECKS_MAX = 8, /* ticket checks left with one registration */
  THIRL_MEET_MESSAGE_MAX = 2048,
  THIRL_MEET_DATA_MAX =
      16384 /* bytes of data in one ChannelData message, both ways: a longer one breaks the protocol */
};

typedef struct thirl_meet_keys {
  uint8_t to_server[THIRL_MEET_KEY_LEN], to_client[THIRL_MEET_KEY_LEN];
} thirl_meet_keys;

/** Everything a message may carry; has_* tells what is there. Views live as long as the bytes that were decoded. */
typedef struct thirl_meet_message {
  thirl_stun_class cls;
  uint16_t method;
  uint8_t tid[THIRL_STUN_TID_LEN];
  bool has_peer, has_session, has_proof, has_offer, has_offer_mac, has_channel, has_fire_in, has_credit, has_reason,
      has_counter, has_rtt, has_lifetime, has_mapped, has_public, has_ephemeral, has_checks;
  thirl_peerid peer;
  uint8_t session[THIRL_MEET_SESSION_ID_LEN], proof[THIRL_MEET_PROOF_LEN], offer_mac[THIRL_MEET_MAC_LEN];
  thirl_bytes offer;     /* encoded; empty withdraws the standing one */
  thirl_bytes nonce;     /* empty: absent */
  thirl_bytes signature; /* empty: absent */
  uint8_t public_key[THIRL_P256_PUBLIC_LEN], ephemeral[THIRL_P256_PUBLIC_LEN];
  uint8_t checks[THIRL_MEET_CHECKS_MAX][THIRL_MEET_CHECK_LEN];
  size_t n_checks; /* one attribute holds them all; with has_checks, 0 withdraws them */
  uint16_t channel;
  uint32_t fire_in_us, credit, reason, rtt_us, lifetime_s;
  uint64_t counter;
  thirl_addr mapped;
  unsigned error_code; /* 300..699 in an error response, else 0 */
} thirl_meet_message;

/**
 * Encode: the fields in the order of the struct, then MESSAGE-INTEGRITY-SHA256 (when there is a key), then FINGERPRINT. key is NULL for messages before keys
 * exist. E_SPACE, E_CRYPTO, E_RANGE (a length, a channel number or an error code that cannot be).
 */
thirl_error thirl_meet_message_encode(const thirl_meet_message *m, const uint8_t *key /* 32 or NULL */, uint8_t *out,
                                      size_t cap, size_t *n);
/**
 * Take the fields out of a decoded STUN message; *out is zeroed on failure. Checks no key: thirl_stun_integrity_check256 does. E_MALFORMED for any field of
 * a wrong size or value. Unknown comprehension-required attributes: E_UNSUPPORTED.
 */
thirl_error thirl_meet_message_decode(const thirl_stun_msg *in, thirl_meet_message *out);
/** Derive the keys of a registration (each side passes its own private and the other's public key). */
thirl_error thirl_meet_message_keys(const thirl_p256 *mine, const thirl_p256 *theirs, thirl_bytes nonce,
                                    const thirl_peerid *peer, thirl_meet_keys *out);
/** The bytes that the registering key signs; out holds THIRL_MEET_SIGNED_MAX; returns the length. */
enum { THIRL_MEET_SIGNED_MAX = 17 + THIRL_MEET_NONCE_MAX + 2 * THIRL_P256_PUBLIC_LEN };
size_t thirl_meet_message_signed(thirl_bytes nonce, const uint8_t server_key[THIRL_P256_PUBLIC_LEN],
                                 const uint8_t ephemeral[THIRL_P256_PUBLIC_LEN], uint8_t *out);

#endif
