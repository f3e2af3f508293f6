/* SPDX-License-Identifier: MIT */
/*
 * The transitions follow Linux' nf_conntrack (net/netfilter/nf_conntrack_proto_tcp.c), because that is the tracking that hole punching meets
 * most often. Of its window checks only those are kept that decide whether a connection opens: windows are not modelled.
 */
#include "natbox/tracking.h"

enum { ACK_WINDOW = 66000 }; /* how far behind the newest sequence number an acknowledgement may lie */

/* What a segment does to the state: a thirl_natbox_state or one of these. */
enum { INVALID = 100, IGNORED, REOPENED };

typedef enum kind { KIND_NONE, KIND_SYN, KIND_SYN_ACK, KIND_FIN, KIND_ACK, KIND_RST } kind;

/* Other combinations are no TCP. */
static kind kind_of(const thirl_natbox_packet *p) {
  switch (p->flags & (THIRL_NATBOX_SYN | THIRL_NATBOX_ACK | THIRL_NATBOX_FIN | THIRL_NATBOX_RST)) {
  case THIRL_NATBOX_SYN:
    return KIND_SYN;
  case THIRL_NATBOX_SYN | THIRL_NATBOX_ACK:
    return KIND_SYN_ACK;
  case THIRL_NATBOX_FIN | THIRL_NATBOX_ACK:
    return KIND_FIN;
  case THIRL_NATBOX_ACK:
    return KIND_ACK;
  case THIRL_NATBOX_RST:
  case THIRL_NATBOX_RST | THIRL_NATBOX_ACK:
    return KIND_RST;
  default:
    return KIND_NONE;
  }
}

static int after_syn(const thirl_natbox_tracking *t, thirl_natbox_direction dir) {
  bool original = dir == THIRL_NATBOX_DIR_ORIGINAL;
  switch (t->state) {
  case THIRL_NATBOX_NONE:
    return original ? THIRL_NATBOX_SYN_SENT : INVALID;
  case THIRL_NATBOX_SYN_SENT:
    return original ? THIRL_NATBOX_SYN_SENT : THIRL_NATBOX_SYN_SENT2;
  case THIRL_NATBOX_SYN_SENT2:
    return THIRL_NATBOX_SYN_SENT2;
  case THIRL_NATBOX_TIME_WAIT:
    return REOPENED;
  case THIRL_NATBOX_CLOSED: /* it is begun anew by who has just ended it; else the other end may know better */
    if (original && t->last == KIND_RST && t->last_dir == dir) return REOPENED;
    return original ? IGNORED : INVALID;
  default:
    return original ? IGNORED : INVALID;
  }
}

static int after_syn_ack(int state, thirl_natbox_direction dir) {
  switch (state) {
  case THIRL_NATBOX_NONE:
    return INVALID;
  case THIRL_NATBOX_SYN_SENT:
    return dir == THIRL_NATBOX_DIR_REPLY ? THIRL_NATBOX_SYN_RECV : INVALID;
  case THIRL_NATBOX_SYN_SENT2:
    return THIRL_NATBOX_SYN_RECV;
  default:
    return IGNORED;
  }
}

static int after_fin(int state) {
  switch (state) {
  case THIRL_NATBOX_SYN_RECV:
  case THIRL_NATBOX_ESTABLISHED:
    return THIRL_NATBOX_FIN_WAIT;
  case THIRL_NATBOX_FIN_WAIT:
  case THIRL_NATBOX_CLOSE_WAIT:
  case THIRL_NATBOX_LAST_ACK:
    return THIRL_NATBOX_LAST_ACK;
  case THIRL_NATBOX_TIME_WAIT:
  case THIRL_NATBOX_CLOSED:
    return state;
  default:
    return INVALID;
  }
}

static int after_ack(int state, thirl_natbox_direction dir) {
  bool original = dir == THIRL_NATBOX_DIR_ORIGINAL;
  switch (state) {
  case THIRL_NATBOX_NONE:
    return original ? THIRL_NATBOX_ESTABLISHED : INVALID;
  case THIRL_NATBOX_SYN_SENT:
  case THIRL_NATBOX_SYN_SENT2:
    return original ? INVALID : IGNORED;
  case THIRL_NATBOX_SYN_RECV:
    return original ? THIRL_NATBOX_ESTABLISHED : THIRL_NATBOX_SYN_RECV;
  case THIRL_NATBOX_FIN_WAIT:
    return THIRL_NATBOX_CLOSE_WAIT;
  case THIRL_NATBOX_LAST_ACK:
    return THIRL_NATBOX_TIME_WAIT;
  default:
    return state;
  }
}

static int after_segment(const thirl_natbox_tracking *t, thirl_natbox_direction dir, kind k) {
  int state = t->state;
  switch (k) {
  case KIND_SYN:
    return after_syn(t, dir);
  case KIND_SYN_ACK:
    return after_syn_ack(state, dir);
  case KIND_FIN:
    return after_fin(state);
  case KIND_ACK:
    return after_ack(state, dir);
  case KIND_RST:
    return state == THIRL_NATBOX_NONE ? INVALID : THIRL_NATBOX_CLOSED;
  default:
    return INVALID;
  }
}

/* A SYN-ACK must acknowledge what the other direction has sent, not less than a window behind. */
static bool acks_what_was_sent(const thirl_natbox_tracking *t, thirl_natbox_direction dir,
                               const thirl_natbox_packet *p) {
  if (!(p->flags & THIRL_NATBOX_ACK) || !t->known[!dir]) return true;
  return !thirl_natbox_packet_seq_after(p->ack, t->end[!dir]) &&
         thirl_natbox_packet_seq_after(p->ack, t->end[!dir] - ACK_WINDOW - 1);
}

/* Do the numbers of a segment with SYN fit what this direction has sent before? */
static bool fits(const thirl_natbox_tracking *t, thirl_natbox_direction dir, const thirl_natbox_packet *p) {
  uint32_t end = thirl_natbox_packet_seq_end(p);
  if (!acks_what_was_sent(t, dir, p)) return false;
  if (!t->known[dir] || end == t->end[dir]) return true;
  bool later = thirl_natbox_packet_seq_after(end, t->end[dir]);
  /* A later SYN begins again; an older one is out of order, which only a window of the other end could forbid. */
  if (t->state == THIRL_NATBOX_SYN_SENT && dir == THIRL_NATBOX_DIR_ORIGINAL) return later || !t->known[!dir];
  return later && t->state == THIRL_NATBOX_SYN_RECV && dir == THIRL_NATBOX_DIR_REPLY;
}

static void note_numbers(thirl_natbox_tracking *t, thirl_natbox_direction dir, const thirl_natbox_packet *p) {
  uint32_t end = thirl_natbox_packet_seq_end(p);
  if (p->flags & THIRL_NATBOX_RST) return;
  if (!t->known[dir] || thirl_natbox_packet_seq_after(end, t->end[dir])) t->end[dir] = end;
  t->known[dir] = true;
}

/*
 * A SYN that fits nothing was let through, because both ends may know better; if the other end takes it (its SYN-ACK acknowledges
 * exactly that SYN), the state follows them.
 */
static bool resynchronise(thirl_natbox_tracking *t, thirl_natbox_direction dir, const thirl_natbox_packet *p) {
  if (!t->ignored || dir != THIRL_NATBOX_DIR_REPLY || kind_of(p) != KIND_SYN_ACK || p->ack != t->ignored_end)
    return false;
  *t = (thirl_natbox_tracking){
      .state = THIRL_NATBOX_SYN_RECV, .known = {true, false}, .replied = true, .end = {t->ignored_end, 0}};
  note_numbers(t, dir, p);
  return true;
}

static thirl_natbox_judgement ignore(thirl_natbox_tracking *t, thirl_natbox_direction dir,
                                     const thirl_natbox_packet *p) {
  if (resynchronise(t, dir, p)) return THIRL_NATBOX_VALID;
  t->last = (uint8_t)kind_of(p);
  t->last_dir = (uint8_t)dir;
  t->ignored = kind_of(p) == KIND_SYN && dir == THIRL_NATBOX_DIR_ORIGINAL;
  if (t->ignored) t->ignored_end = thirl_natbox_packet_seq_end(p);
  if (dir == THIRL_NATBOX_DIR_REPLY) t->replied = true;
  return THIRL_NATBOX_VALID;
}

thirl_natbox_judgement thirl_natbox_tracking_input(thirl_natbox_tracking *t, const thirl_natbox_config *config,
                                                   thirl_natbox_direction dir, const thirl_natbox_packet *p) {
  bool strict = config->tracking == THIRL_NATBOX_STRICT;
  kind k = kind_of(p);
  int next = after_segment(t, dir, k);
  if (k == KIND_NONE) return THIRL_NATBOX_INVALID;
  if (t->state == THIRL_NATBOX_NONE && k == KIND_ACK && config->without_pickup) return THIRL_NATBOX_INVALID;
  if (next == REOPENED) return THIRL_NATBOX_ANEW;
  if (next == INVALID) {
    if (strict || t->state == THIRL_NATBOX_NONE) return THIRL_NATBOX_INVALID;
    next = t->state;
  }
  if (next == IGNORED) return ignore(t, dir, p);
  if (strict && (p->flags & THIRL_NATBOX_SYN) && k != KIND_RST && !fits(t, dir, p)) return THIRL_NATBOX_INVALID;
  note_numbers(t, dir, p);
  if (k == KIND_RST && !t->replied && config->rst == THIRL_NATBOX_RST_DELETES) return THIRL_NATBOX_LAST;
  t->state = (uint8_t)next;
  t->last = (uint8_t)k;
  t->last_dir = (uint8_t)dir;
  t->ignored = false;
  if (dir == THIRL_NATBOX_DIR_REPLY) t->replied = true;
  return THIRL_NATBOX_VALID;
}

thirl_time thirl_natbox_tracking_timeout(const thirl_natbox_tracking *t, const thirl_natbox_rules *rules) {
  if (t->state < THIRL_NATBOX_ESTABLISHED) return rules->new_timeout;
  return t->state == THIRL_NATBOX_ESTABLISHED ? rules->open_timeout : rules->close_timeout;
}
