/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "lab/subject.h"
#include "natbox/natbox.h"

thirl_addr subject_host(unsigned host) {
  static const uint8_t inside[] = {10, 11}, outside[] = {10, 20, 30};
  return subject_is_inside(host) ? thirl_addr_v4(192, 168, 1, inside[host], 0)
                                 : thirl_addr_v4(203, 0, 113, outside[host - SUBJECT_S], 0);
}

static thirl_natbox *box;
static thirl_time now;

static void model_close(subject *s) {
  (void)s;
  thirl_natbox_free(box);
  box = NULL;
}

static const char *model_open(subject *s, const thirl_natbox_config *config) {
  model_close(s);
  now = THIRL_S;
  box = thirl_natbox_new(config, 7);
  return box ? NULL : "no memory";
}

static size_t note(subject_heard *heard, bool inside, const thirl_natbox_packet *p) {
  heard[0] = (subject_heard){.inside = inside, .packet = *p};
  return 1;
}

static size_t model_send(subject *s, bool from_inside, const thirl_natbox_packet *p, subject_heard *heard) {
  (void)s;
  thirl_natbox_packet q = *p;
  now += 10;
  thirl_natbox_verdict v = from_inside ? thirl_natbox_outbound(box, now, &q) : thirl_natbox_inbound(box, now, &q);
  if (v == THIRL_NATBOX_DISCARD || v == THIRL_NATBOX_NOTHING) return 0;
  bool inside =
      v == THIRL_NATBOX_HAIRPIN || (v == THIRL_NATBOX_PASS && !from_inside) || (v == THIRL_NATBOX_REPLY && from_inside);
  return note(heard, inside, &q);
}

static size_t model_wait(subject *s, unsigned ms, subject_heard *heard) {
  (void)s;
  now += ms * THIRL_MS;
  size_t n = 0;
  thirl_natbox_packet p;
  for (thirl_natbox_verdict v; n < SUBJECT_HEARD_MAX && (v = thirl_natbox_poll(box, now, &p)) != THIRL_NATBOX_NOTHING;)
    n += note(heard + n, v == THIRL_NATBOX_HAIRPIN, &p);
  return n;
}

subject subject_model(void) {
  return (subject){.name = "model", .open = model_open, .send = model_send, .wait = model_wait, .close = model_close};
}
