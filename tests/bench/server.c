/* SPDX-License-Identifier: MIT */
/*
 * What a peer costs the server, without I/O: bytes of user-space memory per registered peer, and CPU time of the server's own calls per
 * registration, refresh, Binding answer, introduction and relayed byte. The relay is set against two plain copies of the same bytes, which is
 * what handing a byte on must cost at least.
 *
 *   server [peers] [MiB to relay]
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/server_rig.h"

static double cpu_now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static size_t in_use(void) {
  struct mallinfo2 m = mallinfo2();
  return m.uordblks + m.hblkhd;
}

/* The server's time for one input. */
static double spent(rig_client *c, thirl_bytes bytes) {
  thirl_net_event ev = {.kind = THIRL_NET_DATA, .id = c->id, .payload = bytes};
  double start = cpu_now();
  thirl_server_input(c->r->server, c->r->now, &ev);
  double end = cpu_now();
  rig_settle(c->r);
  return end - start;
}

/* Encode without sending. */
static thirl_bytes encoded(rig_client *c, const thirl_meet_message *m) {
  if (thirl_meet_message_encode(m, c->has_keys ? c->keys.to_server : NULL, c->last, sizeof c->last, &c->last_n))
    abort();
  return THIRL_BYTES(c->last, c->last_n);
}

static double register_all(rig *r, uint64_t n) {
  double sum = 0;
  for (uint64_t i = 0; i < n; i++) {
    rig_client *c = rig_connect(r, rig_addr(i));
    uint8_t offer[THIRL_MEET_OFFER_MAX];
    thirl_meet_message extras = {.has_offer = true, .has_checks = true, .n_checks = 1};
    extras.offer = THIRL_BYTES(offer, rig_offer(c, offer));
    rig_check(i, extras.checks[0]);
    rig_take_key(c, i);
    rig_challenge(c);
    thirl_meet_message m = rig_registration(c, &extras);
    sum += spent(c, encoded(c, &m));
    if (!rig_next(c)) abort();
    free(c->messages);
    c->messages = NULL;
    c->messages_at = c->messages_n = 0;
  }
  return sum / (double)n;
}

static double refresh_all(rig *r, uint64_t n) {
  double sum = 0;
  for (uint64_t i = 0; i < n; i++) {
    rig_client *c = r->clients[i];
    thirl_meet_message m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
    sum += spent(c, encoded(c, &m));
    if (!rig_next(c)) abort();
    free(c->messages);
    c->messages = NULL;
    c->messages_at = c->messages_n = 0;
  }
  return sum / (double)n;
}

static double answer_bindings(rig *r, unsigned n) {
  thirl_net_event ev = {.kind = THIRL_NET_DATAGRAM, .id = 2, .remote = rig_addr(1)};
  thirl_net_action a;
  ev.payload = THIRL_BYTES("\x00\x01\x00\x00\x21\x12\xa4\x42"
                           "0123456789ab",
                           20);
  double start = cpu_now();
  for (unsigned i = 0; i < n; i++) {
    thirl_server_input(r->server, r->now, &ev);
    if (!thirl_server_poll(r->server, r->now, &a) || a.payload.n != 32) abort();
  }
  return (cpu_now() - start) / n;
}

/* Each takes the place of the one before. */
static double introduce(rig *r, unsigned n, uint16_t *at_a) {
  rig_client *a = r->clients[1], *b = r->clients[2];
  double start = cpu_now();
  for (unsigned i = 0; i < n; i++) {
    rig_send_connect(a, &b->peer, 2, 1);
    for (const rig_message *m; (m = rig_next(a)) != NULL;)
      if (m->m.cls == THIRL_STUN_SUCCESS) *at_a = m->m.channel;
    while (rig_next(b))
      ;
  }
  return (cpu_now() - start) / n;
}

/* 16 KiB in, 16 KiB out, credit and all. */
static double relay(rig *r, uint16_t at_a, size_t bytes) {
  static uint8_t in[4 + 16384], out[65536];
  rig_client *a = r->clients[1], *b = r->clients[2];
  thirl_net_action action;
  size_t moved = 0;
  memset(in, 'x', sizeof in);
  thirl_stun_stream_put_channel(in, at_a, 16384);
  thirl_net_event ev = {.kind = THIRL_NET_DATA, .id = a->id, .payload = THIRL_BYTES(in, sizeof in)};
  double start = cpu_now();
  while (moved < bytes) {
    thirl_server_input(r->server, r->now, &ev);
    while (thirl_server_poll(r->server, r->now, &action))
      ;
    for (size_t n; (n = thirl_server_pull(r->server, r->now, b->id, out, sizeof out)) != 0;)
      moved += n;
    while (thirl_server_pull(r->server, r->now, a->id, out, sizeof out))
      ;
  }
  return (double)moved / (cpu_now() - start);
}

static double copy_twice(size_t bytes) {
  static uint8_t a[16384], b[16384], c[16384];
  size_t moved = 0;
  double start = cpu_now();
  for (; moved < bytes; moved += sizeof a) {
    memcpy(b, a, sizeof a);
    __asm__ volatile("" ::"r"(b) : "memory");
    memcpy(c, b, sizeof b);
    __asm__ volatile("" ::"r"(c) : "memory");
  }
  return (double)moved / (cpu_now() - start);
}

int main(int argc, char **argv) {
  uint64_t peers = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
  size_t bytes = (argc > 2 ? strtoull(argv[2], NULL, 10) : 2048) << 20;
  thirl_server_limits l = {.max_connections = 4000000, .max_registrations = 4000000, .connects_per_minute = 100000};
  if (peers < 3 || peers > RIG_CLIENTS_MAX) return 2;
  rig *r = rig_new(1, &l);
  r->audit = false;
  double registration = register_all(r, peers), refresh = refresh_all(r, peers);
  printf("registration (key agreement, MAC, signature)   %8.1f us of the server's CPU\n", registration * 1e6);
  printf("refresh (UPDATE: MAC only)                     %8.2f us\n", refresh * 1e6);
  printf("Binding over UDP, in and out                   %8.3f us\n", answer_bindings(r, 1000000) * 1e6);
  uint16_t at_a = 0;
  printf("CONNECT, OFFER, GO, both clients' part included %7.1f us\n", introduce(r, 2000, &at_a) * 1e6);
  double relayed = relay(r, at_a, bytes), copied = copy_twice(bytes);
  printf("relay                                          %8.2f GB per CPU second, %.2f of two plain copies (%.2f)\n",
         relayed / 1e9, relayed / copied, copied / 1e9);
  for (int i = 1; i <= 2; i++)
    rig_eof(r->clients[i]);
  size_t with = in_use();
  uint64_t n = rig_stats(r)->registrations;
  thirl_server_free(r->server);
  r->server = NULL;
  printf("memory of %llu idle registered peers         %8.0f bytes each, tables included\n", (unsigned long long)n,
         (double)(with - in_use()) / (double)n);
  rig_free(r);
  return 0;
}
