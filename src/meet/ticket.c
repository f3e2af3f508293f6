/* SPDX-License-Identifier: MIT */
/*
 * Tickets to text and back, and the three values that come out of the secret. Behind "thirl1" stands, in base 32 without hyphens so that a
 * double click selects it:
 *
 *    +-------+-------+-----------+------------------+------------+------------+--------------+
 *    | ver 1 | flags | port (16) | host             | peer id 20 | secret 16  | checksum 4   |
 *    +-------+-------+-----------+------------------+------------+------------+--------------+
 *
 * The two low bits of flags tell what host is: 0 a name (all the bytes that are left over), 1 an IPv4 address (4), 2 an IPv6 address (16). The
 * checksum is the beginning of SHA-256 over everything before it. There is one text for each ticket: an address written as a name, or
 * a bit that means nothing, is refused.
 */
#include "meet/ticket.h"

#include <string.h>

#include "base/addr.h"
#include "base/base32.h"
#include "base/hash.h"

enum {
  TICKET_VERSION = 1,
  HOST_NAME = 0,
  HOST_V4 = 1,
  HOST_V6 = 2,
  PREFIX_LEN = 5, /* "thirl", then the version's digit */
  CHECKSUM_LEN = 4,
  FIXED_LEN = 1 + 1 + 2 + THIRL_PEERID_LEN + THIRL_MEET_SECRET_LEN + CHECKSUM_LEN,
  BINARY_MAX = FIXED_LEN + THIRL_MEET_HOST_MAX
};

_Static_assert(PREFIX_LEN + 1 + THIRL_BASE32_LEN(BINARY_MAX) < THIRL_MEET_TICKET_TEXT_MAX, "the longest ticket fits");

static const char prefix[] = "thirl";

/* ---- host ---- */

/* A numeric address and nothing else: no port, no brackets. */
static bool host_is_ip(const char *host, thirl_addr *out) {
  return thirl_addr_parse(host, out) == THIRL_OK && out->port == 0 && host[0] != '[' &&
         (out->family == THIRL_FAMILY_V6 || !strchr(host, ':'));
}

static bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* A name that a resolver may be asked for. Names in other scripts are written in their ASCII form (RFC 5890). */
static bool is_name(const char *host, size_t n) {
  if (n == 0 || n > THIRL_MEET_HOST_MAX) return false;
  for (size_t i = 0; i < n; i++)
    if (!is_name_char(host[i])) return false;
  return true;
}

static thirl_error check_host(const char *host, size_t n, thirl_addr *ip) {
  if (n == 0 || n > THIRL_MEET_HOST_MAX) return THIRL_E_RANGE;
  return host_is_ip(host, ip) || is_name(host, n) ? THIRL_OK : THIRL_E_SYNTAX;
}

thirl_error thirl_meet_ticket_make(const thirl_secrets *s, const char *host, uint16_t port, const thirl_peerid *me,
                                   thirl_meet_ticket *out) {
  thirl_addr ip;
  size_t n = strlen(host);
  memset(out, 0, sizeof *out);
  if (port == 0) return THIRL_E_RANGE;
  thirl_error e = check_host(host, n, &ip);
  if (e != THIRL_OK) return e;
  memcpy(out->host, host, n);
  out->port = port;
  out->peer = *me;
  thirl_secrets_fill(s, out->secret, sizeof out->secret);
  return THIRL_OK;
}

/* ---- format ---- */

static void put_host(thirl_writer *w, const thirl_meet_ticket *t, size_t host_n, const thirl_addr *ip) {
  if (ip->family == THIRL_FAMILY_NONE)
    thirl_writer_copy(w, t->host, host_n);
  else
    thirl_writer_copy(w, ip->ip, thirl_addr_ip_len(ip));
}

thirl_error thirl_meet_ticket_format(const thirl_meet_ticket *t, char *out) {
  uint8_t binary[BINARY_MAX], digest[THIRL_SHA256_LEN];
  thirl_addr ip = {0};
  size_t host_n = strnlen(t->host, sizeof t->host);
  out[0] = '\0';
  thirl_error e = t->port ? check_host(t->host, host_n, &ip) : THIRL_E_RANGE;
  if (e != THIRL_OK) return e;

  thirl_writer w = thirl_writer_of(binary, sizeof binary);
  thirl_writer_u8(&w, TICKET_VERSION);
  thirl_writer_u8(&w, ip.family == THIRL_FAMILY_V4 ? HOST_V4 : ip.family == THIRL_FAMILY_V6 ? HOST_V6 : HOST_NAME);
  thirl_writer_u16(&w, t->port);
  put_host(&w, t, host_n, &ip);
  thirl_writer_copy(&w, t->peer.b, sizeof t->peer.b);
  thirl_writer_copy(&w, t->secret, sizeof t->secret);
  e = thirl_hash_sha256(thirl_writer_done(&w), digest);
  thirl_writer_copy(&w, digest, CHECKSUM_LEN);
  if (e == THIRL_OK) {
    memcpy(out, prefix, PREFIX_LEN);
    out[PREFIX_LEN] = (char)('0' + TICKET_VERSION);
    e = thirl_base32_encode(thirl_writer_done(&w), out + PREFIX_LEN + 1, THIRL_MEET_TICKET_TEXT_MAX - PREFIX_LEN - 1);
  }
  thirl_bytes_wipe(binary, sizeof binary);
  return e;
}

/* ---- parse ---- */

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Copies text without surrounding white space and without hyphens, in lower case. E_SYNTAX when it is too long for any ticket. */
static thirl_error squeeze(const char *text, char out[THIRL_MEET_TICKET_TEXT_MAX], size_t *n) {
  *n = 0;
  while (is_space(*text))
    text++;
  size_t end = strlen(text);
  while (end && is_space(text[end - 1]))
    end--;
  for (size_t i = 0; i < end; i++) {
    char c = text[i];
    if (c == '-') continue;
    if (*n == THIRL_MEET_TICKET_TEXT_MAX - 1) return THIRL_E_SYNTAX;
    out[(*n)++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
  }
  out[*n] = '\0';
  return THIRL_OK;
}

static bool get_host(thirl_reader *r, unsigned kind, size_t n, char out[THIRL_MEET_HOST_MAX + 1]) {
  thirl_bytes b = thirl_reader_take(r, n);
  thirl_addr ip = {0};
  char text[THIRL_ADDR_TEXT_MAX];
  if (r->bad || n > THIRL_MEET_HOST_MAX) return false;
  if (kind == HOST_NAME) {
    if (!is_name((const char *)b.p, n)) return false;
    memcpy(out, b.p, n);
    out[n] = '\0';
    return !host_is_ip(out, &ip);
  }
  if (n != (kind == HOST_V4 ? 4u : 16u)) return false;
  ip.family = kind == HOST_V4 ? THIRL_FAMILY_V4 : THIRL_FAMILY_V6;
  memcpy(ip.ip, b.p, n);
  thirl_addr_format(&ip, text);
  /* "192.0.2.1:0" or "[2001:db8::1]:0" without its port and brackets */
  size_t skip = kind == HOST_V6, text_n = strlen(text) - 2 - 2 * skip;
  memcpy(out, text + skip, text_n);
  out[text_n] = '\0';
  return true;
}

static thirl_error parse_binary(thirl_bytes in, thirl_meet_ticket *out) {
  uint8_t digest[THIRL_SHA256_LEN];
  if (in.n < FIXED_LEN) return THIRL_E_SYNTAX;
  thirl_bytes body = {in.p, in.n - CHECKSUM_LEN};
  if (thirl_hash_sha256(body, digest) != THIRL_OK) return THIRL_E_CRYPTO;
  if (memcmp(digest, in.p + body.n, CHECKSUM_LEN) != 0) return THIRL_E_CHECKSUM;

  thirl_reader r = thirl_reader_of(body);
  uint8_t version = thirl_reader_u8(&r), flags = thirl_reader_u8(&r);
  if (version != TICKET_VERSION || flags > HOST_V6) return THIRL_E_UNSUPPORTED;
  out->port = thirl_reader_u16(&r);
  if (!get_host(&r, flags, in.n - FIXED_LEN, out->host)) return THIRL_E_SYNTAX;
  thirl_reader_copy(&r, out->peer.b, sizeof out->peer.b);
  thirl_reader_copy(&r, out->secret, sizeof out->secret);
  return out->port ? THIRL_OK : THIRL_E_SYNTAX;
}

thirl_error thirl_meet_ticket_parse(const char *text, thirl_meet_ticket *out) {
  char word[THIRL_MEET_TICKET_TEXT_MAX];
  uint8_t binary[BINARY_MAX];
  size_t word_n, n = 0;
  memset(out, 0, sizeof *out);
  thirl_error e = squeeze(text, word, &word_n);
  if (e == THIRL_OK && (word_n <= PREFIX_LEN || memcmp(word, prefix, PREFIX_LEN) != 0)) e = THIRL_E_SYNTAX;
  if (e == THIRL_OK && word[PREFIX_LEN] != '0' + TICKET_VERSION)
    e = word[PREFIX_LEN] > '0' + TICKET_VERSION && word[PREFIX_LEN] <= '9' ? THIRL_E_UNSUPPORTED : THIRL_E_SYNTAX;
  if (e == THIRL_OK) e = thirl_base32_decode(word + PREFIX_LEN + 1, word_n - PREFIX_LEN - 1, binary, sizeof binary, &n);
  if (e == THIRL_OK) e = parse_binary(THIRL_BYTES(binary, n), out);
  if (e == THIRL_E_SPACE) e = THIRL_E_SYNTAX;
  if (e != THIRL_OK) thirl_bytes_wipe(out, sizeof *out);
  thirl_bytes_wipe(word, sizeof word);
  thirl_bytes_wipe(binary, sizeof binary);
  return e;
}

/* ---- what comes out of the secret ---- */

static thirl_error derive(const thirl_meet_ticket *t, const char *label, uint8_t *out, size_t n) {
  return thirl_hash_hkdf(THIRL_BYTES(t->secret, sizeof t->secret), THIRL_BYTES(NULL, 0),
                         THIRL_BYTES(label, strlen(label)), out, n);
}

thirl_error thirl_meet_ticket_proof(const thirl_meet_ticket *t, uint8_t out[THIRL_MEET_PROOF_LEN]) {
  return derive(t, "thirl ticket proof", out, THIRL_MEET_PROOF_LEN);
}

thirl_error thirl_meet_ticket_check(const uint8_t proof[THIRL_MEET_PROOF_LEN], uint8_t out[THIRL_MEET_CHECK_LEN]) {
  uint8_t digest[THIRL_SHA256_LEN];
  thirl_error e = thirl_hash_sha256(THIRL_BYTES(proof, THIRL_MEET_PROOF_LEN), digest);
  if (e == THIRL_OK) memcpy(out, digest, THIRL_MEET_CHECK_LEN);
  return e;
}

thirl_error thirl_meet_ticket_mac(const thirl_meet_ticket *t, const thirl_peerid *dialer, thirl_bytes session_id,
                                  thirl_bytes offer, uint8_t out[THIRL_MEET_MAC_LEN]) {
  static const char label[] = "thirl ticket offer";
  uint8_t key[THIRL_SHA256_LEN];
  thirl_bytes parts[] = {THIRL_BYTES(label, sizeof label - 1), THIRL_BYTES(dialer->b, sizeof dialer->b),
                         THIRL_BYTES(t->peer.b, sizeof t->peer.b), session_id, offer};
  thirl_error e = derive(t, "thirl ticket key", key, sizeof key);
  if (e == THIRL_OK) e = thirl_hash_hmac_sha256(THIRL_BYTES(key, sizeof key), parts, sizeof parts / sizeof *parts, out);
  thirl_bytes_wipe(key, sizeof key);
  return e;
}
