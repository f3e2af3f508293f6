/* SPDX-License-Identifier: MIT */
/* Other people's programs (ip, nft) in a network namespace: text in, an exit code and a complaint out. */
#ifndef THIRL_LAB_PROGRAM_H
#define THIRL_LAB_PROGRAM_H

#include <sys/types.h>

#include "lab/text/words.h"

typedef struct thirl_lab_program {
  pid_t pid; /* 0: none was started */
  const char *name;
  int said; /* what it printed */
} thirl_lab_program;

/**
 * Starts argv[0], looked for in PATH and where administrators' programs are, in the namespace netns (-1: that of the caller), with input on its stdin. keep:
 * descriptors that it inherits under their numbers. It is killed when the caller dies. Finish it in any case; an error is told by then.
 */
void thirl_lab_program_start(thirl_lab_program *p, int netns, const char *const *argv, const char *input,
                             const int *keep, size_t n_keep);
/**
 * Waits for its end, and kills it when a SIGTERM, SIGINT or SIGHUP is pending that the caller has blocked. E_NOT_FOUND: there is no such program; E_IO: it
 * failed, and *why has its name and the first line that it said.
 */
thirl_error thirl_lab_program_finish(thirl_lab_program *p, thirl_lab_complaint *why);
/** Both. */
thirl_error thirl_lab_program_run(int netns, const char *const *argv, const char *input, thirl_lab_complaint *why);

#endif
