/* SPDX-License-Identifier: MIT */
/* One question to the kernel over netlink, and all messages of the answer. */
#ifndef THIRL_HOST_NETLINK_H
#define THIRL_HOST_NETLINK_H

#include <stddef.h>

#include <linux/netlink.h>

#include "tune/terms.h"

typedef void thirl_host_netlink_take(void *ctx, const struct nlmsghdr *m);

/** The question is a header of NLM_F_DUMP with its payload; length and sequence are filled in. READ, NOT_PERMITTED, NOT_LOADED or MALFORMED. */
thirl_tune_why thirl_host_netlink_dump(int protocol, struct nlmsghdr *question, thirl_host_netlink_take *take,
                                       void *ctx);
/** The attribute of a type behind a fixed header of n bytes, at least least bytes long, or NULL. */
const void *thirl_host_netlink_find(const struct nlmsghdr *m, size_t n, unsigned type, size_t least);
/** The same within an attribute that holds others. */
const void *thirl_host_netlink_inside(const void *attribute_payload, size_t n, unsigned type, size_t least);
/** Length of the payload that one of the two found. */
size_t thirl_host_netlink_length(const void *payload);

#endif
