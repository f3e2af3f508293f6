/* SPDX-License-Identifier: MIT */
/*
 * Files below a folder, by names that somebody else chose. Every part of a name is opened by itself and must be no symbolic link, so that nothing is ever
 * touched outside of the folder, whoever puts links there meanwhile. A file grows as ".NAME.thirl-part" beside its place and is renamed when it is whole.
 */
#ifndef THIRL_APPS_PARCEL_FILES_H
#define THIRL_APPS_PARCEL_FILES_H

#include "parcel/receiver.h"

/** All zeroes is none; -1 for a descriptor that is not open. */
typedef struct parcel_file {
  int parent, fd;   /* its folder; the unfinished file, or the whole one that is there already */
  bool whole, made; /* fd is the whole one; we have made the unfinished one, or it had no bytes */
  char last[THIRL_PARCEL_PART_MAX + 1], unfinished[THIRL_PARCEL_PART_MAX + 1];
} parcel_file;

/** The folder of a name below root, each part opened in turn, and made with make. OK, or why not. *out is the caller's. */
thirl_parcel_reason parcel_files_enter(int root, thirl_bytes name, bool make, int *out);
/** Make a folder, and those above it; one that is there is as good. */
thirl_parcel_reason parcel_files_make(int root, thirl_bytes name);
/** What there is of a file. With reason OK f is to be closed, after commit and drop too. Anything in the way is a reason. */
thirl_parcel_have parcel_files_look(int root, const thirl_parcel_entry *e, bool overwrite, parcel_file *f);
/** Is something of another size, or no file, at a name? Makes and opens nothing. OK: no; *there: bytes that may not have to come. */
thirl_parcel_reason parcel_files_foresee(int root, const thirl_parcel_entry *e, bool overwrite, uint64_t *there);
/** The unfinished file, made if there is none, cut to offset. */
thirl_parcel_reason parcel_files_begin(parcel_file *f, uint64_t offset);
thirl_parcel_reason parcel_files_write(const parcel_file *f, uint64_t offset, thirl_bytes b);
/** What is there at offset; 0 at its end, and when it cannot be read. */
size_t parcel_files_read(const parcel_file *f, uint64_t offset, uint8_t *buf, size_t n);
/** Mode, time, disk, name: may take long, touches nothing but f, and so can run on another thread. */
thirl_parcel_reason parcel_files_commit(const parcel_file *f, const thirl_parcel_entry *e, bool overwrite);
/** The unfinished file goes away: always, or only if there is nothing in it. */
void parcel_files_drop(const parcel_file *f, bool always);
void parcel_files_close(parcel_file *f);
/** Bytes that the disk of root has room for; UINT64_MAX when it does not say. */
uint64_t parcel_files_room(int root);

#endif
