/* SPDX-License-Identifier: MIT */
#include "exit.h"

#include <stddef.h>

const exit_row exit_table[] = {
    {EXIT_OK, "done", "everything was done"},
    {EXIT_GENERIC, "other",
     "something else: no memory, no permission, a port that is taken, a file that cannot be written, a question that "
     "was answered with no"},
    {EXIT_USAGE, "usage", "the command line is wrong, or the ticket is none"},
    {EXIT_NO_PEER, "peer not there", "the peer is not there, is busy, or did not come in time"},
    {EXIT_NO_PATH, "no path", "there is no way to the peer, not even through the relay"},
    {EXIT_ONLY_RELAY, "only a relayed path with --direct-only",
     "there is only a relayed path, and --direct-only was given"},
    {EXIT_AUTH, "wrong key or ticket", "somebody else holds the key that was expected, or the ticket is not accepted"},
    {EXIT_NO_SERVER, "server unreachable", "the server cannot be reached, or it refused"},
    {EXIT_INTERRUPTED, "interrupted",
     "the session was there and broke off before its end, or before the other side had all"},
    {EXIT_WARN, "something to warn of", "there is something to warn of, and nothing worse"},
    {EXIT_CRIT, "something critical", "there is something critical"},
    {EXIT_SIGNAL, "signal", "128 and the number of the signal that ended it: 130 is Ctrl-C, 143 is SIGTERM"},
    {0, NULL, NULL},
};

int command_exit_code(thirl_error e, bool was_up) {
  if (e == THIRL_OK) return EXIT_OK;
  if (e == THIRL_E_ONLY_RELAY) return EXIT_ONLY_RELAY;
  if (thirl_error_class_of(e) == THIRL_CLASS_AUTH) return EXIT_AUTH;
  if (was_up) return EXIT_INTERRUPTED;
  if (e == THIRL_E_NO_PEER || e == THIRL_E_BUSY) return EXIT_NO_PEER;
  if (e == THIRL_E_NO_SERVER || e == THIRL_E_SERVER) return EXIT_NO_SERVER;
  if (thirl_error_class_of(e) == THIRL_CLASS_PATH) return EXIT_NO_PATH;
  if (thirl_error_class_of(e) == THIRL_CLASS_USAGE) return EXIT_USAGE;
  return EXIT_GENERIC;
}
