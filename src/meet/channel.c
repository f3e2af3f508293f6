/* SPDX-License-Identifier: MIT */
#include "meet/channel.h"

static size_t index_of(const thirl_meet_channels *t, uint16_t number) {
  size_t i = 0;
  while (i < t->n && t->open[i].number != number)
    i++;
  return i;
}

thirl_meet_channel *thirl_meet_channel_find(thirl_meet_channels *t, uint16_t number) {
  size_t i = index_of(t, number);
  return i < t->n ? &t->open[i] : NULL;
}

const thirl_meet_channel *thirl_meet_channel_get(const thirl_meet_channels *t, uint16_t number) {
  size_t i = index_of(t, number);
  return i < t->n ? &t->open[i] : NULL;
}

void thirl_meet_channel_grant(thirl_meet_channel *c, uint32_t credit) {
  size_t room = THIRL_MEET_CREDIT_MAX - c->credit;
  c->credit += credit < room ? credit : room;
}

thirl_error thirl_meet_channel_add(thirl_meet_channels *t, uint16_t number, uint32_t credit) {
  if (thirl_meet_channel_find(t, number)) return THIRL_E_IN_USE;
  if (t->n == THIRL_MEET_CHANNELS_MAX) return THIRL_E_LIMIT;
  thirl_meet_channel *c = &t->open[t->n++];
  *c = (thirl_meet_channel){.number = number};
  thirl_meet_channel_grant(c, credit);
  return THIRL_OK;
}

bool thirl_meet_channel_remove(thirl_meet_channels *t, uint16_t number) {
  thirl_meet_channel *c = thirl_meet_channel_find(t, number);
  if (!c) return false;
  *c = t->open[--t->n];
  return true;
}
