/* SPDX-License-Identifier: MIT */
/*
 * A peer with the right key that stops in the middle of a KeyUpdate: while only the header of that message is here OpenSSL seals nothing. The path must neither spin nor lose what it has to say. The peer is OpenSSL, and
 * the two halves are sealed here, by hand, with its traffic secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include "session/path.h"

enum { KEY = 16, IV = 12, TAG = 16, SECRET = 32, RECORD_HEADER = 5, HANDSHAKE = 22, KEY_UPDATE = 24 };

static const uint8_t session_id[THIRL_SESSION_ID_LEN] = {1, 2, 3, 4};

typedef struct scene {
  thirl_secure_identity *ours, *theirs;
  thirl_secure_tls_context *tls;
  thirl_session_stream stream;
  thirl_session_path path;
  SSL_CTX *ctx;
  SSL *ssl;
  BIO *in, *out;
  uint8_t secret[SECRET]; /* of what the peer sends */
  uint64_t sequence;      /* of its next record */
} scene;

static scene s;

/* ---- sealing by hand: RFC 8446 sections 5.2, 5.3 and 7.3 ---- */

static void hear_secret(const SSL *ssl, const char *line) {
  static const char label[] = "SERVER_TRAFFIC_SECRET_0 ";
  (void)ssl;
  if (strncmp(line, label, sizeof label - 1) != 0) return;
  const char *hex = strrchr(line, ' ') + 1;
  assert_int_equal(strlen(hex), 2 * SECRET);
  for (size_t i = 0; i < SECRET; i++) {
    char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
    s.secret[i] = (uint8_t)strtoul(two, NULL, 16);
  }
}

static void expand(const char *label, uint8_t *out, size_t n) {
  uint8_t info[32];
  size_t text = strlen(label);
  info[0] = 0;
  info[1] = (uint8_t)n;
  info[2] = (uint8_t)(6 + text);
  memcpy(info + 3, "tls13 ", 6);
  memcpy(info + 9, label, text);
  info[9 + text] = 0;
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  char digest[] = "SHA256";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                         OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                         OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, s.secret, SECRET),
                         OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, 10 + text), OSSL_PARAM_END};
  EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
  EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
  assert_int_equal(EVP_KDF_derive(ctx, out, n, params), 1);
  EVP_KDF_CTX_free(ctx);
  EVP_KDF_free(kdf);
}

/* One record of the peer with these bytes of a handshake message in it. */
static size_t seal(const uint8_t *part, size_t n, uint8_t *out) {
  uint8_t key[KEY], iv[IV], inner[16];
  int len = 0;
  expand("key", key, KEY);
  expand("iv", iv, IV);
  for (size_t i = 0; i < 8; i++)
    iv[IV - 1 - i] ^= (uint8_t)(s.sequence >> (8 * i));
  s.sequence++;
  memcpy(inner, part, n);
  inner[n] = HANDSHAKE;
  const uint8_t header[RECORD_HEADER] = {23, 3, 3, 0, (uint8_t)(n + 1 + TAG)};
  memcpy(out, header, sizeof header);
  EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
  assert_int_equal(EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, iv), 1);
  assert_int_equal(EVP_EncryptUpdate(c, NULL, &len, header, sizeof header), 1);
  assert_int_equal(EVP_EncryptUpdate(c, out + sizeof header, &len, inner, (int)n + 1), 1);
  assert_int_equal(EVP_EncryptFinal_ex(c, out + sizeof header + len, &len), 1);
  assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, out + sizeof header + n + 1), 1);
  EVP_CIPHER_CTX_free(c);
  return sizeof header + n + 1 + TAG;
}

/* ---- the scene: the path dials, OpenSSL listens; both keys are proven and HELLO is said ---- */

static int accept_any(int ok, X509_STORE_CTX *store) {
  (void)ok, (void)store;
  return 1;
}

static thirl_error hear(const uint8_t *p, size_t n) {
  thirl_session_frame f;
  thirl_bytes in = THIRL_BYTES(p, n);
  thirl_error e;
  while ((e = thirl_session_path_next(&s.path, 0, &s.stream, &in, &f)) == THIRL_OK)
    if (f.type == THIRL_SESSION_HELLO)
      assert_int_equal(thirl_session_stream_acked(&s.stream, f.next, f.limit), THIRL_OK);
  return e;
}

static void move(void) {
  uint8_t buf[8192];
  int n;
  for (int i = 0; i < 6; i++) {
    size_t k = thirl_session_path_pull(&s.path, &s.stream, buf, sizeof buf);
    if (k) assert_int_equal(BIO_write(s.in, buf, (int)k), (int)k);
    if (!SSL_is_init_finished(s.ssl)) (void)SSL_do_handshake(s.ssl);
    while ((n = BIO_read(s.out, buf, sizeof buf)) > 0)
      assert_int_equal(hear(buf, (size_t)n), THIRL_E_AGAIN);
  }
}

static int setup(void **state) {
  (void)state;
  uint8_t hello[THIRL_SESSION_FRAME_MAX];
  memset(&s, 0, sizeof s);
  assert_int_equal(thirl_secure_identity_generate(&s.ours), THIRL_OK);
  assert_int_equal(thirl_secure_identity_generate(&s.theirs), THIRL_OK);
  assert_int_equal(thirl_secure_tls_context_new(s.ours, &s.tls), THIRL_OK);
  thirl_session_stream_init(&s.stream, 1 << 17);
  s.ctx = SSL_CTX_new(TLS_method());
  SSL_CTX_set_verify(s.ctx, SSL_VERIFY_PEER, accept_any);
  SSL_CTX_set_num_tickets(s.ctx, 0);
  SSL_CTX_set_keylog_callback(s.ctx, hear_secret);
  assert_int_equal(SSL_CTX_set_ciphersuites(s.ctx, "TLS_AES_128_GCM_SHA256"), 1);
  assert_int_equal(SSL_CTX_use_certificate(s.ctx, thirl_secure_identity_x509(s.theirs)), 1);
  assert_int_equal(SSL_CTX_use_PrivateKey(s.ctx, thirl_p256_evp(thirl_secure_identity_key(s.theirs))), 1);
  s.ssl = SSL_new(s.ctx);
  s.in = BIO_new(BIO_s_mem());
  s.out = BIO_new(BIO_s_mem());
  SSL_set_bio(s.ssl, s.in, s.out);
  SSL_set_accept_state(s.ssl);
  assert_int_equal(
      thirl_session_path_init(&s.path, 0, s.tls, true, thirl_secure_identity_peerid(s.theirs), session_id, 7),
      THIRL_OK);
  move();
  assert_true(SSL_is_init_finished(s.ssl));
  thirl_writer w = thirl_writer_of(hello, sizeof hello);
  thirl_session_frame f = {.type = THIRL_SESSION_HELLO, .incarnation = 9, .limit = 1 << 17};
  memcpy(f.session, session_id, sizeof session_id);
  thirl_session_frame_encode(&w, &f);
  assert_int_equal(SSL_write(s.ssl, hello, (int)w.n), (int)w.n);
  s.sequence = 1;
  move();
  assert_true(thirl_session_path_is_proven(&s.path));
  while (SSL_read(s.ssl, hello, sizeof hello) > 0) { /* our HELLO */
  }
  return 0;
}

static int teardown(void **state) {
  (void)state;
  thirl_session_path_fini(&s.path);
  thirl_session_stream_fini(&s.stream);
  thirl_secure_tls_context_free(s.tls);
  thirl_secure_identity_free(s.ours);
  thirl_secure_identity_free(s.theirs);
  SSL_free(s.ssl);
  SSL_CTX_free(s.ctx);
  ERR_clear_error();
  return 0;
}

static const uint8_t key_update[] = {KEY_UPDATE, 0, 0, 1, 0};

static void hear_part(size_t from, size_t to) {
  uint8_t record[64];
  size_t n = seal(key_update + from, to - from, record);
  assert_int_equal(hear(record, n), THIRL_E_AGAIN);
}

static void write_bytes(size_t n) {
  uint8_t *p;
  size_t room;
  assert_int_equal(thirl_session_stream_space(&s.stream, &p, &room), THIRL_OK);
  memset(p, 'x', n);
  thirl_session_stream_commit(&s.stream, n);
}

static void half_a_key_change_holds_everything_back(void **state) {
  (void)state;
  uint8_t buf[8192], got[4096];
  hear_part(0, 4);
  write_bytes(1000);
  assert_true(thirl_session_path_wants_pull(&s.path, &s.stream));
  assert_int_equal(thirl_session_path_pull(&s.path, &s.stream, buf, sizeof buf), 0); /* TLS declines */
  assert_false(thirl_session_path_wants_pull(&s.path, &s.stream));                   /* and is not asked again */
  thirl_session_path_ask(&s.path, 0);
  assert_false(thirl_session_path_wants_pull(&s.path, &s.stream));
  assert_false(thirl_session_path_is_quiet(&s.path)); /* something waits nevertheless */
  hear_part(4, 5);
  assert_true(thirl_session_path_wants_pull(&s.path, &s.stream));
  size_t n = thirl_session_path_pull(&s.path, &s.stream, buf, sizeof buf);
  assert_true(n > 1000);
  assert_true(thirl_session_path_is_quiet(&s.path));
  assert_int_equal(BIO_write(s.in, buf, (int)n), (int)n);
  assert_int_equal(SSL_read(s.ssl, got, sizeof got), 12); /* PING */
  assert_int_equal(got[0], THIRL_SESSION_PING);
  assert_int_equal(SSL_read(s.ssl, got, sizeof got), 1000 + THIRL_SESSION_DATA_HEADER);
  assert_int_equal(got[0], THIRL_SESSION_DATA);
  assert_int_equal(got[THIRL_SESSION_DATA_HEADER + 999], 'x');
}

/* Frames that wait are not lost either, and a last byte that never comes costs no turn. */
static void what_is_to_be_said_waits(void **state) {
  (void)state;
  uint8_t buf[8192], got[4096];
  hear_part(0, 2);
  hear_part(2, 4);
  assert_true(thirl_session_path_say(&s.path, &(thirl_session_frame){.type = THIRL_SESSION_BYE, .reason = 5}));
  for (int i = 0; i < 3; i++) {
    assert_int_equal(thirl_session_path_pull(&s.path, NULL, buf, sizeof buf), 0);
    assert_false(thirl_session_path_wants_pull(&s.path, NULL));
  }
  hear_part(4, 5);
  size_t n = thirl_session_path_pull(&s.path, NULL, buf, sizeof buf);
  assert_int_equal(BIO_write(s.in, buf, (int)n), (int)n);
  assert_int_equal(SSL_read(s.ssl, got, sizeof got), 8);
  assert_int_equal(got[0], THIRL_SESSION_BYE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(half_a_key_change_holds_everything_back, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_to_be_said_waits, setup, teardown),
  };
  return cmocka_run_group_tests_name("session/keychange", tests, NULL, NULL);
}
