/* SPDX-License-Identifier: MIT */
#include "natcheck/pcp.h"

#include <string.h>

enum { VERSION_PCP = 2, VERSION_NATPMP = 0, RESPONSE = 0x80, TRIES = 3, NATPMP_LEN = 8 };

#define FIRST_WAIT (400 * THIRL_MS) /* a router is near; RFC 6887's 3 s are for mappings that must be made */

void thirl_natcheck_pcp_encode(const thirl_addr *local, uint8_t out[THIRL_NATCHECK_PCP_LEN]) {
  memset(out, 0, THIRL_NATCHECK_PCP_LEN);
  out[0] = VERSION_PCP;
  if (local->family == THIRL_FAMILY_V4) {
    out[18] = out[19] = 0xff; /* ::ffff:a.b.c.d */
    memcpy(out + 20, local->ip, 4);
  } else if (local->family == THIRL_FAMILY_V6) {
    memcpy(out + 8, local->ip, 16);
  }
}

void thirl_natcheck_pcp_decode(thirl_bytes in, thirl_natcheck_answer *pcp, thirl_natcheck_answer *natpmp) {
  *pcp = *natpmp = THIRL_NATCHECK_UNKNOWN;
  if (in.n < NATPMP_LEN || !(in.p[1] & RESPONSE)) return;
  if (in.p[0] == VERSION_PCP && in.n >= THIRL_NATCHECK_PCP_LEN && in.n % 4 == 0) {
    *pcp = THIRL_NATCHECK_YES;
  } else if (in.p[0] == VERSION_NATPMP) {
    *pcp = THIRL_NATCHECK_NO;
    *natpmp = THIRL_NATCHECK_YES;
  }
}

static void end(thirl_natcheck_pcp *p, thirl_natcheck_answer answer, thirl_natcheck_why why) {
  bool has_socket = p->state == THIRL_NATCHECK_PCP_OPENING || p->state == THIRL_NATCHECK_PCP_WAITING;
  p->state = has_socket && !p->wants_bind ? THIRL_NATCHECK_PCP_CLOSING : THIRL_NATCHECK_PCP_OVER;
  p->out->pcp = answer;
  p->out->pcp_why = why;
}

void thirl_natcheck_pcp_start(thirl_natcheck_pcp *p, thirl_time now, const thirl_addr *router, const thirl_addr *local,
                              thirl_net_id id, thirl_natcheck_gateway *out) {
  *p = (thirl_natcheck_pcp){
      .id = id, .router = thirl_addr_with_port(*router, THIRL_NATCHECK_PCP_PORT), .next = now, .out = out};
  if (!thirl_addr_is_set(router)) {
    end(p, THIRL_NATCHECK_UNKNOWN, THIRL_NATCHECK_WHY_NOT_ASKED);
    return;
  }
  p->local = thirl_addr_any((thirl_family)router->family, 0);
  thirl_natcheck_pcp_encode(local, p->request);
  p->state = THIRL_NATCHECK_PCP_OPENING;
  p->wants_bind = true;
}

void thirl_natcheck_pcp_stop(thirl_natcheck_pcp *p) {
  if (p->state == THIRL_NATCHECK_PCP_OPENING || p->state == THIRL_NATCHECK_PCP_WAITING)
    end(p, THIRL_NATCHECK_UNKNOWN, THIRL_NATCHECK_WHY_STOPPED);
}

bool thirl_natcheck_pcp_input(thirl_natcheck_pcp *p, const thirl_net_event *ev) {
  if (p->state == THIRL_NATCHECK_PCP_IDLE || ev->id != p->id) return false;
  if (ev->kind == THIRL_NET_LISTENING && p->state == THIRL_NATCHECK_PCP_OPENING) {
    p->state = THIRL_NATCHECK_PCP_WAITING;
  } else if (ev->kind == THIRL_NET_FAILED) {
    p->state = THIRL_NATCHECK_PCP_IDLE; /* its id is dead */
    end(p, THIRL_NATCHECK_UNKNOWN, THIRL_NATCHECK_WHY_LOCAL);
  } else if (ev->kind == THIRL_NET_DATAGRAM && p->state == THIRL_NATCHECK_PCP_WAITING &&
             thirl_addr_equal(&ev->remote, &p->router)) {
    thirl_natcheck_answer pcp, natpmp;
    thirl_natcheck_pcp_decode(ev->payload, &pcp, &natpmp);
    if (natpmp == THIRL_NATCHECK_YES) p->out->natpmp = natpmp;
    if (pcp != THIRL_NATCHECK_UNKNOWN) end(p, pcp, THIRL_NATCHECK_WHY_KNOWN);
  }
  return true;
}

bool thirl_natcheck_pcp_poll(thirl_natcheck_pcp *p, thirl_time now, thirl_net_action *out) {
  if (p->state == THIRL_NATCHECK_PCP_CLOSING) {
    p->state = THIRL_NATCHECK_PCP_OVER;
    *out = (thirl_net_action){.verb = THIRL_NET_ABORT, .id = p->id};
    return true;
  }
  if (p->wants_bind && p->state == THIRL_NATCHECK_PCP_OPENING) {
    p->wants_bind = false;
    *out = (thirl_net_action){.verb = THIRL_NET_BIND_UDP, .id = p->id, .local = p->local};
    return true;
  }
  if (p->state != THIRL_NATCHECK_PCP_WAITING || now < p->next) return false;
  if (p->sent == TRIES) {
    end(p, THIRL_NATCHECK_NO, THIRL_NATCHECK_WHY_NO_ANSWER);
    return thirl_natcheck_pcp_poll(p, now, out);
  }
  p->next = thirl_time_after(now, FIRST_WAIT << p->sent++);
  *out = (thirl_net_action){.verb = THIRL_NET_SENDTO,
                            .id = p->id,
                            .remote = p->router,
                            .payload = THIRL_BYTES(p->request, sizeof p->request)};
  return true;
}

thirl_time thirl_natcheck_pcp_deadline(const thirl_natcheck_pcp *p) {
  return p->state == THIRL_NATCHECK_PCP_WAITING ? p->next : THIRL_NEVER;
}

bool thirl_natcheck_pcp_is_over(const thirl_natcheck_pcp *p) {
  return p->state == THIRL_NATCHECK_PCP_OVER || p->state == THIRL_NATCHECK_PCP_CLOSING;
}
