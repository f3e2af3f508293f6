/* SPDX-License-Identifier: MIT */
/* The words of tune: for whom the machine is judged, how bad a finding is, why a fact is not known, whose setting it is. words.c gives them out. */
#ifndef THIRL_TUNE_TERMS_H
#define THIRL_TUNE_TERMS_H

/* X(name, word, sentence) */
#define THIRL_TUNE_PROFILES(X)                                                                                         \
  X(SERVER, "server", "a rendezvous server for a million peers")                                                       \
  X(ROUTER, "router", "a router that translates addresses for others")                                                 \
  X(CLIENT, "client", "a machine that connects to peers")

/** The order is that of the exit code: the worst is the largest. UNKNOWN is no verdict. */
#define THIRL_TUNE_LEVELS(X)                                                                                           \
  X(UNKNOWN, "unknown", "could not be looked at")                                                                      \
  X(OK, "ok", "nothing to say")                                                                                        \
  X(INFO, "info", "worth knowing")                                                                                     \
  X(WARN, "warn", "will hurt, or hurts a little")                                                                      \
  X(CRIT, "crit", "broken, or will break under the load that was asked about")

/** What kind of statement it is: a counter moved while we looked, a computed end, or a setting as it stands. */
#define THIRL_TUNE_TENSES(X)                                                                                           \
  X(SETTING, "setting", "as it is set")                                                                                \
  X(NOW, "now", "broken now")                                                                                          \
  X(LATER, "later", "will break")

/** Why a fact is not known. READ: it is. */
#define THIRL_TUNE_WHYS(X)                                                                                             \
  X(NOT_LOOKED, "not-looked-at", "it was not looked at")                                                               \
  X(READ, "", "")                                                                                                      \
  X(NOT_IN_KERNEL, "not-in-kernel", "this kernel does not have it")                                                    \
  X(NOT_IN_NAMESPACE, "not-in-namespace", "it is not shown in this network namespace: it belongs to the host")         \
  X(NOT_LOADED, "not-loaded", "its kernel module is not loaded")                                                       \
  X(NOT_PERMITTED, "not-permitted", "we have no permission to read it")                                                \
  X(NO_TOOL, "no-tool", "the program that reads it is not installed")                                                  \
  X(NO_SUBJECT, "no-process", "no process was named (--pid) and no thirld that we may look into runs here")            \
  X(NO_SUCH, "none-here", "there is no such thing here")                                                               \
  X(MALFORMED, "malformed", "it was read but not understood")                                                          \
  X(ONE_SAMPLE, "one-sample", "it must be seen twice, and was seen once")                                              \
  X(TOO_MANY, "too-many", "there is more of it than we look at")                                                       \
  X(ELSEWHERE, "measured-elsewhere", "\"thirl nat\" measures it")

/** Whose setting it is: where the fix has to be made. */
#define THIRL_TUNE_SCOPES(X)                                                                                           \
  X(PROCESS, "process", "this process")                                                                                \
  X(NETNS, "namespace", "this network namespace")                                                                      \
  X(HOST, "host", "the host")                                                                                          \
  X(NETWORK, "network", "another machine of the network")

#define THIRL_TUNE_PROFILE_ENUM(name, word, sentence) THIRL_TUNE_##name,
#define THIRL_TUNE_LEVEL_ENUM(name, word, sentence)   THIRL_TUNE_LEVEL_##name,
#define THIRL_TUNE_TENSE_ENUM(name, word, sentence)   THIRL_TUNE_TENSE_##name,
#define THIRL_TUNE_WHY_ENUM(name, word, sentence)     THIRL_TUNE_WHY_##name,
#define THIRL_TUNE_SCOPE_ENUM(name, word, sentence)   THIRL_TUNE_SCOPE_##name,

typedef enum thirl_tune_profile {
  THIRL_TUNE_PROFILES(THIRL_TUNE_PROFILE_ENUM) THIRL_TUNE_PROFILE_COUNT
} thirl_tune_profile;
typedef enum thirl_tune_level { THIRL_TUNE_LEVELS(THIRL_TUNE_LEVEL_ENUM) THIRL_TUNE_LEVEL_COUNT } thirl_tune_level;
typedef enum thirl_tune_tense { THIRL_TUNE_TENSES(THIRL_TUNE_TENSE_ENUM) THIRL_TUNE_TENSE_COUNT } thirl_tune_tense;
typedef enum thirl_tune_why { THIRL_TUNE_WHYS(THIRL_TUNE_WHY_ENUM) THIRL_TUNE_WHY_COUNT } thirl_tune_why;
typedef enum thirl_tune_scope { THIRL_TUNE_SCOPES(THIRL_TUNE_SCOPE_ENUM) THIRL_TUNE_SCOPE_COUNT } thirl_tune_scope;

/* Masks of profiles, for the catalogue. */
enum {
  THIRL_TUNE_S = 1 << THIRL_TUNE_SERVER,
  THIRL_TUNE_R = 1 << THIRL_TUNE_ROUTER,
  THIRL_TUNE_C = 1 << THIRL_TUNE_CLIENT,
  THIRL_TUNE_ALL = THIRL_TUNE_S | THIRL_TUNE_R | THIRL_TUNE_C
};

#endif
