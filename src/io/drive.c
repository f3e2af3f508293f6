/* SPDX-License-Identifier: MIT */
/* What the machine wants, carried out. The order of things is in thirl_io_drive_run; what happens on sockets comes from net.c. */
#include "io/drive.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "io/clock.h"

enum {
  WRITE_BUDGET = 1024 * 1024, /* per connection and turn, so that one fast peer does not starve the others */
  ROUNDS_MAX = 4096,          /* of drain and pull in one turn; the rest waits for the next */
  OUTCOMES_MAX = 1 << 20,
  LINGERING_MAX = 4096
};

/* ---- the machine's side ---- */

static void input(thirl_io_drive *d, const thirl_net_event *ev) {
  d->fed = true;
  d->machine.input(d->machine.self, thirl_io_clock_now(), ev);
}

void thirl_io_drive_feed(thirl_io_drive *d, const thirl_net_event *ev) {
  input(d, ev);
  thirl_io_drive_run(d);
}

void thirl_io_drive_trace(const thirl_io_drive *d, const char *what, thirl_net_id id, const thirl_addr *local,
                          const thirl_addr *remote, thirl_error e) {
  char a[THIRL_ADDR_TEXT_MAX], b[THIRL_ADDR_TEXT_MAX];
  if (!d->log.line || d->log.max < THIRL_LOG_DEBUG) return;
  thirl_log_print(&d->log, THIRL_LOG_DEBUG, "net %08x %s %s -> %s %s", id, what, thirl_addr_format(local, a),
                  thirl_addr_format(remote, b), e ? thirl_error_name(e) : "");
}

static void count_failure(thirl_io_drive *d, thirl_error e) {
  if (e == THIRL_E_REFUSED)
    d->stats.refused++;
  else
    d->stats.failed++;
}

/* ---- outcomes ---- */

/* Room for the answer comes first: an action is only taken from the machine when its failure can be told. */
static bool reserve_outcome(thirl_io_drive *d) {
  if (d->outcomes_n < d->outcomes_cap) return true;
  size_t cap = d->outcomes_cap ? d->outcomes_cap * 2 : 64;
  thirl_io_drive_outcome *bigger = cap <= OUTCOMES_MAX ? realloc(d->outcomes, cap * sizeof *bigger) : NULL;
  if (!bigger) return false;
  d->outcomes = bigger;
  d->outcomes_cap = cap;
  return true;
}

static void push_outcome(thirl_io_drive *d, thirl_net_id id, thirl_error e) {
  assert(d->outcomes_n < d->outcomes_cap);
  d->outcomes[d->outcomes_n++] = (thirl_io_drive_outcome){id, e};
}

static void cancel_outcome(thirl_io_drive *d, thirl_net_id id) {
  for (size_t i = d->outcomes_at; i < d->outcomes_n; i++)
    if (d->outcomes[i].id == id) d->outcomes[i].id = 0;
}

/* False when there is none. */
static bool deliver_outcome(thirl_io_drive *d) {
  while (d->outcomes_at < d->outcomes_n) {
    thirl_io_drive_outcome o = d->outcomes[d->outcomes_at++];
    if (!o.id) continue;
    thirl_net_event ev = {.kind = o.error ? THIRL_NET_FAILED : THIRL_NET_LISTENING, .id = o.id, .error = o.error};
    if (!o.error) ev.local = thirl_io_socket_local(thirl_io_port_find(d->ports, o.id)->fd);
    if (o.error) count_failure(d, o.error);
    thirl_io_drive_trace(d, o.error ? "failed" : "listening", o.id, &ev.local, &ev.remote, o.error);
    input(d, &ev);
    return true;
  }
  d->outcomes_at = d->outcomes_n = 0;
  return false;
}

/* ---- actions ---- */

static void do_connect(thirl_io_drive *d, const thirl_net_action *a) {
  int fd;
  thirl_io_port *p;
  d->stats.connects++;
  thirl_error e = d->ports->n < d->config.max_sockets ? THIRL_OK : THIRL_E_LIMIT;
  if (!e) e = thirl_io_socket_connect(&a->local, &a->remote, &d->tcp, &fd);
  if (!e) e = thirl_io_port_add(d->ports, fd, a->id, THIRL_IO_PORT_CONNECTING, d->config.pull_bytes, &p);
  thirl_io_drive_trace(d, "connect", a->id, &a->local, &a->remote, e);
  if (e) {
    push_outcome(d, a->id, e == THIRL_E_NOMEM ? THIRL_E_LIMIT : e);
    return;
  }
  p->remote = a->remote;
  thirl_io_port_watch(p);
}

static void do_bind(thirl_io_drive *d, const thirl_net_action *a, bool udp) {
  int fd;
  thirl_io_port *p;
  thirl_error e = d->ports->n < d->config.max_sockets ? THIRL_OK : THIRL_E_LIMIT;
  if (!e && udp && !d->udp) e = thirl_io_udp_new(&d->udp);
  if (!e && udp) e = thirl_io_socket_udp(&a->local, &d->udp_options, &fd);
  if (!e && !udp) e = thirl_io_socket_listen(&a->local, &d->tcp, &fd);
  if (!e) e = thirl_io_port_add(d->ports, fd, a->id, udp ? THIRL_IO_PORT_UDP : THIRL_IO_PORT_LISTENER, 1, &p);
  if (!e) thirl_io_port_watch(p);
  push_outcome(d, a->id, e == THIRL_E_NOMEM ? THIRL_E_LIMIT : e);
}

void thirl_io_drive_end_lingering(thirl_io_drive *d, thirl_io_port *p, bool abort) {
  d->lingering_n--;
  thirl_io_port_close(p, abort);
}

void thirl_io_drive_send_fin(thirl_io_drive *d, thirl_io_port *p) {
  bool done;
  if (thirl_io_port_send_rest(p, &done) != THIRL_OK) {
    thirl_io_drive_end_lingering(d, p, true);
    return;
  }
  if (done && !p->fin_sent) {
    p->fin_sent = true;
    p->since = thirl_io_clock_now();
    (void)shutdown(p->fd, SHUT_WR);
  }
  if (done && p->eof) { /* both ends are through */
    thirl_io_drive_end_lingering(d, p, false);
    return;
  }
  thirl_io_port_watch(p);
}

static void do_close(thirl_io_drive *d, thirl_io_port *p) {
  if (p->state != THIRL_IO_PORT_OPEN || p->error) {
    thirl_io_port_close(p, false);
    return;
  }
  if (d->lingering_n == LINGERING_MAX)
    thirl_io_drive_end_lingering(d, THIRL_OWNER(thirl_list_first(&d->lingering), thirl_io_port, todo), true);
  thirl_io_port_forget(p);
  thirl_list_remove(&p->todo);
  thirl_list_append(&d->lingering, &p->todo);
  d->lingering_n++;
  p->state = THIRL_IO_PORT_LINGERING;
  p->since = thirl_io_clock_now();
  thirl_io_drive_send_fin(d, p);
}

static void do_end(thirl_io_drive *d, thirl_net_id id, bool abort) {
  cancel_outcome(d, id);
  thirl_io_port *p = thirl_io_port_find(d->ports, id);
  if (!p) return;
  thirl_io_drive_trace(d, abort ? "abort" : "close", id, &(thirl_addr){0}, &p->remote, THIRL_OK);
  if (p->state == THIRL_IO_PORT_UDP) thirl_io_udp_flush(d->udp);
  if (abort)
    thirl_io_port_close(p, p->state == THIRL_IO_PORT_OPEN);
  else
    do_close(d, p);
}

static void perform(thirl_io_drive *d, const thirl_net_action *a) {
  thirl_io_port *p;
  switch (a->verb) {
  case THIRL_NET_LISTEN:
    do_bind(d, a, false);
    break;
  case THIRL_NET_BIND_UDP:
    do_bind(d, a, true);
    break;
  case THIRL_NET_CONNECT:
    do_connect(d, a);
    break;
  case THIRL_NET_WRITE:
    p = thirl_io_port_find(d->ports, a->id);
    if (!p || p->error || (p->state != THIRL_IO_PORT_OPEN && p->state != THIRL_IO_PORT_CONNECTING)) break;
    p->want = true;
    if (p->state == THIRL_IO_PORT_OPEN && !p->blocked && !p->todo.next) thirl_list_append(&d->writers, &p->todo);
    break;
  case THIRL_NET_CLOSE:
    do_end(d, a->id, false);
    break;
  case THIRL_NET_ABORT:
    do_end(d, a->id, true);
    break;
  case THIRL_NET_SENDTO:
    p = thirl_io_port_find(d->ports, a->id);
    if (p && p->state == THIRL_IO_PORT_UDP) thirl_io_udp_send(d->udp, p->fd, &a->local, &a->remote, a->payload);
    break;
  }
}

/* ---- pulling ---- */

/* Sending failed. The kernel may still hold what the other side said before it went away, and that may be the reason: read first. */
static void break_connection(thirl_io_port *p, thirl_error e) {
  p->error = e;
  p->want = p->blocked = false;
  thirl_buffer_fini(&p->out);
  (void)shutdown(p->fd, SHUT_RDWR); /* whatever its state was, now it becomes readable */
}

static void drain(thirl_io_drive *d) {
  thirl_net_action a;
  while (reserve_outcome(d)) {
    if (!d->machine.poll(d->machine.self, thirl_io_clock_now(), &a)) return;
    perform(d, &a);
  }
  d->again = true;
}

/* Move bytes from the machine to the socket until one of them has no more. What a pull makes the machine want is done before the
 * next: it may be the end of this very connection. */
static void pump_out(thirl_io_drive *d, thirl_io_port *p) {
  size_t budget = WRITE_BUDGET;
  bool done = true;
  thirl_error e = THIRL_OK;
  p->blocked = false;
  if (p->out.n) {
    d->stats.send_calls++;
    e = thirl_io_port_send_rest(p, &done);
  }
  while (e == THIRL_OK && p->state == THIRL_IO_PORT_OPEN && p->want && !p->blocked) {
    if (budget == 0) {
      p->blocked = true; /* it is not: the loop will say so at once, after the others had their turn */
      break;
    }
    size_t got = d->machine.pull(d->machine.self, thirl_io_clock_now(), p->id, d->tx, d->config.pull_bytes);
    if (got == 0) {
      p->want = false;
      break;
    }
    d->stats.send_calls++;
    d->stats.bytes_out += got;
    budget -= got < budget ? got : budget;
    e = thirl_io_port_send(p, THIRL_BYTES(d->tx, got));
    if (e == THIRL_OK) drain(d);
  }
  if (e != THIRL_OK) break_connection(p, e == THIRL_E_NOMEM ? THIRL_E_LIMIT : e);
  thirl_io_port_watch(p);
}

/* Drain, pull, hand over outcomes, until the machine is quiet. Each of them may give it something new to do. */
void thirl_io_drive_run(thirl_io_drive *d) {
  for (int round = 0; round < ROUNDS_MAX; round++) {
    drain(d);
    thirl_link *first = thirl_list_first(&d->writers);
    if (first) {
      thirl_list_remove(first);
      pump_out(d, THIRL_OWNER(first, thirl_io_port, todo));
      continue;
    }
    if (!deliver_outcome(d)) return;
  }
  d->again = true;
}

void thirl_io_drive_fail(thirl_io_drive *d, thirl_io_port *p, thirl_error e) {
  thirl_net_event ev = {.kind = THIRL_NET_FAILED, .id = p->id, .remote = p->remote, .error = e};
  thirl_io_port_forget(p);
  thirl_list_remove(&p->todo);
  count_failure(d, e);
  thirl_io_drive_trace(d, "failed", ev.id, &ev.local, &ev.remote, e);
  /* The dead socket holds the port through this: a CONNECT in answer finds no moment in between without one. */
  thirl_io_drive_feed(d, &ev);
  thirl_io_port_close(p, false);
}

void thirl_io_drive_resume(thirl_io_drive *d, thirl_io_port *p) {
  p->blocked = false;
  if (!p->todo.next && (p->want || p->out.n)) thirl_list_append(&d->writers, &p->todo);
}

/* ---- life ---- */

static uint32_t or_default(uint32_t value, uint32_t otherwise) {
  return value ? value : otherwise;
}

thirl_error thirl_io_drive_init(thirl_io_drive *d, const thirl_net_machine *machine, const thirl_io_net_config *config,
                                thirl_io_port_table *ports) {
  thirl_io_net_config c = config ? *config : (thirl_io_net_config){0};
  c.backlog = or_default(c.backlog, 128);
  c.notsent_lowat = or_default(c.notsent_lowat, 256 * 1024);
  c.pull_bytes = or_default(c.pull_bytes, 128 * 1024);
  c.udp_buffer = or_default(c.udp_buffer, 1024 * 1024);
  c.max_sockets = or_default(c.max_sockets, 1 << 20);
  if (c.pull_bytes > THIRL_IO_NET_PULL_MAX || c.backlog > INT_MAX || c.notsent_lowat > INT_MAX ||
      c.udp_buffer > INT_MAX || c.sndbuf > INT_MAX || c.rcvbuf > INT_MAX)
    return THIRL_E_INVALID;
  d->machine = *machine;
  d->config = c;
  if (c.log) d->log = *c.log;
  d->tcp = (thirl_io_socket_options){.sndbuf = (int)c.sndbuf,
                                     .rcvbuf = (int)c.rcvbuf,
                                     .notsent_lowat = (int)c.notsent_lowat,
                                     .backlog = (int)c.backlog};
  d->udp_options = (thirl_io_socket_options){.sndbuf = (int)c.udp_buffer, .rcvbuf = (int)c.udp_buffer};
  d->ports = ports;
  thirl_list_init(&d->writers);
  thirl_list_init(&d->lingering);
  return THIRL_OK;
}

void thirl_io_drive_fini(thirl_io_drive *d) {
  thirl_io_udp_free(d->udp);
  free(d->outcomes);
}
