/* SPDX-License-Identifier: MIT */
/*
 * Who is registered: one peer per id, with the keys of its connection, what it has left here (its standing offer and the checks of its
 * tickets), and the lists of its channels. How it came to be registered is register.c's business, what the channels do relay.c's.
 */
#ifndef THIRL_SERVER_REGISTRY_H
#define THIRL_SERVER_REGISTRY_H

#include "base/map.h"
#include "meet/message.h"
#include "server/conn.h"

typedef struct thirl_server_peer {
  thirl_peerid id;
  uint32_t rtt_us; /* round trip between the peer and us; 0 = not known */
  thirl_server_conn *conn;
  thirl_meet_keys keys;
  uint64_t received, sent; /* the counters of the last message in either direction */
  uint8_t *offer;          /* standing, encoded; NULL: none */
  uint8_t (*checks)[THIRL_MEET_CHECK_LEN];
  uint16_t offer_n;
  uint8_t n_checks;
  uint16_t next_number; /* of a channel; counted up, so that none comes again before all others */
  uint16_t n_channels;
  thirl_server_budget connects;
  thirl_list channels; /* relay.c: all ends of this peer */
  thirl_list ready;    /* of them: something is to be handed to the peer */
  thirl_list due;      /* of them: credit is to be given to the peer */
} thirl_server_peer;

typedef struct thirl_server_registry {
  thirl_map by_id;
} thirl_server_registry;

void thirl_server_registry_init(thirl_server_registry *r, const thirl_secrets *secrets);
/** Frees every peer. */
void thirl_server_registry_fini(thirl_server_registry *r);

/** A new peer on this connection. The older one of the same id, if any, leaves the table: *replaced is to be taken apart by the caller. E_LIMIT, E_NOMEM. */
thirl_error thirl_server_registry_add(thirl_server_registry *r, thirl_server_context *ctx, thirl_server_conn *conn,
                                      const thirl_peerid *id, const thirl_meet_keys *keys, thirl_server_peer **out,
                                      thirl_server_peer **replaced);
/** Takes it out, wipes and frees it. It must have no channel any more. */
void thirl_server_registry_remove(thirl_server_registry *r, thirl_server_context *ctx, thirl_server_peer *p);
thirl_server_peer *thirl_server_registry_find(const thirl_server_registry *r, const thirl_peerid *id);

/** Replace what the message carries of offer and checks; an empty one takes it back, an absent one leaves it. E_NOMEM leaves both. */
thirl_error thirl_server_registry_set_standing(thirl_server_peer *p, const thirl_meet_message *m);
/** Is this one of the checks that p has left? Takes the same time whatever p is, also for NULL. */
bool thirl_server_registry_has_check(const thirl_server_peer *p, const uint8_t check[THIRL_MEET_CHECK_LEN]);

/** Is this message from p, and new? E_INTEGRITY: wrong or no MAC. E_REPLAY: the counter did not grow. */
thirl_error thirl_server_registry_authenticate(thirl_server_peer *p, const thirl_stun_msg *in,
                                               const thirl_meet_message *m);
/** Send a message to p, with the next counter and under its key. What cannot be sent ends the connection (thirl_server_conn_send). */
void thirl_server_registry_send(thirl_server_context *ctx, thirl_server_peer *p, thirl_meet_message *m);

#endif
