/* SPDX-License-Identifier: MIT */
/*
 * One table of every STUN method and attribute that thirl speaks, the standard ones and our own, with their numbers. No code.
 *
 * Our own methods lie in 0x80-0xFF and our own attributes in 0x4000-0x7FFF (comprehension-required) and 0xC000-0xFFFF
 * (comprehension-optional): the ranges that RFC 8489 section 18 leaves to designated experts.
 */
#ifndef THIRL_STUN_ATTR_H
#define THIRL_STUN_ATTR_H

/* X(name, number, who) */
#define THIRL_STUN_METHODS(X)                                                                                          \
  X(BINDING, 0x001, "RFC 8489")                                                                                        \
  X(ALLOCATE, 0x003, "RFC 8656")                                                                                       \
  X(REFRESH, 0x004, "RFC 8656")                                                                                        \
  X(SEND, 0x006, "RFC 8656")                                                                                           \
  X(DATA, 0x007, "RFC 8656")                                                                                           \
  X(CREATE_PERMISSION, 0x008, "RFC 8656")                                                                              \
  X(CHANNEL_BIND, 0x009, "RFC 8656")                                                                                   \
  X(THIRL_REGISTER, 0x0d1, "request: a key registers; 401 carries the challenge")                                      \
  X(THIRL_UPDATE, 0x0d2, "request: refresh a registration, leave new credentials or tickets; MAC only")                \
  X(THIRL_CONNECT, 0x0d3, "request: reach a peer, with a proof of its ticket")                                         \
  X(THIRL_OFFER, 0x0d4, "indication from the server: somebody reaches you, and GO")                                    \
  X(THIRL_CHANNEL, 0x0d5, "indication: credit for, or the end of, a relay channel")                                    \
  X(THIRL_DRAIN, 0x0d6, "indication from the server: it is about to stop")

/* X(name, number, kind, remark). kind: the C function of stun/ that reads and writes the value. */
#define THIRL_STUN_ATTRS(X)                                                                                            \
  X(MAPPED_ADDRESS, 0x0001, addr, "RFC 8489")                                                                          \
  X(CHANGE_REQUEST, 0x0003, u32, "RFC 5780")                                                                           \
  X(USERNAME, 0x0006, bytes, "RFC 8489")                                                                               \
  X(MESSAGE_INTEGRITY, 0x0008, integrity, "RFC 8489")                                                                  \
  X(ERROR_CODE, 0x0009, error, "RFC 8489")                                                                             \
  X(UNKNOWN_ATTRIBUTES, 0x000a, list, "RFC 8489")                                                                      \
  X(CHANNEL_NUMBER, 0x000c, u32, "RFC 8656")                                                                           \
  X(LIFETIME, 0x000d, u32, "RFC 8656, seconds")                                                                        \
  X(XOR_PEER_ADDRESS, 0x0012, xor_addr, "RFC 8656")                                                                    \
  X(DATA, 0x0013, bytes, "RFC 8656")                                                                                   \
  X(REALM, 0x0014, bytes, "RFC 8489")                                                                                  \
  X(NONCE, 0x0015, bytes, "RFC 8489")                                                                                  \
  X(XOR_RELAYED_ADDRESS, 0x0016, xor_addr, "RFC 8656")                                                                 \
  X(REQUESTED_TRANSPORT, 0x0019, u32, "RFC 8656")                                                                      \
  X(MESSAGE_INTEGRITY_SHA256, 0x001c, integrity, "RFC 8489")                                                           \
  X(PASSWORD_ALGORITHM, 0x001d, bytes, "RFC 8489")                                                                     \
  X(USERHASH, 0x001e, bytes, "RFC 8489")                                                                               \
  X(XOR_MAPPED_ADDRESS, 0x0020, xor_addr, "RFC 8489")                                                                  \
  X(PRIORITY, 0x0024, u32, "RFC 8445")                                                                                 \
  X(USE_CANDIDATE, 0x0025, flag, "RFC 8445")                                                                           \
  X(PADDING, 0x0026, bytes, "RFC 5780")                                                                                \
  X(RESPONSE_PORT, 0x0027, u16, "RFC 5780")                                                                            \
  X(PASSWORD_ALGORITHMS, 0x8002, bytes, "RFC 8489")                                                                    \
  X(ALTERNATE_DOMAIN, 0x8003, bytes, "RFC 8489")                                                                       \
  X(SOFTWARE, 0x8022, bytes, "RFC 8489")                                                                               \
  X(ALTERNATE_SERVER, 0x8023, addr, "RFC 8489")                                                                        \
  X(FINGERPRINT, 0x8028, fingerprint, "RFC 8489")                                                                      \
  X(ICE_CONTROLLED, 0x8029, u64, "RFC 8445")                                                                           \
  X(ICE_CONTROLLING, 0x802a, u64, "RFC 8445")                                                                          \
  X(RESPONSE_ORIGIN, 0x802b, addr, "RFC 5780")                                                                         \
  X(OTHER_ADDRESS, 0x802c, addr, "RFC 5780")                                                                           \
  X(THIRL_PUBLIC_KEY, 0x7e01, bytes, "65: the registering peer's P-256 point")                                         \
  X(THIRL_EPHEMERAL_KEY, 0x7e02, bytes, "65: a P-256 point for one key agreement")                                     \
  X(THIRL_SIGNATURE, 0x7e03, bytes, "DER ECDSA over label, nonce, server key, ephemeral key and body hash")            \
  X(THIRL_PEER_ID, 0x7e04, bytes, "20: whom it is about")                                                              \
  X(THIRL_SESSION_ID, 0x7e05, bytes, "16: which session between two peers")                                            \
  X(THIRL_OFFER, 0x7e06, bytes, "an encoded offer: credentials and candidates (meet/offer.h)")                         \
  X(THIRL_OFFER_MAC, 0x7e07, bytes,                                                                                    \
    "32: proof from one ticket holder to the other that the server did not write the offer")                           \
  X(THIRL_TICKET_CHECK, 0x7e08, bytes, "16 each: what the server compares a ticket proof with")                        \
  X(THIRL_TICKET_PROOF, 0x7e09, bytes, "16: what a ticket holder shows the server")                                    \
  X(THIRL_FIRE_IN, 0x7e0a, u32, "microseconds from receipt to GO")                                                     \
  X(THIRL_CREDIT, 0x7e0b, u32, "bytes that may be sent on a relay channel beyond those granted before")                \
  X(THIRL_COUNTER, 0x7e0c, u64, "grows by one with every authenticated message in one direction")                      \
  X(THIRL_REASON, 0xfe01, u32, "a thirl_error: why a channel ended")                                                   \
  X(THIRL_RTT, 0xfe02, u32, "microseconds: the round trip that the sender measured to the server")                     \
  X(THIRL_OTHER_PORT, 0xfe03, u16,                                                                                     \
    "in a Binding request (0): I know servers with one address; in the answer: another port of this address")          \
  X(THIRL_PROBE, 0xfe04, u32,                                                                                          \
    "a thirl_error: what became of the connection that CHANGE-REQUEST over TCP asked for (server/probe.h)")

enum {
#define X(name, number, who) THIRL_STUN_METHOD_##name = number,
  THIRL_STUN_METHODS(X)
#undef X
};

enum {
#define X(name, number, kind, remark) THIRL_STUN_ATTR_##name = number,
  THIRL_STUN_ATTRS(X)
#undef X
};

#endif
