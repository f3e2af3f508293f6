/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo takes as long as the resolver takes, and nothing can interrupt it: ten seconds and more when no name server answers. So each look-up has
 * a thread of its own that nobody waits for. (Of libuv's pool uv_run, and the end of the process, would wait.)
 */
#include "io/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "io/socket.h"

/* What the loop and the thread share; the last of the two frees it. */
typedef struct lookup {
  pthread_mutex_t lock;
  unsigned users;
  uv_async_t *wake; /* NULL: nobody wants the answer any more */
  char host[THIRL_IO_RESOLVE_HOST_MAX];
  uint16_t port;
  thirl_error error;
  thirl_addr addrs[THIRL_IO_RESOLVE_MAX];
  size_t n;
} lookup;

struct thirl_io_resolve {
  uv_async_t wake;
  lookup *lookup;
  thirl_io_resolve_done done;
  void *ctx;
};

static bool parse_port(const char *text, uint16_t *port) {
  unsigned v = 0;
  size_t n = strlen(text);
  if (n == 0 || n > 5) return false;
  for (size_t i = 0; i < n; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    v = v * 10 + (unsigned)(text[i] - '0');
  }
  *port = (uint16_t)v;
  return v >= 1 && v <= 65535;
}

thirl_error thirl_io_resolve_split(const char *text, uint16_t default_port, char *host, uint16_t *port) {
  const char *from = text, *to = text + strlen(text), *port_text = NULL;
  host[0] = '\0';
  *port = default_port;
  if (text[0] == '[') {
    from++;
    to = strchr(from, ']');
    if (!to || (to[1] != '\0' && to[1] != ':')) return THIRL_E_SYNTAX;
    if (to[1] == ':') port_text = to + 2;
  } else {
    const char *colon = strchr(text, ':');
    if (colon && !strchr(colon + 1, ':')) { /* more than one colon: an IPv6 address without a port */
      to = colon;
      port_text = colon + 1;
    }
  }
  size_t n = (size_t)(to - from);
  if (n == 0 || n >= THIRL_IO_RESOLVE_HOST_MAX) return THIRL_E_SYNTAX;
  if (port_text && !parse_port(port_text, port)) return THIRL_E_SYNTAX;
  memcpy(host, from, n);
  host[n] = '\0';
  return THIRL_OK;
}

static thirl_error error_of(int status) {
  switch (status) {
  case 0:
    return THIRL_OK;
  case EAI_NONAME:
  case EAI_NODATA:
  case EAI_ADDRFAMILY:
    return THIRL_E_NOT_FOUND;
  case EAI_AGAIN:
  case EAI_FAIL:
    return THIRL_E_AGAIN;
  case EAI_MEMORY:
    return THIRL_E_NOMEM;
  default:
    return THIRL_E_IO;
  }
}

static size_t collect(const struct addrinfo *list, uint16_t port, thirl_addr *out) {
  size_t n = 0;
  for (const struct addrinfo *a = list; a && n < THIRL_IO_RESOLVE_MAX; a = a->ai_next) {
    thirl_io_sockaddr sa = {0};
    if (a->ai_addrlen > sizeof sa) continue;
    memcpy(&sa, a->ai_addr, a->ai_addrlen);
    thirl_addr addr = thirl_addr_with_port(thirl_addr_unmap(thirl_io_socket_from_sys(&sa)), port);
    bool known = !thirl_addr_is_set(&addr);
    for (size_t i = 0; i < n; i++)
      known |= thirl_addr_equal(&out[i], &addr);
    if (!known) out[n++] = addr;
  }
  return n;
}

void thirl_io_resolve_alternate(thirl_addr *addrs, size_t n) {
  for (size_t i = 1; i < n; i++) {
    size_t k = i;
    while (k < n && addrs[k].family == addrs[i - 1].family)
      k++;
    if (k == n) return; /* only one family is left */
    thirl_addr next = addrs[k];
    memmove(&addrs[i + 1], &addrs[i], (k - i) * sizeof *addrs);
    addrs[i] = next;
  }
}

/* ---- the thread ---- */

/* Under the lock, which is gone afterwards. */
static void let_go(lookup *l) {
  bool is_last = --l->users == 0;
  pthread_mutex_unlock(&l->lock);
  if (!is_last) return;
  pthread_mutex_destroy(&l->lock);
  free(l);
}

static void *look_up(void *arg) {
  lookup *l = arg;
  /* Without AI_ADDRCONFIG: it hides 127.0.0.1 and ::1 on a host that has no other address yet. */
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
  int status = getaddrinfo(l->host, NULL, &hints, &list);
  pthread_mutex_lock(&l->lock);
  l->error = error_of(status);
  l->n = collect(list, l->port, l->addrs);
  thirl_io_resolve_alternate(l->addrs, l->n);
  if (l->error == THIRL_OK && l->n == 0) l->error = THIRL_E_NOT_FOUND;
  if (l->error != THIRL_OK) l->n = 0;
  if (l->wake) uv_async_send(l->wake);
  let_go(l);
  if (list) freeaddrinfo(list);
  return NULL;
}

/* Signals are the application's. */
static bool start_thread(lookup *l) {
  pthread_t thread;
  pthread_attr_t attr;
  sigset_t all, before;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = pthread_create(&thread, &attr, look_up, l);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attr);
  return rc == 0;
}

/* ---- the loop ---- */

static void on_closed(uv_handle_t *h) {
  free(h->data);
}

static void close_it(thirl_io_resolve *r) {
  pthread_mutex_lock(&r->lookup->lock);
  r->lookup->wake = NULL;
  let_go(r->lookup);
  uv_close((uv_handle_t *)&r->wake, on_closed);
}

static void on_wake(uv_async_t *h) {
  thirl_io_resolve *r = h->data;
  thirl_addr addrs[THIRL_IO_RESOLVE_MAX];
  pthread_mutex_lock(&r->lookup->lock);
  thirl_error e = r->lookup->error;
  size_t n = r->lookup->n;
  memcpy(addrs, r->lookup->addrs, sizeof addrs);
  pthread_mutex_unlock(&r->lookup->lock);
  close_it(r);
  r->done(r->ctx, e, addrs, n);
}

/* The resolver is asked for ASCII only (RFC 5890 has a form in it for every name). */
static bool is_ascii(const char *host) {
  for (; *host; host++)
    if (*host <= ' ' || *host > '~') return false;
  return true;
}

static lookup *new_lookup(const char *host, uint16_t port, uv_async_t *wake) {
  lookup *l = calloc(1, sizeof *l);
  if (!l) return NULL;
  pthread_mutex_init(&l->lock, NULL);
  l->users = 2;
  l->wake = wake;
  l->port = port;
  memcpy(l->host, host, sizeof l->host);
  return l;
}

thirl_error thirl_io_resolve_start(uv_loop_t *loop, const char *text, uint16_t default_port, thirl_io_resolve_done done,
                                   void *ctx, thirl_io_resolve **out) {
  char host[THIRL_IO_RESOLVE_HOST_MAX] = "";
  uint16_t port;
  *out = NULL;
  thirl_error e = thirl_io_resolve_split(text, default_port, host, &port);
  if (e != THIRL_OK) return e;
  if (!is_ascii(host)) return THIRL_E_SYNTAX;
  thirl_io_resolve *r = calloc(1, sizeof *r);
  if (!r) return THIRL_E_NOMEM;
  r->done = done;
  r->ctx = ctx;
  r->lookup = new_lookup(host, port, &r->wake);
  if (!r->lookup || uv_async_init(loop, &r->wake, on_wake) != 0) {
    free(r->lookup);
    free(r);
    return THIRL_E_NOMEM;
  }
  r->wake.data = r;
  if (!start_thread(r->lookup)) {
    r->lookup->users--;
    close_it(r);
    return THIRL_E_NOMEM;
  }
  *out = r;
  return THIRL_OK;
}

void thirl_io_resolve_cancel(thirl_io_resolve *r) {
  close_it(r);
}
