/* SPDX-License-Identifier: MIT */
/* How many descriptors this process may have. */
#ifndef THIRL_APPS_FILES_H
#define THIRL_APPS_FILES_H

/** Lets this process have n descriptors, or as many as it may at most; never fewer than before. */
void files_allow(unsigned n);

#endif
