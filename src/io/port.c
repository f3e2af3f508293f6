/* SPDX-License-Identifier: MIT */
#include "io/port.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/socket.h"

void thirl_io_port_table_init(thirl_io_port_table *t, uv_loop_t *loop, uv_poll_cb ready, void (*closed)(void *ctx),
                              void *ctx, uint64_t seed) {
  *t = (thirl_io_port_table){.loop = loop, .ready = ready, .closed = closed, .ctx = ctx};
  thirl_map_init(&t->by_id, sizeof(thirl_net_id), seed);
  thirl_list_init(&t->all);
}

void thirl_io_port_table_fini(thirl_io_port_table *t) {
  assert(thirl_list_is_empty(&t->all));
  thirl_map_fini(&t->by_id);
}

thirl_error thirl_io_port_add(thirl_io_port_table *t, int fd, thirl_net_id id, thirl_io_port_state state,
                              size_t out_max, thirl_io_port **out) {
  thirl_io_port *p = calloc(1, sizeof *p);
  *out = NULL;
  if (!p || thirl_map_put(&t->by_id, &id, p) != THIRL_OK) {
    free(p);
    close(fd);
    return THIRL_E_NOMEM;
  }
  int rc = uv_poll_init(t->loop, &p->poll, fd);
  if (rc < 0) {
    thirl_map_remove(&t->by_id, &id);
    free(p);
    close(fd);
    return thirl_io_socket_error(-rc);
  }
  p->poll.data = p;
  p->table = t;
  p->id = id;
  p->state = state;
  p->fd = fd;
  thirl_buffer_init(&p->out, out_max);
  thirl_list_append(&t->all, &p->all);
  t->n++;
  *out = p;
  return THIRL_OK;
}

thirl_io_port *thirl_io_port_find(const thirl_io_port_table *t, thirl_net_id id) {
  return thirl_map_get(&t->by_id, &id);
}

void thirl_io_port_forget(thirl_io_port *p) {
  if (p->id) thirl_map_remove(&p->table->by_id, &p->id);
  p->id = 0;
}

static int wanted(const thirl_io_port *p) {
  int mask = 0;
  switch (p->state) {
  case THIRL_IO_PORT_LISTENER:
    return p->paused ? 0 : UV_READABLE;
  case THIRL_IO_PORT_CONNECTING:
    return UV_WRITABLE;
  case THIRL_IO_PORT_UDP:
    return UV_READABLE;
  case THIRL_IO_PORT_OPEN:
    if (!p->eof || p->error) mask |= UV_READABLE;
    if (p->blocked) mask |= UV_WRITABLE;
    /* After the other side's end nothing is to be read, but a reset must still be noticed: epoll always reports errors of a
     * descriptor that it watches for anything. Not for UV_DISCONNECT, which would be reported for ever. */
    return mask ? mask : UV_PRIORITIZED;
  case THIRL_IO_PORT_LINGERING:
    return UV_READABLE | (p->out.n ? UV_WRITABLE : 0);
  default:
    return 0;
  }
}

void thirl_io_port_watch(thirl_io_port *p) {
  int mask = wanted(p);
  if (p->state == THIRL_IO_PORT_DEAD || mask == p->mask) return;
  p->mask = mask;
  if (mask)
    uv_poll_start(&p->poll, mask, p->table->ready);
  else
    uv_poll_stop(&p->poll);
}

static void on_closed(uv_handle_t *h) {
  thirl_io_port *p = h->data;
  thirl_io_port_table *t = p->table;
  thirl_list_remove(&p->all);
  free(p);
  t->closed(t->ctx);
}

void thirl_io_port_close(thirl_io_port *p, bool abort) {
  if (p->state == THIRL_IO_PORT_DEAD) return;
  thirl_io_port_forget(p);
  thirl_list_remove(&p->todo);
  thirl_buffer_fini(&p->out);
  p->state = THIRL_IO_PORT_DEAD;
  p->table->n--;
  uv_close((uv_handle_t *)&p->poll,
           on_closed); /* takes the descriptor out of epoll at once, so that it may be closed now */
  if (abort)
    thirl_io_socket_abort(p->fd);
  else
    close(p->fd);
  p->fd = -1;
}

/* How much the socket took; 0 when it is full. */
static thirl_error try_send(thirl_io_port *p, thirl_bytes in, size_t *took) {
  ssize_t n;
  do {
    n = send(p->fd, in.p, in.n, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  *took = n > 0 ? (size_t)n : 0;
  p->blocked = *took < in.n;
  if (n >= 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM) return THIRL_OK;
  p->blocked = false;
  return thirl_io_socket_error(errno);
}

thirl_error thirl_io_port_send_rest(thirl_io_port *p, bool *done) {
  size_t took = 0;
  thirl_error e = THIRL_OK;
  if (p->out.n) {
    e = try_send(p, thirl_buffer_view(&p->out), &took);
    thirl_buffer_consume(&p->out, took);
  }
  *done = p->out.n == 0;
  return e;
}

thirl_error thirl_io_port_send(thirl_io_port *p, thirl_bytes in) {
  size_t took = 0;
  assert(p->out.n == 0);
  thirl_error e = try_send(p, in, &took);
  if (e != THIRL_OK) return e;
  return thirl_buffer_append(&p->out, THIRL_BYTES(in.p + took, in.n - took));
}
