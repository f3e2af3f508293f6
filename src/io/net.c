/* SPDX-License-Identifier: MIT */
/* What happens on sockets and clocks, handed to the machine. What the machine wants in answer is carried out in drive.c. */
#include "io/net.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/drive.h"
#include "io/clock.h"
#include "io/secrets.h"

enum {
  READ_BYTES = 256 * 1024,   /* one recv */
  READ_BUDGET = 1024 * 1024, /* per connection and turn, so that one fast peer does not starve the others */
  ACCEPT_BUDGET = 64,        /* per listener and turn */
  UDP_BUDGET = 4,            /* batches per socket and turn */
  AFTER_MAX = 16,            /* calls of after() in one turn */
  LINGER_MS = 5000,          /* for the other side's end, or for the rest to go out */
  HOUSEKEEPING_MS = 100      /* also how long a listener without descriptors sleeps */
};

struct thirl_io_net {
  uv_loop_t *loop;
  thirl_io_drive drive;
  thirl_io_port_table ports;
  uv_timer_t timer, housekeeping;
  uint64_t armed_ms; /* what timer is set to; 0: not set */
  thirl_net_id next_accepted;
  int reserve; /* a descriptor to give up when there are no others */
  bool busy, in_after, kicked, ticked, paused, closing;
  int timers_open;
  void (*done)(void *ctx);
  void *done_ctx;
  uint8_t rx[READ_BYTES]; /* lives through the machine's input, so it is never what pull writes into */
};

/* ---- the deadline ---- */

static void on_timer(uv_timer_t *t);

static void rearm(thirl_io_net *n) {
  thirl_time due = n->drive.machine.deadline(n->drive.machine.self), now = thirl_io_clock_now();
  if (n->drive.again) due = now;
  if (due == THIRL_NEVER) {
    if (n->armed_ms) uv_timer_stop(&n->timer);
    n->armed_ms = 0;
    return;
  }
  if (due <= now && n->ticked) due = now + THIRL_MS; /* a machine that a tick does not satisfy must not make us spin */
  uint64_t at = due / 1000 + (due % 1000 != 0), loop_now = uv_now(n->loop);
  if (at == 0) at = 1;
  if (at == n->armed_ms) return;
  n->armed_ms = at;
  uv_timer_start(&n->timer, on_timer, at > loop_now ? at - loop_now : 0, 0);
}

static void housekeep(thirl_io_net *n);

/* ---- turns: every entry from the loop or the application is one ---- */

static void enter(thirl_io_net *n) {
  assert(!n->busy);
  n->busy = true;
  n->drive.again = n->ticked = false;
  n->drive.stats.turns++;
}

static void leave(thirl_io_net *n) {
  if (n->drive.udp) thirl_io_udp_flush(n->drive.udp);
  n->busy = false;
  for (int i = 0; i < AFTER_MAX && n->drive.fed && n->drive.config.after; i++) {
    n->drive.fed = false;
    n->in_after = true;
    n->drive.config.after(n->drive.config.ctx);
    n->in_after = false;
    if (n->closing) return;
    if (!n->kicked) continue;
    n->kicked = false;
    n->busy = true;
    thirl_io_drive_run(&n->drive);
    if (n->drive.udp) thirl_io_udp_flush(n->drive.udp);
    n->busy = false;
  }
  if (n->drive.fed && n->drive.config.after) n->drive.again = true;
  housekeep(n);
  rearm(n);
}

static void on_timer(uv_timer_t *t) {
  thirl_io_net *n = t->data;
  n->armed_ms = 0;
  enter(n);
  n->ticked = true;
  n->drive.stats.ticks++;
  thirl_io_drive_feed(&n->drive, &(thirl_net_event){.kind = THIRL_NET_TICK});
  leave(n);
}

void thirl_io_net_kick(thirl_io_net *n) {
  if (n->closing) return;
  if (n->in_after) {
    n->kicked = true;
    return;
  }
  enter(n);
  thirl_io_drive_run(&n->drive);
  leave(n);
}

/* ---- the sockets' side ---- */

static void on_connect(thirl_io_net *n, thirl_io_port *p) {
  thirl_error e = thirl_io_socket_result(p->fd);
  thirl_net_event ev = {.kind = THIRL_NET_CONNECTED, .id = p->id};
  if (!e) {
    ev.local = thirl_io_socket_local(p->fd);
    ev.remote = thirl_io_socket_remote(p->fd);
    if (!thirl_addr_is_set(&ev.remote)) e = THIRL_E_RESET; /* up, and gone again already */
  }
  if (e) {
    thirl_io_drive_fail(&n->drive, p, e);
    return;
  }
  p->state = THIRL_IO_PORT_OPEN;
  thirl_io_drive_resume(&n->drive, p);
  n->drive.stats.connected++;
  thirl_io_drive_trace(&n->drive, "connected", p->id, &ev.local, &ev.remote, THIRL_OK);
  thirl_io_drive_feed(&n->drive, &ev);
}

static void receive(thirl_io_net *n, thirl_io_port *p) {
  size_t budget = READ_BUDGET;
  while (p->state == THIRL_IO_PORT_OPEN && budget) {
    n->drive.stats.recv_calls++;
    ssize_t got = recv(p->fd, n->rx, sizeof n->rx, MSG_DONTWAIT);
    if (got > 0) {
      n->drive.stats.bytes_in += (uint64_t)got;
      budget -= (size_t)got < budget ? (size_t)got : budget;
      thirl_io_drive_feed(
          &n->drive,
          &(thirl_net_event){.kind = THIRL_NET_DATA, .id = p->id, .payload = THIRL_BYTES(n->rx, (size_t)got)});
      if ((size_t)got < sizeof n->rx && !p->error) return;
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else if (p->error) {
      thirl_io_drive_fail(&n->drive, p, p->error);
    } else if (got == 0) {
      p->eof = true;
      thirl_io_drive_feed(&n->drive, &(thirl_net_event){.kind = THIRL_NET_EOF, .id = p->id});
      return;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else {
      thirl_io_drive_fail(&n->drive, p, thirl_io_socket_error(errno));
    }
  }
}

/* After the other side's end only an error can be heard. */
static void after_eof(thirl_io_net *n, thirl_io_port *p, bool broken) {
  if (!broken) return;
  thirl_error e = thirl_io_socket_result(p->fd);
  thirl_io_drive_fail(&n->drive, p, e ? e : THIRL_E_RESET);
}

static void on_open(thirl_io_net *n, thirl_io_port *p, bool broken, int events) {
  if (p->eof && !p->error)
    after_eof(n, p, broken);
  else if (broken || (events & UV_READABLE))
    receive(n, p);
  if (p->state == THIRL_IO_PORT_OPEN && p->blocked && (events & UV_WRITABLE)) {
    thirl_io_drive_resume(&n->drive, p);
    thirl_io_drive_run(&n->drive);
  }
}

/* What the other side still says is thrown away; its end, or an error, is the end. */
static void on_lingering(thirl_io_net *n, thirl_io_port *p) {
  size_t budget = READ_BUDGET;
  while (budget) {
    ssize_t got = recv(p->fd, n->rx, sizeof n->rx, MSG_DONTWAIT);
    if (got > 0) {
      budget -= (size_t)got < budget ? (size_t)got : budget;
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      break;
    } else {
      p->eof = true;
      if (p->fin_sent || got < 0) {
        thirl_io_drive_end_lingering(&n->drive, p, false);
        return;
      }
      break;
    }
  }
  thirl_io_drive_send_fin(&n->drive, p);
}

/* ---- accepting ---- */

static thirl_net_id next_id(thirl_io_net *n) {
  do { /* after two thousand million connections it comes round: skip those that still live */
    if (n->next_accepted < THIRL_NET_ID_ACCEPTED) n->next_accepted = THIRL_NET_ID_ACCEPTED;
    n->next_accepted++;
  } while (n->next_accepted == 0 || thirl_io_port_find(&n->ports, n->next_accepted - 1));
  return n->next_accepted - 1;
}

static void accept_one(thirl_io_net *n, thirl_io_port *listener, int fd, const thirl_io_sockaddr *from) {
  thirl_io_port *p;
  thirl_net_event ev = {.kind = THIRL_NET_ACCEPTED, .listener = listener->id, .local = thirl_io_socket_local(fd)};
  if (n->ports.n >= n->drive.config.max_sockets) {
    n->drive.stats.shed++;
    thirl_io_socket_abort(fd);
    return;
  }
  ev.id = next_id(n);
  ev.remote = thirl_io_socket_from_sys(from);
  if (thirl_io_port_add(&n->ports, fd, ev.id, THIRL_IO_PORT_OPEN, n->drive.config.pull_bytes, &p) != THIRL_OK) {
    n->drive.stats.shed++;
    return;
  }
  p->remote = ev.remote;
  n->drive.stats.accepted++;
  thirl_io_port_watch(p);
  thirl_io_drive_trace(&n->drive, "accepted", ev.id, &ev.local, &ev.remote, THIRL_OK);
  thirl_io_drive_feed(&n->drive, &ev);
}

/*
 * No descriptor is left. The connection would stay in the queue and wake us for ever, so give up the reserve, use it to reset
 * those who wait (they should know at once), take it back and sleep for a while.
 */
static void shed(thirl_io_net *n, thirl_io_port *p) {
  if (n->reserve >= 0) close(n->reserve);
  for (int i = 0; i < ACCEPT_BUDGET && n->reserve >= 0; i++) {
    int fd = accept4(p->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) break;
    n->drive.stats.shed++;
    thirl_io_socket_abort(fd);
  }
  n->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
  n->drive.stats.accept_pauses++;
  p->paused = n->paused = true;
}

static void on_accept(thirl_io_net *n, thirl_io_port *p) {
  for (int i = 0; i < ACCEPT_BUDGET && p->state == THIRL_IO_PORT_LISTENER; i++) {
    thirl_io_sockaddr from = {0};
    socklen_t len = sizeof from;
    int fd = accept4(p->fd, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accept_one(n, p, fd, &from);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
      shed(n, p);
      return;
    }
  }
}

static void on_datagrams(thirl_io_net *n, thirl_io_port *p) {
  for (int i = 0; i < UDP_BUDGET && p->state == THIRL_IO_PORT_UDP; i++) {
    size_t count = thirl_io_udp_receive(n->drive.udp, p->fd);
    uint16_t port = count ? thirl_io_socket_local(p->fd).port : 0;
    for (size_t k = 0; k < count && p->state == THIRL_IO_PORT_UDP; k++) {
      thirl_net_event ev = {.kind = THIRL_NET_DATAGRAM, .id = p->id};
      if (!thirl_io_udp_get(n->drive.udp, k, &ev.local, &ev.remote, &ev.payload)) continue;
      ev.local.port = port;
      thirl_io_drive_feed(&n->drive, &ev);
    }
    if (count < THIRL_IO_UDP_BATCH) return;
  }
}

static void on_ready(uv_poll_t *h, int status, int events) {
  thirl_io_port *p = h->data;
  thirl_io_net *n = p->table->ctx;
  enter(n);
  if (status < 0) p->mask = 0; /* EPOLLERR: libuv has stopped watching */
  switch (p->state) {
  case THIRL_IO_PORT_CONNECTING:
    on_connect(n, p);
    break;
  case THIRL_IO_PORT_OPEN:
    on_open(n, p, status < 0, events);
    break;
  case THIRL_IO_PORT_LINGERING:
    on_lingering(n, p);
    break;
  case THIRL_IO_PORT_LISTENER:
    on_accept(n, p);
    break;
  case THIRL_IO_PORT_UDP:
    on_datagrams(n, p);
    break;
  case THIRL_IO_PORT_DEAD:
    break;
  }
  thirl_io_port_watch(p);
  leave(n);
}

/* ---- housekeeping: what lingers too long, who may accept again ---- */

static void on_housekeeping(uv_timer_t *t) {
  thirl_io_net *n = t->data;
  thirl_time now = thirl_io_clock_now();
  for (thirl_link *k = thirl_list_first(&n->drive.lingering), *next; k; k = next) {
    thirl_io_port *p = THIRL_OWNER(k, thirl_io_port, todo);
    next = thirl_list_next(&n->drive.lingering, k);
    if (now - p->since >= LINGER_MS * THIRL_MS) thirl_io_drive_end_lingering(&n->drive, p, p->out.n != 0);
  }
  for (thirl_link *k = thirl_list_first(&n->ports.all); k && n->paused; k = thirl_list_next(&n->ports.all, k)) {
    thirl_io_port *p = THIRL_OWNER(k, thirl_io_port, all);
    p->paused = false;
    thirl_io_port_watch(p);
  }
  n->paused = false;
  housekeep(n);
}

static void housekeep(thirl_io_net *n) {
  bool needed = n->drive.lingering_n || n->paused;
  if (needed && !uv_is_active((uv_handle_t *)&n->housekeeping))
    uv_timer_start(&n->housekeeping, on_housekeeping, HOUSEKEEPING_MS, 0);
}

/* ---- life ---- */

static void maybe_free(thirl_io_net *n) {
  if (!n->closing || n->timers_open || !thirl_list_is_empty(&n->ports.all)) return;
  void (*done)(void *) = n->done;
  void *ctx = n->done_ctx;
  thirl_io_port_table_fini(&n->ports);
  thirl_io_drive_fini(&n->drive);
  if (n->reserve >= 0) close(n->reserve);
  free(n);
  if (done) done(ctx);
}

static void on_port_closed(void *ctx) {
  maybe_free(ctx);
}

static void on_timer_closed(uv_handle_t *h) {
  thirl_io_net *n = h->data;
  n->timers_open--;
  maybe_free(n);
}

thirl_error thirl_io_net_new(uv_loop_t *loop, const thirl_net_machine *machine, const thirl_io_net_config *config,
                             thirl_io_net **out) {
  *out = NULL;
  thirl_io_net *n = calloc(1, sizeof *n);
  if (!n) return THIRL_E_NOMEM;
  thirl_error e = thirl_io_drive_init(&n->drive, machine, config, &n->ports);
  if (e != THIRL_OK) {
    free(n);
    return e;
  }
  thirl_secrets secrets = thirl_io_secrets();
  thirl_io_port_table_init(&n->ports, loop, on_ready, on_port_closed, n, thirl_secrets_u64(&secrets));
  n->loop = loop;
  n->next_accepted = THIRL_NET_ID_ACCEPTED;
  n->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
  uv_timer_init(loop, &n->timer);
  uv_timer_init(loop, &n->housekeeping);
  n->timer.data = n->housekeeping.data = n;
  n->timers_open = 2;
  n->armed_ms = 1; /* the first turn of the loop ticks, so that the machine says its deadline */
  uv_timer_start(&n->timer, on_timer, 0, 0);
  *out = n;
  return THIRL_OK;
}

void thirl_io_net_close(thirl_io_net *n, void (*done)(void *ctx), void *ctx) {
  assert(!n->busy);
  if (n->closing) return;
  n->closing = true;
  n->done = done;
  n->done_ctx = ctx;
  for (thirl_link *k = thirl_list_first(&n->ports.all); k; k = thirl_list_next(&n->ports.all, k)) {
    thirl_io_port *p = THIRL_OWNER(k, thirl_io_port, all);
    bool sent;
    if (p->state == THIRL_IO_PORT_LINGERING) (void)thirl_io_port_send_rest(p, &sent);
    thirl_io_port_close(p, false);
  }
  n->drive.lingering_n = 0;
  uv_close((uv_handle_t *)&n->timer, on_timer_closed);
  uv_close((uv_handle_t *)&n->housekeeping, on_timer_closed);
}

size_t thirl_io_net_lingering(const thirl_io_net *n) {
  return n->drive.lingering_n;
}

size_t thirl_io_net_unsent(const thirl_io_net *n) {
  size_t sum = 0;
  for (thirl_link *k = thirl_list_first(&n->ports.all); k; k = thirl_list_next(&n->ports.all, k))
    sum += THIRL_OWNER(k, thirl_io_port, all)->out.n;
  return sum;
}

void thirl_io_net_get_stats(const thirl_io_net *n, thirl_io_net_stats *out) {
  *out = n->drive.stats;
  out->sockets = n->ports.n;
  out->lingering = n->drive.lingering_n;
  if (!n->drive.udp) return;
  const thirl_io_udp_stats *u = thirl_io_udp_get_stats(n->drive.udp);
  out->datagrams_in = u->received;
  out->datagrams_out = u->sent;
  out->datagrams_dropped = u->truncated + u->unsent;
}
