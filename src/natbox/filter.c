/* SPDX-License-Identifier: MIT */
#include "natbox/filter.h"

bool thirl_natbox_filter_admits(const thirl_natbox_binding *b, thirl_natbox_filtering filtering,
                                const thirl_addr *remote) {
  if (filtering == THIRL_NATBOX_EIF) return true;
  for (thirl_link *k = thirl_list_first(&b->sessions); k; k = thirl_list_next(&b->sessions, k)) {
    const thirl_natbox_session *s = THIRL_OWNER(k, thirl_natbox_session, in_binding);
    if (!s->sent || !thirl_addr_same_ip(&s->remote, remote)) continue;
    if (filtering == THIRL_NATBOX_ADF || s->remote.port == remote->port) return true;
  }
  return false;
}
