/* SPDX-License-Identifier: MIT */
/* What every room of the server may see: the time, the limits, the counts, and who has bytes to be announced. No code. */
#ifndef THIRL_SERVER_CONTEXT_H
#define THIRL_SERVER_CONTEXT_H

#include "base/list.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "server/budget.h"
#include "server/limits.h"
#include "server/stats.h"

typedef struct thirl_server_context {
  thirl_time now, started; /* now never goes back */
  bool is_draining;        /* nobody new is taken */
  thirl_server_limits limits;
  thirl_server_stats stats;
  const thirl_secrets *secrets;
  const thirl_log *log;
  thirl_server_budget warnings; /* alarm.c */
  uint64_t unsaid;              /* warnings that there was no budget for, since the last line */
  thirl_list wake;              /* connections for which a WRITE is to be said */
  thirl_list failed;            /* connections that could not take a message: to be given up */
} thirl_server_context;

#endif
