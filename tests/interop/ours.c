/* SPDX-License-Identifier: MIT */
#include "interop/ours.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/secrets.h"
#include "stun/msg.h"

static thirl_secrets secrets;

thirl_time ours_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (thirl_time)t.tv_sec * THIRL_S + (thirl_time)t.tv_nsec / 1000;
}

static struct sockaddr_in to_sockaddr(const thirl_addr *a) {
  struct sockaddr_in s = {.sin_family = AF_INET, .sin_port = htons(a->port)};
  memcpy(&s.sin_addr, a->ip, 4);
  return s;
}

static thirl_addr of_sockaddr(const struct sockaddr_in *s) {
  uint8_t ip[4];
  memcpy(ip, &s->sin_addr, 4);
  return thirl_addr_v4(ip[0], ip[1], ip[2], ip[3], ntohs(s->sin_port));
}

/* A non-blocking socket bound to 127.0.0.1 and port (0: any). */
static int bound(int type, uint16_t port, thirl_addr *at) {
  int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
  assert_true(fd >= 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), 0);
  thirl_addr want = thirl_addr_v4(127, 0, 0, 1, port);
  struct sockaddr_in s = to_sockaddr(&want);
  assert_int_equal(bind(fd, (struct sockaddr *)&s, sizeof s), 0);
  socklen_t len = sizeof s;
  assert_int_equal(getsockname(fd, (struct sockaddr *)&s, &len), 0);
  *at = of_sockaddr(&s);
  return fd;
}

void ours_open(ours *o, thirl_ice_config cfg, bool tcp) {
  memset(o, 0, sizeof *o);
  secrets = thirl_io_secrets();
  cfg.ufrag = OURS_UFRAG;
  cfg.pwd = OURS_PWD;
  cfg.secrets = &secrets;
  cfg.any_address = true;
  o->udp = o->listener = -1;
  for (size_t i = 0; i < OURS_LINKS_MAX; i++)
    o->links[i].fd = -1;
  assert_int_equal(thirl_ice_new(&cfg, &o->ice), THIRL_OK);
  thirl_ice_candidate c = {.type = THIRL_ICE_HOST, .transport = THIRL_ICE_UDP};
  if (!tcp) {
    o->udp = bound(SOCK_DGRAM, 0, &o->udp_at);
    c.addr = o->udp_at;
    assert_int_equal(thirl_ice_add_local(o->ice, &c), THIRL_OK);
    return;
  }
  o->listener = bound(SOCK_STREAM, 0, &o->tcp_at);
  assert_int_equal(listen(o->listener, 16), 0);
  c.transport = THIRL_ICE_TCP_PASSIVE;
  c.addr = o->tcp_at;
  assert_int_equal(thirl_ice_add_local(o->ice, &c), THIRL_OK);
  c.transport = THIRL_ICE_TCP_ACTIVE;
  c.addr = thirl_addr_v4(127, 0, 0, 1, 9);
  c.base = thirl_addr_v4(127, 0, 0, 1, 0);
  assert_int_equal(thirl_ice_add_local(o->ice, &c), THIRL_OK);
}

static void link_close(ours_link *l) {
  close(l->fd);
  thirl_stun_stream_fini(&l->in);
  memset(l, 0, sizeof *l);
  l->fd = -1;
}

void ours_close(ours *o) {
  thirl_ice_free(o->ice);
  if (o->udp >= 0) close(o->udp);
  if (o->listener >= 0) close(o->listener);
  for (size_t i = 0; i < OURS_LINKS_MAX; i++)
    if (o->links[i].fd >= 0) link_close(&o->links[i]);
}

static ours_link *link_new(ours *o, int fd) {
  for (size_t i = 0; i < OURS_LINKS_MAX; i++)
    if (o->links[i].fd < 0) {
      o->links[i].fd = fd;
      thirl_stun_stream_init(&o->links[i].in, THIRL_STUN_FRAMING_FRAME, THIRL_STUN_MSG_MAX);
      return &o->links[i];
    }
  fail_msg("%s", "more connections than a test needs");
  return NULL;
}

static ours_link *link_find(ours *o, thirl_ice_link link) {
  for (size_t i = 0; i < OURS_LINKS_MAX; i++)
    if (o->links[i].fd >= 0 && o->links[i].link == link) return &o->links[i];
  return NULL;
}

static void keep_data(ours *o, thirl_bytes b) {
  if (b.n > OURS_DATA_MAX - o->n_data) b.n = OURS_DATA_MAX - o->n_data;
  memcpy(o->data + o->n_data, b.p, b.n);
  o->n_data += b.n;
}

static void send_frame(const ours_link *l, thirl_bytes payload) {
  uint8_t frame[2 + THIRL_STUN_MSG_MAX];
  assert_true(payload.n <= THIRL_STUN_MSG_MAX);
  frame[0] = (uint8_t)(payload.n >> 8);
  frame[1] = (uint8_t)payload.n;
  memcpy(frame + 2, payload.p, payload.n);
  (void)!send(l->fd, frame, payload.n + 2,
              MSG_NOSIGNAL); /* loopback takes it, or the connection is dead: the read will tell */
}

static void send_datagram(const ours *o, const thirl_addr *to, thirl_bytes payload) {
  struct sockaddr_in s = to_sockaddr(to);
  (void)!sendto(o->udp, payload.p, payload.n, 0, (struct sockaddr *)&s, sizeof s);
}

static void fail_link(ours *o, ours_link *l, thirl_ice_input_kind kind, thirl_error error) {
  thirl_ice_input_event e = {.kind = kind, .link = l->link, .error = error};
  bool known = l->link != 0;
  link_close(l);
  if (known) thirl_ice_input(o->ice, ours_now(), &e);
}

static void open_link(ours *o, const thirl_ice_action *a) {
  thirl_addr at;
  ours_link *l = link_new(o, bound(SOCK_STREAM, a->local.port, &at));
  l->link = a->link;
  l->local = at;
  l->remote = a->remote;
  struct sockaddr_in s = to_sockaddr(&a->remote);
  l->connecting = true;
  if (connect(l->fd, (struct sockaddr *)&s, sizeof s) != 0 && errno != EINPROGRESS)
    fail_link(o, l, THIRL_ICE_LINK_FAILED, THIRL_E_REFUSED);
}

static void act(ours *o, const thirl_ice_action *a) {
  ours_link *l = link_find(o, a->link);
  switch (a->kind) {
  case THIRL_ICE_CONNECT:
    open_link(o, a);
    break;
  case THIRL_ICE_ABORT:
    if (l) link_close(l);
    break;
  case THIRL_ICE_SEND:
    if (l) send_frame(l, a->payload);
    break;
  case THIRL_ICE_SENDTO:
    send_datagram(o, &a->remote, a->payload);
    break;
  case THIRL_ICE_SELECTED:
    o->selected = *a;
    o->selections++;
    break;
  case THIRL_ICE_FAILED:
    o->failed = a->error;
    break;
  case THIRL_ICE_CONSENT_LOST:
    o->consent_lost = true;
    break;
  case THIRL_ICE_LINK_CONFIRMED:
  case THIRL_ICE_STRANGER:
    break;
  }
}

static void drain(ours *o) {
  thirl_ice_action a;
  while (thirl_ice_poll(o->ice, ours_now(), &a))
    act(o, &a);
}

static void read_udp(ours *o) {
  uint8_t b[2048];
  struct sockaddr_in s;
  socklen_t len = sizeof s;
  ssize_t n;
  while ((n = recvfrom(o->udp, b, sizeof b, 0, (struct sockaddr *)&s, &len)) >= 0) {
    thirl_bytes in = {b, (size_t)n};
    if (thirl_stun_msg_kind(in) == THIRL_STUN_KIND_STUN) {
      thirl_ice_input_event e = {
          .kind = THIRL_ICE_DATAGRAM, .local = o->udp_at, .remote = of_sockaddr(&s), .payload = in};
      thirl_ice_input(o->ice, ours_now(), &e);
      drain(o);
    } else {
      keep_data(o, in);
    }
  }
}

static void take_frame(ours *o, ours_link *l, thirl_bytes frame) {
  if (thirl_stun_msg_kind(frame) != THIRL_STUN_KIND_STUN) {
    keep_data(o, frame);
    return;
  }
  if (l->accepted) {
    l->accepted = false;
    if (thirl_ice_accept(o->ice, ours_now(), &l->local, &l->remote, &l->link) != THIRL_OK) {
      link_close(l);
      return;
    }
  }
  thirl_ice_input_event e = {.kind = THIRL_ICE_LINK_MESSAGE, .link = l->link, .payload = frame};
  thirl_ice_input(o->ice, ours_now(), &e);
  drain(o);
}

static void read_link(ours *o, ours_link *l) {
  if (l->connecting) {
    int error = 0;
    socklen_t len = sizeof error;
    struct sockaddr_in s;
    socklen_t slen = sizeof s;
    assert_int_equal(getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    if (error) {
      fail_link(o, l, THIRL_ICE_LINK_FAILED, THIRL_E_REFUSED);
      return;
    }
    if (getpeername(l->fd, (struct sockaddr *)&s, &slen) != 0) return; /* not yet */
    l->connecting = false;
    thirl_ice_input_event e = {.kind = THIRL_ICE_LINK_UP, .link = l->link, .local = l->local, .remote = l->remote};
    thirl_ice_input(o->ice, ours_now(), &e);
    drain(o);
  }
  int fd = l->fd;
  while (l->fd == fd) {
    uint8_t b[2048];
    ssize_t n = recv(fd, b, sizeof b, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      fail_link(o, l, THIRL_ICE_LINK_CLOSED, n == 0 ? THIRL_E_EOF : THIRL_E_RESET);
      return;
    }
    thirl_bytes in = {b, (size_t)n}, frame;
    while (l->fd == fd && thirl_stun_stream_next(&l->in, &in, &frame) == THIRL_OK)
      take_frame(o, l, frame);
  }
}

static void accept_links(ours *o) {
  struct sockaddr_in s;
  socklen_t len = sizeof s;
  for (int fd; (fd = accept4(o->listener, (struct sockaddr *)&s, &len, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    ours_link *l = link_new(o, fd);
    l->accepted = true;
    l->local = o->tcp_at;
    l->remote = of_sockaddr(&s);
  }
}

void ours_step(ours *o) {
  drain(o);
  if (o->udp >= 0) read_udp(o);
  if (o->listener >= 0) accept_links(o);
  for (size_t i = 0; i < OURS_LINKS_MAX; i++)
    if (o->links[i].fd >= 0) read_link(o, &o->links[i]);
  if (thirl_ice_deadline(o->ice) <= ours_now())
    thirl_ice_input(o->ice, ours_now(), &(thirl_ice_input_event){.kind = THIRL_ICE_TICK});
  drain(o);
}

void ours_send(ours *o, const char *text) {
  thirl_bytes b = {(const uint8_t *)text, strlen(text)};
  if (o->selected.link) {
    const ours_link *l = link_find(o, o->selected.link);
    assert_non_null(l);
    send_frame(l, b);
  } else {
    send_datagram(o, &o->selected.remote, b);
  }
}
