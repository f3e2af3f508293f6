/* SPDX-License-Identifier: MIT */
#include "secure/certificate.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>

enum { SERIAL_LEN = 16, VERSION_3 = 2, SPKI_HEAD = 26, SPKI_LEN = SPKI_HEAD + THIRL_P256_PUBLIC_LEN };

/*
 * SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING, no unused bits ... the point follows }  RFC 5480
 * section 2
 */
static const uint8_t spki_head[SPKI_HEAD] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                             0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                             0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

static int set_serial(X509 *x, const thirl_peerid *id) {
  uint8_t raw[SERIAL_LEN];
  memcpy(raw, id->b, sizeof raw);
  raw[0] = (uint8_t)((raw[0] & 0x3f) | 0x40); /* positive, and of one length for all */
  BIGNUM *bn = BN_bin2bn(raw, sizeof raw, NULL);
  int ok = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
  BN_free(bn);
  return ok;
}

static int set_names(X509 *x) {
  X509_NAME *name = X509_NAME_new();
  int ok = name && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"thirl", -1, -1, 0) &&
           X509_set_subject_name(x, name) && X509_set_issuer_name(x, name);
  X509_NAME_free(name);
  return ok;
}

/*
 * UTCTime for the first, GeneralizedTime for the second, as RFC 5280 section 4.1.2.5 wants: the _X509 variant sees to
 * it.
 */
static int set_dates(X509 *x) {
  return ASN1_TIME_set_string_X509(X509_getm_notBefore(x), "19700101000000Z") &&
         ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "99991231235959Z");
}

thirl_error thirl_secure_certificate_build(const thirl_p256 *key, const thirl_peerid *id, X509 **out) {
  EVP_PKEY *pkey = thirl_p256_evp(key);
  X509 *x = X509_new();
  *out = NULL;
  if (!x) return THIRL_E_NOMEM;
  if (X509_set_version(x, VERSION_3) && set_serial(x, id) && set_names(x) && set_dates(x) && X509_set_pubkey(x, pkey) &&
      X509_sign(x, pkey, EVP_sha256()) > 0) { /* out of memory it may say -1 */
    *out = x;
    return THIRL_OK;
  }
  X509_free(x);
  ERR_clear_error();
  return THIRL_E_CRYPTO;
}

thirl_error thirl_secure_certificate_point(const X509 *x509, uint8_t point[THIRL_P256_PUBLIC_LEN]) {
  uint8_t spki[SPKI_LEN], *p = spki;
  X509_PUBKEY *key = X509_get_X509_PUBKEY(x509);
  if (!key || i2d_X509_PUBKEY(key, NULL) != SPKI_LEN || i2d_X509_PUBKEY(key, &p) != SPKI_LEN) return THIRL_E_MALFORMED;
  if (memcmp(spki, spki_head, SPKI_HEAD) != 0 || spki[SPKI_HEAD] != 0x04) return THIRL_E_MALFORMED;
  memcpy(point, spki + SPKI_HEAD, THIRL_P256_PUBLIC_LEN);
  return THIRL_OK;
}
