/* SPDX-License-Identifier: MIT */
#include "natbox/binding.h"

#include <assert.h>
#include <stdlib.h>

enum { TIMERS_MAX = 1 << 18 };

typedef struct source_key {
  thirl_addr inside;
  uint32_t protocol;
} source_key;

const thirl_natbox_rules *thirl_natbox_binding_rules(const thirl_natbox_config *config, uint8_t protocol) {
  return protocol == THIRL_NATBOX_TCP ? &config->tcp : &config->udp;
}

void thirl_natbox_binding_init(thirl_natbox_bindings *t, const thirl_natbox_config *config, uint64_t seed) {
  *t = (thirl_natbox_bindings){.config = config};
  thirl_map_init(&t->by_inside, sizeof(thirl_natbox_key), seed);
  thirl_map_init(&t->by_outside, sizeof(thirl_natbox_key), ~seed);
  thirl_map_init(&t->by_source, sizeof(source_key), ~seed);
  thirl_heap_init(&t->timers, TIMERS_MAX);
  thirl_natbox_holddown_init(&t->resting, seed);
}

void thirl_natbox_binding_fini(thirl_natbox_bindings *t) {
  assert(t->n == 0);
  thirl_map_fini(&t->by_inside);
  thirl_map_fini(&t->by_outside);
  thirl_map_fini(&t->by_source);
  thirl_heap_fini(&t->timers);
  thirl_natbox_holddown_fini(&t->resting);
}

thirl_addr thirl_natbox_binding_scope(thirl_natbox_mapping mapping, const thirl_addr *remote) {
  if (mapping == THIRL_NATBOX_EIM) return (thirl_addr){0};
  return mapping == THIRL_NATBOX_ADM ? thirl_addr_with_port(*remote, 0) : *remote;
}

static thirl_natbox_key inside_key(uint8_t protocol, const thirl_addr *inside, const thirl_addr *scope) {
  return (thirl_natbox_key){.a = *inside, .b = *scope, .protocol = protocol};
}

static thirl_natbox_key outside_key(uint8_t protocol, const thirl_addr *outside) {
  return (thirl_natbox_key){.a = *outside, .protocol = protocol};
}

thirl_natbox_binding *thirl_natbox_binding_of_inside(const thirl_natbox_bindings *t, uint8_t protocol,
                                                     const thirl_addr *inside, const thirl_addr *scope) {
  thirl_natbox_key key = inside_key(protocol, inside, scope);
  return thirl_map_get(&t->by_inside, &key);
}

thirl_natbox_binding *thirl_natbox_binding_of_outside(const thirl_natbox_bindings *t, uint8_t protocol,
                                                      const thirl_addr *outside) {
  thirl_natbox_key key = outside_key(protocol, outside);
  return thirl_map_get(&t->by_outside, &key);
}

/* Asked for new bindings only, and only where hosts have a limit: not worth a table of its own. */
size_t thirl_natbox_binding_count_of(const thirl_natbox_bindings *t, uint8_t protocol, const thirl_addr *inside) {
  size_t count = 0, at = 0;
  for (const thirl_natbox_binding *b; (b = thirl_map_next(&t->by_inside, &at)) != NULL;)
    count += b->protocol == protocol && thirl_addr_same_ip(&b->inside, inside);
  return count;
}

void thirl_natbox_binding_refresh(thirl_natbox_bindings *t, thirl_natbox_binding *b) {
  thirl_time life = thirl_natbox_binding_rules(t->config, b->protocol)->map_timeout;
  if (life == 0) return;
  b->expires = thirl_time_after(t->now, life);
  if (!thirl_heap_has(&b->timer)) (void)thirl_heap_set(&t->timers, &b->timer, b->expires); /* else it ends sooner */
}

bool thirl_natbox_binding_overlaps(const thirl_natbox_rules *rules) {
  return rules->collision == THIRL_NATBOX_COLLIDE_OVERLAP && rules->mapping == THIRL_NATBOX_APDM;
}

thirl_natbox_binding *thirl_natbox_binding_newest_of(const thirl_natbox_bindings *t, uint8_t protocol,
                                                     const thirl_addr *inside) {
  source_key key = {.inside = *inside, .protocol = protocol};
  return thirl_map_get(&t->by_source, &key);
}

/* Without memory it is not listed, and its port is not thought of first the next time. */
static void list_by_source(thirl_natbox_bindings *t, thirl_natbox_binding *b) {
  source_key key = {.inside = b->inside, .protocol = b->protocol};
  b->older = NULL;
  b->is_listed = false;
  if (!thirl_natbox_binding_overlaps(thirl_natbox_binding_rules(t->config, b->protocol))) return;
  b->older = thirl_map_get(&t->by_source, &key);
  b->is_listed = thirl_map_put(&t->by_source, &key, b) == THIRL_OK;
}

static void unlist(thirl_natbox_bindings *t, thirl_natbox_binding *b) {
  source_key key = {.inside = b->inside, .protocol = b->protocol};
  if (!b->is_listed) return;
  thirl_natbox_binding *newest = thirl_map_get(&t->by_source, &key);
  if (newest != b) {
    while (newest->older != b)
      newest = newest->older;
    newest->older = b->older;
  } else if (b->older) {
    (void)thirl_map_put(&t->by_source, &key, b->older); /* replacing needs no memory */
  } else {
    thirl_map_remove(&t->by_source, &key);
  }
}

thirl_natbox_binding *thirl_natbox_binding_add(thirl_natbox_bindings *t, const thirl_natbox_binding *like) {
  thirl_natbox_binding *b = malloc(sizeof *b);
  if (!b) return NULL;
  *b = *like;
  thirl_list_init(&b->sessions);
  b->holders = 0;
  b->timer = (thirl_heap_node){0};
  thirl_natbox_key in = inside_key(b->protocol, &b->inside, &b->scope), out = outside_key(b->protocol, &b->outside);
  b->next_same_port = thirl_map_get(&t->by_outside, &out);
  if (thirl_map_put(&t->by_inside, &in, b) != THIRL_OK) goto fail;
  if (thirl_map_put(&t->by_outside, &out, b) != THIRL_OK) goto fail_inside;
  t->n++;
  list_by_source(t, b);
  thirl_natbox_binding_refresh(t, b);
  return b;
fail_inside:
  thirl_map_remove(&t->by_inside, &in);
fail:
  free(b);
  return NULL;
}

void thirl_natbox_binding_remove(thirl_natbox_bindings *t, thirl_natbox_binding *b) {
  assert(thirl_list_is_empty(&b->sessions));
  thirl_natbox_key in = inside_key(b->protocol, &b->inside, &b->scope), out = outside_key(b->protocol, &b->outside);
  thirl_map_remove(&t->by_inside, &in);
  thirl_natbox_binding *first = thirl_map_get(&t->by_outside, &out);
  if (first == b) {
    /* Replacing the value of a key that is there needs no memory. */
    if (b->next_same_port)
      (void)thirl_map_put(&t->by_outside, &out, b->next_same_port);
    else
      thirl_map_remove(&t->by_outside, &out);
  } else {
    while (first->next_same_port != b)
      first = first->next_same_port;
    first->next_same_port = b->next_same_port;
  }
  unlist(t, b);
  thirl_heap_remove(&t->timers, &b->timer);
  thirl_time rest = thirl_natbox_binding_rules(t->config, b->protocol)->hold_down;
  if (rest != 0)
    thirl_natbox_holddown_put(&t->resting, b->protocol, &b->outside, &b->inside, thirl_time_after(t->now, rest));
  t->n--;
  free(b);
}
