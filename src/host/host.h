/* SPDX-License-Identifier: MIT */
/*
 * Reads a machine: /proc, /sys, netlink, the rules of nft. It writes nothing, changes nothing, and tries nothing out. With a root other than "/" it reads a
 * recorded tree: files where /proc and /sys have them, and below dump/ what has no file: links, sockets, ruleset.json, iptables, kmsg, clock. Several roots with ':' between are looked through in turn: a
 * second look at a tree needs only what has changed.
 */
#ifndef THIRL_HOST_HOST_H
#define THIRL_HOST_HOST_H

#include <stdint.h>

#include "tune/facts.h"

/** One look. pid 0: no process in particular. Always gives facts; what could not be read says why. */
void thirl_host_read(const char *root, int64_t pid, thirl_tune_facts *f);

/** The same without what is slow or does not change from one second to the next: interfaces, rules, files, the log, the clock. For looking often. */
void thirl_host_glance(const char *root, int64_t pid, thirl_tune_facts *f);

#endif
