/* SPDX-License-Identifier: MIT */
#include "base/p256.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

/*
 * A stranger's bad point or signature leaves entries in OpenSSL's error queue of this thread, and whoever calls SSL_get_error next would
 * take them for his own: every failure of a public function clears the queue.
 */
static thirl_error failed(thirl_error e) {
  ERR_clear_error();
  return e;
}

struct thirl_p256 {
  EVP_PKEY *pkey;
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  bool has_private;
};

/* point NULL: ask the key for it. */
static thirl_error wrap(EVP_PKEY *pkey, bool has_private, const uint8_t *point, thirl_p256 **out) {
  thirl_p256 *k = calloc(1, sizeof *k);
  size_t n = sizeof k->point;
  if (!k) {
    EVP_PKEY_free(pkey);
    return THIRL_E_NOMEM;
  }
  k->pkey = pkey;
  k->has_private = has_private;
  if (point)
    memcpy(k->point, point, n);
  else if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, k->point, sizeof k->point, &n) != 1 ||
           n != sizeof k->point) {
    thirl_p256_free(k);
    return failed(THIRL_E_CRYPTO);
  }
  *out = k;
  return THIRL_OK;
}

static EVP_PKEY *make_curve(void) {
  char name[] = "P-256";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
                         OSSL_PARAM_construct_end()};
  EVP_PKEY *pkey = NULL;
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  if (ctx && EVP_PKEY_fromdata_init(ctx) == 1) (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEY_PARAMETERS, params);
  EVP_PKEY_CTX_free(ctx);
  return pkey;
}

/*
 * A key that is nothing but the curve, for the whole process: to make the curve from its name takes four times as long as to copy it. Whoever
 * comes first makes it. NULL: not this time.
 */
static EVP_PKEY *curve(void) {
  static _Atomic(EVP_PKEY *) shared;
  EVP_PKEY *mine = atomic_load(&shared), *first = NULL;
  if (mine) return mine;
  mine = make_curve();
  if (!mine || atomic_compare_exchange_strong(&shared, &first, mine)) return mine;
  EVP_PKEY_free(mine);
  return first;
}

thirl_error thirl_p256_generate(thirl_p256 **out) {
  *out = NULL;
  EVP_PKEY *pkey = NULL, *of = curve();
  EVP_PKEY_CTX *ctx = of ? EVP_PKEY_CTX_new_from_pkey(NULL, of, NULL) : NULL;
  if (ctx && EVP_PKEY_keygen_init(ctx) == 1) (void)EVP_PKEY_generate(ctx, &pkey);
  EVP_PKEY_CTX_free(ctx);
  return pkey ? wrap(pkey, true, NULL, out) : failed(THIRL_E_CRYPTO);
}

static EVP_PKEY *from_params(const uint8_t *point, const BIGNUM *scalar) {
  EVP_PKEY *pkey = NULL;
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
  OSSL_PARAM *params = NULL;
  if (ctx && bld && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
      OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, THIRL_P256_PUBLIC_LEN) &&
      OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, scalar) &&
      (params = OSSL_PARAM_BLD_to_param(bld)) != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
    (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(bld);
  EVP_PKEY_CTX_free(ctx);
  return pkey;
}

thirl_error thirl_p256_from_private(const uint8_t scalar[THIRL_P256_PRIVATE_LEN], thirl_p256 **out) {
  *out = NULL;
  thirl_error e = THIRL_E_CRYPTO;
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  BIGNUM *d = BN_secure_new();
  EC_POINT *q = group ? EC_POINT_new(group) : NULL;
  if (!group || !d || !q || !BN_bin2bn(scalar, THIRL_P256_PRIVATE_LEN, d)) goto done;
  if (BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(group)) >= 0) {
    e = THIRL_E_RANGE;
    goto done;
  }
  BN_set_flags(d, BN_FLG_CONSTTIME);
  if (EC_POINT_mul(group, q, d, NULL, NULL, NULL) != 1 ||
      EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, NULL) != sizeof point)
    goto done;
  EVP_PKEY *pkey = from_params(point, d);
  e = pkey ? wrap(pkey, true, point, out) : THIRL_E_CRYPTO;
done:
  EC_POINT_free(q);
  BN_clear_free(d);
  EC_GROUP_free(group);
  return e == THIRL_OK ? e : failed(e);
}

thirl_error thirl_p256_from_public(const uint8_t point[THIRL_P256_PUBLIC_LEN], thirl_p256 **out) {
  *out = NULL;
  if (point[0] != 0x04) return THIRL_E_MALFORMED;
  EVP_PKEY *of = curve(), *pkey = of ? EVP_PKEY_new() : NULL;
  if (!pkey || EVP_PKEY_copy_parameters(pkey, of) != 1) {
    EVP_PKEY_free(pkey);
    return failed(THIRL_E_CRYPTO);
  }
  if (EVP_PKEY_set1_encoded_public_key(pkey, point, THIRL_P256_PUBLIC_LEN) != 1) {
    EVP_PKEY_free(pkey);
    return failed(THIRL_E_MALFORMED);
  }
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
  int on_curve = ctx && EVP_PKEY_public_check_quick(ctx) == 1; /* on the curve; its order is prime, so that is all */
  EVP_PKEY_CTX_free(ctx);
  if (on_curve) return wrap(pkey, false, point, out);
  EVP_PKEY_free(pkey);
  return failed(THIRL_E_MALFORMED);
}

void thirl_p256_free(thirl_p256 *k) {
  if (!k) return;
  EVP_PKEY_free(k->pkey);
  free(k);
}

void thirl_p256_get_public(const thirl_p256 *k, uint8_t out[THIRL_P256_PUBLIC_LEN]) {
  memcpy(out, k->point, sizeof k->point);
}

thirl_error thirl_p256_get_private(const thirl_p256 *k, uint8_t out[THIRL_P256_PRIVATE_LEN]) {
  BIGNUM *d = NULL;
  if (!k->has_private) return THIRL_E_STATE;
  if (EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) != 1) return failed(THIRL_E_CRYPTO);
  int n = BN_bn2binpad(d, out, THIRL_P256_PRIVATE_LEN);
  BN_clear_free(d);
  return n == THIRL_P256_PRIVATE_LEN ? THIRL_OK : failed(THIRL_E_CRYPTO);
}

thirl_error thirl_p256_sign(const thirl_p256 *k, thirl_bytes in, uint8_t out[THIRL_P256_SIGNATURE_MAX], size_t *n) {
  *n = THIRL_P256_SIGNATURE_MAX;
  if (!k->has_private) return THIRL_E_STATE;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  int ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
           EVP_DigestSign(ctx, out, n, in.p, in.n) == 1 && *n <= THIRL_P256_SIGNATURE_MAX;
  EVP_MD_CTX_free(ctx);
  return ok ? THIRL_OK : failed(THIRL_E_CRYPTO);
}

thirl_error thirl_p256_verify(const thirl_p256 *k, thirl_bytes in, thirl_bytes signature) {
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  if (!ctx) return THIRL_E_NOMEM;
  int ok = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
           EVP_DigestVerify(ctx, signature.p, signature.n, in.p, in.n) == 1;
  EVP_MD_CTX_free(ctx);
  return ok ? THIRL_OK : failed(THIRL_E_INTEGRITY);
}

thirl_error thirl_p256_agree(const thirl_p256 *mine, const thirl_p256 *theirs, uint8_t out[THIRL_P256_SHARED_LEN]) {
  size_t n = THIRL_P256_SHARED_LEN;
  if (!mine->has_private) return THIRL_E_STATE;
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine->pkey, NULL);
  int ok = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
           EVP_PKEY_derive_set_peer_ex(ctx, theirs->pkey, 0) == 1 /* checked when it was made */ &&
           EVP_PKEY_derive(ctx, out, &n) == 1 && n == THIRL_P256_SHARED_LEN;
  EVP_PKEY_CTX_free(ctx);
  return ok ? THIRL_OK : failed(THIRL_E_CRYPTO);
}

void *thirl_p256_evp(const thirl_p256 *k) {
  return k->pkey;
}
