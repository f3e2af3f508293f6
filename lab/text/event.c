/* SPDX-License-Identifier: MIT */
#include "lab/text/event.h"

#include <string.h>

#include "lab/text/natwords.h"
#include "lab/text/terms.h"

typedef struct reader {
  const thirl_lab_topology *t;
  const thirl_lab_words *words;
  size_t at;
  thirl_lab_event *out;
  thirl_lab_complaint *why;
} reader;

static const char *next(reader *r) {
  return r->at < r->words->n ? r->words->word[r->at++] : NULL;
}

static const char *peek(const reader *r) {
  return r->at < r->words->n ? r->words->word[r->at] : "";
}

static thirl_error ends(reader *r) {
  if (r->at == r->words->n && !r->words->rest) return THIRL_OK;
  return thirl_lab_words_complain(r->why, THIRL_E_SYNTAX, "\"%.40s\" is one word too many",
                                  r->words->rest ? "--" : peek(r));
}

thirl_error thirl_lab_event_read_address(const thirl_lab_topology *t, size_t net, const char *text,
                                         thirl_lab_prefix *out, thirl_lab_complaint *why) {
  const thirl_lab_net *n = &t->nets[net];
  char prefix[THIRL_LAB_ADDRESS_TEXT_MAX];
  if (thirl_lab_address_parse(text, out) != THIRL_OK)
    return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "\"%.60s\" is not an address", text);
  size_t i = thirl_lab_model_find_prefix(n, &out->addr);
  if (i == SIZE_MAX)
    return thirl_lab_words_complain(why, THIRL_E_INVALID, "%.60s is not in %s of %s", text,
                                    thirl_lab_address_format(&n->prefixes[0], prefix), n->name);
  if (strchr(text, '/') && out->bits != n->prefixes[i].bits)
    return thirl_lab_words_complain(why, THIRL_E_INVALID, "%.60s has another length than %s of %s", text,
                                    thirl_lab_address_format(&n->prefixes[i], prefix), n->name);
  out->bits = n->prefixes[i].bits;
  if (!thirl_lab_address_is_host(&n->prefixes[i], &out->addr))
    return thirl_lab_words_complain(why, THIRL_E_INVALID, "%.60s is no address that a host can have", text);
  return THIRL_OK;
}

/* The address of the event, on that net, which nobody else has. */
static thirl_error take_address(reader *r, size_t net) {
  const char *text = next(r);
  if (!text) return thirl_lab_words_complain(r->why, THIRL_E_SYNTAX, "the new address is missing");
  thirl_error e = thirl_lab_event_read_address(r->t, net, text, &r->out->addr, r->why);
  if (e != THIRL_OK) return e;
  const char *holder = thirl_lab_model_holder(r->t, net, &r->out->addr.addr, r->out->node);
  if (holder)
    return thirl_lab_words_complain(r->why, THIRL_E_INVALID, "%.60s on %s belongs to %s already", text,
                                    r->t->nets[net].name, holder);
  return THIRL_OK;
}

static thirl_error take_node(reader *r) {
  const char *name = next(r);
  if (!name) return thirl_lab_words_complain(r->why, THIRL_E_SYNTAX, "the name is missing");
  r->out->node = thirl_lab_model_find_node(r->t, name);
  if (r->out->node != SIZE_MAX) return THIRL_OK;
  return thirl_lab_words_complain(r->why, THIRL_E_INVALID, "there is no host and no NAT called \"%.40s\"", name);
}

static thirl_error read_nat(reader *r) {
  const thirl_lab_node *n = &r->t->nodes[r->out->node];
  if (n->kind != THIRL_LAB_NAT)
    return thirl_lab_words_complain(r->why, THIRL_E_INVALID, "%s is a host and no NAT", n->name);
  if (strcmp(peek(r), "reboot") == 0) {
    r->at++;
    r->out->kind = THIRL_LAB_EVENT_REBOOT;
    return THIRL_OK;
  }
  if (strcmp(peek(r), "renumber") == 0) {
    r->at++;
    r->out->kind = THIRL_LAB_EVENT_RENUMBER;
    return take_address(r, n->outer.net);
  }
  r->out->kind = THIRL_LAB_EVENT_NAT;
  r->out->nat = n->nat;
  if (n->recipe[0])
    return thirl_lab_words_complain(r->why, THIRL_E_INVALID, "%s is the recipe %s, which has no words", n->name,
                                    n->recipe);
  if (!*peek(r))
    return thirl_lab_words_complain(r->why, THIRL_E_SYNTAX,
                                    "reboot, renumber ADDRESS or words such as filter=adf are missing");
  thirl_error e = THIRL_OK;
  for (const char *word; e == THIRL_OK && (word = next(r));)
    e = thirl_lab_natwords_set(&r->out->nat, word, r->why);
  return e;
}

static thirl_error read_link(reader *r) {
  const thirl_lab_node *n = &r->t->nodes[r->out->node];
  if (strcmp(peek(r), "inner") == 0) {
    r->at++;
    r->out->inner = true;
    if (n->kind != THIRL_LAB_NAT)
      return thirl_lab_words_complain(r->why, THIRL_E_INVALID, "%s is a host and has no inner link", n->name);
  }
  const thirl_lab_cable *c = r->out->inner ? &n->inner : &n->outer;
  r->out->kind = THIRL_LAB_EVENT_LINK;
  r->out->up = c->up;
  r->out->down = c->down;
  bool up = true, down = true;
  if (strcmp(peek(r), "up") == 0 || strcmp(peek(r), "down") == 0) {
    up = strcmp(next(r), "up") == 0;
    down = !up;
    if (!*peek(r)) {
      r->out->up.cut = r->out->down.cut = down;
      return THIRL_OK;
    }
  }
  if (!*peek(r))
    return thirl_lab_words_complain(r->why, THIRL_E_SYNTAX, "up, down or words such as latency=20ms are missing");
  thirl_error e = THIRL_OK;
  for (const char *word; e == THIRL_OK && (word = next(r));) {
    if (up) e = thirl_lab_terms_set(&r->out->up, word, r->why);
    if (e == THIRL_OK && down) e = thirl_lab_terms_set(&r->out->down, word, r->why);
  }
  return e;
}

static thirl_error read_host(reader *r) {
  const thirl_lab_node *n = &r->t->nodes[r->out->node];
  if (n->kind != THIRL_LAB_HOST)
    return thirl_lab_words_complain(r->why, THIRL_E_INVALID, "%s is a NAT and no host", n->name);
  const char *verb = next(r), *net = next(r);
  if (!verb || strcmp(verb, "move") != 0)
    return thirl_lab_words_complain(r->why, THIRL_E_SYNTAX, "a host can move NET ADDRESS, not \"%.40s\"",
                                    verb ? verb : "");
  r->out->kind = THIRL_LAB_EVENT_MOVE;
  r->out->net = net ? thirl_lab_model_find_net(r->t, net) : SIZE_MAX;
  if (r->out->net == SIZE_MAX)
    return thirl_lab_words_complain(r->why, THIRL_E_INVALID, "there is no net called \"%.40s\"", net ? net : "");
  return take_address(r, r->out->net);
}

thirl_error thirl_lab_event_read(const thirl_lab_topology *t, const thirl_lab_words *words, size_t first,
                                 thirl_lab_event *out, thirl_lab_complaint *why) {
  static const struct {
    const char *word;
    thirl_error (*read)(reader *);
  } kinds[] = {{"nat", read_nat}, {"link", read_link}, {"host", read_host}};
  memset(out, 0, sizeof *out);
  reader r = {.t = t, .words = words, .at = first, .out = out, .why = why};
  const char *kind = next(&r);
  if (!kind) return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "there is nothing that happens: nat, link or host");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (strcmp(kinds[i].word, kind) != 0) continue;
    thirl_error e = take_node(&r);
    if (e == THIRL_OK) e = kinds[i].read(&r);
    return e == THIRL_OK ? ends(&r) : e;
  }
  return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "\"%.40s\" cannot happen: nat, link or host", kind);
}
