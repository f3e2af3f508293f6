/* SPDX-License-Identifier: MIT */
#include "sim/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void thirl_sim_pool_init(thirl_sim_pool *pool) {
  *pool = (thirl_sim_pool){0};
  thirl_list_init(&pool->packets);
  thirl_list_init(&pool->segments);
  thirl_list_init(&pool->notes);
}

#define FREE_ALL(list, type)                                                                                           \
  for (thirl_link * k; (k = thirl_list_first(list)) != NULL;) {                                                        \
    thirl_list_remove(k);                                                                                              \
    free(THIRL_OWNER(k, type, link));                                                                                  \
  }

void thirl_sim_pool_fini(thirl_sim_pool *pool) {
  assert(pool->n_payloads + pool->n_packets + pool->n_segments + pool->n_notes == 0);
  FREE_ALL(&pool->packets, thirl_sim_packet)
  FREE_ALL(&pool->segments, thirl_sim_segment)
  FREE_ALL(&pool->notes, thirl_sim_note)
  while (pool->payloads) {
    thirl_sim_payload *next = pool->payloads->next_free;
    free(pool->payloads);
    pool->payloads = next;
  }
}

thirl_sim_payload *thirl_sim_pool_take_payload(thirl_sim_pool *pool) {
  thirl_sim_payload *d = pool->payloads;
  if (d)
    pool->payloads = d->next_free;
  else if (pool->n_payloads >= THIRL_SIM_POOL_MAX || !(d = malloc(sizeof *d)))
    return NULL;
  d->refs = 1;
  d->n = 0;
  d->next_free = NULL;
  pool->n_payloads++;
  return d;
}

thirl_sim_payload *thirl_sim_pool_share(thirl_sim_payload *payload) {
  if (payload) payload->refs++;
  return payload;
}

void thirl_sim_pool_give_payload(thirl_sim_pool *pool, thirl_sim_payload *payload) {
  if (!payload || --payload->refs) return;
  payload->next_free = pool->payloads;
  pool->payloads = payload;
  pool->n_payloads--;
}

/* The three list-kept kinds differ in their type only. */
#define TAKE(list, count, type)                                                                                        \
  thirl_link *k = thirl_list_first(list);                                                                              \
  type *taken = k ? THIRL_OWNER(k, type, link) : NULL;                                                                 \
  if (k)                                                                                                               \
    thirl_list_remove(k);                                                                                              \
  else if ((count) >= THIRL_SIM_POOL_MAX || !(taken = malloc(sizeof *taken)))                                          \
    return NULL;                                                                                                       \
  memset(taken, 0, sizeof *taken);                                                                                     \
  (count)++;                                                                                                           \
  return taken

#define GIVE(list, count, given)                                                                                       \
  if (!(given)) return;                                                                                                \
  thirl_sim_pool_give_payload(pool, (given)->payload);                                                                 \
  thirl_list_append(list, &(given)->link);                                                                             \
  (count)--

thirl_sim_packet *thirl_sim_pool_take_packet(thirl_sim_pool *pool) {
  TAKE(&pool->packets, pool->n_packets, thirl_sim_packet);
}

thirl_sim_segment *thirl_sim_pool_take_segment(thirl_sim_pool *pool) {
  TAKE(&pool->segments, pool->n_segments, thirl_sim_segment);
}

thirl_sim_note *thirl_sim_pool_take_note(thirl_sim_pool *pool) {
  TAKE(&pool->notes, pool->n_notes, thirl_sim_note);
}

void thirl_sim_pool_give_packet(thirl_sim_pool *pool, thirl_sim_packet *packet) {
  GIVE(&pool->packets, pool->n_packets, packet);
}

void thirl_sim_pool_give_segment(thirl_sim_pool *pool, thirl_sim_segment *segment) {
  GIVE(&pool->segments, pool->n_segments, segment);
}

void thirl_sim_pool_give_note(thirl_sim_pool *pool, thirl_sim_note *note) {
  GIVE(&pool->notes, pool->n_notes, note);
}

thirl_sim_packet *thirl_sim_pool_copy_packet(thirl_sim_pool *pool, const thirl_sim_packet *packet) {
  thirl_sim_packet *copy = thirl_sim_pool_take_packet(pool);
  if (!copy) return NULL;
  *copy = *packet;
  copy->link = (thirl_link){0};
  copy->event = (thirl_sim_event){0};
  thirl_sim_pool_share(copy->payload);
  return copy;
}
