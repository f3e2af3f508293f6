/* SPDX-License-Identifier: MIT */
/* Intrusive doubly linked list: embed a thirl_link, recover the owner with THIRL_OWNER. Owns nothing. */
#ifndef THIRL_BASE_LIST_H
#define THIRL_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct thirl_link {
  struct thirl_link *prev, *next;
} thirl_link;

typedef struct thirl_list {
  thirl_link head;
} thirl_list;

#define THIRL_OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void thirl_list_init(thirl_list *l) {
  l->head.prev = l->head.next = &l->head;
}
static inline bool thirl_list_is_empty(const thirl_list *l) {
  return l->head.next == &l->head;
}
/** The first link or NULL. */
static inline thirl_link *thirl_list_first(const thirl_list *l) {
  return thirl_list_is_empty(l) ? NULL : l->head.next;
}
/** The link after this one or NULL. */
static inline thirl_link *thirl_list_next(const thirl_list *l, const thirl_link *k) {
  return k->next == &l->head ? NULL : k->next;
}
static inline void thirl_list_append(thirl_list *l, thirl_link *k) {
  k->prev = l->head.prev;
  k->next = &l->head;
  l->head.prev->next = k;
  l->head.prev = k;
}
/** Also safe for a zeroed link that is in no list. */
static inline void thirl_list_remove(thirl_link *k) {
  if (!k->next) return;
  k->prev->next = k->next;
  k->next->prev = k->prev;
  k->prev = k->next = NULL;
}

#endif
