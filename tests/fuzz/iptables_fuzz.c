/* SPDX-License-Identifier: MIT */
/* Any bytes as the words of iptables-save: what is said of one set of rules stays said when more rules follow. */
#include <stdlib.h>
#include <string.h>

#include "tune/iptables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
  if (!ok) abort();
}

static thirl_tune_facts facts;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  thirl_tune_text text = {(const char *)data, size};
  memset(&facts, 0, sizeof facts);
  thirl_tune_iptables_parse(&facts, text);
  const thirl_tune_ruleset once = facts.ruleset;
  must(!once.random_ports || once.has_masquerade);
  must(!once.has_masquerade || (once.has_nat && once.uses_conntrack));
  must(!once.has_helper || once.uses_conntrack);
  must(!once.input_drops || memchr(once.input_chain, '\0', sizeof once.input_chain) != NULL);
  thirl_tune_iptables_parse(&facts, text);
  must(memcmp(&once, &facts.ruleset, sizeof once) == 0);
  return 0;
}
