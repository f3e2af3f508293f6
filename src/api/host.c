/* SPDX-License-Identifier: MIT */
#include "api/host.h"

#include <stdio.h>
#include <string.h>

#define AGAIN_FIRST_MS 1000u
#define AGAIN_MAX_MS   32000u

static void look(thirl_api_host *h);

static void on_again(uv_timer_t *t) {
  look(t->data);
}

static void look_later(thirl_api_host *h) {
  uv_timer_start(&h->again, on_again, h->again_ms, 0);
  h->again_ms = h->again_ms * 2 > AGAIN_MAX_MS ? AGAIN_MAX_MS : h->again_ms * 2;
}

static void on_answer(void *ctx, thirl_error e, const thirl_addr *addrs, size_t n) {
  thirl_api_host *h = ctx;
  h->resolving = NULL;
  h->is_looking = false;
  if (h->is_lost) look_later(h);
  if (h->is_found && e != THIRL_OK) return;
  if (e == THIRL_OK) {
    h->is_found = true;
    bool is_v6 = strchr(h->name, ':') != NULL; /* which stands in brackets before its port */
    snprintf(h->words, sizeof h->words, "nothing answers at %s%s%s:%u", is_v6 ? "[" : "", h->name, is_v6 ? "]" : "",
             h->port);
    h->found(h->ctx, addrs, n);
    return;
  }
  bool is_wrong = e == THIRL_E_NOT_FOUND || e == THIRL_E_SYNTAX;
  if (is_wrong)
    snprintf(h->words, sizeof h->words, "there is no host named %s", h->name);
  else
    snprintf(h->words, sizeof h->words, "the name %s cannot be looked up just now: is there a network?", h->name);
  look_later(h);
  h->failed(h->ctx, is_wrong ? THIRL_E_NOT_FOUND : THIRL_E_AGAIN);
}

static void look(thirl_api_host *h) {
  thirl_addr a;
  h->is_looking = true;
  uv_timer_stop(&h->again);
  if (h->name[0] != '[' && thirl_addr_parse(h->name, &a) == THIRL_OK &&
      a.port == 0) { /* an address needs no resolver */
    a.port = h->port;
    on_answer(h, THIRL_OK, &a, 1);
    return;
  }
  if (!h->words[0])
    snprintf(h->words, sizeof h->words, "the name %s was not found out yet: is there a network?", h->name);
  thirl_error e = thirl_io_resolve_start(h->loop, h->name, h->port, on_answer, h, &h->resolving);
  if (e != THIRL_OK) on_answer(h, e, NULL, 0);
}

void thirl_api_host_init(thirl_api_host *h, uv_loop_t *loop) {
  h->loop = loop;
  h->again_ms = AGAIN_FIRST_MS;
  uv_timer_init(loop, &h->again);
  h->again.data = h;
}

void thirl_api_host_close(thirl_api_host *h) {
  if (h->resolving) thirl_io_resolve_cancel(h->resolving);
  h->resolving = NULL;
  uv_close((uv_handle_t *)&h->again, NULL);
}

bool thirl_api_host_is(const thirl_api_host *h, const char *name, uint16_t port) {
  return !h->name[0] || (strcmp(h->name, name) == 0 && h->port == port);
}

void thirl_api_host_go(thirl_api_host *h, const char *name, uint16_t port) {
  if (h->is_found || h->is_looking) return;
  snprintf(h->name, sizeof h->name, "%s", name);
  h->port = port;
  look(h);
}

void thirl_api_host_lost(thirl_api_host *h) {
  thirl_addr a;
  bool is_name = thirl_addr_parse(h->name, &a) != THIRL_OK;
  if (!h->is_found || h->is_lost || !is_name) return;
  h->is_lost = true;
  h->again_ms = AGAIN_FIRST_MS;
  if (!h->is_looking) look(h);
}

void thirl_api_host_reached(thirl_api_host *h) {
  if (h->is_lost) uv_timer_stop(&h->again);
  h->is_lost = false;
}

const char *thirl_api_host_words(const thirl_api_host *h) {
  return h->words;
}
