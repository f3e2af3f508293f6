/* SPDX-License-Identifier: MIT */
/* Any bytes as thirld.conf: either every value is in its range, or there is one complaint with a line number. */
#include <stdlib.h>
#include <string.h>

#include "apps/thirld/config_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
  if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  config c;
  char complaint[CONFIG_COMPLAINT_MAX];
  memset(complaint, 'x', sizeof complaint);
  config_init(&c);
  thirl_error e = config_parse(&c, THIRL_BYTES(data, size), complaint);
  must(memchr(complaint, '\0', sizeof complaint) != NULL);
  must(e == THIRL_OK ? !complaint[0] : e == THIRL_E_SYNTAX && strtoul(complaint, NULL, 10) > 0);
  must(c.n_tcp <= THIRL_SERVER_LISTENERS && c.n_udp <= THIRL_SERVER_LISTENERS);
  must(c.log_level <= THIRL_LOG_DEBUG && c.drain_s <= 86400);
  thirl_server_limits set = c.limits;
  bool by_default;
  if (config_complete(&c, &by_default, complaint) != THIRL_OK) must(complaint[0] != 0);
  must(c.n_tcp || c.n_udp);
#define IN_RANGE(name, type, normal, least, most, what)                                                                \
  must((set.name == 0 || set.name == c.limits.name) && c.limits.name >= (type)(least) && c.limits.name <= (type)(most));
  THIRL_SERVER_LIMITS(IN_RANGE)
#undef IN_RANGE
  return 0;
}
