/* SPDX-License-Identifier: MIT */
#include "support/rival.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/socket.h"
#include "stun/writer.h"
#include "support/island.h"
#include "support/measure.h"

enum { LOOP_BYTES = 65536, PATIENCE_MS = 5000 };

/* ---- the loop ---- */

static void write_all(int fd, const uint8_t *p, size_t n) {
  while (n) {
    ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
    if (k <= 0) return;
    p += k;
    n -= (size_t)k;
  }
}

static void *run_loop(void *ctx) {
  static uint8_t buf[LOOP_BYTES];
  rival *r = ctx;
  struct pollfd p[2] = {{.fd = r->in, .events = POLLIN}, {.fd = r->out, .events = POLLIN}};
  for (;;) {
    if (poll(p, 2, -1) < 0) return NULL;
    for (int i = 0; i < 2; i++) {
      if (!p[i].revents) continue;
      ssize_t n = recv(p[i].fd, buf, sizeof buf, 0);
      if (n <= 0) return NULL;
      write_all(p[1 - i].fd, buf, (size_t)n);
    }
  }
}

void rival_start_loop(rival *r) {
  plain_pair first = plain_pair_new(island_addr(1, 0)), second = plain_pair_new(island_addr(1, 0));
  *r = (rival){.name = "plain loop, 64 KiB", .pair = {first.a, second.b}, .in = first.b.fd, .out = second.a.fd};
  measure_must(pthread_create(&r->thread, NULL, run_loop, r) == 0 && pthread_getcpuclockid(r->thread, &r->clock) == 0,
               "no thread");
}

/* ---- programs ---- */

static bool is_installed(const char *program) {
  const char *at = getenv("PATH");
  while (at && *at) {
    size_t n = strcspn(at, ":");
    char path[512];
    snprintf(path, sizeof path, "%.*s/%s", (int)n, at, program);
    if (access(path, X_OK) == 0) return true;
    at += n + (at[n] == ':');
  }
  return false;
}

/* It does not outlive us and says nothing. */
static void run_program(rival *r, char *const argv[]) {
  r->pid = fork();
  measure_must(r->pid >= 0, "fork");
  if (r->pid == 0) {
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
      dup2(null, i);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(argv[0], argv);
    _exit(127);
  }
  measure_must(clock_getcpuclockid(r->pid, &r->clock) == 0, "a process without a clock");
}

/* As soon as it listens. */
static int connect_soon(thirl_addr to) {
  thirl_io_sockaddr sa;
  socklen_t n = thirl_io_socket_to_sys(&to, &sa);
  double until = measure_wall() + PATIENCE_MS / 1000;
  for (;;) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, &sa.any, n) == 0) return fd;
    close(fd);
    measure_must(measure_wall() < until, "the other relay does not listen");
    usleep(10000);
  }
}

bool rival_start_socat(rival *r) {
  enum { PORT = 5001 };
  char to[64];
  char *argv[] = {"socat", "-b", "65536", "TCP-LISTEN:5001,reuseaddr", to, NULL};
  thirl_addr at;
  if (!is_installed(argv[0])) return false;
  *r = (rival){.name = "socat, 64 KiB"};
  int listener = plain_listen(island_addr(1, 0), &at);
  snprintf(to, sizeof to, "TCP:203.0.113.1:%u", at.port);
  run_program(r, argv);
  r->pair.a.fd = connect_soon(island_addr(1, PORT));
  r->pair.b.fd = plain_accept(listener);
  close(listener);
  return true;
}

/* ---- coturn: RFC 6062 ---- */

enum {
  TURN_PORT = 3479,
  METHOD_CONNECT = 0x00a, /* RFC 6062 section 6.1 */
  METHOD_CONNECTION_BIND = 0x00b,
  ATTR_CONNECTION_ID = 0x002a, /* section 6.2 */
  TRANSPORT_TCP = 6u << 24
};

static void read_all(int fd, uint8_t *p, size_t n) {
  while (n) {
    ssize_t k = recv(fd, p, n, 0);
    measure_must(k > 0, "coturn ends the connection");
    p += k;
    n -= (size_t)k;
  }
}

/* One request with one attribute; a 32-bit attribute of the answer, or 0. */
static uint32_t ask(int fd, thirl_stun_writer *w, const uint8_t *tid, uint16_t wanted) {
  static uint8_t answer[1024];
  thirl_bytes out;
  thirl_stun_msg m;
  uint32_t value = 0;
  measure_must(thirl_stun_writer_finish(w, &out) == THIRL_OK, "no request to coturn");
  write_all(fd, out.p, out.n);
  read_all(fd, answer, THIRL_STUN_HEADER_LEN);
  size_t n = thirl_bytes_get_u16(answer + 2);
  measure_must(n <= sizeof answer - THIRL_STUN_HEADER_LEN, "coturn's answer is too long");
  read_all(fd, answer + THIRL_STUN_HEADER_LEN, n);
  measure_must(thirl_stun_msg_decode(THIRL_BYTES(answer, n + THIRL_STUN_HEADER_LEN), &m) == THIRL_OK &&
                   m.cls == THIRL_STUN_SUCCESS && thirl_stun_msg_same_tid(&m, tid),
               "coturn refuses");
  measure_must(!wanted || thirl_stun_msg_get_u32(&m, wanted, &value) == THIRL_OK, "coturn's answer lacks something");
  return value;
}

bool rival_start_coturn(rival *r) {
  static uint8_t buf[256];
  static const uint8_t tid[3][THIRL_STUN_TID_LEN] = {{1}, {2}, {3}};
  char *argv[] = {"turnserver", "-n",          "--no-auth", "--no-cli",    "--no-tls",  "--no-dtls", "--no-udp",
                  "-L",         "203.0.113.1", "-E",        "203.0.113.1", "-p",        "3479",      "--log-file",
                  "stdout",     "--pidfile",   "/dev/null", "--userdb",    "/dev/null", NULL};
  thirl_stun_writer w;
  thirl_addr at;
  if (!is_installed(argv[0])) return false;
  *r = (rival){.name = "coturn, TCP allocation"};
  int listener = plain_listen(island_addr(1, 0), &at);
  run_program(r, argv);
  int control = connect_soon(island_addr(1, TURN_PORT));
  thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_ALLOCATE, tid[0]);
  thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_REQUESTED_TRANSPORT, TRANSPORT_TCP);
  (void)ask(control, &w, tid[0], 0);
  thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_REQUEST, METHOD_CONNECT, tid[1]);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_PEER_ADDRESS, &at);
  uint32_t id = ask(control, &w, tid[1], ATTR_CONNECTION_ID);
  r->pair.b.fd = plain_accept(listener);
  r->pair.a.fd = plain_connect(island_addr(1, TURN_PORT));
  thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_REQUEST, METHOD_CONNECTION_BIND, tid[2]);
  thirl_stun_writer_u32(&w, ATTR_CONNECTION_ID, id);
  (void)ask(r->pair.a.fd, &w, tid[2], 0);
  r->in = control; /* the allocation lives as long */
  close(listener);
  return true;
}

/* ---- all of them ---- */

double rival_cpu(const rival *r) {
  struct timespec ts;
  measure_must(clock_gettime(r->clock, &ts) == 0, "the other relay is gone");
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

void rival_stop(rival *r) {
  close(r->pair.a.fd);
  close(r->pair.b.fd);
  if (r->pid) {
    kill(r->pid, SIGKILL);
    (void)waitpid(r->pid, NULL, 0);
  } else {
    pthread_join(r->thread, NULL);
  }
  if (r->in) close(r->in);
  if (r->out) close(r->out);
}
