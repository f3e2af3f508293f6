/* SPDX-License-Identifier: MIT */
/*
 * How often is too often. For things that have memory of their own (a connection, a peer): one time stamp each. For strangers, who have
 * none: a fixed table of counters, whose cells they share but cannot choose.
 */
#ifndef THIRL_SERVER_BUDGET_H
#define THIRL_SERVER_BUDGET_H

#include "base/addr.h"
#include "base/rand.h"
#include "base/time.h"

/** When the budget is whole again; zero to begin with. */
typedef struct thirl_server_budget {
  thirl_time full_at;
} thirl_server_budget;

/** Take one of limit (> 0) per window; a whole window's worth may come at once. False: none left. */
bool thirl_server_budget_take(thirl_server_budget *b, thirl_time now, thirl_time window, uint32_t limit);

enum { THIRL_SERVER_BUDGET_CELLS = 4096 };

/** Two rows of counters per second under different keys; the smaller of the two is the count, so one shared cell harms nobody. */
typedef struct thirl_server_budget_table {
  uint64_t keys[2];
  struct {
    uint32_t second, n;
  } cells[2][THIRL_SERVER_BUDGET_CELLS];
} thirl_server_budget_table;

/** Who shares one count: a host is an IPv4 address or an IPv6 /64, a net an IPv4 /24 or an IPv6 /48. */
typedef enum thirl_server_budget_scope { THIRL_SERVER_BUDGET_HOST, THIRL_SERVER_BUDGET_NET } thirl_server_budget_scope;

/** Zeroes the table (64 KiB) and draws its keys. */
void thirl_server_budget_table_init(thirl_server_budget_table *t, const thirl_secrets *secrets);
/** Count one from this address; false when limit have been counted in this second already. */
bool thirl_server_budget_table_take(thirl_server_budget_table *t, thirl_time now, const thirl_addr *from,
                                    thirl_server_budget_scope scope, uint32_t limit);
/** The address with port and host part set to zero. */
thirl_addr thirl_server_budget_prefix(const thirl_addr *a, thirl_server_budget_scope scope);

#endif
