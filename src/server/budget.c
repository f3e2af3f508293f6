/* SPDX-License-Identifier: MIT */
#include "server/budget.h"

#include <string.h>

bool thirl_server_budget_take(thirl_server_budget *b, thirl_time now, thirl_time window, uint32_t limit) {
  thirl_time full_at = THIRL_MAX(b->full_at, now) + window / limit;
  if (full_at - now > window) return false;
  b->full_at = full_at;
  return true;
}

void thirl_server_budget_table_init(thirl_server_budget_table *t, const thirl_secrets *secrets) {
  memset(t, 0, sizeof *t);
  thirl_secrets_fill(secrets, t->keys, sizeof t->keys);
}

thirl_addr thirl_server_budget_prefix(const thirl_addr *a, thirl_server_budget_scope scope) {
  bool host = scope == THIRL_SERVER_BUDGET_HOST;
  size_t keep = a->family == THIRL_FAMILY_V6 ? (host ? 8 : 6) : (host ? 4 : 3);
  thirl_addr p = {.family = a->family};
  memcpy(p.ip, a->ip, keep);
  p.port = (uint16_t)scope; /* the two scopes of one table never share a key */
  return p;
}

bool thirl_server_budget_table_take(thirl_server_budget_table *t, thirl_time now, const thirl_addr *from,
                                    thirl_server_budget_scope scope, uint32_t limit) {
  thirl_addr prefix = thirl_server_budget_prefix(from, scope);
  uint32_t second = (uint32_t)(now / THIRL_S) + 1, least = UINT32_MAX;
  size_t at[2];
  for (int row = 0; row < 2; row++) {
    at[row] = (size_t)(thirl_addr_hash(&prefix, t->keys[row]) % THIRL_SERVER_BUDGET_CELLS);
    if (t->cells[row][at[row]].second != second) t->cells[row][at[row]].n = 0;
    t->cells[row][at[row]].second = second;
    least = THIRL_MIN(least, t->cells[row][at[row]].n);
  }
  if (least >= limit) return false;
  for (int row = 0; row < 2; row++)
    t->cells[row][at[row]].n++;
  return true;
}
