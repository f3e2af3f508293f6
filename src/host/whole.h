/* SPDX-License-Identifier: MIT */
/* Small files that are there whole or not at all. Paths are absolute, below root: "" or a folder. In such
 * a folder no symbolic link is followed, except by thirl_host_whole_read: all others may say E_UNSUPPORTED, which means that. */
#ifndef THIRL_HOST_WHOLE_H
#define THIRL_HOST_WHOLE_H

#include "base/bytes.h"

enum { THIRL_HOST_WHOLE_PATH_MAX = 64, THIRL_HOST_WHOLE_FOLDERS_MAX = 8 };

/** Folders that were made, the outermost first. */
typedef struct thirl_host_whole_folders {
  char path[THIRL_HOST_WHOLE_FOLDERS_MAX][THIRL_HOST_WHOLE_PATH_MAX]; /* without root */
  unsigned n;
} thirl_host_whole_folders;

/** Appends all of an ordinary file. E_NOT_FOUND, E_PERMISSION, E_LIMIT (more than the buffer's maximum), E_NOMEM, E_IO. */
thirl_error thirl_host_whole_read(const char *root, const char *path, thirl_buffer *out);
/** The same, and E_PERMISSION when somebody else owns it or may write it. */
thirl_error thirl_host_whole_read_own(const char *root, const char *path, thirl_buffer *out);
/** Replaces the file at once: who reads it sees the old or the new one. mode: of the file, 0644. E_PERMISSION, E_NOT_FOUND (no folder), E_IO. */
thirl_error thirl_host_whole_write(const char *root, const char *path, thirl_bytes text, unsigned mode);
/** E_NOT_FOUND, E_PERMISSION, E_IO. */
thirl_error thirl_host_whole_remove(const char *root, const char *path);
/** Makes the folders of a file that are missing, and adds them to made. E_LIMIT, E_PERMISSION, E_IO. */
thirl_error thirl_host_whole_make_folders(const char *root, const char *path, thirl_host_whole_folders *made);
/** Removes those folders, as far as they are empty. */
void thirl_host_whole_remove_folders(const char *root, const thirl_host_whole_folders *made);
/**
 * Makes a file that nobody else may open, and so nobody else lock, and locks it. E_IN_USE: another of us has it. E_PERMISSION: it is somebody else's, or a
 * link. E_NOT_FOUND (no folder), E_IO. On an error fd is -1.
 */
thirl_error thirl_host_whole_lock(const char *root, const char *path, int *fd);
/** Removes the file and gives the lock back. */
void thirl_host_whole_unlock(const char *root, const char *path, int fd);

#endif
