/* SPDX-License-Identifier: MIT */
/*
 * Binding requests over UDP, those of RFC 5780 included: from where and whereto the answer goes. Over TCP see probe.h; which bytes, binding.h.
 *
 * What a stranger can make us send, and where: one answer for one request; to the address that the request came from, at most to another
 * port of it; never longer than the request, but for the standard's own answer (binding.h). Requests that ask for another source, another
 * port or PADDING are counted per asking address, errors per net.
 */
#ifndef THIRL_SERVER_DISCOVERY_H
#define THIRL_SERVER_DISCOVERY_H

#include "server/budget.h"
#include "server/context.h"
#include "server/listen.h"

enum { THIRL_SERVER_DISCOVERY_ERRORS = 10 }; /* answers other than success per second and net of addresses */

typedef struct thirl_server_discovery {
  thirl_server_budget_table table;
} thirl_server_discovery;

/** What a Binding request asks for beyond the plain answer. RFC 5780 section 7. */
typedef struct thirl_server_wish {
  bool has_change, ip, port; /* CHANGE-REQUEST; its two flags */
  bool has_padding;
  uint16_t response_port; /* 0: none */
  bool knows_ports;       /* THIRL_OTHER_PORT: content with another port when there is no other address */
} thirl_server_wish;

/** E_MALFORMED: a value of a wrong length, a RESPONSE-PORT of 0, or RESPONSE-PORT together with PADDING (RFC 5780 section 6.1): 400. */
thirl_error thirl_server_discovery_read(const thirl_stun_msg *in, thirl_server_wish *out);
/**
 * Where the answer (over TCP: the probe) to this wish, asked at local, has to come from, and what can be said of our addresses. False: there is
 * no such place, the answer is 420.
 */
bool thirl_server_discovery_place(const thirl_server_listen *l, thirl_net_verb verb, const thirl_addr *local,
                                  const thirl_server_wish *wish, thirl_addr *from, thirl_server_binding *what);

void thirl_server_discovery_init(thirl_server_discovery *d, const thirl_secrets *secrets);
/** Answer one datagram, or count why not. */
void thirl_server_discovery_datagram(thirl_server_discovery *d, thirl_server_context *ctx, thirl_server_listen *l,
                                     const thirl_net_event *ev);

#endif
