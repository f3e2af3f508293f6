/* SPDX-License-Identifier: MIT */
/*
 * What the secure channel costs: bytes per CPU second through seal and open (and feed and read) in memory, against
 * the same library used plainly, SSL_write and SSL_read over a pair of memory BIOs and over a socketpair. Every
 * contender encrypts and decrypts each byte once, in turns, so that a noisy machine is noisy for all; the medians and
 * their ratios are printed.
 *
 *   tls [bytes per run, MiB] [runs]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "secure/identity.h"
#include "secure/tls.h"

enum { CHUNK_MAX = 1 << 16, RUNS_MAX = 101 };

static uint8_t plain[CHUNK_MAX], wire[2 * CHUNK_MAX], back[CHUNK_MAX];

static void must(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "bench tls: %s failed\n", what);
  exit(1);
}

static double cpu_now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* ---- ours ---- */

static struct {
  thirl_secure_identity *id;
  thirl_secure_tls_context *context;
  thirl_secure_tls *client, *server;
} ours;

static void ours_shake(void) {
  must(thirl_secure_tls_new(ours.context, true, NULL, &ours.client) == THIRL_OK, "client");
  must(thirl_secure_tls_new(ours.context, false, NULL, &ours.server) == THIRL_OK, "server");
  thirl_secure_tls *from = ours.client, *to = ours.server;
  for (int i = 0; i < 3; i++) {
    size_t n = thirl_secure_tls_pull(from, wire, sizeof wire);
    must(thirl_secure_tls_feed(to, THIRL_BYTES(wire, n)) == THIRL_OK, "handshake");
    thirl_secure_tls *t = from;
    from = to;
    to = t;
  }
  must(thirl_secure_tls_state_of(ours.server) == THIRL_SECURE_TLS_OPEN, "handshake");
}

static void ours_init(void) {
  must(thirl_secure_identity_generate(&ours.id) == THIRL_OK, "identity");
  must(thirl_secure_tls_context_new(ours.id, &ours.context) == THIRL_OK, "context");
  ours_shake();
}

static size_t ours_seal(size_t chunk) {
  size_t at = 0, n;
  for (size_t done = 0; done < chunk; at += n) {
    size_t take = chunk - done < THIRL_SECURE_TLS_RECORD ? chunk - done : THIRL_SECURE_TLS_RECORD;
    must(thirl_secure_tls_seal(ours.client, THIRL_BYTES(plain + done, take), wire + at, sizeof wire - at, &n) ==
             THIRL_OK,
         "seal");
    done += take;
  }
  return at;
}

static void ours_open(size_t chunk) {
  thirl_bytes in = THIRL_BYTES(wire, ours_seal(chunk));
  size_t n;
  while (thirl_secure_tls_open(ours.server, &in, back, sizeof back, &n) == THIRL_OK)
    chunk -= n;
  must(chunk == 0, "open");
}

static void ours_feed(size_t chunk) {
  size_t n = ours_seal(chunk);
  must(thirl_secure_tls_feed(ours.server, THIRL_BYTES(wire, n)) == THIRL_OK, "feed");
  while (thirl_secure_tls_read(ours.server, back, sizeof back, &n) == THIRL_OK)
    chunk -= n;
  must(chunk == 0, "read");
}

/* Through a socket: seal and write, read and open. */
static int ours_fd[2];

static void ours_socket(size_t chunk) {
  size_t n = ours_seal(chunk), got;
  must(write(ours_fd[0], wire, n) == (ssize_t)n, "write");
  while (chunk) {
    ssize_t r = read(ours_fd[1], wire, sizeof wire);
    must(r > 0, "read");
    thirl_bytes in = THIRL_BYTES(wire, (size_t)r);
    while (thirl_secure_tls_open(ours.server, &in, back, sizeof back, &got) == THIRL_OK)
      chunk -= got;
  }
}

/* ---- plain OpenSSL ---- */

typedef struct plain_pair {
  SSL *client, *server;
} plain_pair;

static plain_pair memory, sockets, pulled;

static SSL_CTX *plain_context;

static int accept_any(int ok, X509_STORE_CTX *store) {
  (void)ok, (void)store;
  return 1;
}

/* As thirl has it: both sides show a certificate, no tickets. */
static void plain_context_init(void) {
  SSL_CTX *ctx = plain_context = SSL_CTX_new(TLS_method());
  must(ctx && SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION), "SSL_CTX_new");
  SSL_CTX_set_num_tickets(ctx, 0);
  SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
  must(SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1, "groups");
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
  must(SSL_CTX_use_certificate(ctx, thirl_secure_identity_x509(ours.id)) == 1, "certificate");
  must(SSL_CTX_use_PrivateKey(ctx, thirl_p256_evp(thirl_secure_identity_key(ours.id))) == 1, "key");
}

static SSL *plain_new(bool is_client, BIO *in, BIO *out) {
  SSL *ssl = SSL_new(plain_context);
  must(ssl != NULL, "SSL_new");
  SSL_set_bio(ssl, in, out);
  if (is_client)
    SSL_set_connect_state(ssl);
  else
    SSL_set_accept_state(ssl);
  return ssl;
}

static void plain_shake(plain_pair *p) {
  for (int i = 0; i < 4; i++) {
    (void)SSL_do_handshake(p->client);
    (void)SSL_do_handshake(p->server);
  }
  must(SSL_is_init_finished(p->client) && SSL_is_init_finished(p->server), "plain handshake");
}

static void plain_memory_init(plain_pair *p) {
  BIO *a = BIO_new(BIO_s_mem()), *b = BIO_new(BIO_s_mem());
  must(a && b && BIO_up_ref(a) && BIO_up_ref(b), "BIO_new");
  *p = (plain_pair){plain_new(true, a, b), plain_new(false, b, a)};
  plain_shake(p);
}

static void plain_init(void) {
  plain_context_init();
  plain_memory_init(&memory);
  int fd[2];
  must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0, "socketpair");
  int room = 1 << 20;
  for (int i = 0; i < 2; i++)
    (void)setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  BIO *c = BIO_new_socket(fd[0], BIO_CLOSE), *d = BIO_new_socket(fd[1], BIO_CLOSE);
  must(c && d, "BIO_new_socket");
  sockets = (plain_pair){plain_new(true, c, c), plain_new(false, d, d)};
  plain_shake(&sockets);
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ours_fd) == 0, "socketpair");
  for (int i = 0; i < 2; i++)
    (void)setsockopt(ours_fd[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

/* As whoever drives its own sockets must use memory BIOs: BIO_read out of one, BIO_write into the other. */
static void pulled_init(void) {
  BIO *bio[4];
  for (int i = 0; i < 4; i++)
    must((bio[i] = BIO_new(BIO_s_mem())) != NULL, "BIO_new");
  pulled = (plain_pair){plain_new(true, bio[0], bio[1]), plain_new(false, bio[2], bio[3])};
  int n;
  for (int i = 0; i < 4; i++) {
    (void)SSL_do_handshake(pulled.client);
    while ((n = BIO_read(bio[1], wire, sizeof wire)) > 0)
      BIO_write(bio[2], wire, n);
    (void)SSL_do_handshake(pulled.server);
    while ((n = BIO_read(bio[3], wire, sizeof wire)) > 0)
      BIO_write(bio[0], wire, n);
  }
  must(SSL_is_init_finished(pulled.client) && SSL_is_init_finished(pulled.server), "plain handshake");
}

static void plain_write(SSL *ssl, size_t chunk) {
  for (size_t done = 0, n; done < chunk; done += n)
    must(SSL_write_ex(ssl, plain + done, chunk - done, &n), "SSL_write");
}

static void plain_read(SSL *ssl, size_t chunk) {
  for (size_t n; chunk; chunk -= n)
    must(SSL_read_ex(ssl, back, sizeof back, &n), "SSL_read");
}

static void plain_memory(size_t chunk) {
  plain_write(memory.client, chunk);
  plain_read(memory.server, chunk);
}

static void plain_pulled(size_t chunk) {
  int n;
  plain_write(pulled.client, chunk);
  while ((n = BIO_read(SSL_get_wbio(pulled.client), wire, sizeof wire)) > 0)
    must(BIO_write(SSL_get_rbio(pulled.server), wire, n) == n, "BIO_write");
  plain_read(pulled.server, chunk);
}

static void plain_sockets(size_t chunk) {
  plain_write(sockets.client, chunk);
  plain_read(sockets.server, chunk);
}

/* ---- the race ---- */

typedef struct contender {
  const char *name;
  void (*move)(size_t chunk);
} contender;

static const contender contenders[] = {{"OpenSSL, memory BIO shared", plain_memory},
                                       {"OpenSSL, memory BIOs, pulled", plain_pulled},
                                       {"thirl seal + open", ours_open},
                                       {"thirl seal + feed + read", ours_feed},
                                       {"OpenSSL, socketpair", plain_sockets},
                                       {"thirl, socketpair", ours_socket}};

enum { CONTENDERS = sizeof contenders / sizeof *contenders };

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *v, int n) {
  qsort(v, (size_t)n, sizeof *v, by_value);
  return v[n / 2];
}

static void race(size_t chunk, size_t bytes, int runs) {
  static double rate[CONTENDERS][RUNS_MAX];
  double mid[CONTENDERS];
  for (int run = -1; run < runs; run++) { /* run -1 warms up */
    for (size_t c = 0; c < CONTENDERS; c++) {
      double begin = cpu_now();
      size_t done = 0;
      for (; done < bytes; done += chunk)
        contenders[c].move(chunk);
      if (run >= 0) rate[c][run] = (double)done / (cpu_now() - begin) / 1e6;
    }
  }
  for (size_t c = 0; c < CONTENDERS; c++)
    mid[c] = median(rate[c], runs);
  printf("pieces of %zu bytes, MB per CPU second (encrypt and decrypt), median of %d runs\n", chunk, runs);
  for (size_t c = 0; c < CONTENDERS; c++)
    printf("  %-30s %8.0f\n", contenders[c].name, mid[c]);
  printf("  open / OpenSSL shared %.2f, open / OpenSSL pulled %.2f, feed / OpenSSL pulled %.2f, socketpair %.2f\n",
         mid[2] / mid[0], mid[2] / mid[1], mid[3] / mid[1], mid[5] / mid[4]);
}

static double handshake_us(bool plain_side, int count) {
  double begin = cpu_now();
  for (int i = 0; i < count; i++) {
    if (plain_side) {
      plain_pair p;
      plain_memory_init(&p);
      SSL_free(p.client);
      SSL_free(p.server);
    } else {
      thirl_secure_tls_free(ours.client);
      thirl_secure_tls_free(ours.server);
      ours_shake();
    }
  }
  return (cpu_now() - begin) / count * 1e6;
}

static void race_handshakes(int runs) {
  static double us[2][RUNS_MAX];
  for (int run = 0; run < runs; run++)
    for (int side = 0; side < 2; side++)
      us[side][run] = handshake_us(side == 0, 50);
  double plain_us = median(us[0], runs), ours_us = median(us[1], runs);
  printf(
      "handshakes, both sides, both certificates: OpenSSL %.0f, thirl %.0f microseconds of CPU; thirl / OpenSSL %.2f\n",
      plain_us, ours_us, ours_us / plain_us);
}

int main(int argc, char **argv) {
  size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 16) << 20;
  int runs = argc > 2 ? atoi(argv[2]) : 11;
  must(bytes > 0 && runs > 0 && runs <= RUNS_MAX, "arguments: tls [MiB] [runs]");
  memset(plain, 'x', sizeof plain);
  ours_init();
  plain_init();
  pulled_init();
  race(CHUNK_MAX, bytes, runs);
  race(THIRL_SECURE_TLS_RECORD, bytes, runs);
  race(1200, bytes / 4, runs);
  race(64, bytes / 64, runs);
  race_handshakes(runs);
  return 0;
}
