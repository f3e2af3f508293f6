/* SPDX-License-Identifier: MIT */
/* States, opening and closing. The stream itself is in sender.c and receiver.c. */
#include "sim/tcp.h"

enum { SYN_LINEAR = 4, SYN_RETRIES = 10, SYN_RETRIES_OLD = 6, SYN_ACK_RETRIES = 5 };

static const thirl_time CHALLENGE_EVERY = 500 * THIRL_MS; /* tcp_invalid_ratelimit */
static const thirl_time ORPHAN_FIN_WAIT = 60 * THIRL_S;   /* tcp_fin_timeout */

#define FLAG_FIN THIRL_NATBOX_FIN
#define FLAG_SYN THIRL_NATBOX_SYN
#define FLAG_RST THIRL_NATBOX_RST
#define FLAG_ACK THIRL_NATBOX_ACK
#define AFTER    thirl_natbox_packet_seq_after

thirl_sim_tcp_options thirl_sim_tcp_defaults(void) {
  return (thirl_sim_tcp_options){
      .mss = 1400, .window = 128 * 1024, .give_up = 120 * THIRL_S, .time_wait = 60 * THIRL_S};
}

/* --- sending ---------------------------------------------------------------------------------------------------------------------- */

static thirl_sim_packet *emit(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, uint8_t flags, uint32_t seq) {
  thirl_sim_packet *packet = thirl_sim_pool_take_packet(env->pool);
  if (!packet) return NULL; /* lost, as on the wire */
  packet->p = (thirl_natbox_packet){.protocol = THIRL_NATBOX_TCP,
                                    .flags = flags,
                                    .ttl = t->ttl,
                                    .src = t->local,
                                    .dst = t->remote,
                                    .seq = seq,
                                    .ack = (flags & FLAG_ACK) ? t->rx.nxt : 0};
  thirl_list_append(env->out, &packet->link);
  return packet;
}

static void emit_ack(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  thirl_sim_packet *packet = emit(t, env, FLAG_ACK, t->tx.nxt);
  if (packet) packet->n_sacks = thirl_sim_receiver_sacks(&t->rx, packet->sacks);
}

static void emit_segment(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_segment *seg) {
  thirl_sim_packet *packet = emit(t, env, seg->fin ? FLAG_ACK | FLAG_FIN : FLAG_ACK, seg->seq);
  if (!packet || !seg->payload) return;
  packet->payload = thirl_sim_pool_share(seg->payload);
  packet->p.payload = THIRL_BYTES(seg->payload->bytes, seg->n);
}

/* RFC 5961: an answer to what does not fit. Rationed, or two confused ends would answer each other for ever. */
static void challenge(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  if (t->challenged != 0 && env->now - t->challenged < CHALLENGE_EVERY) return;
  t->challenged = env->now;
  emit_ack(t, env);
}

static void announce(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, thirl_sim_note *n, thirl_net_kind kind) {
  n->event =
      (thirl_net_event){.kind = kind, .id = t->id, .listener = t->listener, .local = t->local, .remote = t->remote};
  thirl_list_append(env->notes, &n->link);
}

static thirl_sim_note *note(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, thirl_net_kind kind) {
  thirl_sim_note *n = t->orphan ? NULL : thirl_sim_pool_take_note(env->pool);
  if (n) announce(t, env, n, kind);
  return n;
}

/* --- opening ---------------------------------------------------------------------------------------------------------------------- */

/* RFC 6528: later for the same four-tuple, unrelated between others; the clock ticks every 64 ns. */
static uint32_t initial_seq(const thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  uint64_t h = thirl_addr_hash(&t->remote, thirl_addr_hash(&t->local, env->isn_secret));
  return (uint32_t)h + (uint32_t)(env->now * 1000 / 64);
}

/* From the tries-th SYN to the next. */
static thirl_time syn_wait(const thirl_sim_tcp_env *env, unsigned tries) {
  unsigned doublings = tries;
  if (!env->options->old_syn_times) doublings = tries < SYN_LINEAR ? 0 : tries - SYN_LINEAR;
  return THIRL_S << doublings;
}

static unsigned syn_retries(const thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  if (t->listener) return SYN_ACK_RETRIES;
  return env->options->old_syn_times ? SYN_RETRIES_OLD : SYN_RETRIES;
}

static void emit_syn(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  emit(t, env, t->state == THIRL_SIM_TCP_SYN_SENT ? FLAG_SYN : FLAG_SYN | FLAG_ACK, t->iss);
}

static void arm_syn(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  thirl_time wait = t->listener ? THIRL_S << t->syn_tries : syn_wait(env, t->syn_tries);
  t->deadline = thirl_time_after(env->now, wait);
}

static void begin(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, thirl_sim_tcp_state state, uint32_t next_seq) {
  t->state = state;
  t->iss = initial_seq(t, env);
  t->syn_at = env->now;
  t->syn_tries = 0;
  thirl_sim_sender_init(&t->tx, t->iss + 1);
  thirl_sim_receiver_init(&t->rx, next_seq);
  emit_syn(t, env);
  arm_syn(t, env);
}

void thirl_sim_tcp_connect(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  begin(t, env, THIRL_SIM_TCP_SYN_SENT, 0);
}

void thirl_sim_tcp_open_passive(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_packet *syn) {
  begin(t, env, THIRL_SIM_TCP_SYN_RECV, syn->p.seq + 1);
}

static void establish(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  t->state = THIRL_SIM_TCP_ESTABLISHED;
  t->deadline = THIRL_NEVER;
  t->announced = true;
  if (t->syn_tries == 0) thirl_sim_sender_sample(&t->tx, THIRL_MAX(env->now - t->syn_at, 1));
  note(t, env, t->listener ? THIRL_NET_ACCEPTED : THIRL_NET_CONNECTED);
}

/* --- ending ----------------------------------------------------------------------------------------------------------------------- */

void thirl_sim_tcp_fini(thirl_sim_tcp *t, thirl_sim_pool *pool) {
  thirl_sim_sender_fini(&t->tx, pool);
  thirl_sim_receiver_fini(&t->rx, pool);
}

static void end(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  thirl_sim_tcp_fini(t, env->pool);
  t->state = THIRL_SIM_TCP_CLOSED;
  t->deadline = THIRL_NEVER;
  t->pulls = false;
}

/* Nobody knows the embryo of a listener, so nobody is told. */
static void fail(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, thirl_error error) {
  thirl_sim_note *n = t->listener && !t->announced ? NULL : note(t, env, THIRL_NET_FAILED);
  if (n) n->event.error = error;
  end(t, env);
}

static void wait_out(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  thirl_sim_sender_fini(&t->tx, env->pool);
  t->state = THIRL_SIM_TCP_TIME_WAIT;
  t->deadline = thirl_time_after(env->now, env->options->time_wait);
}

void thirl_sim_tcp_close(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  t->orphan = true;
  t->pulls = false;
  if (t->state == THIRL_SIM_TCP_SYN_SENT) end(t, env);
  if (t->state != THIRL_SIM_TCP_SYN_RECV && t->state != THIRL_SIM_TCP_ESTABLISHED &&
      t->state != THIRL_SIM_TCP_CLOSE_WAIT)
    return;
  t->state = t->state == THIRL_SIM_TCP_CLOSE_WAIT ? THIRL_SIM_TCP_LAST_ACK : THIRL_SIM_TCP_FIN_WAIT_1;
  t->deadline = THIRL_NEVER;
  const thirl_sim_segment *fin = thirl_sim_sender_push(&t->tx, env->pool, env->now, NULL, true);
  if (fin)
    emit_segment(t, env, fin);
  else
    thirl_sim_tcp_abort(t, env);
}

void thirl_sim_tcp_abort(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  t->orphan = true;
  switch (t->state) {
  case THIRL_SIM_TCP_SYN_RECV:
  case THIRL_SIM_TCP_ESTABLISHED:
  case THIRL_SIM_TCP_FIN_WAIT_1:
  case THIRL_SIM_TCP_FIN_WAIT_2:
  case THIRL_SIM_TCP_CLOSE_WAIT:
    emit(t, env, FLAG_RST | FLAG_ACK, t->tx.nxt);
    break;
  default: /* Linux: a SYN-SENT socket disappears without a word */
    break;
  }
  end(t, env);
}

/* --- time ------------------------------------------------------------------------------------------------------------------------- */

static void tick_opening(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  if (t->syn_tries >= syn_retries(t, env)) {
    fail(t, env, THIRL_E_TIMEOUT);
    return;
  }
  t->syn_tries++;
  emit_syn(t, env);
  arm_syn(t, env);
}

void thirl_sim_tcp_tick(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  if (t->deadline <= env->now) {
    if (t->state == THIRL_SIM_TCP_SYN_SENT || t->state == THIRL_SIM_TCP_SYN_RECV)
      tick_opening(t, env);
    else
      end(t, env); /* FIN-WAIT-2 of an orphan, TIME-WAIT */
  }
  if (t->tx.deadline > env->now) return;
  if (t->tx.stalled_from != THIRL_NEVER && env->now - t->tx.stalled_from >= env->options->give_up) {
    fail(t, env, THIRL_E_TIMEOUT);
    return;
  }
  const thirl_sim_segment *seg = thirl_sim_sender_expire(&t->tx, env->now);
  if (seg) emit_segment(t, env, seg);
}

thirl_time thirl_sim_tcp_deadline(const thirl_sim_tcp *t) {
  if (t->state == THIRL_SIM_TCP_CLOSED) return THIRL_NEVER;
  return THIRL_MIN(t->deadline, t->tx.deadline);
}

/* --- data ------------------------------------------------------------------------------------------------------------------------- */

size_t thirl_sim_tcp_room(const thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  if (t->state != THIRL_SIM_TCP_ESTABLISHED && t->state != THIRL_SIM_TCP_CLOSE_WAIT) return 0;
  return t->tx.in_flight + env->options->mss <= env->options->window ? env->options->mss : 0;
}

void thirl_sim_tcp_send(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, thirl_sim_payload *payload) {
  const thirl_sim_segment *seg = thirl_sim_sender_push(&t->tx, env->pool, env->now, payload, false);
  if (seg)
    emit_segment(t, env, seg);
  else
    fail(t, env, THIRL_E_NOMEM);
}

/*
 * The next segment in order, to the machine. False: there is none; or no memory to tell of it, then it stays unacknowledged until the sender
 * repeats it. A segment is either data or FIN.
 */
static bool deliver_next(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  if (t->fin_received) return false;
  thirl_sim_note *n = t->orphan ? NULL : thirl_sim_pool_take_note(env->pool);
  thirl_sim_segment *seg = n || t->orphan ? thirl_sim_receiver_take(&t->rx) : NULL;
  if (!seg) {
    thirl_sim_pool_give_note(env->pool, n);
    return false;
  }
  if (seg->fin) t->fin_received = true;
  if (n) announce(t, env, n, seg->fin ? THIRL_NET_EOF : THIRL_NET_DATA);
  if (n && !seg->fin) {
    n->payload = thirl_sim_pool_share(seg->payload);
    n->event.payload = THIRL_BYTES(seg->payload->bytes, seg->n);
  }
  thirl_sim_pool_give_segment(env->pool, seg);
  return true;
}

static void after_fin(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  if (t->state == THIRL_SIM_TCP_ESTABLISHED)
    t->state = THIRL_SIM_TCP_CLOSE_WAIT;
  else if (t->state == THIRL_SIM_TCP_FIN_WAIT_1)
    t->state = THIRL_SIM_TCP_CLOSING;
  else if (t->state == THIRL_SIM_TCP_FIN_WAIT_2)
    wait_out(t, env);
}

static void input_data(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_packet *packet) {
  bool has_data = packet->p.payload.n > 0;
  if (!has_data && !(packet->p.flags & FLAG_FIN)) return;
  if (t->orphan && has_data && AFTER(packet->p.seq + (uint32_t)packet->p.payload.n, t->rx.nxt)) {
    emit(t, env, FLAG_RST | FLAG_ACK, t->tx.nxt); /* nobody will ever read it: RFC 1122 section 4.2.2.13 */
    end(t, env);
    return;
  }
  if (!thirl_sim_receiver_put(&t->rx, env->pool, packet, env->options->window)) return;
  bool had_fin = t->fin_received;
  while (deliver_next(t, env))
    ;
  emit_ack(t, env);
  if (t->fin_received && !had_fin) after_fin(t, env);
}

static void after_ack_of_fin(thirl_sim_tcp *t, const thirl_sim_tcp_env *env) {
  if (t->tx.una != t->tx.nxt) return;
  if (t->state == THIRL_SIM_TCP_FIN_WAIT_1) {
    t->state = THIRL_SIM_TCP_FIN_WAIT_2;
    t->deadline =
        thirl_time_after(env->now, ORPHAN_FIN_WAIT); /* who sends FIN has closed: there is no shutdown() here */
  } else if (t->state == THIRL_SIM_TCP_CLOSING) {
    wait_out(t, env);
  } else if (t->state == THIRL_SIM_TCP_LAST_ACK) {
    end(t, env);
  }
}

/* False: the segment acknowledges what was never sent. */
static bool input_ack(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_packet *packet) {
  if (AFTER(packet->p.ack, t->tx.nxt)) return false;
  if (AFTER(t->tx.una, packet->p.ack)) return true; /* old */
  thirl_sim_sender_ack(&t->tx, env->pool, env->now, packet->p.ack, packet->sacks, packet->n_sacks);
  for (const thirl_sim_segment *seg; (seg = thirl_sim_sender_next_lost(&t->tx, env->now)) != NULL;)
    emit_segment(t, env, seg);
  after_ack_of_fin(t, env);
  return true;
}

/* --- input ------------------------------------------------------------------------------------------------------------------------ */

static void emit_rst_for(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_packet *packet) {
  thirl_sim_packet *rst = emit(t, env, FLAG_RST, 0);
  if (rst) rst->p = thirl_natbox_packet_rst_for(&packet->p);
}

static void input_syn_sent(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_packet *packet) {
  uint8_t flags = packet->p.flags;
  if ((flags & FLAG_ACK) && packet->p.ack != t->tx.nxt) {
    if (!(flags & FLAG_RST)) emit_rst_for(t, env, packet);
    return;
  }
  if (flags & FLAG_RST) {
    if (flags & FLAG_ACK) fail(t, env, THIRL_E_REFUSED);
    return;
  }
  if (!(flags & FLAG_SYN)) return;
  t->rx.nxt = packet->p.seq + 1;
  if (flags & FLAG_ACK) {
    establish(t, env);
    emit_ack(t, env);
    return;
  }
  t->state = THIRL_SIM_TCP_SYN_RECV; /* simultaneous open; the timer goes on */
  emit_syn(t, env);
}

/* True: go on as established. */
static bool input_syn_recv(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_packet *packet) {
  uint8_t flags = packet->p.flags;
  bool repeats_syn = (flags & FLAG_SYN) && packet->p.seq + 1 == t->rx.nxt;
  if (flags & FLAG_RST) {
    if (packet->p.seq == t->rx.nxt) fail(t, env, THIRL_E_RESET);
    return false;
  }
  if (repeats_syn && !(flags & FLAG_ACK)) {
    if (t->listener)
      emit_syn(t, env);
    else
      challenge(t, env);
    return false;
  }
  bool crossing = repeats_syn && packet->p.ack == t->tx.nxt && !t->listener;
  if (crossing && !env->options->old_simultaneous_open) {
    establish(t, env);
    emit_ack(t, env);
    return false;
  }
  if ((flags & FLAG_SYN) || packet->p.seq - t->rx.nxt > env->options->window) {
    challenge(t, env);
    return false;
  }
  if (!(flags & FLAG_ACK)) return false;
  if (packet->p.ack != t->tx.nxt) {
    emit_rst_for(t, env, packet);
    return false;
  }
  establish(t, env);
  return true;
}

static bool input_time_wait(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_packet *packet) {
  if (packet->p.flags & FLAG_RST) {
    end(t, env);
    return false;
  }
  if (thirl_natbox_packet_is_syn(&packet->p)) {
    if (AFTER(packet->p.seq, t->rx.nxt)) return true;
    challenge(t, env);
  } else if (packet->p.payload.n || (packet->p.flags & (FLAG_FIN | FLAG_SYN))) {
    emit_ack(t, env);
  }
  return false;
}

static void input_synchronised(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_packet *packet) {
  uint8_t flags = packet->p.flags;
  uint32_t end_seq = thirl_natbox_packet_seq_end(&packet->p);
  bool old = AFTER(t->rx.nxt, end_seq) || (AFTER(t->rx.nxt, packet->p.seq) && end_seq == t->rx.nxt);
  bool beyond = AFTER(packet->p.seq, t->rx.nxt + env->options->window);
  if (flags & FLAG_RST) {
    if (packet->p.seq == t->rx.nxt)
      fail(t, env, THIRL_E_RESET);
    else if (!old && !beyond)
      challenge(t, env);
    return;
  }
  if (flags & FLAG_SYN) {
    challenge(t, env);
    return;
  }
  if (old || beyond) {
    if (packet->p.payload.n || (flags & FLAG_FIN))
      emit_ack(t, env); /* a repetition: the acknowledgement was lost */
    else
      challenge(t, env);
    return;
  }
  if (!(flags & FLAG_ACK)) return;
  if (!input_ack(t, env, packet)) {
    challenge(t, env);
    return;
  }
  if (t->state != THIRL_SIM_TCP_CLOSED && t->state != THIRL_SIM_TCP_TIME_WAIT) input_data(t, env, packet);
}

bool thirl_sim_tcp_input(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_packet *packet) {
  switch (t->state) {
  case THIRL_SIM_TCP_CLOSED:
    return false;
  case THIRL_SIM_TCP_SYN_SENT:
    input_syn_sent(t, env, packet);
    return false;
  case THIRL_SIM_TCP_SYN_RECV:
    if (input_syn_recv(t, env, packet)) input_data(t, env, packet);
    return false;
  case THIRL_SIM_TCP_TIME_WAIT:
    return input_time_wait(t, env, packet);
  default:
    input_synchronised(t, env, packet);
    return false;
  }
}

void thirl_sim_tcp_icmp(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, thirl_natbox_icmp type, uint32_t seq) {
  if (t->state != THIRL_SIM_TCP_SYN_SENT && t->state != THIRL_SIM_TCP_SYN_RECV) return;
  if (seq != t->iss) return;
  fail(t, env, type == THIRL_NATBOX_PORT_UNREACHABLE ? THIRL_E_REFUSED : THIRL_E_UNREACHABLE);
}
