/* SPDX-License-Identifier: MIT */
#include "io/resolve.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "io/socket.h"

struct thirl_io_resolve {
  uv_getaddrinfo_t request;
  uint16_t port;
  thirl_io_resolve_done done; /* NULL: cancelled */
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
  case UV_EAI_NONAME:
  case UV_EAI_NODATA:
  case UV_EAI_ADDRFAMILY:
    return THIRL_E_NOT_FOUND;
  case UV_EAI_AGAIN:
  case UV_EAI_FAIL:
    return THIRL_E_AGAIN;
  case UV_EAI_MEMORY:
  case UV_ENOMEM:
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

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list) {
  thirl_io_resolve *r = request->data;
  thirl_addr addrs[THIRL_IO_RESOLVE_MAX];
  size_t n = collect(list, r->port, addrs);
  thirl_error e = error_of(status);
  if (e == THIRL_OK && n == 0) e = THIRL_E_NOT_FOUND;
  uv_freeaddrinfo(list);
  if (r->done) r->done(r->ctx, e, addrs, e == THIRL_OK ? n : 0);
  free(r);
}

thirl_error thirl_io_resolve_start(uv_loop_t *loop, const char *text, uint16_t default_port, thirl_io_resolve_done done,
                                   void *ctx, thirl_io_resolve **out) {
  char host[THIRL_IO_RESOLVE_HOST_MAX];
  uint16_t port;
  *out = NULL;
  thirl_error e = thirl_io_resolve_split(text, default_port, host, &port);
  if (e != THIRL_OK) return e;
  thirl_io_resolve *r = calloc(1, sizeof *r);
  if (!r) return THIRL_E_NOMEM;
  /* Without AI_ADDRCONFIG: it hides 127.0.0.1 and ::1 on a host that has no other address yet. */
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  r->request.data = r;
  r->port = port;
  r->done = done;
  r->ctx = ctx;
  int rc = uv_getaddrinfo(loop, &r->request, on_answer, host, NULL, &hints);
  if (rc < 0) {
    free(r);
    return rc == UV_ENOMEM ? THIRL_E_NOMEM : THIRL_E_SYNTAX; /* a name that IDNA cannot encode */
  }
  *out = r;
  return THIRL_OK;
}

void thirl_io_resolve_cancel(thirl_io_resolve *r) {
  r->done = NULL;
  (void)uv_cancel((uv_req_t *)&r->request); /* EBUSY when a thread is at it: then the answer is thrown away */
}
