/* SPDX-License-Identifier: MIT */
/* The running server: one loop, one machine, the signals. */
#ifndef THIRLD_DAEMON_H
#define THIRLD_DAEMON_H

#include "config.h"

/** Exit codes, those of sysexits.h where one fits. */
enum { EXIT_DONE = 0, EXIT_OTHER = 1, EXIT_BAD_USAGE = 2, EXIT_NO_LISTENER = 69, EXIT_BAD_CONFIG = 78 };

typedef struct daemon_options {
  config config;             /* complete */
  bool listeners_by_default; /* an IPv6 listener may be missing then: not every machine has IPv6 */
  const char *path;          /* of the configuration, read again on SIGHUP; NULL: none */
} daemon_options;

/**
 * Serve until SIGTERM or SIGINT and the drain after it; a second one ends at once. SIGHUP reads limits and log level again, SIGUSR1 writes one line of counts. Writes log lines to
 * stderr. Returns the exit code.
 */
int daemon_run(const daemon_options *options);
/** One line to stderr: UTC time, level, text. A thirl_log sink; ctx is not used. */
void daemon_print(void *ctx, thirl_log_level level, const char *text);

#endif
