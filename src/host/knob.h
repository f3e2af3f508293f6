/* SPDX-License-Identifier: MIT */
/* One setting below /proc/sys: its value, and a new one. Only names of tune/allow.h are ever written. */
#ifndef THIRL_HOST_KNOB_H
#define THIRL_HOST_KNOB_H

#include "tune/sysctl_file.h"

/**
 * Its value, blanks folded to one. root: "" or a folder that has a proc of its own.
 * E_NOT_FOUND, E_PERMISSION, E_LIMIT (does not fit), E_INVALID (no name), E_IO.
 */
thirl_error thirl_host_knob_read(const char *root, const char *name, char out[THIRL_TUNE_VALUE_MAX]);
/** E_NOT_FOUND, E_PERMISSION (not ours to write, or mounted read-only), E_RANGE (the kernel refuses the value), E_INVALID (not on the list), E_UNSUPPORTED (a link is on
 * the way, and root is a folder), E_IO. */
thirl_error thirl_host_knob_write(const char *root, const char *name, const char *value);
/** Could it be written? Writes nothing. OK, E_NOT_FOUND, E_PERMISSION, E_INVALID, E_UNSUPPORTED. */
thirl_error thirl_host_knob_try(const char *root, const char *name);
/** Is this a network namespace of its own, which does not show the settings of the whole machine? */
bool thirl_host_knob_is_child(const char *root);

#endif
