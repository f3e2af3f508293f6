/* SPDX-License-Identifier: MIT */
/* Every error that thirl returns, with its class and the sentence a person reads. One list makes the enum, the names and the sentences. */
#ifndef THIRL_ERROR_H
#define THIRL_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Which of the four troubles an error is, and what it does to the exit code of a program (apps/thirl/exit.h).
 *
 * USAGE      the caller's or the user's mistake
 * ENV        the machine: memory, ports, permissions, files
 * WIRE       bytes from elsewhere that are not what they claim
 * PEER       the peer or the server said no, or is not there
 * PATH       no way through the network
 * AUTH       a key, a ticket or a signature is wrong
 */
typedef enum thirl_error_class {
  THIRL_CLASS_NONE,
  THIRL_CLASS_USAGE,
  THIRL_CLASS_ENV,
  THIRL_CLASS_WIRE,
  THIRL_CLASS_PEER,
  THIRL_CLASS_PATH,
  THIRL_CLASS_AUTH
} thirl_error_class;

/* X(name, class, sentence). The numbers are on the wire: new ones at the end. */
#define THIRL_ERRORS(X)                                                                                                \
  X(OK, NONE, "no error")                                                                                              \
  X(E_INVALID, USAGE, "an argument is not valid")                                                                      \
  X(E_STATE, USAGE, "this call is not possible in the present state")                                                  \
  X(E_RANGE, USAGE, "a number is out of its range")                                                                    \
  X(E_SYNTAX, USAGE, "the text does not follow its grammar")                                                           \
  X(E_CHECKSUM, USAGE, "the text was mistyped: its checksum is wrong")                                                 \
  X(E_UNSUPPORTED, USAGE, "this is not supported yet")                                                                 \
  X(E_SELF, USAGE, "this ticket is our own: both sides hold the same key")                                             \
  X(E_NOMEM, ENV, "out of memory")                                                                                     \
  X(E_LIMIT, ENV, "a limit is reached")                                                                                \
  X(E_SPACE, ENV, "the buffer is too small")                                                                           \
  X(E_IO, ENV, "an operation of the system failed")                                                                    \
  X(E_PERMISSION, ENV, "permission denied")                                                                            \
  X(E_IN_USE, ENV, "the address is in use")                                                                            \
  X(E_CRYPTO, ENV, "the cryptographic library failed")                                                                 \
  X(E_NOT_FOUND, ENV, "not found")                                                                                     \
  X(E_AGAIN, NONE, "not now: try again later")                                                                         \
  X(E_EOF, NONE, "the end of the stream")                                                                              \
  X(E_NOT_STUN, WIRE, "not a STUN message")                                                                            \
  X(E_MALFORMED, WIRE, "a malformed message")                                                                          \
  X(E_INTEGRITY, WIRE, "a message failed its integrity check")                                                         \
  X(E_PROTOCOL, WIRE, "the other side broke the protocol")                                                             \
  X(E_TIMEOUT, PATH, "no answer in time")                                                                              \
  X(E_REFUSED, PATH, "connection refused")                                                                             \
  X(E_RESET, PATH, "connection reset")                                                                                 \
  X(E_UNREACHABLE, PATH, "no route to the address")                                                                    \
  X(E_NO_PATH, PATH, "no path to the peer was found")                                                                  \
  X(E_ONLY_RELAY, PATH, "only a relayed path was found, and a direct one was demanded")                                \
  X(E_LOST, PATH, "every path to the peer was lost")                                                                   \
  X(E_NO_PEER, PEER, "the peer is not there, or does not want to be found")                                            \
  X(E_NO_SERVER, PEER, "the rendezvous server cannot be reached")                                                      \
  X(E_SERVER, PEER, "the rendezvous server refused")                                                                   \
  X(E_PEER_CLOSED, PEER, "the peer ended the session")                                                                 \
  X(E_WRONG_KEY, AUTH, "the other side holds a different key than the one expected")                                   \
  X(E_TICKET, AUTH, "the ticket is not, or no longer, accepted")                                                       \
  X(E_REPLAY, AUTH, "an old message was sent again")                                                                   \
  X(E_STRANGER, AUTH, "a stranger answered at the peer's address")                                                     \
  X(E_BUSY, PEER, "the peer is busy: it takes no further session now")                                                 \
  X(E_NAT_BOTH, PATH, "both NATs give every destination another port, so neither side knows where to connect to")      \
  X(E_NAT_OURS, PATH,                                                                                                  \
    "our NAT gives every destination another port, and the peer's end lets in only ports that it knows")               \
  X(E_NAT_THEIRS, PATH,                                                                                                \
    "the peer's NAT gives every destination another port, and our end lets in only ports that it knows")               \
  X(E_FIREWALL, PATH, "a firewall refused the direct connection: the NATs would have let it through")                  \
  X(E_HIDDEN, PATH, "one of the two sides shows no address, so no direct path was tried")

typedef enum thirl_error {
#define THIRL_ERROR_ENUM(name, class, sentence) THIRL_##name,
  THIRL_ERRORS(THIRL_ERROR_ENUM)
#undef THIRL_ERROR_ENUM
      THIRL_ERROR_COUNT
} thirl_error;

/** The identifier without its prefix, "E_TIMEOUT"; "?" for a number outside the list. Never NULL. */
const char *thirl_error_name(thirl_error e);

/** One sentence for a person, no capital, no full stop. Never NULL. */
const char *thirl_error_text(thirl_error e);

/** The class of an error. */
thirl_error_class thirl_error_class_of(thirl_error e);

#ifdef __cplusplus
}
#endif
#endif
