/* SPDX-License-Identifier: MIT */
/* Where the server of a context is: one name, looked up until it is found, and again when nothing answers there any more. */
#ifndef THIRL_API_HOST_H
#define THIRL_API_HOST_H

#include "io/resolve.h"
#include "meet/ticket.h"

enum { THIRL_API_HOST_WORDS = THIRL_MEET_HOST_MAX + 100 };

typedef struct thirl_api_host {
  uv_loop_t *loop;
  uv_timer_t again;
  uint64_t again_ms; /* until the next attempt */
  bool is_looking, is_found;
  bool is_lost; /* found once, and out of reach now */
  thirl_io_resolve *resolving;
  char name[THIRL_MEET_HOST_MAX + 1]; /* "": nowhere yet */
  uint16_t port;
  char words[THIRL_API_HOST_WORDS];
  /* The addresses, and again after each further look; or why there are none yet: E_NOT_FOUND (there is no such name), E_AGAIN. Both may come from inside go. */
  void (*found)(void *ctx, const thirl_addr *addrs, size_t n);
  void (*failed)(void *ctx, thirl_error e);
  void *ctx;
} thirl_api_host;

void thirl_api_host_init(thirl_api_host *h, uv_loop_t *loop);
/** The loop must run once more; neither found nor failed is called. */
void thirl_api_host_close(thirl_api_host *h);
/** One context has one server: false when it is another one than this. */
bool thirl_api_host_is(const thirl_api_host *h, const char *name, uint16_t port);
/** Begin to look for it, or, when it was not found yet, look again now. */
void thirl_api_host_go(thirl_api_host *h, const char *name, uint16_t port);
/** Nothing answers there: look again, now and from time to time, for its address may have changed. What was found stays if nothing is. */
void thirl_api_host_lost(thirl_api_host *h);
/** It answers. */
void thirl_api_host_reached(thirl_api_host *h);
/** What is wrong with it in a sentence, if something is. */
const char *thirl_api_host_words(const thirl_api_host *h);

#endif
