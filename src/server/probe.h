/* SPDX-License-Identifier: MIT */
/*
 * Binding requests over TCP, and one thing that RFC 5780 leaves out: what does the client's NAT do with a TCP connection from somewhere else?
 *
 * A request over TCP with CHANGE-REQUEST is answered after we have tried to connect to the client, from our other address, other port or both, as the
 * flags say (OTHER-ADDRESS tells the client which these are). The answer comes on the connection of the request and carries THIRL_PROBE:
 *
 *    0 (OK)         connected. It is reset at once; not a byte is sent on it.
 *    REFUSED        a RST came back: from the NAT, or from the client's host when nobody listens there
 *    UNREACHABLE    an ICMP error came back
 *    TIMEOUT        nothing came back in THIRL_SERVER_PROBE_MS
 *    LIMIT          not tried: too many at a time, too often, or the last one of this connection still runs
 *    others         not tried, or not to the end, for a reason of ours (IN_USE: the same two ends are connected already)
 *
 * Whereto is not the client's choice: only to the address that this very connection comes from, which it has proven by having it. One SYN and
 * its repetitions per request. With one address, a client that says THIRL_OTHER_PORT is probed from our other port. A request whose flags we
 * cannot satisfy is answered 420, one with RESPONSE-PORT 400; PADDING is not answered with PADDING over TCP.
 */
#ifndef THIRL_SERVER_PROBE_H
#define THIRL_SERVER_PROBE_H

#include "server/conn.h"
#include "server/listen.h"

enum {
  THIRL_SERVER_PROBE_MS = 4000,  /* three or four SYNs */
  THIRL_SERVER_PROBES_MAX = 1024 /* at a time, whatever the limit says */
};

typedef struct thirl_server_probe {
  thirl_net_id id, conn; /* of the attempt; of the connection that is to hear of it */
  thirl_addr local, remote;
  thirl_server_binding_asker asker;
  thirl_time since;
  thirl_link link; /* in one of the lists */
  bool is_over;    /* in todo: to be reset; else to be connected */
} thirl_server_probe;

typedef struct thirl_server_probes {
  thirl_server_probe places[THIRL_SERVER_PROBES_MAX];
  thirl_list free, todo, waiting; /* waiting: the oldest first */
  size_t n;                       /* that are not free */
  uint32_t generation;
  thirl_server_budget_table table;
} thirl_server_probes;

void thirl_server_probe_init(thirl_server_probes *t, const thirl_secrets *secrets);
/** Answer a Binding request that has come over c, now or when its probe has ended. */
void thirl_server_probe_binding(thirl_server_probes *t, thirl_server_context *ctx, const thirl_server_listen *l,
                                thirl_server_conn *c, const thirl_stun_msg *in);
/** CONNECTED or FAILED of a probe. False: the id is none of ours. */
bool thirl_server_probe_input(thirl_server_probes *t, thirl_server_context *ctx, const thirl_server_listen *l,
                              const thirl_server_conns *conns, const thirl_net_event *ev);
/** End those whose time is over. */
void thirl_server_probe_evaluate(thirl_server_probes *t, thirl_server_context *ctx, const thirl_server_listen *l,
                                 const thirl_server_conns *conns);
/** A CONNECT or an ABORT. */
bool thirl_server_probe_poll(thirl_server_probes *t, thirl_server_context *ctx, thirl_net_action *out);
thirl_time thirl_server_probe_deadline(const thirl_server_probes *t, thirl_time now);
/** For tests: the lists hold what they should. */
bool thirl_server_probe_is_consistent(const thirl_server_probes *t);

#endif
