/* SPDX-License-Identifier: MIT */
/* Offers to bytes and back. Whether an address may be probed, or is the sender's own, is decided where it is used. */
#include "meet/offer.h"

#include <string.h>

enum { OFFER_VERSION = 1 };

/* RFC 8839 section 5.4: ice-char = ALPHA / DIGIT / "+" / "/" */
static bool is_ice_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

static bool is_credential(const char *text, size_t n, size_t max) {
  if (n == 0 || n > max) return false;
  for (size_t i = 0; i < n; i++)
    if (!is_ice_char(text[i])) return false;
  return true;
}

/* ---- writing ---- */

static bool candidate_is_valid(const thirl_meet_candidate *c) {
  return (unsigned)c->type <= THIRL_MEET_RELAY && (unsigned)c->transport <= THIRL_MEET_TCP_SO &&
         thirl_addr_ip_len(&c->addr) != 0;
}

static void put_text(thirl_writer *w, const char *text, size_t n) {
  thirl_writer_u8(w, (uint8_t)n);
  thirl_writer_copy(w, text, n);
}

static void put_candidate(thirl_writer *w, const thirl_meet_candidate *c) {
  thirl_writer_u8(w, (uint8_t)c->type);
  thirl_writer_u8(w, (uint8_t)c->transport);
  thirl_writer_u8(w, c->lane);
  thirl_writer_u8(w, c->addr.family);
  thirl_writer_u16(w, c->addr.port);
  thirl_writer_copy(w, c->addr.ip, thirl_addr_ip_len(&c->addr));
  thirl_writer_u32(w, c->priority);
  thirl_writer_u32(w, c->foundation);
}

thirl_error thirl_meet_offer_encode(const thirl_meet_offer *o, uint8_t *out, size_t cap, size_t *n) {
  size_t ufrag_n = strnlen(o->ufrag, sizeof o->ufrag), pwd_n = strnlen(o->pwd, sizeof o->pwd);
  *n = 0;
  if (!is_credential(o->ufrag, ufrag_n, THIRL_MEET_UFRAG_MAX) || !is_credential(o->pwd, pwd_n, THIRL_MEET_PWD_MAX))
    return THIRL_E_RANGE;
  if (o->n > THIRL_MEET_CANDIDATES_MAX || o->early_n > THIRL_MEET_EARLY_MAX) return THIRL_E_RANGE;
  thirl_writer w = thirl_writer_of(out, cap);
  thirl_writer_u8(&w, OFFER_VERSION);
  thirl_writer_u32(&w, o->round);
  put_text(&w, o->ufrag, ufrag_n);
  put_text(&w, o->pwd, pwd_n);
  thirl_writer_u8(&w, (uint8_t)o->n);
  for (size_t i = 0; i < o->n; i++) {
    if (!candidate_is_valid(&o->candidates[i])) return THIRL_E_RANGE;
    put_candidate(&w, &o->candidates[i]);
  }
  if (o->early_n) {
    thirl_writer_u16(&w, (uint16_t)o->early_n);
    thirl_writer_copy(&w, o->early, o->early_n);
  }
  if (w.bad) return THIRL_E_SPACE;
  *n = w.n;
  return THIRL_OK;
}

/* ---- reading ---- */

static bool get_text(thirl_reader *r, char *out, size_t max) {
  thirl_bytes text = thirl_reader_take(r, thirl_reader_u8(r));
  if (r->bad || !is_credential((const char *)text.p, text.n, max)) return false;
  memcpy(out, text.p, text.n);
  out[text.n] = '\0';
  return true;
}

static bool get_candidate(thirl_reader *r, thirl_meet_candidate *c) {
  uint8_t type = thirl_reader_u8(r), transport = thirl_reader_u8(r);
  if (type > THIRL_MEET_RELAY || transport > THIRL_MEET_TCP_SO) return false;
  c->type = (thirl_meet_candidate_type)type;
  c->transport = (thirl_meet_transport)transport;
  c->lane = thirl_reader_u8(r);
  c->addr.family = thirl_reader_u8(r);
  c->addr.port = thirl_reader_u16(r);
  size_t ip_n = thirl_addr_ip_len(&c->addr);
  thirl_reader_copy(r, c->addr.ip, ip_n);
  c->priority = thirl_reader_u32(r);
  c->foundation = thirl_reader_u32(r);
  return !r->bad && ip_n != 0;
}

static bool decode(thirl_bytes in, thirl_meet_offer *out) {
  thirl_reader r = thirl_reader_of(in);
  if (thirl_reader_u8(&r) != OFFER_VERSION) return false;
  out->round = thirl_reader_u32(&r);
  if (!get_text(&r, out->ufrag, THIRL_MEET_UFRAG_MAX) || !get_text(&r, out->pwd, THIRL_MEET_PWD_MAX)) return false;
  out->n = thirl_reader_u8(&r);
  if (r.bad || out->n > THIRL_MEET_CANDIDATES_MAX) return false;
  for (size_t i = 0; i < out->n; i++)
    if (!get_candidate(&r, &out->candidates[i])) return false;
  if (thirl_reader_left(&r) == 0) return true;
  out->early_n = thirl_reader_u16(&r);
  if (r.bad || out->early_n == 0 || out->early_n > THIRL_MEET_EARLY_MAX) return false;
  thirl_reader_copy(&r, out->early, out->early_n);
  return !r.bad && thirl_reader_left(&r) == 0;
}

thirl_error thirl_meet_offer_decode(thirl_bytes in, thirl_meet_offer *out) {
  memset(out, 0, sizeof *out);
  if (decode(in, out)) return THIRL_OK;
  memset(out, 0, sizeof *out);
  return THIRL_E_MALFORMED;
}
