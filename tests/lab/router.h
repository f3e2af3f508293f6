/* SPDX-License-Identifier: MIT */
/*
 * A router that is the kernel of a namespace, with a cable on each side in our hands: whole frames in, whole frames out. The namespace vanishes with
 * the process. Hosts have one MAC for each side.
 */
#ifndef THIRL_TESTS_LAB_ROUTER_H
#define THIRL_TESTS_LAB_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROUTER_INSIDE, ROUTER_OUTSIDE, ROUTER_SIDES };

/** Once in a process; false: *why. Needs root or a user namespace, ip, nft and conntrack. */
bool router_begin(char *why, size_t size);
/** Runs a program in the router's namespace with this text as its input (NULL: none). Its exit code; -1. What it says goes to our stderr, or nowhere. */
int router_run(const char *const argv[], const char *input, bool quiet);
/** Writes below /proc/sys of the router: "net.ipv4.ip_forward". */
bool router_sysctl(const char *name, const char *value);
/** The router's own MAC on a side, and that of all hosts there. */
const uint8_t *router_mac(unsigned side);
const uint8_t *router_hosts_mac(unsigned side);

typedef void router_hear(void *ctx, unsigned side, const uint8_t *frame, size_t len);
/**
 * A host of that side sends a frame. All that the router sends because of it has been heard when this returns: a question to the router follows
 * it on each side, and what answers the questions comes behind everything else. False: no answer in two seconds.
 */
bool router_send(unsigned side, const uint8_t *frame, size_t len, router_hear *hear, void *ctx);

#endif
