/* SPDX-License-Identifier: MIT */
#include "natbox/binding.h"

#include <assert.h>
#include <stdlib.h>

void thirl_natbox_binding_init(thirl_natbox_bindings *t, uint64_t seed) {
  thirl_map_init(&t->by_inside, sizeof(thirl_natbox_key), seed);
  thirl_map_init(&t->by_outside, sizeof(thirl_natbox_key), ~seed);
  t->n = 0;
}

void thirl_natbox_binding_fini(thirl_natbox_bindings *t) {
  assert(t->n == 0);
  thirl_map_fini(&t->by_inside);
  thirl_map_fini(&t->by_outside);
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

thirl_natbox_binding *thirl_natbox_binding_add(thirl_natbox_bindings *t, const thirl_natbox_binding *like) {
  thirl_natbox_binding *b = malloc(sizeof *b);
  if (!b) return NULL;
  *b = *like;
  thirl_list_init(&b->sessions);
  b->holders = 0;
  thirl_natbox_key in = inside_key(b->protocol, &b->inside, &b->scope), out = outside_key(b->protocol, &b->outside);
  b->next_same_port = thirl_map_get(&t->by_outside, &out);
  if (thirl_map_put(&t->by_inside, &in, b) != THIRL_OK) goto fail;
  if (thirl_map_put(&t->by_outside, &out, b) != THIRL_OK) {
    thirl_map_remove(&t->by_inside, &in);
    goto fail;
  }
  t->n++;
  return b;
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
  t->n--;
  free(b);
}
