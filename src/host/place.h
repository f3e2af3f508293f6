/* SPDX-License-Identifier: MIT */
/*
 * The folder of a file that is to be written. Below a root of its own no symbolic link is followed, neither on the way nor at its end: whoever filled that folder
 * could lead us out of it. The machine's own links, root "", are followed on the way.
 */
#ifndef THIRL_HOST_PLACE_H
#define THIRL_HOST_PLACE_H

#include <stdbool.h>

#include "thirl/error.h"

enum { THIRL_HOST_PLACE_NAME_MAX = 256 };

typedef struct thirl_host_place {
  int folder; /* for the calls that end in "at"; -1: none */
  char name[THIRL_HOST_PLACE_NAME_MAX];
} thirl_host_place;

/**
 * path: absolute, without "..", below root. E_NOT_FOUND: no such folder. E_UNSUPPORTED: a symbolic link is on the way. E_LIMIT, E_PERMISSION, E_IO. To be closed if
 * it is OK.
 */
thirl_error thirl_host_place_open(const char *root, const char *path, thirl_host_place *p);
void thirl_host_place_close(thirl_host_place *p);
/** Is there a symbolic link of that name in the folder? */
bool thirl_host_place_is_link(const thirl_host_place *p);
/** What a failed call means: E_NOT_FOUND, E_PERMISSION, E_NOMEM, E_IO. */
thirl_error thirl_host_place_error(int number);

#endif
