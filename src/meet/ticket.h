/* SPDX-License-Identifier: MIT */
/*
 * A ticket: where a peer can be met, who it is, and a secret that proves the right to reach it. One line of text for people and machines:
 * "thirl1" and base 32 with a checksum, one word that a double click selects (ticket.c has the picture). Three values come out of the secret, so that nobody learns more than it needs:
 *
 *   proof  = HKDF(secret, "thirl ticket proof")   shown by the dialer to the server
 *   check  = SHA-256(proof), 16 bytes             left at the server by the listener
 *   key    = HKDF(secret, "thirl ticket key")     known to the two peers only: MACs the offer
 */
#ifndef THIRL_MEET_TICKET_H
#define THIRL_MEET_TICKET_H

#include "base/bytes.h"
#include "base/peerid.h"
#include "base/rand.h"

enum {
  THIRL_MEET_SECRET_LEN = 16,
  THIRL_MEET_PROOF_LEN = 16,
  THIRL_MEET_CHECK_LEN = 16,
  THIRL_MEET_MAC_LEN = 32,
  THIRL_MEET_HOST_MAX = 100, /* characters of a server's name or address */
  THIRL_MEET_TICKET_TEXT_MAX = 320
};

typedef struct thirl_meet_ticket {
  char host[THIRL_MEET_HOST_MAX + 1];
  uint16_t port;
  thirl_peerid peer;
  uint8_t secret[THIRL_MEET_SECRET_LEN];
} thirl_meet_ticket;

/**
 * A fresh secret. host is a name (letters, digits, "-", ".", "_") or an IPv4 or IPv6 address without brackets. E_RANGE for an empty or overlong
 * host, or port 0; E_SYNTAX for a host of other characters.
 */
thirl_error thirl_meet_ticket_make(const thirl_secrets *s, const char *host, uint16_t port, const thirl_peerid *me,
                                   thirl_meet_ticket *out);
/** out holds THIRL_MEET_TICKET_TEXT_MAX. The errors of make, E_CRYPTO. The text is a secret. */
thirl_error thirl_meet_ticket_format(const thirl_meet_ticket *t, char *out);
/** Any text. Surrounding white space, case and hyphens do not matter. E_SYNTAX, E_CHECKSUM, E_UNSUPPORTED (a later version), E_CRYPTO. */
thirl_error thirl_meet_ticket_parse(const char *text, thirl_meet_ticket *out);
thirl_error thirl_meet_ticket_proof(const thirl_meet_ticket *t, uint8_t out[THIRL_MEET_PROOF_LEN]);
thirl_error thirl_meet_ticket_check(const uint8_t proof[THIRL_MEET_PROOF_LEN], uint8_t out[THIRL_MEET_CHECK_LEN]);
/** HMAC-SHA256 under key over: label, dialer's id, listener's id, session id (16), encoded offer. */
thirl_error thirl_meet_ticket_mac(const thirl_meet_ticket *t, const thirl_peerid *dialer, thirl_bytes session_id,
                                  thirl_bytes offer, uint8_t out[THIRL_MEET_MAC_LEN]);

#endif
