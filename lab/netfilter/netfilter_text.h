/* SPDX-License-Identifier: MIT */
/* What the writers of lab/netfilter/netfilter.h share: one NAT as it is written down, and the rules that all tables have. */
#ifndef THIRL_LAB_NETFILTER_TEXT_H
#define THIRL_LAB_NETFILTER_TEXT_H

#include <stdio.h>

#include "natbox/config.h"

/**
 * Mappings and permissions of flows with an answer (TCP: established) and of those without live in tables of their own, so that an attempt that
 * nobody answers does not shorten the life of a mapping that is in use.
 */
typedef struct thirl_lab_netfilter_clock {
  const char *name;      /* "open", "new" */
  const char *condition; /* in nft's words: a flow belongs here; "" for the rest */
  bool answered;
  unsigned flow_s, mapping_s; /* seconds after the last packet */
} thirl_lab_netfilter_clock;

enum { THIRL_LAB_NETFILTER_CLOCKS = 2, THIRL_LAB_NETFILTER_PROTOCOLS = 2 };

typedef struct thirl_lab_netfilter_protocol {
  const char *name; /* "udp", "tcp" */
  bool is_tcp;
  const thirl_natbox_rules *rules;
  thirl_lab_netfilter_clock clocks[THIRL_LAB_NETFILTER_CLOCKS]; /* open first */
} thirl_lab_netfilter_protocol;

typedef struct thirl_lab_netfilter_text {
  FILE *out;
  const thirl_natbox_config *config;
  const char *wan, *lan; /* interfaces */
  thirl_lab_netfilter_protocol protocols[THIRL_LAB_NETFILTER_PROTOCOLS];
} thirl_lab_netfilter_text;

/** Borrows everything. */
void thirl_lab_netfilter_text_init(thirl_lab_netfilter_text *t, FILE *out, const thirl_natbox_config *config,
                                   const char *wan, const char *lan);

/** Chains udp_refuse and tcp_refuse: the answer to what nobody has asked for. error: an ICMP error in nft's words. */
void thirl_lab_netfilter_text_refusals(const thirl_lab_netfilter_text *t, const char *error);
/** Rules for a chain of the hook forward: remote ports that may not be spoken to, ICMP that is kept out. v6: of IPv6. */
void thirl_lab_netfilter_text_forbidden(const thirl_lab_netfilter_text *t, bool v6);

#endif
