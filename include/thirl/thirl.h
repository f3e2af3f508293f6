/* SPDX-License-Identifier: MIT */
/*
 * libthirl: an encrypted byte stream to a peer that is named by its public key, wherever the peer is.
 *
 * Two ways to use it, each complete:
 *
 *   blocking   thirl_dial() / thirl_listen() + thirl_accept() give a connection with a real file descriptor: read, write, poll, shutdown as
 *              on any socket. A thread of the library's own does the work behind it.
 *   event loop thirl_context_new() gives one file descriptor to poll and thirl_context_process() to call; no thread, no callback.
 *              (Only the name of a server, when it is not an address, is looked up on a thread.)
 *
 * A ticket (one line of text) says where a peer can be met and proves the right to reach it: treat it like a password.
 *
 * Every function that can fail returns a thirl_error; thirl_error_text() says it in a sentence, thirl_explain() and thirl_context_explain() in
 * more words. Handles are not thread-safe, except where a function says so: one thread at a time for each of them. Nothing here installs
 * signal handlers or changes global state.
 */
#ifndef THIRL_THIRL_H
#define THIRL_THIRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "thirl/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define THIRL_VERSION "0.1.0"

#if defined(__GNUC__)
#define THIRL_API __attribute__((visibility("default")))
#else
#define THIRL_API
#endif

enum {
  THIRL_TICKET_MAX = 320, /* characters of a ticket, NUL included */
  THIRL_PEER_MAX = 42,    /* characters of a peer id, NUL included */
  THIRL_ADDRESS_MAX = 56  /* characters of "address:port", NUL included */
};

/**
 * What the caller wants. Begin with THIRL_OPTIONS_INIT; every field left alone has its default. The strings are copied.
 */
typedef struct thirl_options {
  size_t size; /* sizeof(thirl_options) of the caller: set by THIRL_OPTIONS_INIT */
  const char *
      server; /* "host", "host:port" or "[v6]:port" of the rendezvous server; listeners only (a ticket names it). NULL: $THIRL_SERVER */
  const char *identity;   /* file of the private key; NULL: $XDG_CONFIG_HOME/thirl/key.pem, made on first use */
  bool ephemeral;         /* a key of its own for this context, kept nowhere; identity is ignored */
  bool direct_only;       /* no byte of the stream through the relay: THIRL_E_ONLY_RELAY when no direct path is found */
  bool relay_only;        /* show no address to the peer */
  unsigned timeout_ms;    /* until the peer (thirl_listen: the server) is reached; 0 = 30000 */
  unsigned lost_after_ms; /* how long a stream waits without any path; 0 = 60000 */
  size_t window;          /* bytes in flight at most, a power of two from 32768 to 1 GiB; 0 = 4 MiB */
  unsigned max_incoming;  /* sessions at a time that ticket holders may open, at most 256; 0 = 16 */
} thirl_options;

#define THIRL_OPTIONS_INIT                                                                                             \
  { sizeof(thirl_options), NULL, NULL, false, false, false, 0, 0, 0, 0 }

/* ---- blocking ---- */

typedef struct thirl_connection thirl_connection;
typedef struct thirl_listener thirl_listener;

/**
 * Reach the ticket's peer; returns when the stream is usable (through the relay at first) or not. options may be NULL.
 *
 * E_NO_PEER         nobody was there within timeout_ms, or not for this ticket
 * E_BUSY            the peer has as many sessions as it takes (known at once): try again later if you like
 * E_NO_SERVER       the ticket's server was not reached within timeout_ms, or its name does not exist (known at once)
 * E_ONLY_RELAY      with direct_only
 * E_WRONG_KEY       somebody else answered in the peer's place; not a byte was exchanged
 * E_SYNTAX, E_CHECKSUM, E_UNSUPPORTED   not a ticket, a mistyped one, one of a later version
 * E_SELF            our own ticket: two ends need two keys (ephemeral is one)
 * and what thirl_context_new says
 */
THIRL_API thirl_error thirl_dial(const thirl_options *options, const char *ticket, thirl_connection **out);
/**
 * Register at options->server and make a ticket (THIRL_TICKET_MAX characters). Returns when the server knows us: E_NO_SERVER when it does not within
 * timeout_ms, or at once when its name does not exist. Later losses of the server are repaired without a word.
 */
THIRL_API thirl_error thirl_listen(const thirl_options *options, thirl_listener **out, char *ticket);
/** Wait for the next peer. timeout_ms < 0: for ever; E_TIMEOUT. May be called while connections accepted before are in use. */
THIRL_API thirl_error thirl_accept(thirl_listener *l, int timeout_ms, thirl_connection **out);
/** Stop listening; connections accepted before live on, those that nobody has accepted end. NULL is allowed. */
THIRL_API void thirl_listener_close(thirl_listener *l);

/**
 * A stream socket: read, write, poll, shutdown(SHUT_WR) for half-close. Owned by the connection: do not close it.
 *
 * read gives 0 when the peer has ended its direction and everything was read. When the session fails, what had arrived can still be read,
 * then comes ECONNRESET; only if SHUT_WR was said before, it is 0 too: thirl_connection_close() then tells the difference.
 */
THIRL_API int thirl_connection_fd(const thirl_connection *c);
/** The peer's id, THIRL_PEER_MAX characters. */
THIRL_API void thirl_connection_peer(const thirl_connection *c, char *out);
/** Is the stream on a direct path now? Thread-safe until thirl_connection_close. */
THIRL_API bool thirl_connection_is_direct(const thirl_connection *c);
/**
 * Say the end of our direction if it was not said, wait until both directions are complete (what the peer still sends is thrown away) or linger_ms
 * have passed (< 0: as long as it takes), and free. NULL is allowed.
 *
 * OK          the peer has everything we wrote, and has itself ended
 * E_TIMEOUT   linger_ms have passed before: the session was broken off, what was not delivered is lost
 * otherwise   why the session had failed, or fails now
 */
THIRL_API thirl_error thirl_connection_close(thirl_connection *c, int linger_ms);
/** More words about the last blocking call that failed on this thread; never NULL, "" when there is no more to say. Valid until the next one. */
THIRL_API const char *thirl_explain(void);

/* ---- event loop ---- */

typedef struct thirl_context thirl_context;

/** Names a session of a context; 0 is none. Never used twice. */
typedef uint32_t thirl_session_handle;

typedef enum thirl_event_kind {
  THIRL_EVENT_REGISTERED,   /* the server knows us; address: how it sees us */
  THIRL_EVENT_UNREGISTERED, /* the server is lost (error; E_NOT_FOUND: its name does not exist; address: where it was tried, if known); it is tried again for ever */
  THIRL_EVENT_INCOMING,     /* session: a peer with a ticket comes in */
  THIRL_EVENT_UP,           /* session: its stream is usable; the peer's key is proven */
  THIRL_EVENT_PATH, /* session: direct tells which path carries it now; error: why it is relayed (OK: not known yet) */
  THIRL_EVENT_CONFIRMED, /* session: the first direct connection that leads to the peer, its key not yet proven; after_us: when it came up, since the start of punching */
  THIRL_EVENT_READABLE, /* session: thirl_read had nothing (or was not called yet), now bytes or the peer's end wait in it */
  THIRL_EVENT_WRITABLE, /* session: thirl_write had no room and has some again */
  THIRL_EVENT_STRANGER, /* session or 0: somebody without the key answered at address, or called (error) */
  THIRL_EVENT_FINISHED, /* session: both directions are complete, all was read; the handle is dead */
  THIRL_EVENT_FAILED    /* session: error; the handle is dead. Bytes that were not read are gone */
} thirl_event_kind;

typedef struct thirl_event {
  thirl_event_kind kind;
  thirl_session_handle session;
  thirl_error error;
  bool direct;
  uint64_t after_us;
  /* Of FINISHED and FAILED: stream bytes by kind of path, both directions, each once. Of FINISHED their sum is what both sides wrote. */
  uint64_t relayed_bytes, direct_bytes;
  char peer[THIRL_PEER_MAX];
  char address[THIRL_ADDRESS_MAX];
} thirl_event;

/**
 * NULL options: all defaults. Loads or makes the key. Contacts nobody yet. On failure *out is NULL, or a context that is good for
 * thirl_context_explain() and thirl_context_free() only: free it in any case.
 *
 * E_INVALID       options that exclude each other, or that were not begun with THIRL_OPTIONS_INIT
 * E_RANGE         a number in the options
 * E_UNSUPPORTED   options of a later version of this library
 * E_NOT_FOUND, E_PERMISSION, E_SYNTAX, E_IO   of the key file: thirl_context_explain() names it
 * E_NOMEM, E_LIMIT, E_CRYPTO
 */
THIRL_API thirl_error thirl_context_new(const thirl_options *options, thirl_context **out);
/** Gives up every session and ends. It may take up to 300 ms until the peers are told. NULL is allowed. */
THIRL_API void thirl_context_free(thirl_context *c);
/** Readable when thirl_context_process() has something to do. One for the life of the context. */
THIRL_API int thirl_context_fd(const thirl_context *c);
/** How long to wait at most before calling thirl_context_process(): milliseconds, -1 for ever. Ask anew before each wait. */
THIRL_API int thirl_context_timeout_ms(thirl_context *c);
/** Do what can be done without blocking. Then take the events. */
THIRL_API thirl_error thirl_context_process(thirl_context *c);
/**
 * Oldest first; READABLE and WRITABLE come behind the others. False when there is none. Take all of them: of an application that does not, in the
 * end the oldest are forgotten.
 */
THIRL_API bool thirl_context_next_event(thirl_context *c, thirl_event *out);
/** More words about the last error that a function returned or an event told; never NULL, "" when there is no more to say. Valid until the next. */
THIRL_API const char *thirl_context_explain(const thirl_context *c);
/** Our own peer id, THIRL_PEER_MAX characters. */
THIRL_API void thirl_context_peer(const thirl_context *c, char *out);

/**
 * Make a ticket (THIRL_TICKET_MAX characters) and begin to listen; ticket holders come in as INCOMING. The ticket is good soon after REGISTERED.
 *
 * E_INVALID, E_SYNTAX, E_RANGE   there is no server in the options, or it is none
 * E_UNSUPPORTED                  the context is at another server already
 * E_LIMIT                        eight tickets are the most
 */
THIRL_API thirl_error thirl_context_listen(thirl_context *c, char *ticket);
/**
 * Begin to reach the ticket's peer. UP or FAILED follows (with the errors of thirl_dial). Bytes may be written at once.
 *
 * E_SYNTAX, E_CHECKSUM, E_UNSUPPORTED, E_SELF   see thirl_dial; E_UNSUPPORTED also: the context is at another server already
 * E_LIMIT                                       256 sessions are the most
 */
THIRL_API thirl_error thirl_context_dial(thirl_context *c, const char *ticket, thirl_session_handle *out);
/**
 * Take up to n bytes, and say how many: OK with *done from 1 to n. When it is less than n, WRITABLE comes as soon as there is room again.
 *
 * E_AGAIN       no room at all, *done is 0
 * E_STATE       after thirl_finish, or the session is attached
 * E_NOT_FOUND   the handle is dead
 */
THIRL_API thirl_error thirl_write(thirl_context *c, thirl_session_handle s, const void *buf, size_t n, size_t *done);
/** Our direction ends here (half-close), behind what was written. E_NOT_FOUND, E_STATE (attached). */
THIRL_API thirl_error thirl_finish(thirl_context *c, thirl_session_handle s);
/**
 * Give up to n bytes, and say how many: OK with *done from 1 to n.
 *
 * E_AGAIN       nothing now, *done is 0: READABLE comes as soon as there is something
 * E_EOF         the peer's direction is complete, and all was read
 * E_STATE       the session is attached
 * E_NOT_FOUND   the handle is dead; after FINISHED everything had been read
 */
THIRL_API thirl_error thirl_read(thirl_context *c, thirl_session_handle s, void *buf, size_t n, size_t *done);
/** Give up: nothing more is delivered either way. FAILED(E_PEER_CLOSED) follows, here and at the peer. A dead handle is ignored. */
THIRL_API void thirl_close(thirl_context *c, thirl_session_handle s);
/**
 * Let the context move the bytes between a session and two file descriptors (which may be the same) by itself: input's end becomes the end of our
 * direction, the peer's end becomes shutdown(SHUT_WR) or close of the output. A descriptor that fails ends the session: FAILED.
 * The descriptors are taken over on success and closed when their direction ends (0, 1 and 2 are replaced by /dev/null instead).
 *
 * E_NOT_FOUND   the handle is dead
 * E_STATE       attached already
 * E_INVALID     not an open descriptor
 * E_LIMIT, E_NOMEM, E_IO
 */
THIRL_API thirl_error thirl_attach(thirl_context *c, thirl_session_handle s, int input_fd, int output_fd);

#ifdef __cplusplus
}
#endif
#endif
