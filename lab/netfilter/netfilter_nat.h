/* SPDX-License-Identifier: MIT */
/* The table that translates IPv4. */
#ifndef THIRL_LAB_NETFILTER_NAT_H
#define THIRL_LAB_NETFILTER_NAT_H

#include "lab/netfilter/netfilter_text.h"

enum {
  THIRL_LAB_NETFILTER_NAT_SEQUENCE_MAX = 2048, /* ports of a sequence */
  THIRL_LAB_NETFILTER_NAT_BLOCKS_MAX = 64      /* more do not fit into one message to the kernel without root */
};

/** Writes "table ip thirl_nat". Errors stay in the stream. */
void thirl_lab_netfilter_nat_write(const thirl_lab_netfilter_text *t);

#endif
