/* SPDX-License-Identifier: MIT */
#include "nat_router.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "io/clock.h"
#include "io/hops.h"
#include "io/secrets.h"
#include "stun/writer.h"

#ifdef THIRL_HAS_MINIUPNPC
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#endif
#ifdef THIRL_HAS_NATPMP
#include <natpmp.h>
#include <poll.h>
#endif

enum { UPNP_WAIT_MS = 1200, NATPMP_WAIT_MS = 1500, HOPS = 6 };

#define HOPS_WAIT (800 * THIRL_MS)

/* One route a line: interface, destination, gateway (hexadecimal, in the machine's order), flags, ... */
thirl_addr nat_router_find(void) {
  thirl_addr found = {0};
  char line[256];
  FILE *f = fopen("/proc/net/route", "re");
  if (!f) return found;
  while (!thirl_addr_is_set(&found) && fgets(line, sizeof line, f)) {
    unsigned destination, gateway, flags;
    if (sscanf(line, "%*s %x %x %x", &destination, &gateway, &flags) != 3) continue;
    if (destination != 0 || gateway == 0 || !(flags & 2)) continue;
    found = thirl_addr_v4(0, 0, 0, 0, 0);
    memcpy(found.ip, &(uint32_t){gateway}, 4);
  }
  fclose(f);
  return found;
}

/* ---- UPnP ---- */

#ifdef THIRL_HAS_MINIUPNPC
static int find_device(struct UPNPDev *list, struct UPNPUrls *urls, struct IGDdatas *data) {
  char lan[64];
#if MINIUPNPC_API_VERSION >= 18
  char wan[64];
  return UPNP_GetValidIGD(list, urls, data, lan, sizeof lan, wan, sizeof wan);
#else
  return UPNP_GetValidIGD(list, urls, data, lan, sizeof lan);
#endif
}

static void ask_upnp(thirl_natcheck_gateway *out) {
  enum { NO_DEVICE = 0, NO_ROUTER = 3 };
  int error = 0;
  struct UPNPUrls urls;
  struct IGDdatas data;
  char outer[64] = "";
  struct UPNPDev *list = upnpDiscover(UPNP_WAIT_MS, NULL, NULL, UPNP_LOCAL_PORT_ANY, 0, 2, &error);
  out->upnp = THIRL_NATCHECK_NO;
  out->upnp_why = THIRL_NATCHECK_WHY_NO_ANSWER;
  if (!list) return;
  memset(&urls, 0, sizeof urls);
  memset(&data, 0, sizeof data);
  int kind = find_device(list, &urls, &data);
  if (kind > NO_DEVICE && kind < NO_ROUTER) {
    out->upnp = THIRL_NATCHECK_YES;
    out->upnp_why = THIRL_NATCHECK_WHY_KNOWN;
    if (UPNP_GetExternalIPAddress(urls.controlURL, data.first.servicetype, outer) == UPNPCOMMAND_SUCCESS)
      (void)thirl_addr_parse(outer, &out->upnp_outer);
  }
  if (kind != NO_DEVICE) FreeUPNPUrls(&urls);
  freeUPNPDevlist(list);
}
#else
static void ask_upnp(thirl_natcheck_gateway *out) {
  out->upnp_why = THIRL_NATCHECK_WHY_NOT_BUILT;
}
#endif

/* ---- NAT-PMP ---- */

#ifdef THIRL_HAS_NATPMP
static int wait_for_natpmp(natpmp_t *p, natpmpresp_t *answer) {
  thirl_time end = thirl_io_clock_now() + NATPMP_WAIT_MS * THIRL_MS;
  int result = NATPMP_TRYAGAIN;
  while (result == NATPMP_TRYAGAIN && thirl_io_clock_now() < end) {
    struct timeval wait = {0};
    struct pollfd fd = {.fd = p->s, .events = POLLIN};
    if (getnatpmprequesttimeout(p, &wait) < 0) break;
    (void)poll(&fd, 1, (int)(wait.tv_sec * 1000 + wait.tv_usec / 1000) + 1);
    result = readnatpmpresponseorretry(p, answer);
  }
  return result;
}

static void ask_natpmp(thirl_natcheck_gateway *out) {
  natpmp_t p;
  natpmpresp_t answer;
  uint32_t router;
  memset(&answer, 0, sizeof answer);
  memcpy(&router, out->router.ip, sizeof router);
  out->natpmp_why = THIRL_NATCHECK_WHY_LOCAL;
  if (initnatpmp(&p, 1, router) < 0) return;
  if (sendpublicaddressrequest(&p) >= 0) {
    int result = wait_for_natpmp(&p, &answer);
    out->natpmp = result == 0 ? THIRL_NATCHECK_YES : THIRL_NATCHECK_NO;
    out->natpmp_why = result == 0 ? THIRL_NATCHECK_WHY_KNOWN : THIRL_NATCHECK_WHY_NO_ANSWER;
    if (result == 0) {
      out->natpmp_outer = thirl_addr_v4(0, 0, 0, 0, 0);
      memcpy(out->natpmp_outer.ip, &answer.pnu.publicaddress.addr, 4);
    }
  }
  closenatpmp(&p);
}
#else
static void ask_natpmp(thirl_natcheck_gateway *out) {
  out->natpmp_why = THIRL_NATCHECK_WHY_NOT_BUILT;
}
#endif

void nat_router_ask(thirl_natcheck_gateway *out) {
  out->natpmp_why = out->upnp_why = THIRL_NATCHECK_WHY_NOT_ASKED;
  if (out->router.family != THIRL_FAMILY_V4) return;
  ask_natpmp(out);
  ask_upnp(out);
}

/* ---- hops ---- */

void nat_router_trace(const thirl_addr *server, thirl_natcheck_hops *out) {
  uint8_t bytes[32], tid[THIRL_STUN_TID_LEN];
  thirl_addr at[THIRL_IO_HOPS_MAX];
  thirl_stun_writer w;
  thirl_bytes request;
  unsigned reached;
  thirl_secrets secrets = thirl_io_secrets();
  thirl_secrets_fill(&secrets, tid, sizeof tid);
  thirl_stun_writer_init(&w, bytes, sizeof bytes, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
  out->why = THIRL_NATCHECK_WHY_LOCAL;
  if (thirl_stun_writer_finish(&w, &request) != THIRL_OK) return;
  thirl_error e = thirl_io_hops_trace(server, request, HOPS, HOPS_WAIT, at, &reached);
  if (e == THIRL_E_UNSUPPORTED) out->why = THIRL_NATCHECK_WHY_NOT_ASKED;
  if (e != THIRL_OK) return;
  out->why = THIRL_NATCHECK_WHY_KNOWN;
  for (unsigned i = 0; i < HOPS && i + 1 != reached; i++) {
    out->at[i] = at[i];
    if (thirl_addr_is_set(&at[i])) out->n = i + 1;
  }
}
