/* SPDX-License-Identifier: MIT */
/*
 * Every pair of a list of NATs, and what two programs behind them could do: the plan and its results as data. No I/O; running a pair is in
 * matrix_pair.h, how results are kept in matrix_json.h, how they are shown in matrix_text.h and matrix_html.h.
 */
#ifndef THIRL_LAB_MATRIX_H
#define THIRL_LAB_MATRIX_H

#include "lab/text/words.h"

enum {
  THIRL_LAB_MATRIX_NATS_MAX = 32,
  THIRL_LAB_MATRIX_NAME_MAX = 23,   /* bytes of the name of a NAT */
  THIRL_LAB_MATRIX_WORDS_MAX = 255, /* of its words */
  THIRL_LAB_MATRIX_NOTE_MAX = 159,  /* of what is said about a cell; more is cut */
  THIRL_LAB_MATRIX_COMMAND_MAX = 4095,
  THIRL_LAB_MATRIX_LATENCY_MAX = 10000 /* ms */
};

/** How the two reached each other; the worse the later. */
typedef enum thirl_lab_matrix_path {
  THIRL_LAB_MATRIX_PENDING, /* not tried yet */
  THIRL_LAB_MATRIX_UDP,     /* directly */
  THIRL_LAB_MATRIX_TCP,     /* directly */
  THIRL_LAB_MATRIX_ANY,     /* they did, and do not say how */
  THIRL_LAB_MATRIX_RELAY,
  THIRL_LAB_MATRIX_NONE,
  THIRL_LAB_MATRIX_PATHS
} thirl_lab_matrix_path;

typedef struct thirl_lab_matrix_cell {
  thirl_lab_matrix_path path;
  unsigned ms;      /* until it was direct; 0: not known */
  unsigned took_ms; /* the whole of it, with the network built and taken down */
  char note[THIRL_LAB_MATRIX_NOTE_MAX + 1];
} thirl_lab_matrix_cell;

typedef struct thirl_lab_matrix_nat {
  char name[THIRL_LAB_MATRIX_NAME_MAX + 1];
  char words[THIRL_LAB_MATRIX_WORDS_MAX + 1]; /* of natbox/words.h, for a line of a topology */
} thirl_lab_matrix_nat;

/** Commands are lines for sh -c; "" is none. */
typedef struct thirl_lab_matrix {
  thirl_lab_matrix_nat nats[THIRL_LAB_MATRIX_NATS_MAX];
  size_t n;
  unsigned latency_ms; /* of each of the three accesses: 25 makes 50 ms from one host to the other */
  const char *engine;  /* "natbox", "netfilter" */
  const char *title;   /* what was tried, for people */
  const char *server, *left, *right, *judge;
  thirl_lab_matrix_cell cells[THIRL_LAB_MATRIX_NATS_MAX * THIRL_LAB_MATRIX_NATS_MAX]; /* [left * n + right] */
} thirl_lab_matrix;

/** "udp", "tcp", "any", "relay", "none"; "pending". */
const char *thirl_lab_matrix_path_name(thirl_lab_matrix_path path);
/** PENDING: there is none of this name. */
thirl_lab_matrix_path thirl_lab_matrix_path_find(const char *name);

/**
 * One more NAT, before any result is there: a preset ("symmetric"), a behaviour ("adm/apdf"), or with words of its own after the name ("mine map=adm
 * tcp.unsolicited=rst").
 *
 * E_SYNTAX, E_NOT_FOUND   with why
 * E_LIMIT                 THIRL_LAB_MATRIX_NATS_MAX
 * E_INVALID               there is one of this name
 */
thirl_error thirl_lab_matrix_add(thirl_lab_matrix *m, const char *text, thirl_lab_complaint *why);
/** The nine behaviours of RFC 4787. */
thirl_error thirl_lab_matrix_add_all(thirl_lab_matrix *m, thirl_lab_complaint *why);

thirl_lab_matrix_cell *thirl_lab_matrix_at(thirl_lab_matrix *m, size_t left, size_t right);
/** The index of a NAT, or SIZE_MAX. */
size_t thirl_lab_matrix_find(const thirl_lab_matrix *m, const char *name);
/** How many cells have this path. */
size_t thirl_lab_matrix_count(const thirl_lab_matrix *m, thirl_lab_matrix_path path);
/** The median of ms over the cells that are direct and know it; 0: none is. */
unsigned thirl_lab_matrix_median_ms(const thirl_lab_matrix *m);

/** What both ends say, as one: the worse path, the longer time, the first note. */
thirl_lab_matrix_cell thirl_lab_matrix_join(const thirl_lab_matrix_cell *left, const thirl_lab_matrix_cell *right);

/** The network of a pair as a text for thirl_lab_topology_read: hosts server, left and right. out is cut where it does not fit; returns its length. */
size_t thirl_lab_matrix_topology(const thirl_lab_matrix *m, size_t left, size_t right, char *out, size_t size);

#endif
