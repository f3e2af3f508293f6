/* SPDX-License-Identifier: MIT */
#include "server/introduce.h"

#include <string.h>

#include "server/offer.h"
#include "server/relay.h"

static thirl_meet_message answer_to(const thirl_meet_message *request, thirl_stun_class cls) {
  thirl_meet_message m = {.cls = cls, .method = request->method};
  memcpy(m.tid, request->tid, sizeof m.tid);
  return m;
}

static void refuse(thirl_server_context *ctx, thirl_server_peer *asker, const thirl_meet_message *request,
                   unsigned code) {
  thirl_meet_message m = answer_to(request, THIRL_STUN_ERROR);
  m.error_code = code;
  thirl_server_registry_send(ctx, asker, &m);
}

static bool is_complete(const thirl_meet_message *m, const thirl_server_peer *asker) {
  return m->has_peer && m->has_session && m->has_proof && m->has_offer && m->has_offer_mac &&
         thirl_server_offer_admit(m->offer, &asker->conn->remote) == THIRL_OK;
}

/* The peer that may be told of the asker. */
static thirl_server_peer *find_target(const thirl_server_context *ctx, const thirl_server_registry *registry,
                                      const thirl_server_peer *asker, const thirl_meet_message *m) {
  uint8_t check[THIRL_MEET_CHECK_LEN];
  if (thirl_meet_ticket_check(m->proof, check) != THIRL_OK) return NULL;
  return thirl_server_registry_match(registry, ctx, &m->peer, check, asker);
}

static uint32_t owd_of(const thirl_server_peer *p) {
  return THIRL_MIN(p->rtt_us / 2, (uint32_t)THIRL_SERVER_INTRODUCE_OWD_MAX_US);
}

static void tell_both(thirl_server_context *ctx, thirl_server_peer *asker, thirl_server_peer *target,
                      const thirl_meet_message *request, const thirl_server_opening *o) {
  uint32_t latest = THIRL_MAX(owd_of(asker), owd_of(target));
  thirl_meet_message offer = {.cls = THIRL_STUN_INDICATION, .method = THIRL_STUN_METHOD_THIRL_OFFER};
  offer.has_peer = offer.has_session = offer.has_offer = offer.has_offer_mac = true;
  offer.has_channel = offer.has_fire_in = offer.has_credit = true;
  offer.peer = asker->id;
  memcpy(offer.session, request->session, sizeof offer.session);
  memcpy(offer.offer_mac, request->offer_mac, sizeof offer.offer_mac);
  offer.offer = request->offer;
  offer.channel = o->number[1];
  offer.credit = o->credit[1];
  offer.fire_in_us = latest - owd_of(target);

  thirl_meet_message success = answer_to(request, THIRL_STUN_SUCCESS);
  success.has_offer = success.has_channel = success.has_fire_in = success.has_credit = true;
  success.offer = THIRL_BYTES(target->offer, target->offer_n);
  success.channel = o->number[0];
  success.credit = o->credit[0];
  success.fire_in_us = latest - owd_of(asker);

  thirl_server_registry_send(ctx, target, &offer);
  thirl_server_registry_send(ctx, asker, &success);
  thirl_server_conn_insure(target->conn);
  thirl_server_conn_insure(asker->conn);
  ctx->stats.introduced++;
}

void thirl_server_introduce_connect(thirl_server_context *ctx, thirl_server_registry *registry,
                                    thirl_server_peer *asker, const thirl_meet_message *m) {
  ctx->stats.connects++;
  if (!thirl_server_budget_take(&asker->connects, ctx->now, 60 * THIRL_S, ctx->limits.connects_per_minute)) {
    ctx->stats.limited++;
    refuse(ctx, asker, m, 429);
    return;
  }
  if (!is_complete(m, asker) || ctx->is_draining) {
    ctx->stats.refused++;
    refuse(ctx, asker, m, ctx->is_draining ? 508 : 400);
    return;
  }
  if (m->has_rtt) asker->rtt_us = m->rtt_us;
  thirl_server_peer *target = find_target(ctx, registry, asker, m);
  if (!target) {
    ctx->stats.not_found++;
    refuse(ctx, asker, m, 404);
    return;
  }
  thirl_server_opening opening;
  thirl_server_relay_replace(ctx, asker, target, m->session);
  if (thirl_server_relay_open(ctx, asker, target, m->session, &opening) != THIRL_OK) {
    ctx->stats.limited++;
    refuse(ctx, asker, m, 508);
    return;
  }
  tell_both(ctx, asker, target, m, &opening);
}
