/* SPDX-License-Identifier: MIT */
#include "natbox/session.h"

#include <assert.h>
#include <stdlib.h>

void thirl_natbox_session_init(thirl_natbox_sessions *t, size_t max, uint64_t seed) {
  thirl_map_init(&t->by_inside, sizeof(thirl_natbox_key), seed);
  thirl_map_init(&t->by_outside, sizeof(thirl_natbox_key), ~seed);
  thirl_heap_init(&t->timers, max);
  t->n = 0;
  t->max = max;
}

void thirl_natbox_session_fini(thirl_natbox_sessions *t) {
  assert(t->n == 0);
  thirl_map_fini(&t->by_inside);
  thirl_map_fini(&t->by_outside);
  thirl_heap_fini(&t->timers);
}

static thirl_natbox_key key_of(uint8_t protocol, const thirl_addr *here, const thirl_addr *there) {
  return (thirl_natbox_key){.a = *here, .b = *there, .protocol = protocol};
}

thirl_natbox_session *thirl_natbox_session_of_inside(const thirl_natbox_sessions *t, uint8_t protocol,
                                                     const thirl_addr *inside, const thirl_addr *seen_as) {
  thirl_natbox_key key = key_of(protocol, inside, seen_as);
  return thirl_map_get(&t->by_inside, &key);
}

thirl_natbox_session *thirl_natbox_session_of_outside(const thirl_natbox_sessions *t, uint8_t protocol,
                                                      const thirl_addr *outside, const thirl_addr *remote) {
  thirl_natbox_key key = key_of(protocol, outside, remote);
  return thirl_map_get(&t->by_outside, &key);
}

thirl_natbox_session *thirl_natbox_session_add(thirl_natbox_sessions *t, const thirl_natbox_session *like) {
  if (t->n >= t->max) return NULL;
  thirl_natbox_session *s = malloc(sizeof *s);
  if (!s) return NULL;
  *s = *like;
  s->timer = (thirl_heap_node){0};
  s->in_binding = (thirl_link){0};
  s->holds = false;
  thirl_natbox_key out = key_of(s->protocol, &s->outside, &s->remote), in = {0};
  if (thirl_heap_set(&t->timers, &s->timer, s->expires) != THIRL_OK) goto fail;
  if (thirl_map_put(&t->by_outside, &out, s) != THIRL_OK) goto fail_timer;
  if (s->binding) {
    in = key_of(s->protocol, &s->binding->inside, &s->seen_as);
    if (thirl_map_put(&t->by_inside, &in, s) != THIRL_OK) goto fail_outside;
    thirl_list_append(&s->binding->sessions, &s->in_binding);
  }
  t->n++;
  return s;
fail_outside:
  thirl_map_remove(&t->by_outside, &out);
fail_timer:
  thirl_heap_remove(&t->timers, &s->timer);
fail:
  free(s);
  return NULL;
}

void thirl_natbox_session_hold(thirl_natbox_session *s) {
  if (s->holds || !s->binding) return;
  s->holds = true;
  s->binding->holders++;
}

/* Without a look at the binding's life. */
static void forget(thirl_natbox_sessions *t, thirl_natbox_session *s) {
  thirl_natbox_key out = key_of(s->protocol, &s->outside, &s->remote);
  thirl_map_remove(&t->by_outside, &out);
  if (s->binding) {
    thirl_natbox_key in = key_of(s->protocol, &s->binding->inside, &s->seen_as);
    thirl_map_remove(&t->by_inside, &in);
    thirl_list_remove(&s->in_binding);
    if (s->holds) s->binding->holders--;
  }
  thirl_heap_remove(&t->timers, &s->timer);
  t->n--;
  free(s);
}

void thirl_natbox_session_remove_binding(thirl_natbox_sessions *t, thirl_natbox_bindings *bindings,
                                         thirl_natbox_binding *b) {
  for (thirl_link *k; (k = thirl_list_first(&b->sessions)) != NULL;)
    forget(t, THIRL_OWNER(k, thirl_natbox_session, in_binding));
  thirl_natbox_binding_remove(bindings, b);
}

void thirl_natbox_session_remove(thirl_natbox_sessions *t, thirl_natbox_bindings *bindings, thirl_natbox_session *s) {
  thirl_natbox_binding *b = s->binding;
  forget(t, s);
  if (b && b->holders == 0 && !thirl_heap_has(&b->timer)) thirl_natbox_session_remove_binding(t, bindings, b);
}

void thirl_natbox_session_clear(thirl_natbox_sessions *t, thirl_natbox_bindings *bindings) {
  for (thirl_heap_node *n; (n = thirl_heap_first(&bindings->timers)) != NULL;)
    thirl_natbox_session_remove_binding(t, bindings, THIRL_OWNER(n, thirl_natbox_binding, timer));
  for (thirl_heap_node *n; (n = thirl_heap_first(&t->timers)) != NULL;)
    thirl_natbox_session_remove(t, bindings, THIRL_OWNER(n, thirl_natbox_session, timer));
}

/* The time that a binding has without sessions is over. */
static void expire_binding(thirl_natbox_sessions *t, thirl_natbox_bindings *bindings, thirl_natbox_binding *b) {
  if (b->expires > bindings->now) {
    (void)thirl_heap_set(&bindings->timers, &b->timer, b->expires); /* moving never fails */
    return;
  }
  thirl_heap_remove(&bindings->timers, &b->timer);
  if (b->holders == 0) thirl_natbox_session_remove_binding(t, bindings, b);
}

void thirl_natbox_session_expire(thirl_natbox_sessions *t, thirl_natbox_bindings *bindings, thirl_time now) {
  bindings->now = now;
  while (thirl_heap_first_key(&t->timers) <= now) {
    thirl_natbox_session *s = THIRL_OWNER(thirl_heap_first(&t->timers), thirl_natbox_session, timer);
    if (s->expires <= now)
      thirl_natbox_session_remove(t, bindings, s);
    else
      (void)thirl_heap_set(&t->timers, &s->timer, s->expires); /* moving never fails */
  }
  for (thirl_heap_node *n; (n = thirl_heap_first(&bindings->timers)) && thirl_heap_first_key(&bindings->timers) <= now;)
    expire_binding(t, bindings, THIRL_OWNER(n, thirl_natbox_binding, timer));
  if (bindings->resting.ports.n) thirl_natbox_holddown_expire(&bindings->resting, now);
}
