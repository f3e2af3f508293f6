/* SPDX-License-Identifier: MIT */
/*
 * Who is registered: a peer per connection, with the keys of that connection, what it has left here (its standing offer and the checks of its
 * tickets), and the lists of its channels. One id may be registered several times: the terminals and machines of one user. How a peer came to be
 * registered is register.c's business, what the channels do relay.c's.
 */
#ifndef THIRL_SERVER_REGISTRY_H
#define THIRL_SERVER_REGISTRY_H

#include "base/map.h"
#include "meet/message.h"
#include "server/conn.h"

typedef struct thirl_server_peer {
  struct thirl_server_peer *next; /* of the same id, registered before this one */
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
  thirl_map by_id; /* the newest of each id */
} thirl_server_registry;

void thirl_server_registry_init(thirl_server_registry *r, const thirl_secrets *secrets);
/** Frees every peer. */
void thirl_server_registry_fini(thirl_server_registry *r);

/** Who registers: on which connection, under which keys, with the offer and the checks of m. */
typedef struct thirl_server_newcomer {
  thirl_server_conn *conn;
  const thirl_peerid *id;
  const thirl_meet_keys *keys;
  const thirl_meet_message *m;
} thirl_server_newcomer;

/**
 * A new peer. Older ones of the same id stay, but for those that have left a check which the new one leaves too: a ticket has one holder, who has
 * come again over another connection. When the id has max_registrations_per_peer and one of them has not been heard of for two thirds of the idle
 * time-out, which no living client lets pass, the one that is silent longest goes as well.
 *
 * *replaced  those that go, linked by next, or NULL: they have left the table, and are to be taken apart by the caller
 *
 * E_LIMIT (of all, or of this id), E_NOMEM: nothing is changed.
 */
thirl_error thirl_server_registry_add(thirl_server_registry *r, thirl_server_context *ctx,
                                      const thirl_server_newcomer *who, thirl_server_peer **out,
                                      thirl_server_peer **replaced);
/** Takes it out, wipes and frees it. It must have no channel any more. */
void thirl_server_registry_remove(thirl_server_registry *r, thirl_server_context *ctx, thirl_server_peer *p);
/** The newest of this id, which next leads on from, or NULL. */
thirl_server_peer *thirl_server_registry_find(const thirl_server_registry *r, const thirl_peerid *id);
/**
 * The newest of this id that has left this check and an offer and is not asker, or NULL. Takes the same time whoever is registered: nobody learns
 * from it who is.
 */
thirl_server_peer *thirl_server_registry_match(const thirl_server_registry *r, const thirl_server_context *ctx,
                                               const thirl_peerid *id, const uint8_t check[THIRL_MEET_CHECK_LEN],
                                               const thirl_server_peer *asker);
/** Walks all: start with *at = 0 and before = NULL; NULL at the end. Nobody may come or go meanwhile. */
thirl_server_peer *thirl_server_registry_each(const thirl_server_registry *r, size_t *at,
                                              const thirl_server_peer *before);

/** Replace what the message carries of offer and checks; an empty one takes it back, an absent one leaves it. E_NOMEM leaves both. */
thirl_error thirl_server_registry_set_standing(thirl_server_peer *p, const thirl_meet_message *m);

/** Is this message from p, and new? E_INTEGRITY: wrong or no MAC. E_REPLAY: the counter did not grow. */
thirl_error thirl_server_registry_authenticate(thirl_server_peer *p, const thirl_stun_msg *in,
                                               const thirl_meet_message *m);
/** Send a message to p, with the next counter and under its key. What cannot be sent ends the connection (thirl_server_conn_send). */
void thirl_server_registry_send(thirl_server_context *ctx, thirl_server_peer *p, thirl_meet_message *m);

#endif
