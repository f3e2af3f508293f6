/* SPDX-License-Identifier: MIT */
#include "exit.h"

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
