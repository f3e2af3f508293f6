/* SPDX-License-Identifier: MIT */
/*
 * natrules: what makes the kernel of a namespace a NAT, for scripts. The words are those of natbox/words.h ("preset=symmetric", "udp.map=adm").
 *
 *   natrules [OPTION]... [WORD]...       rules for `nft -f -`
 *   natrules --sysctls [WORD]...         "NAME VALUE" lines for /proc/sys; '-' before a name that may be missing
 *
 *   natrules --recipe NAME --host ADDRESS    a script for sh, with iptables: see lab/netfilter/recipe.h
 *   natrules --recipes                   "NAME|CIRCULATES|CLAIMED|MEASURED|REASON" lines of all recipes; CIRCULATES: yes or no
 *   natrules --lines NAME                what a recipe consists of
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

#include "lab/netfilter/netfilter.h"
#include "lab/netfilter/recipe.h"
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

static int print_text(char *text) {
  int bad = fputs(text, stdout) < 0 || fflush(stdout) != 0;
  free(text);
  return bad;
}

static int print_recipes(void) {
  const thirl_lab_recipe *r;
  for (unsigned i = 0; (r = thirl_lab_recipe_get(i)); i++)
    printf("%s|%s|%s|%s|%s\n", r->name, r->circulates ? "yes" : "no", r->claimed, r->measured, r->reason);
  return EXIT_SUCCESS;
}

typedef struct options {
  const char *outer, *inner, *external, *host, *recipe, *lines;
  bool sysctls, recipes;
} options;

/* How many words it took, 0: not an option of ours. */
static int set_option(options *o, thirl_lab_node *node, char **argv, int left) {
  const struct {
    const char *name, **value;
  } valued[] = {{"--outer", &o->outer}, {"--inner", &o->inner},   {"--external", &o->external},
                {"--host", &o->host},   {"--recipe", &o->recipe}, {"--lines", &o->lines}};
  for (size_t i = 0; i < sizeof valued / sizeof *valued && left > 1; i++)
    if (strcmp(argv[0], valued[i].name) == 0) {
      *valued[i].value = argv[1];
      return 2;
    }
  if (strcmp(argv[0], "--sysctls") == 0)
    o->sysctls = true;
  else if (strcmp(argv[0], "--recipes") == 0)
    o->recipes = true;
  else if (strcmp(argv[0], "--v6") == 0 && node->inner.n_addrs == 0)
    node->inner.addrs[node->inner.n_addrs++].addr = thirl_addr_any(THIRL_FAMILY_V6, 0);
  else
    return 0;
  return 1;
}

static int print_recipe(const options *o, const thirl_addr *external) {
  const char *name = o->lines ? o->lines : o->recipe;
  const thirl_lab_recipe *r = thirl_lab_recipe_find(name);
  thirl_addr host;
  char *text;
  if (!r) return complain("there is no such recipe", name);
  if (o->lines) return fputs(r->lines, stdout) < 0;
  if (!o->host || thirl_addr_parse(o->host, &host) != THIRL_OK) return complain("a recipe wants --host ADDRESS", name);
  if (thirl_lab_recipe_script(r, o->outer, external, &host, &text) != THIRL_OK) return EXIT_FAILURE;
  return print_text(text);
}

int main(int argc, char **argv) {
  options o = {.outer = "wan", .inner = "lan", .external = "203.0.113.1"};
  thirl_lab_node node = {.kind = THIRL_LAB_NAT, .name = "this", .engine = THIRL_LAB_NETFILTER};
  thirl_addr external;
  int i = 1, took;
  for (; i < argc && argv[i][0] == '-'; i += took) {
    took = set_option(&o, &node, argv + i, argc - i);
    if (took == 0) return complain("an unknown option, or one without its value", argv[i]);
  }
  if (o.recipes) return print_recipes();
  if (thirl_addr_parse(o.external, &external) != THIRL_OK) return complain("not an address", o.external);
  if (o.recipe || o.lines) return print_recipe(&o, &external);
  (void)thirl_natbox_config_preset("portrestricted", external, &node.nat);
  for (; i < argc; i++)
    if (set_word(&node, argv[i]) != 0) return EXIT_USAGE;
  if (o.sysctls) {
    print_sysctls(&node);
    return EXIT_SUCCESS;
  }
  char *text;
  thirl_lab_complaint why;
  if (thirl_lab_netfilter_rules(&node, o.outer, o.inner, &text, &why) != THIRL_OK) {
    fprintf(stderr, "natrules: %s\n", why.text);
    return EXIT_USAGE;
  }
  return print_text(text);
}
