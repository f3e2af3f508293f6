/* SPDX-License-Identifier: MIT */
/* Reading files below a root: "/" is this machine, anything else a recorded tree of the same shape. Nothing is ever written. */
#ifndef THIRL_HOST_FILE_H
#define THIRL_HOST_FILE_H

#include "host/dump.h"
#include "tune/terms.h"

enum { THIRL_HOST_FILE_PATH = 1024 };

/** READ with its content in *text until the dump changes; NO_SUCH, NOT_PERMITTED, TOO_MANY (longer than the dump may be), MALFORMED (any other error). */
thirl_tune_why thirl_host_file_read(const char *root, const char *path, thirl_host_dump *d, thirl_tune_text *text);
/**
 * The same in pieces that end with a line, for files that may be long: at most most bytes, then TOO_MANY. A line that is longer than a piece is dropped.
 */
typedef void thirl_host_file_take(void *ctx, thirl_tune_text piece);
thirl_tune_why thirl_host_file_walk(const char *root, const char *path, size_t most, thirl_host_file_take *take,
                                    void *ctx);
/** Why a call failed, from errno. */
thirl_tune_why thirl_host_file_why(int number);
/** root and path in one; of several roots with ':' between, the first that has it, or the last. False: too long. */
bool thirl_host_file_join(const char *root, const char *path, char out[THIRL_HOST_FILE_PATH]);

#endif
