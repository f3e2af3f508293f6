/* SPDX-License-Identifier: MIT */
/* Where the identity is kept: one PEM file that only its owner may read, made on first use. */
#ifndef THIRL_IO_KEYFILE_H
#define THIRL_IO_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "secure/identity.h"

/**
 * The identity of a user: from path, or when it is NULL from $XDG_CONFIG_HOME/thirl/key.pem, or from
 * $HOME/.config/thirl/key.pem (XDG Base Directory Specification: empty and relative values count as not set).
 *
 * When there is no file and create is set, a new key is written, and the directories of the default path are made
 * (mode 0700; those of a path that was given must exist). The file appears whole or not at all, mode 0600: of several
 * first uses at once one wins and all give its key.
 *
 * create          false: a missing file is E_NOT_FOUND
 * path_out        the path used, with NUL, as far as it was found out; NULL with path_cap 0 when it is not wanted
 * why             on failure one sentence for the user that names the trouble and the way out, cut to fit; "" on
 *                 success. NULL with why_cap 0 when it is not wanted
 *
 * THIRL_E_NOT_FOUND    no file, or neither HOME nor XDG_CONFIG_HOME is set, or a directory is missing
 * THIRL_E_PERMISSION   it may not be read or written, or others than its owner may read it
 * THIRL_E_SYNTAX       the file holds no P-256 private key in PEM
 * THIRL_E_INVALID      not a regular file, a link that leads nowhere, an empty name
 * THIRL_E_SPACE        the path does not fit path_out, or is longer than a path may be
 * THIRL_E_IO           a full disk, a bad disk
 * THIRL_E_NOMEM, THIRL_E_CRYPTO
 */
thirl_error thirl_io_keyfile_load(const char *path, bool create, thirl_secure_identity **out, char *path_out,
                                  size_t path_cap, char *why, size_t why_cap);

#endif
