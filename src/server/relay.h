/* SPDX-License-Identifier: MIT */
/*
 * Relay channels: what one peer sends on its number is held here until the other peer's connection has room, and goes out under the
 * other's number.
 *
 *        A --ChannelData 0x4000--> [ queue of end A ] --ChannelData 0x4007--> B
 *        A <--CHANNEL{credit}----   what B has pulled
 *
 * A sender may send what it has been granted and not a byte more; it is granted again what has been handed on. So a slow receiver holds up its
 * own channels and nothing else, and at most relay_memory is held and granted together: while less than half of it is in use a channel may have
 * the whole channel_buffer per direction, beyond that its share of the other half.
 *
 * A channel that is over stays until the end that did not end it has got all that was sent to it; then it is told the reason:
 *   as given by the peer that ended it; E_LOST when that peer's connection is gone, E_PEER_CLOSED when it has signed off, E_RESET when a
 *   new CONNECT of the same session took the channel's place, E_LIMIT when it sent more than it had been granted, E_NOMEM.
 */
#ifndef THIRL_SERVER_RELAY_H
#define THIRL_SERVER_RELAY_H

#include "server/registry.h"

enum {
  THIRL_SERVER_RELAY_TURN =
      16384, /* bytes of one channel before it is another's turn; also the largest ChannelData sent */
  THIRL_SERVER_RELAY_FLOOR = 1024 /* bytes of credit that a channel has at least, per direction */
};

/** A fresh channel, as each of its two ends sees it. */
typedef struct thirl_server_opening {
  uint16_t number[2];
  uint32_t credit[2];
} thirl_server_opening;

/** A channel between a (index 0) and b (index 1). E_LIMIT: too many, in all or of one of the two, or no memory to grant. E_NOMEM. */
thirl_error thirl_server_relay_open(thirl_server_context *ctx, thirl_server_peer *a, thirl_server_peer *b,
                                    const uint8_t session[THIRL_MEET_SESSION_ID_LEN], thirl_server_opening *out);
/** End the channel of this session between these two, if there is one. */
void thirl_server_relay_replace(thirl_server_context *ctx, thirl_server_peer *a, const thirl_server_peer *b,
                                const uint8_t session[THIRL_MEET_SESSION_ID_LEN]);
/** p has sent payload on this number. Unknown numbers and channels that are over: dropped. */
void thirl_server_relay_data(thirl_server_context *ctx, thirl_server_peer *p, uint16_t number, thirl_bytes payload);
/** p has ended this channel. Unknown numbers: ignored. */
void thirl_server_relay_end(thirl_server_context *ctx, thirl_server_peer *p, uint16_t number, thirl_error reason);
/** p is going: none of its channels knows it any more. With say_so p itself is told, without what was still to be handed to it. */
void thirl_server_relay_drop(thirl_server_context *ctx, thirl_server_peer *p, thirl_error reason, bool say_so);

/**
 * One turn of handing p what is its: a credit message among its control messages, or one ChannelData message into buf. False: nothing there, or
 * cap too small to be worth a message. With must, a cap of any size gets on: a small message goes through the control messages.
 */
bool thirl_server_relay_next(thirl_server_context *ctx, thirl_server_peer *p, uint8_t *buf, size_t cap, bool must,
                             size_t *n);

/** Recount what the channels of p hold, for thirl_server_is_consistent: adds to the two sums what its own ends have sent. False when a list is wrong. */
bool thirl_server_relay_audit(const thirl_server_peer *p, uint64_t *ends, uint64_t *buffered, uint64_t *reserved);

#endif
