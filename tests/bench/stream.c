/* SPDX-License-Identifier: MIT */
/*
 * Bytes per CPU second through a direct stream: two endpoints that met through a server and found each other, against plain OpenSSL over TCP on
 * the same loopback, with the same cipher, in turns, in the same run. The CPU of both sides is counted, user and kernel.
 *
 * Plain OpenSSL is SSL_write of 16 KiB from one buffer and SSL_read into one buffer on blocking sockets; with read ahead it needs fewer system
 * calls, so it is measured that way too. Both ways at a time it is driven by poll, one thread a side. TCP alone is the bound.
 *
 *   stream [MiB per run] [runs]
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "io/socket.h"
#include "support/island.h"
#include "support/measure.h"
#include "support/party.h"

enum { BLOCK = 16384, RUNS_MAX = 31, PATIENCE_S = 20 };

typedef struct cost {
  double sender, receiver, wall; /* seconds */
} cost;

/* ---- thirl ---- */

static party *server, *listener, *dialer;

static void meet(void) {
  thirl_session_policy policy = {0};
  thirl_meet_ticket ticket;
  thirl_addr at = island_addr(1, 3478);
  server = party_serve(at);
  listener = party_listen(at, &policy, &ticket);
  dialer = party_dial(at, &policy, &ticket);
  measure_must(party_wait_route(dialer, THIRL_SESSION_DIRECT, PATIENCE_S), "the dialer's path did not become direct");
  measure_must(party_wait_route(listener, THIRL_SESSION_DIRECT, PATIENCE_S), "the listener's path is not direct");
}

static cost thirl_move(uint64_t there, uint64_t back) {
  cost c = {-party_cpu(dialer), -party_cpu(listener), -measure_wall()};
  party_move(listener, back, there);
  party_move(dialer, there, back);
  measure_must(party_wait_moved(dialer, PATIENCE_S) && party_wait_moved(listener, PATIENCE_S),
               "the stream stands still");
  return (cost){c.sender + party_cpu(dialer), c.receiver + party_cpu(listener), c.wall + measure_wall()};
}

static cost thirl_one_way(uint64_t bytes) {
  return thirl_move(bytes, 0);
}

static cost thirl_both_ways(uint64_t bytes) {
  return thirl_move(bytes / 2, bytes - bytes / 2);
}

/* ---- plain ---- */

typedef struct side {
  int fd;
  SSL *ssl; /* NULL: TCP alone */
  uint64_t out, in;
  double cpu;
} side;

typedef struct pair {
  side a, b;
} pair;

static pair tls, ahead, duplex, tcp;

static void tcp_connect(pair *p) {
  thirl_io_sockaddr sa;
  thirl_addr at = island_addr(1, 0);
  socklen_t n = thirl_io_socket_to_sys(&at, &sa);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  measure_must(fd >= 0 && bind(fd, &sa.any, n) == 0 && listen(fd, 1) == 0 && getsockname(fd, &sa.any, &n) == 0,
               "no plain listener");
  p->a.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  measure_must(p->a.fd >= 0 && connect(p->a.fd, &sa.any, n) == 0, "no plain connection");
  p->b.fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
  measure_must(p->b.fd >= 0, "no plain connection");
  close(fd);
}

static int accept_any(int ok, X509_STORE_CTX *store) {
  (void)ok, (void)store;
  return 1;
}

/* As thirl has it: both sides show a certificate, which is looked at once; no tickets. */
static SSL_CTX *context_new(const thirl_secure_identity *id, bool read_ahead) {
  SSL_CTX *ctx = SSL_CTX_new(TLS_method());
  measure_must(ctx && SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
                   SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") && SSL_CTX_set_num_tickets(ctx, 0) &&
                   SSL_CTX_use_certificate(ctx, thirl_secure_identity_x509(id)) == 1 &&
                   SSL_CTX_use_PrivateKey(ctx, thirl_p256_evp(thirl_secure_identity_key(id))) == 1,
               "no plain context");
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (read_ahead) {
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_default_read_buffer_len(ctx, 1 << 16);
  }
  return ctx;
}

static void *shake(void *ctx) {
  side *s = ctx;
  return SSL_do_handshake(s->ssl) == 1 ? s : NULL;
}

static void tls_connect(pair *p, SSL_CTX *ctx) {
  pthread_t thread;
  void *ok = NULL;
  tcp_connect(p);
  p->a.ssl = SSL_new(ctx);
  p->b.ssl = SSL_new(ctx);
  measure_must(p->a.ssl && p->b.ssl && SSL_set_fd(p->a.ssl, p->a.fd) == 1 && SSL_set_fd(p->b.ssl, p->b.fd) == 1,
               "no plain connection");
  SSL_set_connect_state(p->a.ssl);
  SSL_set_accept_state(p->b.ssl);
  measure_must(pthread_create(&thread, NULL, shake, &p->b) == 0 && shake(&p->a) && pthread_join(thread, &ok) == 0 && ok,
               "no plain handshake");
  measure_must(strcmp(SSL_get_cipher_name(p->a.ssl), "TLS_AES_128_GCM_SHA256") == 0, "the plain cipher is another");
}

static void set_nonblocking(pair *p) {
  int fds[2] = {p->a.fd, p->b.fd};
  for (int i = 0; i < 2; i++)
    measure_must(fcntl(fds[i], F_SETFL, O_NONBLOCK) == 0, "fcntl");
}

/* How much went; 0: not now. */
static size_t plain_write(side *s, const uint8_t *from, size_t n) {
  size_t put = 0;
  if (s->ssl) {
    if (SSL_write_ex(s->ssl, from, n, &put) == 1) return put;
    int why = SSL_get_error(s->ssl, 0);
    measure_must(why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ, "SSL_write");
    return 0;
  }
  ssize_t k = send(s->fd, from, n, MSG_NOSIGNAL);
  measure_must(k > 0, "send");
  return (size_t)k;
}

static size_t plain_read(side *s, uint8_t *to, size_t n) {
  size_t got = 0;
  if (s->ssl) {
    if (SSL_read_ex(s->ssl, to, n, &got) == 1) return got;
    int why = SSL_get_error(s->ssl, 0);
    measure_must(why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ, "SSL_read");
    return 0;
  }
  ssize_t k = recv(s->fd, to, n, 0);
  measure_must(k > 0, "recv");
  return (size_t)k;
}

static void *plain_side(void *ctx) {
  static _Thread_local uint8_t block[BLOCK], into[BLOCK];
  side *s = ctx;
  double begin = measure_cpu_here();
  while (s->out || s->in) {
    size_t did = 0, n;
    if (s->out) {
      did += n = plain_write(s, block, s->out < BLOCK ? (size_t)s->out : BLOCK);
      s->out -= n;
    }
    if (s->in) {
      did += n = plain_read(s, into, s->in < BLOCK ? (size_t)s->in : BLOCK);
      s->in -= n;
    }
    if (did) continue;
    struct pollfd p = {.fd = s->fd, .events = (short)((s->out ? POLLOUT : 0) | (s->in ? POLLIN : 0))};
    measure_must(poll(&p, 1, PATIENCE_S * 1000) == 1, "the plain stream stands still");
  }
  s->cpu = measure_cpu_here() - begin;
  return NULL;
}

static cost plain_move(pair *p, uint64_t there, uint64_t back) {
  pthread_t a, b;
  double begin = measure_wall();
  p->a.out = p->b.in = there;
  p->b.out = p->a.in = back;
  measure_must(pthread_create(&b, NULL, plain_side, &p->b) == 0 && pthread_create(&a, NULL, plain_side, &p->a) == 0 &&
                   pthread_join(a, NULL) == 0 && pthread_join(b, NULL) == 0,
               "no thread");
  return (cost){p->a.cpu, p->b.cpu, measure_wall() - begin};
}

static cost tls_one_way(uint64_t bytes) {
  return plain_move(&tls, bytes, 0);
}

static cost ahead_one_way(uint64_t bytes) {
  return plain_move(&ahead, bytes, 0);
}

static cost tls_both_ways(uint64_t bytes) {
  return plain_move(&duplex, bytes / 2, bytes - bytes / 2);
}

static cost tcp_one_way(uint64_t bytes) {
  return plain_move(&tcp, bytes, 0);
}

static void plain_init(void) {
  thirl_secure_identity *id;
  measure_must(thirl_secure_identity_generate(&id) == THIRL_OK, "no identity");
  SSL_CTX *ctx = context_new(id, false), *ctx_ahead = context_new(id, true);
  tls_connect(&tls, ctx);
  tls_connect(&ahead, ctx_ahead);
  tls_connect(&duplex, ctx);
  set_nonblocking(&duplex);
  tcp_connect(&tcp);
}

/* ---- the race ---- */

typedef struct contender {
  const char *name;
  cost (*move)(uint64_t bytes);
  double rate[RUNS_MAX], sender[RUNS_MAX], receiver[RUNS_MAX], wall[RUNS_MAX];
} contender;

static contender one_way[] = {{.name = "thirl, direct stream", .move = thirl_one_way},
                              {.name = "OpenSSL over TCP", .move = tls_one_way},
                              {.name = "OpenSSL over TCP, read ahead", .move = ahead_one_way},
                              {.name = "TCP alone", .move = tcp_one_way}};
static contender both_ways[] = {{.name = "thirl, direct stream", .move = thirl_both_ways},
                                {.name = "OpenSSL over TCP", .move = tls_both_ways}};

static void race(const char *what, contender *c, size_t n, uint64_t bytes, int runs) {
  for (size_t i = 0; i < n; i++)
    (void)c[i].move(bytes / 4); /* warms up */
  for (int run = 0; run < runs; run++)
    for (size_t i = 0; i < n; i++) {
      cost k = c[i].move(bytes);
      c[i].rate[run] = (double)bytes / (k.sender + k.receiver) / 1e6;
      c[i].sender[run] = (double)bytes / k.sender / 1e6;
      c[i].receiver[run] = (double)bytes / k.receiver / 1e6;
      c[i].wall[run] = (double)bytes / k.wall / 1e6;
    }
  printf("%s, %llu MiB a run, medians of %d runs in turn; MB per CPU second\n", what, (unsigned long long)(bytes >> 20),
         runs);
  printf("  %-30s %10s %10s %10s %12s\n", "", "both sides", "dialer", "listener", "MB/s of wall");
  for (size_t i = 0; i < n; i++)
    printf("  %-30s %10.0f %10.0f %10.0f %12.0f\n", c[i].name, measure_median(c[i].rate, runs),
           measure_median(c[i].sender, runs), measure_median(c[i].receiver, runs), measure_median(c[i].wall, runs));
  for (size_t i = 1; i < n; i++)
    printf("  thirl / %-22s %10.2f\n", c[i].name, measure_ratio(c[0].rate, c[i].rate, runs));
}

int main(int argc, char **argv) {
  uint64_t bytes = (argc > 1 ? strtoull(argv[1], NULL, 10) : 256) << 20;
  int runs = argc > 2 ? atoi(argv[2]) : 7;
  measure_must(bytes > 0 && runs > 0 && runs <= RUNS_MAX, "arguments: stream [MiB] [runs]");
  measure_limit(58);
  measure_must(island_enter() == THIRL_OK, "no network namespace for it (needs root, or user namespaces)");
  meet();
  plain_init();
  race("one way", one_way, sizeof one_way / sizeof *one_way, bytes, runs);
  race("both ways at once", both_ways, sizeof both_ways / sizeof *both_ways, bytes, runs);
  party_free(dialer);
  party_free(listener);
  party_free(server);
  return 0;
}
