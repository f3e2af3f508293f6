/* SPDX-License-Identifier: MIT */
#include "support/plain.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/socket.h"
#include "support/measure.h"

enum { BLOCK = 16384, PATIENCE_MS = 20000 };

int plain_listen(thirl_addr on, thirl_addr *at) {
  thirl_io_sockaddr sa;
  socklen_t n = thirl_io_socket_to_sys(&on, &sa);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  measure_must(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                   bind(fd, &sa.any, n) == 0 && listen(fd, 8) == 0,
               "no plain listener");
  *at = thirl_io_socket_local(fd);
  return fd;
}

int plain_accept(int listener) {
  struct pollfd p = {.fd = listener, .events = POLLIN};
  measure_must(poll(&p, 1, PATIENCE_MS) == 1, "nobody connects");
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  measure_must(fd >= 0, "accept");
  return fd;
}

int plain_connect(thirl_addr to) {
  thirl_io_sockaddr sa;
  socklen_t n = thirl_io_socket_to_sys(&to, &sa);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  measure_must(fd >= 0 && connect(fd, &sa.any, n) == 0, "no plain connection");
  return fd;
}

plain_pair plain_pair_new(thirl_addr on) {
  plain_pair p = {.a.fd = -1};
  thirl_addr at;
  int listener = plain_listen(on, &at);
  p.a.fd = plain_connect(at);
  p.b.fd = plain_accept(listener);
  close(listener);
  return p;
}

/* ---- TLS ---- */

static int accept_any(int ok, X509_STORE_CTX *store) {
  (void)ok, (void)store;
  return 1;
}

SSL_CTX *plain_context_new(const thirl_secure_identity *id, bool read_ahead) {
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
  plain_side *s = ctx;
  return SSL_do_handshake(s->ssl) == 1 ? s : NULL;
}

void plain_secure(plain_pair *p, SSL_CTX *ctx) {
  pthread_t thread;
  void *ok = NULL;
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

void plain_set_nonblocking(plain_pair *p) {
  int fds[2] = {p->a.fd, p->b.fd};
  for (int i = 0; i < 2; i++)
    measure_must(fcntl(fds[i], F_SETFL, O_NONBLOCK) == 0, "fcntl");
}

/* ---- bytes ---- */

static bool is_patient(const plain_side *s, int ret) {
  int why = SSL_get_error(s->ssl, ret);
  return why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ;
}

/* How much went; 0: not now. */
static size_t write_some(plain_side *s, const uint8_t *from, size_t n) {
  size_t put = 0;
  if (s->ssl) {
    int ret = SSL_write_ex(s->ssl, from, n, &put);
    measure_must(ret == 1 || is_patient(s, ret), "SSL_write");
    return ret == 1 ? put : 0;
  }
  ssize_t k = send(s->fd, from, n, MSG_NOSIGNAL);
  measure_must(k > 0, "send");
  return (size_t)k;
}

static size_t read_some(plain_side *s, uint8_t *to, size_t n) {
  size_t got = 0;
  if (s->ssl) {
    int ret = SSL_read_ex(s->ssl, to, n, &got);
    measure_must(ret == 1 || is_patient(s, ret), "SSL_read");
    return ret == 1 ? got : 0;
  }
  ssize_t k = recv(s->fd, to, n, 0);
  measure_must(k > 0, "recv");
  return (size_t)k;
}

static size_t block_of(uint64_t left) {
  return left < BLOCK ? (size_t)left : BLOCK;
}

static void *run_side(void *ctx) {
  static _Thread_local uint8_t block[BLOCK], into[BLOCK];
  plain_side *s = ctx;
  double begin = measure_cpu_here();
  while (s->out || s->in) {
    size_t put = s->out ? write_some(s, block, block_of(s->out)) : 0;
    size_t got = s->in ? read_some(s, into, block_of(s->in)) : 0;
    s->out -= put;
    s->in -= got;
    if (put || got) continue;
    struct pollfd p = {.fd = s->fd, .events = (short)((s->out ? POLLOUT : 0) | (s->in ? POLLIN : 0))};
    measure_must(poll(&p, 1, PATIENCE_MS) == 1, "the plain stream stands still");
  }
  s->cpu = measure_cpu_here() - begin;
  return NULL;
}

plain_cost plain_move(plain_pair *p, uint64_t there, uint64_t back) {
  pthread_t a, b;
  double begin = measure_wall();
  p->a.out = p->b.in = there;
  p->b.out = p->a.in = back;
  measure_must(pthread_create(&b, NULL, run_side, &p->b) == 0 && pthread_create(&a, NULL, run_side, &p->a) == 0 &&
                   pthread_join(a, NULL) == 0 && pthread_join(b, NULL) == 0,
               "no thread");
  return (plain_cost){p->a.cpu, p->b.cpu, measure_wall() - begin};
}
