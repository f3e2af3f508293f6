/* SPDX-License-Identifier: MIT */
/*
 * natrules: what makes the kernel of a namespace a NAT, for scripts. The words are those of natbox/words.h ("preset=symmetric", "udp.map=adm").
 *
 *   natrules [OPTION]... [WORD]...       rules for `nft -f -`
 *   natrules --sysctls [WORD]...         "NAME VALUE" lines for /proc/sys; '-' before a name that may be missing
 *
 *   --outer IF  --inner IF               the interfaces, wan and lan
 *   --external ADDRESS                   the outer IPv4 address, 203.0.113.1
 *   --v6                                 the inside has IPv6 addresses too
 *
 * Exit code 2 and a sentence: a word is wrong, or the kernel cannot do what it says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/netfilter.h"
#include "natbox/words.h"

enum { EXIT_USAGE = 2 };

static int complain(const char *what, const char *word) {
  fprintf(stderr, "natrules: %s: %s\n", what, word);
  return EXIT_USAGE;
}

static int set_word(thirl_lab_node *node, const char *word) {
  const thirl_natbox_word *which;
  switch (thirl_natbox_words_set(&node->nat, word, strlen(word), &which)) {
  case THIRL_OK:
    return 0;
  case THIRL_E_NOT_FOUND:
    return complain("there is no such word", word);
  case THIRL_E_RANGE:
    return complain("a number is too small or too large", word);
  default:
    return complain(which ? which->values : "not a word of a NAT", word);
  }
}

static void print_sysctls(const thirl_lab_node *node) {
  thirl_lab_netfilter_sysctls s;
  thirl_lab_netfilter_sysctls_of(node, &s);
  for (size_t i = 0; i < s.n; i++)
    printf("%s%s %s\n", s.items[i].optional ? "-" : "", s.items[i].name, s.items[i].value);
}

int main(int argc, char **argv) {
  const char *outer = "wan", *inner = "lan", *external = "203.0.113.1";
  bool sysctls = false;
  int i = 1;
  thirl_lab_node node = {.kind = THIRL_LAB_NAT, .name = "this", .engine = THIRL_LAB_NETFILTER};
  for (; i < argc && argv[i][0] == '-'; i++) {
    bool more = i + 1 < argc;
    if (strcmp(argv[i], "--sysctls") == 0)
      sysctls = true;
    else if (strcmp(argv[i], "--v6") == 0)
      node.inner.addrs[node.inner.n_addrs++ % THIRL_LAB_ADDRS_MAX].addr = thirl_addr_any(THIRL_FAMILY_V6, 0);
    else if (strcmp(argv[i], "--outer") == 0 && more)
      outer = argv[++i];
    else if (strcmp(argv[i], "--inner") == 0 && more)
      inner = argv[++i];
    else if (strcmp(argv[i], "--external") == 0 && more)
      external = argv[++i];
    else
      return complain("not --sysctls, --v6, --outer IF, --inner IF or --external ADDRESS", argv[i]);
  }
  thirl_addr a;
  if (thirl_addr_parse(external, &a) != THIRL_OK) return complain("not an address", external);
  (void)thirl_natbox_config_preset("portrestricted", a, &node.nat);
  for (; i < argc; i++)
    if (set_word(&node, argv[i]) != 0) return EXIT_USAGE;
  if (sysctls) {
    print_sysctls(&node);
    return EXIT_SUCCESS;
  }
  char *text;
  thirl_lab_complaint why;
  if (thirl_lab_netfilter_rules(&node, outer, inner, &text, &why) != THIRL_OK) {
    fprintf(stderr, "natrules: %s\n", why.text);
    return EXIT_USAGE;
  }
  int bad = fputs(text, stdout) < 0 || fflush(stdout) != 0;
  free(text);
  return bad;
}
