/* SPDX-License-Identifier: MIT */
/* The streams of a mux, what each has under way and owes, and whose turn it is. For the files of this folder. */
#ifndef THIRL_MUX_TABLE_H
#define THIRL_MUX_TABLE_H

#include "base/list.h"
#include "base/map.h"
#include "mux/terms.h"

/* What a stream owes the peer. */
enum {
  THIRL_MUX_OWES_OPEN = 1,
  THIRL_MUX_OWES_ACCEPT = 2,
  THIRL_MUX_OWES_REFUSE = 4,
  THIRL_MUX_OWES_CREDIT = 8,
  THIRL_MUX_OWES_RESET = 16
};
/* What the user has to be told. */
enum {
  THIRL_MUX_TELL_ASKED = 1,
  THIRL_MUX_TELL_ACCEPTED = 2,
  THIRL_MUX_TELL_READABLE = 4,
  THIRL_MUX_TELL_WRITABLE = 8,
  THIRL_MUX_TELL_REFUSED = 16,
  THIRL_MUX_TELL_BROKEN = 32
};

typedef struct thirl_mux_stream {
  uint32_t id;
  uint8_t owes, tells;
  bool ours, asked;        /* asked: the peer waits for our answer */
  bool finished, end_sent; /* our direction */
  bool ended, end_read;    /* the peer's */
  bool hungry, full;       /* peek, write had nothing to give */
  thirl_error why;         /* of a refusal or a reset */
  thirl_buffer tx, rx;
  size_t may_send;         /* the peer's credit */
  size_t window, may_come; /* the credit that we gave, and what is left of it */
  size_t freed;            /* read since the last CREDIT */
  uint64_t received;
  uint32_t grant;
  thirl_link to_tell, to_send, to_ask; /* in the lists of the same names */
  uint8_t *label;
  size_t label_n;
} thirl_mux_stream;

typedef struct thirl_mux_refusal {
  uint32_t stream;
  uint8_t code;
} thirl_mux_refusal;

struct thirl_mux {
  thirl_map streams;
  size_t memory; /* all windows */
  uint32_t next, last_of_peer;
  thirl_list telling, asking, sending; /* asking: owes a frame without data; sending: has data and credit, or an end */
  thirl_mux_refusal refusals[THIRL_MUX_REFUSALS_MAX];
  size_t n_refusals;
  size_t preface_sent, preface_seen;
  uint8_t header[THIRL_MUX_HEADER_LEN + THIRL_MUX_LABEL_MAX]; /* a frame that has not come whole: not DATA's bytes */
  size_t n_header;
  thirl_mux_header at; /* DATA under way: how much of it is still to come */
  size_t data_left;
  thirl_mux_stream *last_told;
  thirl_error dead;
};

thirl_mux_stream *thirl_mux_table_find(const thirl_mux *m, uint32_t id);
/** The stream as the user knows it: one that is on its way out is none. */
thirl_mux_stream *thirl_mux_table_find_living(const thirl_mux *m, uint32_t id);
/** E_LIMIT, E_NOMEM. The label is copied. */
thirl_error thirl_mux_table_add(thirl_mux *m, uint32_t id, thirl_bytes label, thirl_mux_stream **out);
/** Takes it out and frees it. */
void thirl_mux_table_remove(thirl_mux *m, thirl_mux_stream *s);
void thirl_mux_table_owe(thirl_mux *m, thirl_mux_stream *s, uint8_t what);
void thirl_mux_table_tell(thirl_mux *m, thirl_mux_stream *s, uint8_t what);
/** In the list of those that have something to send, or out of it. */
void thirl_mux_table_update_sending(thirl_mux *m, thirl_mux_stream *s);
/** Nothing more is to be said or heard on it. */
bool thirl_mux_table_is_over(const thirl_mux_stream *s);
/** Refused or reset, by us or by the peer. */
bool thirl_mux_table_is_dying(const thirl_mux_stream *s);

#endif
