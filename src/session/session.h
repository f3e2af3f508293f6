/* SPDX-License-Identifier: MIT */
/*
 * One session with one peer: a stream, up to two paths (a relay channel and a direct connection), which of them carries the stream, and when the
 * session is over. It knows no sockets, no server and no ICE: the endpoint tells it that a channel or a link is there or gone, and asks whether
 * a new round (CONNECT, OFFER, GO) is wanted.
 */
#ifndef THIRL_SESSION_SESSION_H
#define THIRL_SESSION_SESSION_H

#include "base/addr.h"
#include "base/rand.h"
#include "session/path.h"
#include "session/reason.h"
#include "session/round.h"

/** What the caller allows. Zeroed is the default everywhere. */
typedef struct thirl_session_policy {
  bool direct_only;        /* no stream byte through the relay; E_ONLY_RELAY when no direct path is found */
  bool relay_only;         /* no address is shown to the peer, nothing is punched */
  thirl_time dial_timeout; /* until the first path is usable; 0 = 30 s */
  thirl_time lost_after;   /* how long a stream waits without any path; 0 = 60 s */
  size_t window;           /* bytes in flight at most, a power of two >= 32768; 0 = 4 MiB */
} thirl_session_policy;

typedef enum thirl_session_route {
  THIRL_SESSION_NO_PATH,
  THIRL_SESSION_RELAY,
  THIRL_SESSION_DIRECT
} thirl_session_route;

typedef enum thirl_session_event_kind {
  THIRL_SESSION_UP,   /* the stream is usable for the first time; the peer's key is proven */
  THIRL_SESSION_PATH, /* route changed, or the reason for being relayed became known: route, error, remote */
  THIRL_SESSION_CONFIRMED, /* a direct connection leads to somebody who knows the secrets of this round (no key is proven yet): remote, since_go */
  THIRL_SESSION_STRANGER, /* somebody without the key answered at remote: error tells how it showed */
  THIRL_SESSION_FINISHED, /* both directions are complete */
  THIRL_SESSION_FAILED    /* error */
} thirl_session_event_kind;

typedef struct thirl_session_event {
  thirl_session_event_kind kind;
  thirl_session_route route;
  thirl_error error; /* of PATH with route RELAY: why not direct; OK = not known yet (punching is under way) */
  thirl_addr remote;
  thirl_time
      since_go; /* PATH with route DIRECT: time since the GO of its round. CONFIRMED: when the connection came up */
  uint64_t relayed, direct; /* FINISHED and FAILED: stream bytes by kind of path, both directions together */
} thirl_session_event;

enum { THIRL_SESSION_EVENTS_MAX = 16 };

typedef enum thirl_session_state {
  THIRL_SESSION_STATE_OPENING, /* no path was ever usable */
  THIRL_SESSION_STATE_OPEN,
  THIRL_SESSION_STATE_CLOSING, /* all is delivered both ways; BYE is said, the peer's is awaited */
  THIRL_SESSION_STATE_OVER     /* FINISHED or FAILED was said; nothing happens any more */
} thirl_session_state;

typedef struct thirl_session {
  bool is_dialer;
  thirl_peerid peer;
  uint8_t id[THIRL_SESSION_ID_LEN];
  thirl_session_policy policy;
  thirl_secure_tls_context *tls; /* borrowed */
  thirl_session_state state;
  thirl_session_stream stream;
  thirl_session_path relay, direct;
  thirl_session_path next_relay; /* its first flight is on the way with the round's CONNECT */
  thirl_session_route route;
  thirl_time born, pathless_since, ack_since, bye_at, go_at;
  thirl_addr remote;                             /* of the direct path */
  thirl_error relay_reason;                      /* why the stream is not direct; OK: not known yet */
  thirl_session_findings ours, theirs, reported; /* reported: what the peer was told of ours on this path */
  bool doubts_heard;                             /* in this round */
  thirl_error last_error;                        /* what a failure will be called */
  bool bye_said, bye_heard, punching, knows_incarnation;
  bool relay_was_ended; /* by the peer, which must still say on the direct path whether all was well */
  bool is_prospect;     /* the direct path is not confirmed by ICE yet */
  uint64_t incarnation, peer_incarnation; /* a peer that has begun anew cannot go on with this stream */
  thirl_session_round round;              /* on the dialer */
  bool was_direct;
  thirl_session_route told_route;
  thirl_error told_reason;            /* of the last PATH event */
  thirl_session_route sender, former; /* whose what was sent last is, and what was sent before it */
  uint64_t relayed_in, relayed_out, direct_in, direct_out; /* stream bytes of paths that are gone, modulo 2^64 */
  thirl_dice dice;
  thirl_session_event events[THIRL_SESSION_EVENTS_MAX];
  size_t n_events, events_lost;
} thirl_session;

/** id: fresh for a dialer, the OFFER's for a listener. E_INVALID for a bad policy. */
thirl_error thirl_session_init(thirl_session *s, thirl_time now, bool is_dialer, const thirl_peerid *peer,
                               const uint8_t id[THIRL_SESSION_ID_LEN], const thirl_session_policy *policy,
                               thirl_secure_tls_context *tls, uint64_t dice_seed);
void thirl_session_fini(thirl_session *s);

/* ---- what the endpoint tells ---- */
/**
 * Dialer: a round is about to ask for a relay channel. Its first bytes, which go along with the question: the handshake has begun when the
 * channel is there. 0: none, the channel carries them itself.
 */
size_t thirl_session_relay_prepare(thirl_session *s, thirl_time now, uint8_t *buf, size_t cap);
/** A relay channel is there (it replaces an older one). */
thirl_error thirl_session_relay_up(thirl_session *s, thirl_time now);
/** E_PEER_CLOSED: the peer has ended the session. E_ONLY_RELAY: it wants no relay. OK: another channel comes. */
void thirl_session_relay_down(thirl_session *s, thirl_time now, thirl_error why);
/** Any failure of the path inside is dealt with in here. False: the channel is of no more use, end it. */
bool thirl_session_relay_input(thirl_session *s, thirl_time now, thirl_bytes in);
/** ICE has selected a connection. */
thirl_error thirl_session_direct_up(thirl_session *s, thirl_time now, const thirl_addr *remote);
/**
 * ICE is about to select a connection, and what only the peer can use may go out over it: our first flight of TLS. Nothing is taken
 * from it before it is confirmed. Withdrawn: it came to nothing, and nothing has happened.
 */
thirl_error thirl_session_direct_prospect(thirl_session *s, thirl_time now, const thirl_addr *remote);
void thirl_session_direct_confirmed(thirl_session *s);
void thirl_session_direct_withdrawn(thirl_session *s);
/** OK: another round of punching begins. */
void thirl_session_direct_down(thirl_session *s, thirl_time now, thirl_error why);
bool thirl_session_direct_input(thirl_session *s, thirl_time now, thirl_bytes in);
/** A round's punching began (GO at this time), or ended without a direct path for this reason. */
void thirl_session_punch_started(thirl_session *s, thirl_time go_at);
void thirl_session_punch_failed(thirl_session *s, thirl_time now, thirl_error why);
/** A round without punching: there is a direct path, or one of the two shows no address. */
void thirl_session_punch_omitted(thirl_session *s);
/** A connection is known to lead to the peer, or somebody whom it told its secrets; it came up at this time. */
void thirl_session_confirmed(thirl_session *s, thirl_time up_at, const thirl_addr *remote);
void thirl_session_stranger(thirl_session *s, const thirl_addr *remote, thirl_error how);
/** What is known of our own NAT now. */
void thirl_session_mapping_is(thirl_session *s, thirl_time now, thirl_session_mapping mapping);
/** When it should be asked what our NAT does: punching takes so long that it will have to be explained. NEVER: not in this round. */
thirl_time thirl_session_doubts_at(const thirl_session *s);
void thirl_session_doubts_heard(thirl_session *s);
/** A CONNECT went out; it came back with a channel (OK) or not. */
void thirl_session_begin_round(thirl_session *s, thirl_time now);
void thirl_session_end_round(thirl_session *s, thirl_time now, thirl_error e);
/** The control connection is there again: what waited for it need not wait longer. */
void thirl_session_hurry_round(thirl_session *s, thirl_time now);

/* ---- what the endpoint asks ---- */
bool thirl_session_wants_round(const thirl_session *s, thirl_time now);
/** Should the next round punch, or only get a new relay channel? */
bool thirl_session_wants_punch(const thirl_session *s);
bool thirl_session_relay_wants_pull(thirl_session *s);
bool thirl_session_direct_wants_pull(thirl_session *s);
size_t thirl_session_relay_pull(thirl_session *s, uint8_t *buf, size_t cap);
size_t thirl_session_direct_pull(thirl_session *s, uint8_t *buf, size_t cap);
/** Derive everything that follows from the state and the time. Call after every input and every use of the stream. */
void thirl_session_evaluate(thirl_session *s, thirl_time now);
thirl_time thirl_session_deadline(const thirl_session *s);
/** When the next round is wanted; a matter of its own, since it may have to wait for the server. */
thirl_time thirl_session_next_round(const thirl_session *s);
bool thirl_session_next_event(thirl_session *s, thirl_session_event *ev);
/** The caller gives up: BYE with this reason goes out on the way, then FAILED(E_PEER_CLOSED at the other side). */
void thirl_session_abandon(thirl_session *s, thirl_time now, thirl_error reason);

/**
 * Stream bytes by kind of path, both directions together, each byte once: what arrived by the path that brought it first, what was sent by the last
 * that took it before it was acknowledged. When the session has finished, the sum is the length of both directions.
 */
void thirl_session_moved(const thirl_session *s, uint64_t *relayed, uint64_t *direct);

#endif
