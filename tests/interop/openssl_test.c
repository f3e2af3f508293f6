/* SPDX-License-Identifier: MIT */
/* The secure channel against the programs openssl s_server and s_client, over loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <openssl/pem.h>

#include "secure/identity.h"
#include "secure/tls.h"

enum { PATIENCE_MS = 20000, TEXT_MAX = 4096 };

/* One program that we started, and the pipes to it. */
typedef struct program {
  pid_t pid;
  int in, out;
} program;

static char dir[] = "/tmp/thirl-openssl-XXXXXX";
static thirl_secure_identity *mine, *theirs;
static thirl_secure_tls_context *context;

static void put_file(const char *name, void (*print)(BIO *)) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  BIO *bio = BIO_new_file(path, "w");
  assert_non_null(bio);
  print(bio);
  BIO_free(bio);
}

static void print_key(BIO *bio) {
  char pem[THIRL_SECURE_IDENTITY_PEM_CAP];
  size_t n;
  assert_int_equal(thirl_secure_identity_to_pem(theirs, pem, sizeof pem, &n), THIRL_OK);
  assert_int_equal(BIO_puts(bio, pem), (int)n);
}

static void print_certificate(BIO *bio) {
  assert_int_equal(PEM_write_bio_X509(bio, thirl_secure_identity_x509(theirs)), 1);
}

static int begin(void **state) {
  (void)state;
  (void)signal(SIGPIPE, SIG_IGN);
  if (!mkdtemp(dir) || thirl_secure_identity_generate(&mine) != THIRL_OK ||
      thirl_secure_identity_generate(&theirs) != THIRL_OK || thirl_secure_tls_context_new(mine, &context) != THIRL_OK)
    return -1;
  put_file("key.pem", print_key);
  put_file("cert.pem", print_certificate);
  return 0;
}

static int end(void **state) {
  (void)state;
  char command[64];
  thirl_secure_tls_context_free(context);
  thirl_secure_identity_free(mine);
  thirl_secure_identity_free(theirs);
  snprintf(command, sizeof command, "rm -rf %s", dir);
  return system(command);
}

/* exec of openssl with the arguments, in dir */
static program start(const char *arguments) {
  int in[2], out[2];
  char command[512];
  snprintf(command, sizeof command, "cd %s && exec openssl %s 2>stderr", dir, arguments);
  assert_int_equal(pipe(in) | pipe(out), 0);
  program p = {.pid = fork(), .in = in[1], .out = out[0]};
  assert_true(p.pid >= 0);
  if (p.pid == 0) {
    dup2(in[0], 0), dup2(out[1], 1);
    close(in[0]), close(in[1]), close(out[0]), close(out[1]);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
  }
  close(in[0]), close(out[1]);
  return p;
}

static void stop(program *p) {
  int status;
  close(p->in), close(p->out);
  (void)kill(p->pid, SIGTERM);
  assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
}

static bool readable(int fd) {
  struct pollfd pfd = {.fd = fd, .events = POLLIN};
  return poll(&pfd, 1, PATIENCE_MS) == 1;
}

/* Reads on from fd, behind what text holds, until it holds what; false when that does not come. */
static bool read_until(int fd, char text[TEXT_MAX], const char *what) {
  size_t n = strlen(text);
  while (!strstr(text, what)) {
    if (n == TEXT_MAX - 1 || !readable(fd)) return false;
    ssize_t got = read(fd, text + n, TEXT_MAX - 1 - n);
    if (got <= 0) return false;
    text[n += (size_t)got] = '\0';
  }
  return true;
}

static bool have_openssl(void) {
  if (system("openssl version >/dev/null 2>&1") == 0) return true;
  print_message("skipped: the program openssl is not installed\n");
  return false;
}

static int loopback(uint16_t port, bool listening) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(listening ? bind(fd, (void *)&a, sizeof a) || listen(fd, 1) : connect(fd, (void *)&a, sizeof a), 0);
  return fd;
}

static void flush(thirl_secure_tls *t, int fd) {
  uint8_t wire[8192];
  size_t n;
  while ((n = thirl_secure_tls_pull(t, wire, sizeof wire)) > 0)
    (void)send(fd, wire, n, 0);
}

/* One read of the socket through TLS, appended to text. */
static thirl_error receive(thirl_secure_tls *t, int fd, char text[TEXT_MAX]) {
  uint8_t wire[8192];
  size_t used = strlen(text), n;
  if (!readable(fd)) return THIRL_E_TIMEOUT;
  ssize_t got = recv(fd, wire, sizeof wire, 0);
  if (got <= 0) return THIRL_E_RESET;
  thirl_bytes in = THIRL_BYTES(wire, (size_t)got);
  thirl_error e;
  while ((e = thirl_secure_tls_open(t, &in, (uint8_t *)text + used, TEXT_MAX - 1 - used, &n)) == THIRL_OK)
    text[used += n] = '\0';
  flush(t, fd);
  return e == THIRL_E_AGAIN ? THIRL_OK : e;
}

static thirl_error shake(thirl_secure_tls *t, int fd) {
  char text[TEXT_MAX] = "";
  thirl_error e = THIRL_OK;
  flush(t, fd);
  while (e == THIRL_OK && thirl_secure_tls_state_of(t) == THIRL_SECURE_TLS_HANDSHAKE)
    e = receive(t, fd, text);
  assert_string_equal(text, "");
  return e;
}

static void say(thirl_secure_tls *t, int fd, const char *text) {
  uint8_t wire[256];
  size_t n;
  assert_int_equal(thirl_secure_tls_seal(t, THIRL_BYTES(text, strlen(text)), wire, sizeof wire, &n), THIRL_OK);
  assert_int_equal(send(fd, wire, n, 0), (ssize_t)n);
}

/* s_server -rev answers each line with its letters in reverse. */
static void with_server(const thirl_peerid *expect, thirl_error shaken) {
  if (!have_openssl()) skip();
  char log[TEXT_MAX] = "", text[TEXT_MAX] = "";
  thirl_secure_tls *t;
  program p = start("s_server -accept 127.0.0.1:0 -key key.pem -cert cert.pem -tls1_3 -Verify 1 -rev");
  assert_true(read_until(p.out, log, "ACCEPT 127.0.0.1:") && read_until(p.out, log, "\n"));
  int fd = loopback((uint16_t)atoi(strstr(log, "127.0.0.1:") + 10), false);
  assert_int_equal(thirl_secure_tls_new(context, true, expect, &t), THIRL_OK);
  assert_int_equal(shake(t, fd), shaken);
  if (shaken == THIRL_OK) {
    say(t, fd, "thirl bores a hole\n");
    while (!strchr(text, '\n'))
      assert_int_equal(receive(t, fd, text), THIRL_OK);
    assert_string_equal(text, "eloh a serob lriht\n");
  }
  thirl_secure_tls_free(t);
  close(fd);
  stop(&p);
}

static void s_server_reverses_our_lines(void **state) {
  (void)state;
  with_server(thirl_secure_identity_peerid(theirs), THIRL_OK);
}

static void s_server_with_another_key_is_refused(void **state) {
  (void)state;
  with_server(thirl_secure_identity_peerid(mine), THIRL_E_WRONG_KEY);
}

static void with_client(const char *options, const thirl_peerid *expect, thirl_error shaken) {
  if (!have_openssl()) skip();
  struct sockaddr_in a;
  socklen_t len = sizeof a;
  char arguments[256], text[TEXT_MAX] = "", heard[TEXT_MAX] = "";
  thirl_secure_tls *t;
  int listener = loopback(0, true);
  assert_int_equal(getsockname(listener, (void *)&a, &len), 0);
  snprintf(arguments, sizeof arguments, "s_client -connect 127.0.0.1:%u -quiet %s", ntohs(a.sin_port), options);
  program p = start(arguments);
  assert_true(readable(listener));
  int fd = accept(listener, NULL, NULL);
  assert_true(fd >= 0);
  assert_int_equal(thirl_secure_tls_new(context, false, expect, &t), THIRL_OK);
  assert_int_equal(shake(t, fd), shaken);
  if (shaken == THIRL_OK) {
    assert_int_equal(write(p.in, "from s_client\n", 14), 14);
    while (!strchr(text, '\n'))
      assert_int_equal(receive(t, fd, text), THIRL_OK);
    assert_string_equal(text, "from s_client\n");
    say(t, fd, "to s_client\n");
    assert_true(read_until(p.out, heard, "\n"));
    assert_string_equal(heard, "to s_client\n");
    thirl_secure_tls_close(t);
    flush(t, fd);
    assert_int_equal(receive(t, fd, text), THIRL_E_EOF); /* it answers close_notify with its own */
  }
  thirl_secure_tls_free(t);
  close(fd), close(listener);
  stop(&p);
}

static void s_client_talks_both_ways_and_closes(void **state) {
  (void)state;
  with_client("-key key.pem -cert cert.pem -tls1_3", thirl_secure_identity_peerid(theirs), THIRL_OK);
}

static void s_client_with_another_key_is_refused(void **state) {
  (void)state;
  with_client("-key key.pem -cert cert.pem -tls1_3", thirl_secure_identity_peerid(mine), THIRL_E_WRONG_KEY);
}

static void s_client_without_key_or_with_old_tls_is_refused(void **state) {
  (void)state;
  with_client("-tls1_3", NULL, THIRL_E_PROTOCOL);
  with_client("-key key.pem -cert cert.pem -tls1_2", NULL, THIRL_E_PROTOCOL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(s_server_reverses_our_lines),
      cmocka_unit_test(s_server_with_another_key_is_refused),
      cmocka_unit_test(s_client_talks_both_ways_and_closes),
      cmocka_unit_test(s_client_with_another_key_is_refused),
      cmocka_unit_test(s_client_without_key_or_with_old_tls_is_refused),
  };
  return cmocka_run_group_tests_name("interop/openssl", tests, begin, end);
}
