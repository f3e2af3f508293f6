/* SPDX-License-Identifier: MIT */
#include "lab/frame/switch.h"

static void *value_of(size_t socket) {
  return (void *)(uintptr_t)(socket + 1);
}

void thirl_lab_switch_init(thirl_lab_switch *s, uint64_t seed) {
  thirl_map_init(&s->macs, THIRL_LAB_MAC_LEN, seed);
  s->n = 0;
}

void thirl_lab_switch_fini(thirl_lab_switch *s) {
  thirl_map_fini(&s->macs);
}

bool thirl_lab_switch_is_group(const uint8_t *mac) {
  return mac[0] & 1;
}

void thirl_lab_switch_learn(thirl_lab_switch *s, const uint8_t *mac, size_t socket) {
  if (thirl_lab_switch_is_group(mac)) return;
  void *was = thirl_map_get(&s->macs, mac);
  if (was == value_of(socket) || (!was && s->n >= THIRL_LAB_SWITCH_MACS_MAX)) return;
  if (thirl_map_put(&s->macs, mac, value_of(socket)) == THIRL_OK && !was) s->n++;
}

bool thirl_lab_switch_find(const thirl_lab_switch *s, const uint8_t *mac, size_t *socket) {
  void *value = thirl_lab_switch_is_group(mac) ? NULL : thirl_map_get(&s->macs, mac);
  if (!value) return false;
  *socket = (size_t)((uintptr_t)value - 1);
  return true;
}

void thirl_lab_switch_forget(thirl_lab_switch *s) {
  uint64_t seed = s->macs.seed;
  thirl_map_fini(&s->macs);
  thirl_lab_switch_init(s, seed);
}
