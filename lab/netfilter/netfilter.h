/* SPDX-License-Identifier: MIT */
/*
 * A NAT of a topology as rules for nftables: the kernel of a namespace does the work. No I/O: text comes out, the caller feeds it to `nft -f -`.
 *
 * The nine behaviours of RFC 4787 for UDP and TCP separately, port allocation, answers to the unsolicited, hairpin and life times are those of
 * natbox (natbox/config.h), as far as the kernel can; what it cannot is refused with the word that asks for it.
 *
 * Where it departs from the model although it says yes:
 * - a random port may, once in some 64,000 allocations, be one that another mapping has: the kernel looks at flows only;
 * - SEQUENTIAL counts through at most THIRL_LAB_NETFILTER_NAT_SEQUENCE_MAX ports and takes each when its turn comes;
 * - BLOCK deals blocks by the last bits of the inner address, not in the order in which hosts come;
 * - close_timeout ends a TCP flow; its mapping lives for new_timeout or open_timeout after the last segment;
 * - what HAIRPIN refuses is dropped, never answered.
 */
#ifndef THIRL_LAB_NETFILTER_H
#define THIRL_LAB_NETFILTER_H

#include "lab/text/topology.h"

enum { THIRL_LAB_NETFILTER_SYSCTLS_MAX = 32 };

/** One file below /proc/sys with its value, in the spelling of sysctl(8): "net.ipv4.ip_forward" and "1". */
typedef struct thirl_lab_netfilter_sysctl {
  const char *name;
  char value[12];
  bool optional; /* there is no such file without the module: pass over it */
} thirl_lab_netfilter_sysctl;

typedef struct thirl_lab_netfilter_sysctls {
  thirl_lab_netfilter_sysctl items[THIRL_LAB_NETFILTER_SYSCTLS_MAX];
  size_t n;
} thirl_lab_netfilter_sysctls;

/**
 * The rules that make a namespace this NAT between two of its interfaces. Fed to nft a second time they replace what was there: mappings are
 * forgotten, flows go on. A NAT that translates is a stateful firewall with the same filter for IPv6, if its inside has an IPv6 address.
 *
 * node   a NAT; its recipe is not looked at, see lab/netfilter/recipe.h
 * *text  a C string, the caller's to free; NULL on failure, with why
 *
 * E_UNSUPPORTED   the kernel cannot; why names the word
 * E_NOMEM
 */
thirl_error thirl_lab_netfilter_rules(const thirl_lab_node *node, const char *outer_if, const char *inner_if,
                                      char **text, thirl_lab_complaint *why);

/** What must be written below /proc/sys of the namespace for it: forwarding, and life times of flows. */
void thirl_lab_netfilter_sysctls_of(const thirl_lab_node *node, thirl_lab_netfilter_sysctls *out);

#endif
