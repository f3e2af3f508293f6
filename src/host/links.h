/* SPDX-License-Identifier: MIT */
/* What rtnetlink, ethtool and sysfs know of network interfaces, as the lines that thirl_tune_links_dump reads. */
#ifndef THIRL_HOST_LINKS_H
#define THIRL_HOST_LINKS_H

#include "host/dump.h"
#include "tune/terms.h"

/** Appends; READ, or why there is nothing. */
thirl_tune_why thirl_host_links_ask(thirl_host_dump *d);

#endif
