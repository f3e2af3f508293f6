/* SPDX-License-Identifier: MIT */
/* The table that translates IPv4. */
#ifndef THIRL_LAB_NETFILTER_NAT_H
#define THIRL_LAB_NETFILTER_NAT_H

#include "lab/netfilter_text.h"

/** Writes "table ip thirl_nat". Errors stay in the stream. */
void thirl_lab_netfilter_nat_write(const thirl_lab_netfilter_text *t);

#endif
