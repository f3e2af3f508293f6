/* SPDX-License-Identifier: MIT */
#include "lab/tools/classify.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <sys/socket.h>

enum {
  ARRIVES_MS = 2000, /* what must come comes in this time */
  NOTHING_MS = 400,  /* what has not come by then does not */
  UNUSED_PORT = 61   /* below every range of outer ports */
};

typedef thirl_lab_classify_place place;
typedef thirl_lab_classify_result result;

static thirl_error trouble(const place *p, const char *what) {
  fprintf(stderr, "classify: %s: %s: %s\n", p->host, what, strerror(errno));
  return THIRL_E_IO;
}

static struct sockaddr_in port_of_host(const place *p, uint16_t offset) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)(p->port + offset))};
}

static bool is_ready(int fd, short events, int ms) {
  struct pollfd f = {.fd = fd, .events = events};
  return poll(&f, 1, ms) == 1;
}

static void close_all(const int *fds, int n) {
  for (int i = 0; i < n; i++)
    if (fds[i] >= 0) close(fds[i]);
}

/* What came as an error of what was sent. */
static thirl_lab_classify_answer read_error(int fd) {
  char control[512], data[64];
  struct iovec part = {.iov_base = data, .iov_len = sizeof data};
  struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(fd, &m, MSG_ERRQUEUE) < 0) return THIRL_LAB_CLASSIFY_SILENCE;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    struct sock_extended_err e;
    if (c->cmsg_level != SOL_IP || c->cmsg_type != IP_RECVERR) continue;
    memcpy(&e, CMSG_DATA(c), sizeof e);
    if (e.ee_origin == SO_EE_ORIGIN_ICMP) return THIRL_LAB_CLASSIFY_ICMP;
  }
  return THIRL_LAB_CLASSIFY_SILENCE;
}

static void want_errors(int fd) {
  int one = 1;
  setsockopt(fd, SOL_IP, IP_RECVERR, &one, sizeof one);
}

/* ---- UDP ---- */

static bool send_to(int fd, const struct sockaddr_in *to) {
  char token = 'x';
  return sendto(fd, &token, 1, 0, (const struct sockaddr *)to, sizeof *to) == 1;
}

/* false: nothing came. */
static bool hear(int fd, int ms, struct sockaddr_in *from) {
  char token;
  socklen_t len = sizeof *from;
  return is_ready(fd, POLLIN, ms) && recvfrom(fd, &token, 1, 0, (struct sockaddr *)from, &len) == 1;
}

/* From where does the server see what this socket sends? */
static bool ask(int from, int server, const struct sockaddr_in *at, struct sockaddr_in *seen) {
  return send_to(from, at) && hear(server, ARRIVES_MS, seen);
}

static thirl_error measure_hairpin(const place *p, uint16_t offset, int server, result *out) {
  int fds[2] = {-1, -1};
  struct sockaddr_in seen[2], from;
  thirl_error e = THIRL_OK;
  for (int i = 0; i < 2 && e == THIRL_OK; i++) {
    fds[i] = thirl_lab_nsock_open(p->host, SOCK_DGRAM, port_of_host(p, (uint16_t)(offset + i)));
    if (fds[i] < 0 || !ask(fds[i], server, &p->at[0][0], &seen[i])) e = trouble(p, "hairpin");
  }
  /* The first of each may be refused; it opens the own side. */
  for (int i = 0; i < 4 && e == THIRL_OK; i++)
    if (!send_to(fds[i % 2], &seen[!(i % 2)])) e = trouble(p, "hairpin");
  if (e == THIRL_OK)
    out->hairpin = (hear(fds[0], NOTHING_MS, &from) || hear(fds[1], NOTHING_MS, &from)) &&
                   from.sin_addr.s_addr == seen[0].sin_addr.s_addr;
  close_all(fds, 2);
  return e;
}

static thirl_error measure_filter_udp(const place *p, uint16_t offset, const int servers[2][2], result *out) {
  struct sockaddr_in seen, from;
  int fd = thirl_lab_nsock_open(p->host, SOCK_DGRAM, port_of_host(p, offset));
  bool good = fd >= 0 && ask(fd, servers[0][0], &p->at[0][0], &seen);
  for (int i = 3; i > 0 && good; i--) /* the strangest first */
    good = send_to(servers[i / 2][i % 2], &seen);
  while (good && hear(fd, NOTHING_MS, &from))
    for (int i = 1; i <= 3; i++)
      if (thirl_lab_nsock_same(&from, &p->at[i / 2][i % 2])) out->let_in[i - 1] = true;
  close_all(&fd, 1);
  return good ? THIRL_OK : trouble(p, "filtering");
}

static thirl_error measure_mapping_udp(const place *p, const int servers[2][2], result *out) {
  int fd = thirl_lab_nsock_open(p->host, SOCK_DGRAM, port_of_host(p, 0));
  bool good = fd >= 0;
  for (int i = 0; i < 3 && good; i++)
    good = ask(fd, servers[i / 2][i % 2], &p->at[i / 2][i % 2], &out->seen[i]);
  if (good) {
    struct sockaddr_in nobody = out->seen[0];
    nobody.sin_port = htons(UNUSED_PORT);
    want_errors(servers[1][1]);
    good = send_to(servers[1][1], &nobody);
    if (good && is_ready(servers[1][1], 0, NOTHING_MS)) out->answer = read_error(servers[1][1]);
  }
  close_all(&fd, 1);
  return good ? THIRL_OK : trouble(p, "mapping");
}

static thirl_error measure_udp(const place *p, unsigned what, const int servers[2][2], result *out) {
  thirl_error e = THIRL_OK;
  uint16_t offset = 0;
  if (what & THIRL_LAB_CLASSIFY_MAPPING) {
    e = measure_mapping_udp(p, servers, out);
    offset++;
  }
  if (e == THIRL_OK && (what & THIRL_LAB_CLASSIFY_FILTERING)) e = measure_filter_udp(p, offset++, servers, out);
  if (e == THIRL_OK && (what & THIRL_LAB_CLASSIFY_HAIRPIN)) e = measure_hairpin(p, offset, servers[0][0], out);
  return e;
}

thirl_error thirl_lab_classify_udp(const thirl_lab_classify_place *p, unsigned what, thirl_lab_classify_result *out) {
  int servers[2][2];
  bool good = true;
  *out = (result){0};
  for (int i = 0; i < 4; i++) {
    servers[i / 2][i % 2] = thirl_lab_nsock_open(p->server, SOCK_DGRAM, p->at[i / 2][i % 2]);
    good = good && servers[i / 2][i % 2] >= 0;
  }
  thirl_error e = good ? measure_udp(p, what, servers, out) : trouble(p, "cannot open sockets");
  close_all(servers[0], 4);
  return e;
}

/* ---- TCP ---- */

/* Connects in the background; -1: not even that. */
static int dial(const char *namespace, struct sockaddr_in local, const struct sockaddr_in *to) {
  int fd = thirl_lab_nsock_open(namespace, SOCK_STREAM, local);
  if (fd < 0) return -1;
  want_errors(fd);
  if (connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 || errno == EINPROGRESS) return fd;
  close(fd);
  return -1;
}

/* A connection from the host's port to the server's, both ends of which stay open in fds. */
static bool ask_tcp(const place *p, uint16_t offset, int listener, const struct sockaddr_in *at,
                    struct sockaddr_in *seen, int fds[2]) {
  socklen_t len = sizeof *seen;
  fds[0] = dial(p->host, port_of_host(p, offset), at);
  if (fds[0] < 0 || !is_ready(listener, POLLIN, ARRIVES_MS)) return false;
  fds[1] = accept(listener, (struct sockaddr *)seen, &len);
  return fds[1] >= 0 && is_ready(fds[0], POLLOUT, ARRIVES_MS) && thirl_lab_nsock_outcome(fds[0]) == 0;
}

/* Does a connection to `to` come in at the listener? It is one for this purpose only. */
static bool comes_in(const place *p, const struct sockaddr_in *from, const struct sockaddr_in *to, int listener,
                     thirl_lab_classify_answer *answer) {
  int fd = dial(p->server, *from, to), guest = -1;
  if (fd < 0) return false;
  if (listener >= 0 && is_ready(listener, POLLIN, NOTHING_MS)) guest = accept(listener, NULL, NULL);
  if (answer && is_ready(fd, POLLOUT, NOTHING_MS)) {
    *answer = read_error(fd);
    if (*answer == THIRL_LAB_CLASSIFY_SILENCE && thirl_lab_nsock_outcome(fd) == ECONNREFUSED)
      *answer = THIRL_LAB_CLASSIFY_RST;
  }
  if (guest >= 0) thirl_lab_nsock_drop(guest);
  thirl_lab_nsock_drop(fd);
  return guest >= 0;
}

static void drop_all(int (*fds)[2], int n) {
  for (int i = 0; i < 2 * n; i++)
    if (fds[i / 2][i % 2] >= 0) thirl_lab_nsock_drop(fds[i / 2][i % 2]);
}

static thirl_error measure_mapping_tcp(const place *p, const int *servers, result *out) {
  int fds[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
  bool good = true;
  for (int i = 0; i < 3 && good; i++)
    good = ask_tcp(p, 0, servers[i], &p->at[i / 2][i % 2], &out->seen[i], fds[i]);
  if (good) {
    struct sockaddr_in nobody = out->seen[0];
    nobody.sin_port = htons(UNUSED_PORT);
    comes_in(p, &p->at[1][1], &nobody, -1, &out->answer);
  }
  drop_all(fds, 3);
  return good ? THIRL_OK : trouble(p, "mapping");
}

static thirl_error measure_filter_tcp(const place *p, uint16_t offset, const int *servers, result *out) {
  int fds[1][2] = {{-1, -1}}, listener = -1;
  struct sockaddr_in seen;
  bool good = ask_tcp(p, offset, servers[0], &p->at[0][0], &seen, fds[0]);
  if (good) listener = thirl_lab_nsock_listen(p->host, port_of_host(p, offset));
  good = good && listener >= 0;
  for (int i = 3; i > 0 && good; i--)
    out->let_in[i - 1] = comes_in(p, &p->at[i / 2][i % 2], &seen, listener, NULL);
  drop_all(fds, 1);
  close_all(&listener, 1);
  return good ? THIRL_OK : trouble(p, "filtering");
}

thirl_error thirl_lab_classify_tcp(const thirl_lab_classify_place *p, unsigned what, thirl_lab_classify_result *out) {
  int servers[4];
  bool good = true;
  thirl_error e = THIRL_OK;
  *out = (result){0};
  for (int i = 0; i < 4; i++) {
    servers[i] = thirl_lab_nsock_listen(p->server, p->at[i / 2][i % 2]);
    good = good && servers[i] >= 0;
  }
  if (!good) e = trouble(p, "cannot open sockets");
  if (e == THIRL_OK && (what & THIRL_LAB_CLASSIFY_MAPPING)) e = measure_mapping_tcp(p, servers, out);
  if (e == THIRL_OK && (what & THIRL_LAB_CLASSIFY_FILTERING))
    e = measure_filter_tcp(p, what & THIRL_LAB_CLASSIFY_MAPPING ? 1 : 0, servers, out);
  close_all(servers, 4);
  return e;
}

/* ---- verdicts ---- */

const char *thirl_lab_classify_mapping(const thirl_lab_classify_result *r) {
  if (!thirl_lab_nsock_same(&r->seen[0], &r->seen[1])) return "apdm";
  return thirl_lab_nsock_same(&r->seen[0], &r->seen[2]) ? "eim" : "adm";
}

const char *thirl_lab_classify_filtering(const thirl_lab_classify_result *r) {
  static const char *const of[8] = {[0] = "apdf", [1] = "adf", [7] = "eif"};
  const char *name = of[r->let_in[0] + 2 * r->let_in[1] + 4 * r->let_in[2]];
  return name ? name : "odd";
}
