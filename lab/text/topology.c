/* SPDX-License-Identifier: MIT */
#include "lab/text/topology.h"

#include <stdlib.h>
#include <string.h>

#include "lab/text/clash.h"
#include "lab/text/event.h"
#include "lab/text/natwords.h"
#include "lab/text/terms.h"

/* An event's line, before it can be read: what it means depends on what has happened by then. */
typedef struct later {
  thirl_time at;
  const char *line;
  size_t len;
  unsigned number;
} later;

/* Where we are in the text. */
typedef struct reader {
  const char *text, *end;
  unsigned number; /* of the line in words */
  const char *line;
  size_t len;
  thirl_lab_words words;
  thirl_lab_topology *t;
  thirl_lab_engine engine; /* where a NAT says nothing */
  later events[THIRL_LAB_EVENTS_MAX];
  size_t n_events;
  thirl_lab_complaint *why; /* a sentence about the line */
} reader;

#define COMPLAIN(r, e, ...) thirl_lab_words_complain((r)->why, e, __VA_ARGS__)

static const char *word(const reader *r, size_t i) {
  return i < r->words.n ? r->words.word[i] : "";
}

/* ---- names: what there is ---- */

static thirl_error check_name(const reader *r, const char *name) {
  if (!*name) return COMPLAIN(r, THIRL_E_SYNTAX, "the name is missing");
  if (!thirl_lab_words_is_name(name, THIRL_LAB_NAME_MAX))
    return COMPLAIN(r, THIRL_E_SYNTAX, "\"%.40s\" is no name: up to %d letters, digits and '-'", name,
                    THIRL_LAB_NAME_MAX);
  size_t node = thirl_lab_model_find_node(r->t, name), net = thirl_lab_model_find_net(r->t, name);
  if (node == SIZE_MAX && net == SIZE_MAX) return THIRL_OK;
  return COMPLAIN(r, THIRL_E_INVALID, "%s is the name of something else already, in line %u", name,
                  node != SIZE_MAX ? r->t->nodes[node].line : r->t->nets[net].line);
}

static thirl_error add_net(reader *r, int nat) {
  if (r->t->n_nets == THIRL_LAB_NETS_MAX)
    return COMPLAIN(r, THIRL_E_LIMIT, "there are more than %d nets", THIRL_LAB_NETS_MAX);
  thirl_lab_net *n = &r->t->nets[r->t->n_nets++];
  strcpy(n->name, word(r, 1));
  n->nat = nat;
  n->line = r->number;
  return THIRL_OK;
}

static thirl_error add_node(reader *r, thirl_lab_node_kind kind) {
  if (r->t->n_nodes == THIRL_LAB_NODES_MAX)
    return COMPLAIN(r, THIRL_E_LIMIT, "there are more than %d hosts and NATs", THIRL_LAB_NODES_MAX);
  thirl_lab_node *n = &r->t->nodes[r->t->n_nodes++];
  n->kind = kind;
  strcpy(n->name, word(r, 1));
  n->outer.up = n->outer.down = n->inner.up = n->inner.down = thirl_lab_terms_none();
  n->line = r->number;
  return kind == THIRL_LAB_NAT ? add_net(r, (int)(n - r->t->nodes)) : THIRL_OK;
}

static thirl_error declare_net(reader *r) {
  thirl_error e = check_name(r, word(r, 1));
  return e == THIRL_OK ? add_net(r, -1) : e;
}

static thirl_error declare_host(reader *r) {
  thirl_error e = check_name(r, word(r, 1));
  return e == THIRL_OK ? add_node(r, THIRL_LAB_HOST) : e;
}

static thirl_error declare_nat(reader *r) {
  thirl_error e = check_name(r, word(r, 1));
  return e == THIRL_OK ? add_node(r, THIRL_LAB_NAT) : e;
}

static thirl_error declare_seed(reader *r) {
  if (r->words.n != 2 || !thirl_lab_words_number(word(r, 1), 0, UINT64_MAX, &r->t->seed))
    return COMPLAIN(r, THIRL_E_SYNTAX, "seed wants one number, not \"%.40s\"", word(r, 1));
  return THIRL_OK;
}

static const thirl_lab_words_choice engines[] = {
    {"natbox", THIRL_LAB_NATBOX}, {"netfilter", THIRL_LAB_NETFILTER}, {NULL, 0}};

static thirl_error read_engine(const reader *r, const char *value, thirl_lab_engine *out) {
  unsigned v;
  if (!thirl_lab_words_choose(engines, value, &v))
    return COMPLAIN(r, THIRL_E_SYNTAX, "engine wants natbox or netfilter, not \"%.40s\"", value);
  *out = (thirl_lab_engine)v;
  return THIRL_OK;
}

static thirl_error declare_engine(reader *r) {
  if (r->words.n != 2) return COMPLAIN(r, THIRL_E_SYNTAX, "engine wants one word: natbox or netfilter");
  return read_engine(r, word(r, 1), &r->engine);
}

/* ---- nets and nodes: what they are like ---- */

/* The prefixes from word first on. The gateway is the host part if there is one, else the first address (a NAT's) or the last. */
static thirl_error read_prefixes(reader *r, thirl_lab_net *n, size_t *first) {
  for (; *first < r->words.n && !strchr(word(r, *first), '='); ++*first) {
    const char *text = word(r, *first);
    thirl_lab_prefix p;
    if (thirl_lab_address_parse(text, &p) != THIRL_OK || !strchr(text, '/'))
      return COMPLAIN(r, THIRL_E_SYNTAX, "\"%.60s\" is not a prefix such as 192.168.1.0/24", text);
    if (n->n_prefixes == THIRL_LAB_PREFIXES_MAX)
      return COMPLAIN(r, THIRL_E_LIMIT, "%s has more than %d prefixes", n->name, THIRL_LAB_PREFIXES_MAX);
    if (p.bits == 0 || p.bits + 2u > thirl_addr_ip_len(&p.addr) * 8)
      return COMPLAIN(r, THIRL_E_INVALID, "%.60s leaves no room for hosts, or for anything else", text);
    thirl_lab_prefix network = thirl_lab_address_network(p), gateway = p;
    if (thirl_lab_address_is_network(&p))
      gateway.addr = n->nat < 0 ? thirl_lab_address_last(&p) : thirl_lab_address_first(&p);
    if (!thirl_lab_address_is_host(&network, &gateway.addr))
      return COMPLAIN(r, THIRL_E_INVALID, "%.60s has no address that a host can have", text);
    n->prefixes[n->n_prefixes] = network;
    n->gateways[n->n_prefixes++] = gateway;
  }
  if (n->n_prefixes > 0) return THIRL_OK;
  return COMPLAIN(r, THIRL_E_SYNTAX, "%s has no prefix such as 192.168.1.0/24", n->name);
}

static thirl_error define_net(reader *r) {
  size_t at = 2;
  thirl_error e = read_prefixes(r, &r->t->nets[thirl_lab_model_find_net(r->t, word(r, 1))], &at);
  if (e != THIRL_OK || at == r->words.n) return e;
  return COMPLAIN(r, THIRL_E_SYNTAX, "\"%.40s\" is nothing that a net can have: prefixes", word(r, at));
}

/* Words 2 and on: the net and the addresses there. */
static thirl_error read_outer(reader *r, thirl_lab_node *n, size_t *at) {
  if (r->words.n < 3) return COMPLAIN(r, THIRL_E_SYNTAX, "the net of %s is missing", n->name);
  n->outer.net = thirl_lab_model_find_net(r->t, word(r, 2));
  if (n->outer.net == SIZE_MAX) return COMPLAIN(r, THIRL_E_INVALID, "there is no net called \"%.40s\"", word(r, 2));
  for (*at = 3; *at < r->words.n && strcmp(word(r, *at), "lan") != 0 && !strchr(word(r, *at), '='); ++*at) {
    if (n->outer.n_addrs == THIRL_LAB_ADDRS_MAX)
      return COMPLAIN(r, THIRL_E_LIMIT, "%s has more than %d addresses", n->name, THIRL_LAB_ADDRS_MAX);
    thirl_lab_prefix *p = &n->outer.addrs[n->outer.n_addrs];
    thirl_error e = thirl_lab_event_read_address(r->t, n->outer.net, word(r, *at), p, r->why);
    if (e != THIRL_OK) return e;
    n->outer.n_addrs++;
  }
  if (n->outer.n_addrs > 0) return THIRL_OK;
  return COMPLAIN(r, THIRL_E_SYNTAX, "%s has no address on %s", n->name, word(r, 2));
}

static thirl_error define_host(reader *r) {
  size_t at = 0;
  thirl_lab_node *n = &r->t->nodes[thirl_lab_model_find_node(r->t, word(r, 1))];
  thirl_error e = read_outer(r, n, &at);
  if (e != THIRL_OK || at == r->words.n) return e;
  return COMPLAIN(r, THIRL_E_SYNTAX, "\"%.40s\" is nothing that a host can have: a net and addresses", word(r, at));
}

static thirl_error read_recipe(reader *r, thirl_lab_node *n, const char *name) {
  if (!thirl_lab_words_is_name(name, THIRL_LAB_NAME_MAX))
    return COMPLAIN(r, THIRL_E_SYNTAX, "recipe wants a name, not \"%.40s\"", name);
  strcpy(n->recipe, name);
  return THIRL_OK;
}

/* The words behind the prefixes; preset= first, wherever it stands. */
static thirl_error read_nat_words(reader *r, thirl_lab_node *n, size_t first) {
  thirl_error e = THIRL_OK;
  bool has_words = false;
  for (size_t i = first; e == THIRL_OK && i < r->words.n; i++)
    if (strncmp(word(r, i), "preset=", 7) == 0) e = thirl_lab_natwords_set(&n->nat, word(r, i), r->why);
  for (size_t i = first; e == THIRL_OK && i < r->words.n; i++) {
    const char *w = word(r, i);
    if (strncmp(w, "engine=", 7) == 0) {
      e = read_engine(r, w + 7, &n->engine);
      n->engine_is_said = true;
    } else if (strncmp(w, "recipe=", 7) == 0)
      e = read_recipe(r, n, w + 7);
    else {
      has_words = true;
      if (strncmp(w, "preset=", 7) != 0) e = thirl_lab_natwords_set(&n->nat, w, r->why);
    }
  }
  if (e != THIRL_OK || !n->recipe[0]) return e;
  if (has_words || (n->engine_is_said && n->engine != THIRL_LAB_NETFILTER))
    return COMPLAIN(r, THIRL_E_INVALID, "a recipe is netfilter's and goes with no other words");
  n->engine = THIRL_LAB_NETFILTER;
  n->engine_is_said = true;
  return THIRL_OK;
}

/* "lan" and the prefixes behind it, before anything that may refer to them is read. */
static thirl_error define_inside(reader *r) {
  thirl_lab_node *n = &r->t->nodes[thirl_lab_model_find_node(r->t, word(r, 1))];
  thirl_lab_net *inside = &r->t->nets[n->inner.net = thirl_lab_model_find_net(r->t, word(r, 1))];
  size_t at = 2;
  while (at < r->words.n && strcmp(word(r, at), "lan") != 0)
    at++;
  if (at == r->words.n) return COMPLAIN(r, THIRL_E_SYNTAX, "%s has no inside: lan PREFIX is missing", n->name);
  at++;
  thirl_error e = read_prefixes(r, inside, &at);
  for (size_t i = 0; i < inside->n_prefixes; i++)
    n->inner.addrs[n->inner.n_addrs++] = inside->gateways[i];
  return e;
}

/* A second outer IPv4 address, and those behind it, are the pool of a NAT, however they are said. */
static void pool_from_addresses(thirl_lab_node *n) {
  for (size_t i = 0; i < n->outer.n_addrs; i++) {
    const thirl_addr *a = &n->outer.addrs[i].addr;
    if (a->family != THIRL_FAMILY_V4 || thirl_addr_same_ip(a, &n->nat.external)) continue;
    if (n->nat.n_pool < THIRL_NATBOX_POOL_MAX) n->nat.pool[n->nat.n_pool++] = *a;
  }
}

static thirl_error addresses_from_pool(reader *r, thirl_lab_node *n) {
  for (size_t i = 0; i < n->nat.n_pool; i++) {
    char text[THIRL_LAB_ADDRESS_TEXT_MAX];
    thirl_lab_prefix p;
    bool is_known = false;
    for (size_t j = 0; j < n->outer.n_addrs; j++)
      is_known |= thirl_addr_same_ip(&n->outer.addrs[j].addr, &n->nat.pool[i]);
    if (is_known) continue;
    thirl_lab_address_format_ip(&n->nat.pool[i], text);
    thirl_error e = thirl_lab_event_read_address(r->t, n->outer.net, text, &p, r->why);
    if (e != THIRL_OK) return e;
    if (n->outer.n_addrs == THIRL_LAB_ADDRS_MAX)
      return COMPLAIN(r, THIRL_E_LIMIT, "%s has more than %d addresses", n->name, THIRL_LAB_ADDRS_MAX);
    n->outer.addrs[n->outer.n_addrs++] = p;
  }
  return THIRL_OK;
}

static thirl_error define_nat(reader *r) {
  size_t at = 0;
  thirl_lab_node *n = &r->t->nodes[thirl_lab_model_find_node(r->t, word(r, 1))];
  thirl_error e = read_outer(r, n, &at);
  if (e != THIRL_OK) return e;
  if (strcmp(word(r, at), "lan") != 0)
    return COMPLAIN(r, THIRL_E_SYNTAX, "lan PREFIX comes before \"%.40s\"", word(r, at));
  const thirl_addr *external = thirl_lab_model_address(&n->outer, THIRL_FAMILY_V4);
  n->nat = thirl_lab_natwords_default(external ? *external : (thirl_addr){0});
  n->engine = r->engine;
  pool_from_addresses(n);
  e = read_nat_words(r, n, at + 1 + n->inner.n_addrs);
  if (e == THIRL_OK) e = addresses_from_pool(r, n);
  if (e != THIRL_OK || external || n->nat.mode != THIRL_NATBOX_TRANSLATE) return e;
  if (!thirl_lab_model_address(&n->inner, THIRL_FAMILY_V4)) return THIRL_OK;
  return COMPLAIN(r, THIRL_E_INVALID, "%s translates IPv4, but has no IPv4 address on %s", n->name, word(r, 2));
}

/* ---- links, commands, events ---- */

static thirl_error define_link(reader *r) {
  thirl_lab_event event;
  thirl_error e = THIRL_OK;
  bool all = strcmp(word(r, 1), "*") == 0;
  if (all && r->t->n_nodes == 0) return COMPLAIN(r, THIRL_E_INVALID, "there are no hosts and no NATs");
  for (size_t i = 0; e == THIRL_OK && i < (all ? r->t->n_nodes : 1); i++) {
    if (all) r->words.word[1] = r->t->nodes[i].name;
    e = thirl_lab_event_read(r->t, &r->words, 0, &event, r->why);
    if (e == THIRL_OK) thirl_lab_model_apply(r->t, &event);
  }
  return e;
}

static thirl_error define_run(reader *r) {
  if (r->t->n_runs == THIRL_LAB_RUNS_MAX)
    return COMPLAIN(r, THIRL_E_LIMIT, "there are more than %d commands", THIRL_LAB_RUNS_MAX);
  size_t node = thirl_lab_model_find_node(r->t, word(r, 1));
  if (node == SIZE_MAX || r->t->nodes[node].kind != THIRL_LAB_HOST)
    return COMPLAIN(r, THIRL_E_INVALID, "there is no host called \"%.40s\"", word(r, 1));
  if (r->words.n != 2 || !r->words.rest || !*r->words.rest)
    return COMPLAIN(r, THIRL_E_SYNTAX, "run wants HOST -- COMMAND");
  char *command = strdup(r->words.rest);
  if (!command) return COMPLAIN(r, THIRL_E_NOMEM, "out of memory");
  r->t->runs[r->t->n_runs++] = (thirl_lab_run){.node = node, .command = command, .line = r->number};
  return THIRL_OK;
}

/* By time, and those of one time in the order of the text. */
static thirl_error put_off(reader *r) {
  thirl_time at;
  if (!thirl_lab_words_time(word(r, 1), THIRL_S, &at))
    return COMPLAIN(r, THIRL_E_SYNTAX, "at wants a time such as 5s, not \"%.40s\"", word(r, 1));
  if (r->n_events == THIRL_LAB_EVENTS_MAX)
    return COMPLAIN(r, THIRL_E_LIMIT, "there are more than %d events", THIRL_LAB_EVENTS_MAX);
  size_t i = r->n_events++;
  for (; i > 0 && r->events[i - 1].at > at; i--)
    r->events[i] = r->events[i - 1];
  r->events[i] = (later){.at = at, .line = r->line, .len = r->len, .number = r->number};
  return THIRL_OK;
}

/* Each is read as the network will be by then. */
static thirl_error read_events(reader *r) {
  if (r->n_events == 0) return THIRL_OK;
  thirl_lab_topology *then = malloc(sizeof *then);
  if (!then) return COMPLAIN(r, THIRL_E_NOMEM, "out of memory");
  memcpy(then, r->t, sizeof *then);
  thirl_error e = THIRL_OK;
  for (size_t i = 0; e == THIRL_OK && i < r->n_events; i++) {
    const later *l = &r->events[i];
    thirl_lab_event *event = &r->t->events[i];
    r->number = l->number;
    e = thirl_lab_words_split(l->line, l->len, &r->words, r->why);
    if (e == THIRL_OK) e = thirl_lab_event_read(then, &r->words, 2, event, r->why);
    if (e != THIRL_OK) break;
    event->at = l->at;
    event->line = l->number;
    thirl_lab_model_apply(then, event);
    r->t->n_events++;
  }
  free(then);
  return e;
}

/* ---- the text ---- */

/* The text is read four times, so that a name may be used before its line: names, prefixes, nodes, what is between them. */
enum { PASSES = 4 };
static const struct {
  const char *word;
  thirl_error (*pass[PASSES])(reader *r);
} lines[] = {
    {"seed", {declare_seed}},
    {"engine", {declare_engine}},
    {"net", {declare_net, define_net}},
    {"host", {declare_host, NULL, define_host}},
    {"nat", {declare_nat, define_inside, define_nat}},
    {"link", {NULL, NULL, NULL, define_link}},
    {"at", {put_off}},
    {"run", {NULL, NULL, NULL, define_run}},
};

static thirl_error read_line(reader *r, size_t pass) {
  thirl_error e = thirl_lab_words_split(r->line, r->len, &r->words, r->why);
  if (e != THIRL_OK || (r->words.n == 0 && !r->words.rest)) return e;
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    if (strcmp(lines[i].word, word(r, 0)) != 0) continue;
    if (r->words.rest && lines[i].pass[PASSES - 1] != define_run)
      return COMPLAIN(r, THIRL_E_SYNTAX, "only a run line has a \"--\"");
    return lines[i].pass[pass] ? lines[i].pass[pass](r) : THIRL_OK;
  }
  return COMPLAIN(r, THIRL_E_SYNTAX, "a line cannot begin with \"%.40s\": net, host, nat, link, at, run, seed, engine",
                  word(r, 0));
}

static thirl_error read_text(reader *r, size_t pass) {
  thirl_error e = THIRL_OK;
  r->number = 0;
  for (const char *at = r->text; e == THIRL_OK && at < r->end;) {
    const char *newline = memchr(at, '\n', (size_t)(r->end - at));
    r->line = at;
    r->len = (size_t)((newline ? newline : r->end) - at);
    r->number++;
    e = read_line(r, pass);
    at = newline ? newline + 1 : r->end;
  }
  return e;
}

static thirl_error read_all(reader *r) {
  thirl_error e = THIRL_OK;
  for (size_t pass = 0; e == THIRL_OK && pass < PASSES; pass++)
    e = read_text(r, pass);
  if (e == THIRL_OK && r->t->n_nodes == 0) {
    r->number = 0;
    return COMPLAIN(r, THIRL_E_INVALID, "there is no host and no NAT");
  }
  if (e == THIRL_OK) e = thirl_lab_clash_find(r->t, &r->number, r->why);
  if (e == THIRL_OK) e = read_events(r);
  return e;
}

thirl_error thirl_lab_topology_read(const char *name, const char *text, size_t len, thirl_lab_topology **out,
                                    thirl_lab_complaint *why) {
  thirl_lab_complaint sentence = {""};
  *out = NULL;
  reader *r = calloc(1, sizeof *r);
  thirl_lab_topology *t = calloc(1, sizeof *t);
  thirl_error e = THIRL_E_NOMEM;
  if (!r || !t) {
    thirl_lab_words_complain(why, e, "%s: out of memory", name);
    goto done;
  }
  *r = (reader){.text = text, .end = text + len, .t = t, .why = &sentence};
  t->seed = 1;
  e = read_all(r);
  if (e == THIRL_OK) {
    *out = t;
    t = NULL;
  } else if (r->number > 0)
    thirl_lab_words_complain(why, e, "%.60s:%u: %s", name, r->number, sentence.text);
  else
    thirl_lab_words_complain(why, e, "%.60s: %s", name, sentence.text);
done:
  free(r);
  thirl_lab_topology_free(t);
  return e;
}

void thirl_lab_topology_free(thirl_lab_topology *t) {
  if (!t) return;
  for (size_t i = 0; i < t->n_runs; i++)
    free(t->runs[i].command);
  free(t);
}

thirl_error thirl_lab_topology_read_event(const thirl_lab_topology *t, const char *line, thirl_lab_event *out,
                                          thirl_lab_complaint *why) {
  thirl_lab_words words;
  thirl_error e = thirl_lab_words_split(line, strlen(line), &words, why);
  return e == THIRL_OK ? thirl_lab_event_read(t, &words, 0, out, why) : e;
}

void thirl_lab_topology_set_engine(thirl_lab_topology *t, thirl_lab_engine engine) {
  for (size_t i = 0; i < t->n_nodes; i++)
    if (t->nodes[i].kind == THIRL_LAB_NAT && !t->nodes[i].engine_is_said) t->nodes[i].engine = engine;
}

size_t thirl_lab_topology_find_node(const thirl_lab_topology *t, const char *name) {
  return thirl_lab_model_find_node(t, name);
}

size_t thirl_lab_topology_find_net(const thirl_lab_topology *t, const char *name) {
  return thirl_lab_model_find_net(t, name);
}
