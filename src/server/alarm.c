/* SPDX-License-Identifier: MIT */
#include "server/alarm.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const sentences[] = {
    [THIRL_SERVER_ALARM_REGISTRATION] = "a registration made for another connection was replayed",
    [THIRL_SERVER_ALARM_MESSAGE] = "an old message was replayed",
};

void thirl_server_alarm_replay(thirl_server_context *ctx, const thirl_server_conn *c, thirl_server_alarm what,
                               const thirl_peerid *id) {
  char peer[THIRL_PEERID_TEXT_MAX], from[THIRL_ADDR_TEXT_MAX], more[64] = "";
  ctx->stats.replayed++;
  if (!thirl_server_budget_take(&ctx->warnings, ctx->now, 60 * THIRL_S, ctx->limits.warnings_per_minute)) {
    ctx->unsaid++;
    return;
  }
  if (ctx->unsaid) snprintf(more, sizeof more, "; and %" PRIu64 " more since the last such line", ctx->unsaid);
  ctx->unsaid = 0;
  /* Two groups of an id are enough to find it again and too few to be called. */
  thirl_log_print(ctx->log, THIRL_LOG_WARN, "%s: from %s, as peer %.11s; refused, nothing was given%s", sentences[what],
                  thirl_addr_format(&c->remote, from), thirl_peerid_format(id, peer), more);
}
