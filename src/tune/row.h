/* SPDX-License-Identifier: MIT */
/* What a row of the catalogue is, and the ids. They are stable: they are in the JSON and in scripts. */
#ifndef THIRL_TUNE_ROW_H
#define THIRL_TUNE_ROW_H

#include <stddef.h>

#include "tune/terms.h"

/* X(id). In the order of the sections; the judges of a section are in the file of its name. */
#define THIRL_TUNE_IDS_MEMORY(X) X(FD1) X(FD2) X(FD3) X(FD4) X(FD5) X(MEM1) X(MEM2) X(MEM3) X(MEM4) X(MEM5)
#define THIRL_TUNE_IDS_UDP(X)    X(UDP1) X(UDP2) X(UDP3) X(UDP4) X(UDP5) X(UDP6) X(UDP7) X(UDP8)
#define THIRL_TUNE_IDS_TCP(X)                                                                                          \
  X(TCP1)                                                                                                              \
  X(TCP2)                                                                                                              \
  X(TCP3)                                                                                                              \
  X(TCP4)                                                                                                              \
  X(TCP5)                                                                                                              \
  X(TCP6)                                                                                                              \
  X(TCP7)                                                                                                              \
  X(TCP8)                                                                                                              \
  X(TCP9)                                                                                                              \
  X(TCP10) X(TCP11) X(TCP12) X(TCP13) X(TCP14) X(TCP15) X(TCP16) X(TCP17) X(TCP18) X(TCP19) X(TCP20) X(TCP21) X(TCP22)
#define THIRL_TUNE_IDS_CONNTRACK(X)                                                                                    \
  X(CT1) X(CT2) X(CT3) X(CT4) X(CT5) X(CT6) X(CT7) X(CT8) X(CT9) X(CT10) X(CT11) X(CT12) X(CT13) X(CT14) X(CT15)
#define THIRL_TUNE_IDS_DEVICE(X)                                                                                       \
  X(IP1) X(IP2) X(IP3) X(IP4) X(IP5) X(NB1) X(NB2) X(DV1) X(DV2) X(DV3) X(DV4) X(DV5) X(DV6) X(DV7) X(DV8)
#define THIRL_TUNE_IDS_REACH(X) X(NAT1) X(NAT2) X(NAT3) X(NAT4) X(NAT5) X(NAT6) X(NAT7) X(NAT8) X(NAT9) X(NAT10)
#define THIRL_TUNE_IDS(X)                                                                                              \
  THIRL_TUNE_IDS_MEMORY(X)                                                                                             \
  THIRL_TUNE_IDS_UDP(X)                                                                                                \
  THIRL_TUNE_IDS_TCP(X) THIRL_TUNE_IDS_CONNTRACK(X) THIRL_TUNE_IDS_DEVICE(X) THIRL_TUNE_IDS_REACH(X)

#define THIRL_TUNE_ID_ENUM(id) THIRL_TUNE_##id,
/** NONE is 0, so that a zeroed row depends on nothing. */
typedef enum thirl_tune_id { THIRL_TUNE_NONE, THIRL_TUNE_IDS(THIRL_TUNE_ID_ENUM) THIRL_TUNE_ID_COUNT } thirl_tune_id;

enum { THIRL_TUNE_SETTINGS = 3, THIRL_TUNE_CAUSES = 3 };

/** A setting below /proc/sys and what it should be. Dots, as sysctl writes it. */
typedef struct thirl_tune_advice {
  const char *key, *value;
} thirl_tune_advice;

typedef struct thirl_tune_row {
  const char *word;     /* "UDP1" */
  unsigned profiles;    /* a mask: for whom it is looked at */
  const char *title;    /* what is looked at */
  const char *does;     /* what a bad state does to you: one or two sentences */
  const char *measured; /* the figure behind it, or NULL */
  /* The fix: settings, or lines of another kind; both may be there. */
  thirl_tune_advice set[THIRL_TUNE_SETTINGS];
  const char *now, *keep, *undo; /* a line for now, what makes it last, how to go back; NULL: none, or made from set */
  thirl_tune_scope scope;
  thirl_tune_id causes[THIRL_TUNE_CAUSES]; /* when one of these is found too, it is the cause and this the symptom */
} thirl_tune_row;

#endif
