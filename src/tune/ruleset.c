/* SPDX-License-Identifier: MIT */
/* No rule is believed to be an exception that has a condition which is not understood. */
#include "tune/ruleset.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tune/ports.h"

enum { DEPTH_MAX = 32, CHAINS_MAX = 1024 };

/* ---- words within an expression ---- */

static bool is_word(const json_t *o, const char *word) {
  const char *s = json_string_value(o);
  return s && strcmp(s, word) == 0;
}

/* Is there such a word, as a value or a key, anywhere below? */
static bool mentions(const json_t *o, const char *word, int depth) {
  const char *key;
  json_t *value;
  size_t i;
  if (depth > DEPTH_MAX) return false;
  if (json_is_string(o)) return is_word(o, word);
  json_array_foreach(o, i, value) if (mentions(value, word, depth + 1)) return true;
  json_object_foreach((json_t *)o, key,
                      value) if (strcmp(key, word) == 0 || mentions(value, word, depth + 1)) return true;
  return false;
}

/* ---- ports ---- */

static void add_value(thirl_tune_ports *set, const json_t *value, int depth) {
  json_t *one, *list;
  size_t i;
  if (depth > 2) return;
  if (json_is_integer(value)) thirl_tune_ports_add(set, json_integer_value(value), json_integer_value(value));
  if ((list = json_object_get(value, "range")))
    thirl_tune_ports_add(set, json_integer_value(json_array_get(list, 0)), json_integer_value(json_array_get(list, 1)));
  if ((list = json_object_get(value, "set"))) {
    if (!json_is_array(list)) add_value(set, list, depth + 1);
    json_array_foreach(list, i, one) add_value(set, one, depth + 1);
  }
}

/* What a rule with "notrack" exempts: UDP ports by one field; all of them without that. False: it has a condition that we do not understand. */
static bool exempt(const json_t *expr, const char *field, thirl_tune_ports *set) {
  json_t *statement;
  size_t i;
  bool by_port = false;
  json_array_foreach(expr, i, statement) {
    const json_t *match = json_object_get(statement, "match");
    const json_t *left = json_object_get(match, "left"), *right = json_object_get(match, "right");
    const json_t *payload = json_object_get(left, "payload"), *meta = json_object_get(left, "meta");
    if (!match) continue;
    if (!is_word(json_object_get(match, "op"), "==")) return false;
    if (is_word(json_object_get(meta, "key"), "l4proto") && is_word(right, "udp")) continue;
    if (!is_word(json_object_get(payload, "protocol"), "udp") || !is_word(json_object_get(payload, "field"), field) ||
        by_port)
      return false;
    by_port = true;
    add_value(set, right, 0);
  }
  if (!by_port) thirl_tune_ports_add(set, 0, 65535);
  return true;
}

static void merge(thirl_tune_ports *to, const thirl_tune_ports *from) {
  for (size_t i = 0; i < sizeof to->bits; i++)
    to->bits[i] |= from->bits[i];
}

static void read_notrack(thirl_tune_ruleset *r, const json_t *chain, const json_t *expr) {
  thirl_tune_ports set = {0};
  const json_t *hook = json_object_get(chain, "hook");
  if (is_word(hook, "prerouting") && exempt(expr, "dport", &set)) merge(&r->notrack_in, &set);
  if (is_word(hook, "output") && exempt(expr, "sport", &set)) merge(&r->notrack_out, &set);
}

/* ---- chains ---- */

static bool same(const json_t *a, const json_t *b, const char *key_a, const char *key_b) {
  const char *x = json_string_value(json_object_get(a, key_a)), *y = json_string_value(json_object_get(b, key_b));
  return x && y && strcmp(x, y) == 0;
}

static const json_t *chain_of(const json_t *chains, const json_t *rule) {
  const json_t *chain;
  size_t i;
  json_array_foreach(chains, i, chain) {
    if (same(chain, rule, "family", "family") && same(chain, rule, "table", "table") &&
        same(chain, rule, "name", "chain"))
      return chain;
  }
  return NULL;
}

/* It will stand in a line that somebody pastes into a shell. */
static void copy_name(const json_t *chain, const char *key, char *to, size_t size) {
  const char *name = json_string_value(json_object_get(chain, key));
  bool plain = name && strlen(name) < size && thirl_tune_text_is_plain(thirl_tune_text_of(name));
  thirl_tune_text_copy(thirl_tune_text_of(plain ? name : key), to, size);
}

/* It is the end for whatever no rule of it accepts. */
static void drops_rest(thirl_tune_ruleset *r, const json_t *chain) {
  char family[16] = "", table[THIRL_TUNE_NAME] = "", name[THIRL_TUNE_NAME] = "";
  const json_t *hook = json_object_get(chain, "hook");
  if (is_word(hook, "forward")) r->forward_drops = true;
  if (!is_word(hook, "input")) return;
  r->input_drops = true;
  copy_name(chain, "family", family, sizeof family);
  copy_name(chain, "table", table, sizeof table);
  copy_name(chain, "name", name, sizeof name);
  snprintf(r->input_chain, sizeof r->input_chain, "%s %s %s", family, table, name);
}

/* ---- statements ---- */

static const char *const translations[] = {"masquerade", "snat", "dnat", "redirect"};

static void read_translation(thirl_tune_ruleset *r, const json_t *statement) {
  for (size_t i = 0; i < sizeof translations / sizeof *translations; i++) {
    const json_t *t = json_object_get(statement, translations[i]);
    if (!t) continue;
    r->has_nat = r->uses_conntrack = true;
    if (i > 1) continue;
    const json_t *flags = json_object_get(t, "flags");
    r->has_masquerade = true;
    r->random_ports |= mentions(flags, "random", 0) || mentions(flags, "fully-random", 0);
    r->persistent |= mentions(flags, "persistent", 0);
  }
}

/* A rule without a condition that ends the way of every packet. */
static bool refuses_all(const json_t *expr) {
  json_t *statement;
  size_t i;
  bool refuses = false;
  json_array_foreach(expr, i, statement) {
    if (json_object_get(statement, "drop") || json_object_get(statement, "reject"))
      refuses = true;
    else if (!json_object_get(statement, "counter") && !json_object_get(statement, "log"))
      return false;
  }
  return refuses;
}

static void read_rule(thirl_tune_ruleset *r, const json_t *chains, const json_t *rule) {
  const json_t *expr = json_object_get(rule, "expr"), *chain = chain_of(chains, rule);
  const json_t *hook = json_object_get(chain, "hook");
  json_t *statement;
  size_t i;
  thirl_tune_ports accepted = {0};
  bool accepts = mentions(expr, "accept", 0);
  if (accepts && (!hook || is_word(hook, "input")) && exempt(expr, "dport", &accepted)) merge(&r->accepted, &accepted);
  json_array_foreach(expr, i, statement) {
    if (json_object_get(statement, "notrack")) read_notrack(r, chain, expr);
    if (json_object_get(statement, "xt")) r->has_foreign = true;
    if (json_object_get(statement, "flow")) r->has_flowtable = true;
    if (json_object_get(statement, "ct helper")) r->has_helper = true;
    read_translation(r, statement);
  }
  r->uses_conntrack |= mentions(expr, "ct", 0) || mentions(expr, "ct helper", 0) || mentions(expr, "flow", 0);
  if (refuses_all(expr)) drops_rest(r, chain);
  /* In any chain: which ones a chain of the kernel jumps to is not followed. */
  if (accepts && mentions(expr, "ct", 0) && mentions(expr, "established", 0)) r->input_accepts_established = true;
  if ((accepts && (!hook || is_word(hook, "forward"))) || mentions(expr, "jump", 0)) r->forward_accepts = true;
}

void thirl_tune_ruleset_parse(thirl_tune_facts *f, thirl_tune_text text) {
  thirl_tune_ruleset *r = &f->ruleset;
  if (text.n > THIRL_TUNE_RULESET_BYTES) {
    r->why = THIRL_TUNE_WHY_TOO_MANY;
    return;
  }
  json_t *root = json_loadb(text.p, text.n, 0, NULL), *list = json_object_get(root, "nftables"), *entry;
  r->why = json_is_array(list) ? THIRL_TUNE_WHY_READ : THIRL_TUNE_WHY_MALFORMED;
  json_t *chains = json_array();
  size_t i;
  json_array_foreach(list, i, entry) { /* nft names the chains of a table before its rules */
    json_t *chain = json_object_get(entry, "chain"), *rule = json_object_get(entry, "rule");
    if (chain && json_array_size(chains) < CHAINS_MAX) (void)json_array_append(chains, chain);
    if (is_word(json_object_get(chain, "policy"), "drop")) drops_rest(r, chain);
    if (rule) read_rule(r, chains, rule);
    if (json_object_get(entry, "flowtable")) r->has_flowtable = true;
  }
  r->accepted.why = r->notrack_in.why = r->notrack_out.why = r->why;
  json_decref(chains);
  json_decref(root);
}

void thirl_tune_ruleset_legacy(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text word;
  while (thirl_tune_text_word(&t, &word)) {
    f->ruleset.has_foreign = true;
    if (thirl_tune_text_is(word, "nat")) f->ruleset.has_nat = f->ruleset.uses_conntrack = true;
  }
}
