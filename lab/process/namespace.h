/* SPDX-License-Identifier: MIT */
/* Network namespaces without names: descriptors hold them, and they vanish with the last of those and the last process inside. */
#ifndef THIRL_LAB_NAMESPACE_H
#define THIRL_LAB_NAMESPACE_H

#include "lab/text/words.h"

/** The caller's own, new network namespace, and the user namespace around it where it takes one. */
typedef struct thirl_lab_namespace {
  int user; /* -1: none; the caller is root where it always was */
  int home;
} thirl_lab_namespace;

/**
 * Puts the caller (one thread) into a network namespace of its own; without the privilege for it, or when in_user says so, into a user namespace first, in
 * which it is root. E_PERMISSION: the system allows neither, and why says what to change. E_LIMIT.
 */
thirl_error thirl_lab_namespace_enter(bool in_user, thirl_lab_namespace *out, thirl_lab_complaint *why);
/** A new one. The caller is inside until thirl_lab_namespace_switch. */
thirl_error thirl_lab_namespace_new(int *out, thirl_lab_complaint *why);
thirl_error thirl_lab_namespace_switch(int netns, thirl_lab_complaint *why);
/** What processes inside have in common: the number that stat(2) says. */
uint64_t thirl_lab_namespace_id(int fd);

/**
 * For a process that is to be inside: the user namespace (-1: none, or it is inside already), then the network's. Never undone. 0 or an errno.
 */
int thirl_lab_namespace_join(int user, int netns);

/** "net.ipv4.ip_forward" of the namespace that the caller is in. E_NOT_FOUND: there is no such setting; E_IO. */
thirl_error thirl_lab_namespace_set(const char *name, const char *value, thirl_lab_complaint *why);
/** The kernel's NAT forgets all flows of the namespace that the caller is in. 0 or an errno; without connection tracking there is nothing to forget. */
int thirl_lab_namespace_forget_flows(void);

#endif
