/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the text of a network: either there is one sentence, or a network whose every index leads somewhere, whose loops and clashes are none, that
 * can be drawn, and whose NATs and links are made again by the words that they are written in.
 */
#include <stdlib.h>
#include <string.h>

#include "lab/text/clash.h"
#include "lab/text/natwords.h"
#include "lab/text/show.h"
#include "lab/text/terms.h"
#include "lab/text/topology.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
  if (!ok) abort();
}

static bool is_unknown_to_words(const char *words) {
  return strstr(words, "udp.timeout") != NULL; /* a closing time of UDP has no word, and no meaning */
}

static void check_nat(const thirl_lab_node *n) {
  char words[4096], again[4096];
  thirl_natbox_config c = thirl_lab_natwords_default(n->nat.external);
  thirl_lab_natwords_format(&n->nat, words, sizeof words);
  must(strncmp(words, "preset=", 7) == 0);
  char copy[4096], *rest = copy;
  memcpy(copy, words, sizeof copy);
  for (char *word; (word = strtok_r(rest, " ", &rest));)
    must(thirl_lab_natwords_set(&c, word, NULL) == THIRL_OK);
  thirl_lab_natwords_format(&c, again, sizeof again);
  must(is_unknown_to_words(words) || strcmp(words, again) == 0);
}

static void check_terms(const thirl_lab_link_terms *terms) {
  char words[1024];
  thirl_lab_link_terms again = thirl_lab_terms_none();
  thirl_lab_terms_format(terms, words, sizeof words);
  must(terms->loss >= 0 && terms->loss <= 1 && terms->duplicate >= 0 && terms->duplicate <= 1);
  must(terms->mtu == 0 || terms->mtu >= THIRL_LAB_LINK_MTU_MIN);
  char *rest = words;
  for (char *word; (word = strtok_r(rest, " ", &rest));)
    must(strcmp(word, "down") == 0 || thirl_lab_terms_set(&again, word, NULL) == THIRL_OK);
  must(again.delay == terms->delay && again.rate == terms->rate && again.queue_max == terms->queue_max &&
       again.mtu == terms->mtu && again.black_hole == terms->black_hole);
}

static void check_cable(const thirl_lab_topology *t, const thirl_lab_cable *c) {
  must(c->net < t->n_nets && c->n_addrs > 0 && c->n_addrs <= THIRL_LAB_ADDRS_MAX);
  for (size_t i = 0; i < c->n_addrs; i++)
    must(thirl_lab_model_find_prefix(&t->nets[c->net], &c->addrs[i].addr) < t->nets[c->net].n_prefixes);
  check_terms(&c->up);
  check_terms(&c->down);
}

static void check(const thirl_lab_topology *t) {
  unsigned line;
  must(t->n_nodes > 0 && thirl_lab_clash_find(t, &line, NULL) == THIRL_OK);
  for (size_t i = 0; i < t->n_nodes; i++) {
    const thirl_lab_node *n = &t->nodes[i];
    must(thirl_lab_topology_find_node(t, n->name) == i && n->line > 0);
    check_cable(t, &n->outer);
    if (n->kind != THIRL_LAB_NAT) continue;
    check_cable(t, &n->inner);
    must(t->nets[n->inner.net].nat == (int)i);
    check_nat(n);
  }
  for (size_t i = 0; i < t->n_events; i++)
    must(t->events[i].node < t->n_nodes && (i == 0 || t->events[i].at >= t->events[i - 1].at));
  for (size_t i = 0; i < t->n_runs; i++)
    must(t->runs[i].node < t->n_nodes && t->runs[i].command[0]);
  char *text = thirl_lab_show_draw(t);
  must(text && *text);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  thirl_lab_topology *t;
  thirl_lab_complaint why;
  memset(&why, 'x', sizeof why);
  thirl_error e = thirl_lab_topology_read("f", (const char *)data, size, &t, &why);
  if (e != THIRL_OK) {
    must(!t && memchr(why.text, '\0', sizeof why.text) && strncmp(why.text, "f:", 2) == 0);
    return 0;
  }
  check(t);
  /* The last line again, as something that happens to the running lab. */
  const uint8_t *last = size ? memrchr(data, '\n', size - 1) : NULL;
  size_t n = last ? (size_t)(data + size - last) - 1 : 0;
  char line[THIRL_LAB_LINE_MAX + 1];
  thirl_lab_event event;
  if (n > 0 && n <= THIRL_LAB_LINE_MAX) {
    memcpy(line, last + 1, n);
    line[n] = '\0';
    if (thirl_lab_topology_read_event(t, line, &event, &why) == THIRL_OK) thirl_lab_model_apply(t, &event);
  }
  thirl_lab_topology_free(t);
  return 0;
}
