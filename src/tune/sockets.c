/* SPDX-License-Identifier: MIT */
#include "tune/sockets.h"

#include <stdio.h>
#include <string.h>

#include "tune/ports.h"
#include "tune/process.h"

/* enum tcp_state of the kernel */
enum { ESTABLISHED = 1, TIME_WAIT = 6, LISTEN = 10 };
enum { TIMER_KEEPALIVE = 2, TICKS_PER_S = 100 }; /* USER_HZ, the same on every Linux */

/* The kernel counts them in 32 bits. */
static uint64_t drops_of(uint64_t v) {
  return v > UINT32_MAX ? UINT32_MAX : v;
}

/* ---- lines of sock_diag ---- */

static int64_t value_of(thirl_tune_text line, const char *name) {
  thirl_tune_text word, front;
  while (thirl_tune_text_word(&line, &word)) {
    int64_t v;
    if (thirl_tune_text_cut(&word, '=', &front) && thirl_tune_text_is(front, name) &&
        thirl_tune_text_decimal(word, &v) && v >= 0)
      return v;
  }
  return -1;
}

static thirl_tune_number number_of(thirl_tune_text line, const char *name) {
  int64_t v = value_of(line, name);
  return v < 0 ? (thirl_tune_number){0, THIRL_TUNE_WHY_NOT_LOADED}
               : (thirl_tune_number){thirl_tune_facts_clamp(v), THIRL_TUNE_WHY_READ};
}

static void copy_address(thirl_tune_text line, char to[THIRL_TUNE_ADDRESS]) {
  thirl_tune_text word, front;
  while (thirl_tune_text_word(&line, &word))
    if (thirl_tune_text_cut(&word, '=', &front) && thirl_tune_text_is(front, "address"))
      thirl_tune_text_copy(word, to, THIRL_TUNE_ADDRESS);
}

static bool port_of(thirl_tune_text line, uint16_t *port) {
  int64_t v = value_of(line, "port");
  if (v < 0 || v > 65535) return false;
  *port = (uint16_t)v;
  return true;
}

static bool is_ours(const thirl_tune_facts *f, int64_t inode) {
  return inode > 0 && thirl_tune_process_owns(&f->process, (uint64_t)inode);
}

/* When there is no more room, the last stranger makes place for one of ours. */
static void add_udp(thirl_tune_sockets *s, const thirl_tune_udp *u) {
  s->n_udp_all++;
  if (s->n_udp < THIRL_TUNE_UDPS) {
    s->udp[s->n_udp++] = *u;
    return;
  }
  for (uint32_t i = s->n_udp; u->is_ours && i-- > 0;)
    if (!s->udp[i].is_ours) {
      s->udp[i] = *u;
      return;
    }
}

static void add_listener(thirl_tune_sockets *s, const thirl_tune_listener *l) {
  s->n_listeners_all++;
  if (s->n_listeners < THIRL_TUNE_LISTENERS) {
    s->listener[s->n_listeners++] = *l;
    return;
  }
  for (uint32_t i = s->n_listeners; l->is_ours && i-- > 0;)
    if (!s->listener[i].is_ours) {
      s->listener[i] = *l;
      return;
    }
}

void thirl_tune_sockets_diag(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text line, kind;
  while (thirl_tune_text_line(&t, &line)) {
    thirl_tune_udp u = {0};
    thirl_tune_listener l = {0};
    if (!thirl_tune_text_word(&line, &kind)) continue;
    bool ours = is_ours(f, value_of(line, "inode"));
    if (thirl_tune_text_is(kind, "udp") && port_of(line, &u.port)) {
      int64_t drops = value_of(line, "drops");
      u.is_ours = ours;
      u.is_connected = value_of(line, "connected") > 0;
      u.rcvbuf = number_of(line, "rcvbuf");
      u.sndbuf = number_of(line, "sndbuf");
      u.drops = drops > 0 ? drops_of((uint64_t)drops) : 0;
      add_udp(&f->sockets, &u);
    } else if (thirl_tune_text_is(kind, "listen") && port_of(line, &l.port)) {
      int64_t waiting = value_of(line, "waiting");
      l.is_ours = ours;
      copy_address(line, l.address);
      l.backlog = number_of(line, "backlog");
      l.waiting = waiting > 0 && waiting <= UINT32_MAX ? (uint32_t)waiting : 0;
      add_listener(&f->sockets, &l);
    }
  }
}

/* ---- lines of /proc/net ---- */

typedef struct row {
  uint8_t local[16], remote[16];
  uint16_t local_port, remote_port;
  uint64_t state, timer, when, inode, drops;
} row;

static bool read_address(thirl_tune_text t, uint8_t address[16], uint16_t *port) {
  thirl_tune_text host;
  uint64_t v;
  if (!thirl_tune_text_cut(&t, ':', &host) || (host.n != 8 && host.n != 32)) return false;
  memset(address, 0, 16);
  for (size_t i = 0; i < host.n / 2; i++) {
    if (!thirl_tune_text_hex((thirl_tune_text){host.p + 2 * i, 2}, &v)) return false;
    address[i] = (uint8_t)v;
  }
  if (!thirl_tune_text_hex(t, &v) || v > 65535) return false;
  *port = (uint16_t)v;
  return true;
}

static bool read_pair(thirl_tune_text t, uint64_t *first, uint64_t *second) {
  thirl_tune_text front;
  return thirl_tune_text_cut(&t, ':', &front) && thirl_tune_text_hex(front, first) && thirl_tune_text_hex(t, second);
}

static bool read_decimal(thirl_tune_text t, uint64_t *out) {
  int64_t v;
  if (!thirl_tune_text_decimal(t, &v) || v < 0) return false;
  *out = (uint64_t)v;
  return true;
}

/* sl local remote st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops */
static bool read_row(thirl_tune_text line, row *r) {
  enum { LOCAL = 1, REMOTE, STATE, QUEUES, TIMER, INODE = 9, DROPS = 12 };
  thirl_tune_text word;
  *r = (row){0};
  for (int i = 0; i <= DROPS && thirl_tune_text_word(&line, &word); i++) {
    bool ok = true;
    if (i == LOCAL) ok = read_address(word, r->local, &r->local_port);
    if (i == REMOTE) ok = read_address(word, r->remote, &r->remote_port);
    if (i == STATE) ok = thirl_tune_text_hex(word, &r->state);
    if (i == TIMER) ok = read_pair(word, &r->timer, &r->when);
    if (i == INODE) ok = read_decimal(word, &r->inode);
    if (i == DROPS && !read_decimal(word, &r->drops)) r->drops = 0; /* tcp has something else there */
    if (!ok) return false;
  }
  return r->state != 0;
}

/*
 * Misra and Gries: with up to THIRL_TUNE_TUPLES destinations the counts are exact; with more, one that holds a large share is still there, with a count that is
 * too low.
 */
static void count_tuple(thirl_tune_sockets *s, const row *r, bool is_v6) {
  for (uint32_t i = 0; i < s->n_tuples; i++) {
    thirl_tune_tuple *t = &s->tuple[i];
    if (t->remote_port != r->remote_port || t->is_v6 != is_v6) continue;
    if (memcmp(t->local, r->local, sizeof t->local) != 0 || memcmp(t->remote, r->remote, sizeof t->remote) != 0)
      continue;
    t->n++;
    return;
  }
  if (s->n_tuples < THIRL_TUNE_TUPLES) {
    thirl_tune_tuple t = {.remote_port = r->remote_port, .is_v6 = is_v6, .n = 1};
    memcpy(t.local, r->local, sizeof t.local);
    memcpy(t.remote, r->remote, sizeof t.remote);
    s->tuple[s->n_tuples++] = t;
    return;
  }
  s->tuples_are_lower_bounds = true;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < s->n_tuples; i++)
    if (--s->tuple[i].n > 0) s->tuple[kept++] = s->tuple[i];
  s->n_tuples = kept;
}

static void count_connection(thirl_tune_facts *f, const row *r) {
  thirl_tune_sockets *s = &f->sockets;
  s->n_established++;
  if (!thirl_tune_process_owns(&f->process, r->inode)) return;
  s->n_established_ours++;
  if (r->timer == 0) s->n_unprobed_ours++; /* a timer of another kind hides that of keepalive */
  if (r->timer != TIMER_KEEPALIVE) return;
  uint64_t left = r->when / TICKS_PER_S;
  if (left > s->longest_probe_s) s->longest_probe_s = left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

void thirl_tune_sockets_tcp(thirl_tune_facts *f, thirl_tune_text t, bool is_v6) {
  thirl_tune_sockets *s = &f->sockets;
  thirl_tune_text line;
  while (thirl_tune_text_line(&t, &line)) {
    row r;
    if (!read_row(line, &r)) continue;
    if (r.state == TIME_WAIT) {
      s->n_time_wait++;
      count_tuple(s, &r, is_v6);
    } else if (r.state == ESTABLISHED) {
      count_connection(f, &r);
    } else if (r.state == LISTEN) {
      thirl_tune_listener l = {.port = r.local_port,
                               .is_ours = thirl_tune_process_owns(&f->process, r.inode),
                               .backlog = {0, THIRL_TUNE_WHY_NOT_LOADED}};
      for (size_t i = 0; i < sizeof r.local; i++)
        snprintf(l.address + 2 * i, 3, "%02x", r.local[i]);
      if (!is_v6) l.address[8] = '\0';
      thirl_tune_ports_add(&s->tcp_listening, r.local_port, r.local_port);
      if (s->tcp_why != THIRL_TUNE_WHY_READ) add_listener(s, &l);
    }
  }
}

void thirl_tune_sockets_udp(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_sockets *s = &f->sockets;
  thirl_tune_text line;
  while (thirl_tune_text_line(&t, &line)) {
    row r;
    if (!read_row(line, &r)) continue;
    thirl_tune_ports_add(&s->udp_used, r.local_port, r.local_port);
    thirl_tune_udp u = {.port = r.local_port,
                        .is_ours = thirl_tune_process_owns(&f->process, r.inode),
                        .is_connected = r.state == ESTABLISHED,
                        .rcvbuf = {0, THIRL_TUNE_WHY_NOT_LOADED},
                        .sndbuf = {0, THIRL_TUNE_WHY_NOT_LOADED},
                        .drops = drops_of(r.drops)};
    if (s->udp_why != THIRL_TUNE_WHY_READ) add_udp(s, &u);
  }
}
