/* SPDX-License-Identifier: MIT */
/* The process itself, in a child, over loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/thirld/config_file.h"
#include "apps/thirld/daemon.h"
#include "io/clock.h"
#include "io/secrets.h"
#include "meet/client.h"

typedef struct child {
  pid_t pid;
  FILE *log;
  char path[64]; /* of its configuration */
} child;

static void write_file(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static child begin(const char *text) {
  child c = {.path = "/tmp/thirld-daemon-XXXXXX"};
  daemon_options o = {.path = c.path};
  char said[CONFIG_COMPLAINT_MAX];
  int fds[2], fd = mkstemp(c.path);
  assert_true(fd >= 0);
  close(fd);
  write_file(c.path, text);
  config_init(&o.config);
  assert_int_equal(config_load(&o.config, c.path, said), THIRL_OK);
  assert_int_equal(config_complete(&o.config, &o.listeners_by_default, said), THIRL_OK);
  assert_int_equal(pipe(fds), 0);
  c.pid = fork();
  assert_true(c.pid >= 0);
  if (c.pid == 0) {
    dup2(fds[1], STDERR_FILENO);
    close(fds[0]);
    close(fds[1]);
    alarm(60);
    _exit(daemon_run(&o));
  }
  close(fds[1]);
  c.log = fdopen(fds[0], "r");
  return c;
}

/* The next line of the log that has this in it; its rest behind it. */
static const char *wait_for(child *c, const char *what) {
  static char line[512];
  while (fgets(line, sizeof line, c->log)) {
    const char *at = strstr(line, what);
    if (at) return at + strlen(what);
  }
  fail_msg("the log ended without \"%s\"", what);
  return "";
}

static int finish(child *c) {
  int status;
  assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
  fclose(c->log);
  unlink(c->path);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static struct sockaddr_in loopback(const char *port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

static void ask(int type, const char *port) {
  struct sockaddr_in a = loopback(port);
  uint8_t answer[64];
  int fd = socket(AF_INET, type, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
  assert_int_equal(send(fd,
                        "\x00\x01\x00\x00\x21\x12\xa4\x42"
                        "0123456789ab",
                        20, 0),
                   20);
  assert_int_equal(recv(fd, answer, sizeof answer, 0), 32);
  assert_memory_equal(answer,
                      "\x01\x01\x00\x0c\x21\x12\xa4\x42"
                      "0123456789ab",
                      20);
  close(fd);
}

static void serves_reloads_and_drains(void **state) {
  (void)state;
  child c = begin("[server]\nlisten-tcp = 127.0.0.1:0\nlisten-udp = 127.0.0.1:0\n");
  char tcp[16], udp[16];
  snprintf(tcp, sizeof tcp, "%.15s", wait_for(&c, "listening on TCP 127.0.0.1:"));
  snprintf(udp, sizeof udp, "%.15s", wait_for(&c, "listening on UDP 127.0.0.1:"));
  ask(SOCK_STREAM, tcp);
  ask(SOCK_DGRAM, udp);
  write_file(c.path, "[limits]\nmax-channels = nonsense\n");
  kill(c.pid, SIGHUP);
  wait_for(&c, "2: max-channels cannot be \"nonsense\"");
  write_file(c.path, "[limits]\nmax-channels = 5\n");
  kill(c.pid, SIGHUP);
  wait_for(&c, "info reloaded ");
  ask(SOCK_STREAM, tcp);
  kill(c.pid, SIGUSR1);
  wait_for(&c, " accepted=2 ");
  kill(c.pid, SIGTERM);
  wait_for(&c, "draining: 0 peers, 0 sessions, at most 30 s");
  wait_for(&c, "drained");
  assert_int_equal(finish(&c), EXIT_DONE);
}

/* ---- somebody who has recorded a registration ---- */

typedef struct record {
  uint8_t bytes[4096];
  size_t n;
} record;

static int call(const char *port) {
  struct sockaddr_in a = loopback(port);
  struct timeval patience = {.tv_sec = 20};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
  return fd;
}

/* Registers over fd; what the client has sent last is the signed REGISTER. */
static void register_over(int fd, thirl_meet_client *client, record *last) {
  thirl_meet_event ev = {.kind = THIRL_MEET_FAILED};
  assert_int_equal(thirl_meet_client_connected(client, thirl_io_clock_now()), THIRL_OK);
  while (thirl_meet_client_state_of(client) != THIRL_MEET_CLIENT_REGISTERED) {
    uint8_t in[2048];
    last->n = thirl_meet_client_pull(client, last->bytes, sizeof last->bytes);
    assert_int_equal(send(fd, last->bytes, last->n, 0), last->n);
    ssize_t n = recv(fd, in, sizeof in, 0);
    assert_true(n > 0);
    thirl_bytes got = THIRL_BYTES(in, (size_t)n);
    while (thirl_meet_client_next(client, thirl_io_clock_now(), &got, &ev) == THIRL_OK)
      assert_int_equal(ev.kind, THIRL_MEET_REGISTERED);
  }
}

/* The answer to the bytes on a connection of its own: an error, and its code. */
static unsigned replay(const char *port, const record *r) {
  uint8_t answer[512];
  thirl_stun_msg in;
  thirl_meet_message m;
  int fd = call(port);
  assert_int_equal(send(fd, r->bytes, r->n, 0), r->n);
  ssize_t n = recv(fd, answer, sizeof answer, 0);
  assert_true(n > 0);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(answer, (size_t)n), &in), THIRL_OK);
  assert_int_equal(thirl_meet_message_decode(&in, &m), THIRL_OK);
  assert_int_equal(m.cls, THIRL_STUN_ERROR);
  close(fd);
  return m.error_code;
}

static void tells_its_operator_of_a_replayed_registration(void **state) {
  (void)state;
  child c = begin("[server]\nlisten-tcp = 127.0.0.1:0\n[limits]\nwarnings-per-minute = 2\n");
  char port[16], want[64], text[THIRL_PEERID_TEXT_MAX];
  snprintf(port, sizeof port, "%d", atoi(wait_for(&c, "listening on TCP 127.0.0.1:")));
  thirl_secrets secrets = thirl_io_secrets();
  thirl_meet_client_config cfg = {.secrets = &secrets};
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  thirl_p256 *key;
  assert_int_equal(thirl_p256_generate(&key), THIRL_OK);
  thirl_p256_get_public(key, point);
  assert_int_equal(thirl_peerid_of_public(THIRL_BYTES(point, sizeof point), &cfg.id), THIRL_OK);
  cfg.key = key;
  thirl_meet_client *client;
  assert_int_equal(thirl_meet_client_new(&cfg, &client), THIRL_OK);
  record signed_register;
  int fd = call(port);
  register_over(fd, client, &signed_register);
  for (int i = 0; i < 4; i++)
    assert_int_equal(replay(port, &signed_register), 438);
  snprintf(want, sizeof want, "as peer %.11s; refused, nothing was given\n", thirl_peerid_format(&cfg.id, text));
  for (int i = 0; i < 2; i++) {
    const char *line = wait_for(&c, " warn a registration made for another connection was replayed: from 127.0.0.1:");
    assert_non_null(strstr(line, want));
  }
  kill(c.pid, SIGUSR1); /* the next line is the counts: the other two were left out */
  assert_memory_equal(wait_for(&c, " "), "info counts: connections=", 25);
  kill(c.pid, SIGTERM);
  wait_for(&c, "draining: 1 peers"); /* the real one was not disturbed */
  assert_int_equal(finish(&c), EXIT_DONE);
  close(fd);
  thirl_meet_client_free(client);
  thirl_p256_free(key);
}

static void does_not_share_its_port(void **state) {
  (void)state;
  child c = begin("[server]\nlisten-tcp = 127.0.0.1:0\n");
  char text[100], port[16];
  snprintf(port, sizeof port, "%d", atoi(wait_for(&c, "listening on TCP 127.0.0.1:")));
  snprintf(text, sizeof text, "[server]\nlisten-tcp = 127.0.0.1:%s\n", port);
  child second = begin(text);
  wait_for(&second, "is in use: is another thirld running?");
  assert_int_equal(finish(&second), EXIT_NO_LISTENER);
  ask(SOCK_STREAM, port);
  kill(c.pid, SIGINT);
  assert_int_equal(finish(&c), EXIT_DONE);
}

static void says_that_it_cannot_listen(void **state) {
  (void)state;
  child c =
      begin("[server]\nlisten-tcp = 127.0.0.1:0\nlisten-udp = 192.0.2.1:0\n"); /* not an address of this machine */
  wait_for(&c, "cannot listen on UDP 192.0.2.1:0: ");
  assert_int_equal(finish(&c), EXIT_NO_LISTENER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(serves_reloads_and_drains),
      cmocka_unit_test(tells_its_operator_of_a_replayed_registration),
      cmocka_unit_test(does_not_share_its_port),
      cmocka_unit_test(says_that_it_cannot_listen),
  };
  return cmocka_run_group_tests_name("thirld/daemon", tests, NULL, NULL);
}
