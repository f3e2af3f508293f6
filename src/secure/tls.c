/* SPDX-License-Identifier: MIT */
/*
 * Here: what OpenSSL is allowed to do, whose key is accepted, and what its answers mean. Not here: where the bytes
 * come from and go to (wire.c), what a certificate holds (certificate.c), any byte of a record.
 *
 * OpenSSL's error queue is empty before each call of it, because SSL_get_error looks into the queue, and empty again
 * after.
 */
#include "secure/tls.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "secure/certificate.h"
#include "secure/wire.h"

struct thirl_secure_tls_context {
  SSL_CTX *ssl;
  BIO_METHOD *method;
  uint32_t rekey_records;
};

struct thirl_secure_tls {
  SSL *ssl;
  thirl_secure_tls_state state;
  thirl_error error;
  bool is_client, has_expect, closing;
  bool shown, refused, proven; /* the other side's certificate: seen and fit, seen and not wanted, and its key used */
  thirl_peerid expect;
  thirl_peerid peer; /* of the certificate shown */
  uint32_t rekey_records, sealed;
  thirl_secure_wire wire;
};

/* ---- whose key ---- */

/*
 * In place of OpenSSL's whole chain verification. That the other side holds the private key is shown by its
 * CertificateVerify, which OpenSSL checks against the same certificate right after (RFC 8446 section 4.4.3): the
 * handshake does not end without both.
 */
static int judge_certificate(X509_STORE_CTX *store, void *unused) {
  (void)unused;
  SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  thirl_secure_tls *t = SSL_get_app_data(ssl);
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  X509 *x509 = X509_STORE_CTX_get0_cert(store);
  if (!x509 || thirl_secure_certificate_point(x509, point) != THIRL_OK ||
      thirl_peerid_of_public(THIRL_BYTES(point, sizeof point), &t->peer) != THIRL_OK) {
    X509_STORE_CTX_set_error(store,
                             X509_V_ERR_UNSPECIFIED); /* alert internal_error: our trouble or a broken certificate */
    return 0;
  }
  if (t->has_expect && !thirl_peerid_equal(&t->peer, &t->expect)) {
    t->refused = true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED); /* alert bad_certificate */
    return 0;
  }
  t->shown = true;
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

/* ---- what OpenSSL may do ---- */

static bool set_protocol(SSL_CTX *ssl) {
  SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
  SSL_CTX_set_options(ssl, SSL_OP_NO_RX_CERTIFICATE_COMPRESSION | SSL_OP_NO_TX_CERTIFICATE_COMPRESSION);
#endif
  /* Without SSL_MODE_RELEASE_BUFFERS: it would spare an idle path 34 KiB and cost 5 to 8 % at records of 1200 bytes. */
  SSL_CTX_set_mode(ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(ssl, THIRL_SECURE_TLS_CERTIFICATES_MAX);
  SSL_CTX_set_read_ahead(ssl, 0); /* a record is read as it is opened: nothing piles up inside */
  SSL_CTX_set_security_level(ssl, 2);
  SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_cert_verify_callback(ssl, judge_certificate, NULL);
  /* All named here, so that the system's openssl.cnf has no say. */
  return SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) && SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) &&
         SSL_CTX_set_ciphersuites(ssl, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") &&
         SSL_CTX_set1_groups_list(ssl, "X25519:P-256") && SSL_CTX_set1_sigalgs_list(ssl, "ECDSA+SHA256") &&
         SSL_CTX_set1_client_sigalgs_list(ssl, "ECDSA+SHA256") && SSL_CTX_set_num_tickets(ssl, 0) &&
         SSL_CTX_set_max_early_data(ssl, 0);
}

static bool set_identity(SSL_CTX *ssl, const thirl_secure_identity *id) {
  return SSL_CTX_use_certificate(ssl, thirl_secure_identity_x509(id)) == 1 &&
         SSL_CTX_use_PrivateKey(ssl, thirl_p256_evp(thirl_secure_identity_key(id))) == 1;
}

thirl_error thirl_secure_tls_context_new(const thirl_secure_identity *id, thirl_secure_tls_context **out) {
  *out = NULL;
  thirl_secure_tls_context *c = calloc(1, sizeof *c);
  if (!c) return THIRL_E_NOMEM;
  ERR_clear_error();
  c->rekey_records = THIRL_SECURE_TLS_REKEY_RECORDS;
  c->method = thirl_secure_wire_method_new();
  c->ssl = SSL_CTX_new(TLS_method());
  if (c->method && c->ssl && set_protocol(c->ssl) && set_identity(c->ssl, id)) {
    *out = c;
    return THIRL_OK;
  }
  ERR_clear_error();
  thirl_secure_tls_context_free(c);
  return THIRL_E_CRYPTO;
}

void thirl_secure_tls_context_free(thirl_secure_tls_context *c) {
  if (!c) return;
  SSL_CTX_free(c->ssl);
  BIO_meth_free(c->method);
  free(c);
}

void thirl_secure_tls_context_set_rekey(thirl_secure_tls_context *c, uint32_t records) {
  assert(records > 0);
  c->rekey_records = records;
}

/* ---- state ---- */

static thirl_error fail(thirl_secure_tls *t, thirl_error why) {
  t->state = THIRL_SECURE_TLS_FAILED;
  t->error = why;
  thirl_buffer_fini(&t->wire.kept);
  return why;
}

static bool is_alert(int reason, int alert) {
  return reason == SSL_AD_REASON_OFFSET + alert;
}

/* The alerts by which a TLS stack refuses a certificate (RFC 8446 section 6.2). */
static bool is_refusal(int reason) {
  return is_alert(reason, SSL_AD_BAD_CERTIFICATE) || is_alert(reason, SSL_AD_UNSUPPORTED_CERTIFICATE) ||
         is_alert(reason, SSL_AD_CERTIFICATE_REVOKED) || is_alert(reason, SSL_AD_CERTIFICATE_EXPIRED) ||
         is_alert(reason, SSL_AD_CERTIFICATE_UNKNOWN) || is_alert(reason, SSL_AD_UNKNOWN_CA) ||
         is_alert(reason, SSL_AD_ACCESS_DENIED);
}

/* Empties the queue: the oldest errors are the causes, but only the youngest names what TLS made of them. */
static thirl_error reason_of_failure(const thirl_secure_tls *t) {
  thirl_error e = THIRL_E_PROTOCOL;
  /*
   * A client's key is not known to the server before the client is OPEN: earlier such an alert is a stranger's
   * invention.
   */
  bool may_be_refused = !t->is_client || t->state == THIRL_SECURE_TLS_OPEN;
  unsigned long code;
  while ((code = ERR_get_error()) != 0) {
    int reason = ERR_GET_REASON(code);
    if (reason == ERR_R_MALLOC_FAILURE) return THIRL_E_NOMEM;
    if (ERR_FATAL_ERROR(code)) e = THIRL_E_CRYPTO; /* "internal error" and the like: ours, not theirs */
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) continue;
    if (reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC || is_alert(reason, SSL_AD_BAD_RECORD_MAC))
      e = THIRL_E_INTEGRITY;
    if (is_refusal(reason) && may_be_refused) e = THIRL_E_WRONG_KEY;
  }
  if (t->refused) return THIRL_E_WRONG_KEY;
  if (t->wire.error == THIRL_E_NOMEM) return THIRL_E_NOMEM;
  return t->wire.error == THIRL_OK ? e : THIRL_E_CRYPTO;
}

/*
 * What it means that a call of OpenSSL returned ret, which is not success. The only place where a running connection
 * ends.
 */
static thirl_error judge(thirl_secure_tls *t, int ret) {
  thirl_error e;
  switch (SSL_get_error(t->ssl, ret)) {
  case SSL_ERROR_WANT_READ:
    return THIRL_E_AGAIN;
  case SSL_ERROR_ZERO_RETURN:
    if (t->state != THIRL_SECURE_TLS_OPEN) return fail(t, THIRL_E_PROTOCOL);
    t->state = THIRL_SECURE_TLS_CLOSED;
    thirl_buffer_fini(&t->wire.kept);
    return THIRL_E_EOF;
  default:
    e = fail(t, reason_of_failure(t));
    ERR_clear_error();
    return e;
  }
}

static void clear_errors(void) {
  if (ERR_peek_error()) ERR_clear_error();
}

/* One step of the handshake as far as the bytes reach. OK when it goes on or is done. */
static thirl_error shake(thirl_secure_tls *t) {
  clear_errors();
  int ret = SSL_do_handshake(t->ssl);
  if (ret != 1) {
    thirl_error e = judge(t, ret);
    return e == THIRL_E_AGAIN ? THIRL_OK : e;
  }
  if (!t->shown || SSL_get_verify_result(t->ssl) != X509_V_OK) return fail(t, THIRL_E_CRYPTO);
  t->proven = true;
  t->state = THIRL_SECURE_TLS_OPEN;
  return THIRL_OK;
}

/* ---- one connection ---- */

thirl_error thirl_secure_tls_new(thirl_secure_tls_context *c, bool is_client, const thirl_peerid *expect,
                                 thirl_secure_tls **out) {
  *out = NULL;
  thirl_secure_tls *t = calloc(1, sizeof *t);
  if (!t) return THIRL_E_NOMEM;
  clear_errors();
  thirl_secure_wire_init(&t->wire, THIRL_SECURE_TLS_KEPT_MAX, THIRL_SECURE_TLS_OUTPUT_MAX);
  t->rekey_records = c->rekey_records;
  t->is_client = is_client;
  t->has_expect = expect != NULL;
  if (expect) t->expect = *expect;
  t->ssl = SSL_new(c->ssl);
  BIO *bio = t->ssl ? thirl_secure_wire_bio_new(c->method, &t->wire) : NULL;
  thirl_error e = bio && SSL_set_app_data(t->ssl, t) ? THIRL_OK : THIRL_E_NOMEM;
  if (bio) SSL_set_bio(t->ssl, bio, bio); /* the SSL owns it from here */
  if (e == THIRL_OK && is_client) SSL_set_connect_state(t->ssl);
  if (e == THIRL_OK && !is_client) SSL_set_accept_state(t->ssl);
  if (e == THIRL_OK && is_client) e = shake(t);
  if (e != THIRL_OK) {
    ERR_clear_error();
    thirl_secure_tls_free(t);
    return e == THIRL_E_NOMEM ? e : THIRL_E_CRYPTO;
  }
  *out = t;
  return THIRL_OK;
}

void thirl_secure_tls_free(thirl_secure_tls *t) {
  if (!t) return;
  SSL_free(t->ssl);
  thirl_secure_wire_fini(&t->wire);
  free(t);
}

thirl_secure_tls_state thirl_secure_tls_state_of(const thirl_secure_tls *t) {
  return t->state;
}

thirl_error thirl_secure_tls_error(const thirl_secure_tls *t) {
  return t->error;
}

const thirl_peerid *thirl_secure_tls_peer(const thirl_secure_tls *t) {
  return t->proven ? &t->peer : NULL;
}

/* ---- ciphertext in ---- */

static thirl_error decrypt(thirl_secure_tls *t, uint8_t *buf, size_t cap, size_t *n) {
  *n = 0;
  if (cap == 0) return THIRL_E_SPACE;
  thirl_error e = t->state == THIRL_SECURE_TLS_HANDSHAKE ? shake(t) : THIRL_OK;
  while (e == THIRL_OK && t->state == THIRL_SECURE_TLS_OPEN && *n < cap) {
    size_t got = 0;
    if (thirl_secure_wire_left(&t->wire) == 0 && SSL_pending(t->ssl) == 0) break; /* spares a call that finds nothing */
    clear_errors();
    int ret = SSL_read_ex(t->ssl, buf + *n, cap - *n, &got);
    if (ret == 1)
      *n += got;
    else
      e = judge(t, ret);
  }
  if (*n) return THIRL_OK; /* an end that came behind them is told by the next call */
  if (t->state == THIRL_SECURE_TLS_FAILED) return t->error;
  return t->state == THIRL_SECURE_TLS_CLOSED ? THIRL_E_EOF : THIRL_E_AGAIN;
}

thirl_error thirl_secure_tls_open(thirl_secure_tls *t, thirl_bytes *in, uint8_t *buf, size_t cap, size_t *n) {
  t->wire.view = *in;
  thirl_error e = decrypt(t, buf, cap, n);
  *in = t->wire.view;
  t->wire.view = (thirl_bytes){NULL, 0};
  return e;
}

thirl_error thirl_secure_tls_read(thirl_secure_tls *t, uint8_t *buf, size_t cap, size_t *n) {
  return decrypt(t, buf, cap, n);
}

thirl_error thirl_secure_tls_feed(thirl_secure_tls *t, thirl_bytes in) {
  if (t->state == THIRL_SECURE_TLS_FAILED) return t->error;
  if (t->state == THIRL_SECURE_TLS_CLOSED) return THIRL_OK;
  if (in.n > thirl_buffer_room(&t->wire.kept)) return THIRL_E_LIMIT;
  thirl_error e = THIRL_OK;
  t->wire.view = in;
  if (t->state == THIRL_SECURE_TLS_HANDSHAKE) e = shake(t);
  if (e == THIRL_OK) e = thirl_buffer_append(&t->wire.kept, t->wire.view);
  t->wire.view = (thirl_bytes){NULL, 0};
  return e;
}

/* ---- ciphertext out ---- */

size_t thirl_secure_tls_pull(thirl_secure_tls *t, uint8_t *buf, size_t cap) {
  thirl_writer w = thirl_writer_of(buf, cap);
  thirl_bytes waiting = thirl_buffer_view(&t->wire.out);
  thirl_writer_copy(&w, waiting.p, waiting.n < cap ? waiting.n : cap);
  thirl_buffer_consume(&t->wire.out, w.n);
  return w.n;
}

bool thirl_secure_tls_has_output(const thirl_secure_tls *t) {
  return t->wire.out.n > 0;
}

/* In the middle of the other side's key change OpenSSL declines: the next record tries again. */
static void renew_key(thirl_secure_tls *t) {
  if (SSL_key_update(t->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1) t->sealed = 0;
  clear_errors();
}

thirl_error thirl_secure_tls_seal(thirl_secure_tls *t, thirl_bytes in, uint8_t *buf, size_t cap, size_t *n) {
  size_t taken = 0;
  *n = 0;
  if (t->state == THIRL_SECURE_TLS_FAILED) return t->error;
  if (t->state != THIRL_SECURE_TLS_OPEN || t->closing || thirl_secure_tls_has_output(t)) return THIRL_E_STATE;
  if (in.n == 0) return THIRL_OK;
  if (in.n > THIRL_SECURE_TLS_RECORD) return THIRL_E_RANGE;
  if (cap < in.n + THIRL_SECURE_TLS_OVERHEAD) return THIRL_E_SPACE;
  clear_errors();
  if (t->sealed >= t->rekey_records) renew_key(t);
  t->wire.sink = thirl_writer_of(buf, cap);
  int ret = SSL_write_ex(t->ssl, in.p, in.n, &taken);
  thirl_bytes made = thirl_writer_done(&t->wire.sink);
  t->wire.sink = (thirl_writer){0};
  if (ret == 1) {
    t->sealed++;
    *n = made.n;
    return THIRL_OK;
  }
  thirl_error e = judge(t, ret);
  (void)thirl_buffer_append(&t->wire.out, made); /* an alert or a KeyUpdate must not be lost */
  return e;
}

void thirl_secure_tls_close(thirl_secure_tls *t) {
  bool live = t->state == THIRL_SECURE_TLS_OPEN || t->state == THIRL_SECURE_TLS_CLOSED;
  if (!live || t->closing) return;
  t->closing = true;
  clear_errors();
  (void)SSL_shutdown(t->ssl);
  clear_errors();
}
