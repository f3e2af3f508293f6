/* SPDX-License-Identifier: MIT */
/*
 * Binding answers over UDP on loopback: how many in a second, and in a CPU second of the server; thirld, and coturn beside it where it is installed.
 * Each server runs alone, on two addresses and two ports, in a network namespace of the benchmark's own. The client keeps 64 requests in flight, from one
 * socket and from 64; coturn opens a socket of its own for each client address that it meets, thirld does not.
 *
 *   stun [seconds per row]
 */
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { IN_FLIGHT = 64, ANSWER_MAX = 512, PORT = 3478, PATIENCE_S = 10 };

static double now_s(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool enter_namespace(void) {
  struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
  close(fd);
  return up;
}

static pid_t start(char *const *argv) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; fd++)
    dup2(null, fd);
  execvp(argv[0], argv);
  _exit(127);
}

/* Seconds of CPU that a process and its threads have had. */
static double cpu_of(pid_t pid) {
  char path[64], line[1024] = "";
  unsigned long user = 0, kernel = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *f = fopen(path, "r");
  if (!f) return 0;
  if (!fgets(line, sizeof line, f)) line[0] = '\0';
  fclose(f);
  const char *behind = strrchr(line, ')');
  if (behind) (void)sscanf(behind + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
  return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static int open_client(void) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
    perror("stun");
    exit(EXIT_FAILURE);
  }
  return fd;
}

static const uint8_t request[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 'b', 'e', 'n', 'c', 'h'};

static void send_some(int fd, unsigned n) {
  struct iovec v = {(void *)(uintptr_t)request, sizeof request};
  struct mmsghdr out[IN_FLIGHT];
  memset(out, 0, sizeof out);
  for (unsigned i = 0; i < n; i++)
    out[i].msg_hdr = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1};
  (void)sendmmsg(fd, out, n, 0);
}

/* Success answers that are there now. */
static unsigned receive(int fd) {
  static uint8_t bytes[IN_FLIGHT][ANSWER_MAX];
  struct iovec v[IN_FLIGHT];
  struct mmsghdr in[IN_FLIGHT];
  unsigned good = 0;
  memset(in, 0, sizeof in);
  for (int i = 0; i < IN_FLIGHT; i++) {
    v[i] = (struct iovec){bytes[i], ANSWER_MAX};
    in[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
  }
  int n = recvmmsg(fd, in, IN_FLIGHT, MSG_DONTWAIT, NULL);
  for (int i = 0; i < n; i++)
    good += in[i].msg_len >= 32 && bytes[i][0] == 1 && bytes[i][1] == 1;
  return good;
}

static bool wait_for_server(void) {
  int fd = open_client();
  bool answered = false;
  double end = now_s(CLOCK_MONOTONIC) + PATIENCE_S;
  while (!answered && now_s(CLOCK_MONOTONIC) < end) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    send_some(fd, 1);
    answered = poll(&p, 1, 20) == 1 && receive(fd) > 0;
    if (!answered) usleep(20000); /* refused is known at once */
  }
  close(fd);
  return answered;
}

typedef struct result {
  double wall, cpu;
  uint64_t answers, lost;
} result;

/* Whatever is not answered within 100 ms is lost and asked anew. */
static result load(pid_t server, unsigned sockets, double seconds) {
  struct pollfd p[IN_FLIGHT];
  unsigned waiting[IN_FLIGHT], each = IN_FLIGHT / sockets;
  result r = {.wall = now_s(CLOCK_MONOTONIC), .cpu = cpu_of(server)};
  double end = r.wall + seconds;
  for (unsigned i = 0; i < sockets; i++) {
    p[i] = (struct pollfd){.fd = open_client(), .events = POLLIN};
    send_some(p[i].fd, waiting[i] = each);
  }
  while (now_s(CLOCK_MONOTONIC) < end) {
    bool any = poll(p, sockets, 100) > 0;
    for (unsigned i = 0; i < sockets; i++) {
      unsigned n = any ? (p[i].revents ? receive(p[i].fd) : 0) : waiting[i];
      if (n > waiting[i]) n = waiting[i]; /* late ones */
      *(any ? &r.answers : &r.lost) += n;
      if (n) send_some(p[i].fd, n);
    }
  }
  r.wall = now_s(CLOCK_MONOTONIC) - r.wall;
  r.cpu = cpu_of(server) - r.cpu;
  for (unsigned i = 0; i < sockets; i++)
    close(p[i].fd);
  return r;
}

static void measure(const char *name, char *const *argv, double seconds) {
  static const unsigned sockets[] = {1, IN_FLIGHT};
  pid_t server = start(argv);
  if (!wait_for_server()) {
    printf("%-8s does not answer: not installed?\n", name);
  } else {
    for (size_t i = 0; i < 2; i++) {
      result r = load(server, sockets[i], seconds);
      printf("%-8s %2u sockets %10.0f answers/s %8.2f us of the server's CPU each", name, sockets[i],
             (double)r.answers / r.wall, r.cpu / (double)r.answers * 1e6);
      printf(r.lost ? ", %llu lost\n" : "\n", (unsigned long long)r.lost);
    }
  }
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 2;
  char thirld[] = THIRL_BINARY_DIR "/bin/thirld", one[] = "127.0.0.1", two[] = "127.0.0.2";
  char listen[] = "--listen", alternate[] = "--alternate", config[] = "-c", none[] = "/dev/null";
  char turnserver[] = "turnserver", n[] = "-n", L[] = "-L", db[64] = "--userdb=", log[] = "--log-file=/dev/null";
  char open[] = "--no-auth", stun[] = "--stun-only", cli[] = "--no-cli", tls[] = "--no-tls", dtls[] = "--no-dtls",
       pid[] = "--pidfile=/dev/null", loopback[] = "--allow-loopback-peers";
  char directory[] = "/tmp/thirl-bench-XXXXXX"; /* coturn wants to have a data base */
  if (!mkdtemp(directory)) return EXIT_FAILURE;
  snprintf(db, sizeof db, "--userdb=%s/db", directory);
  if (!enter_namespace()) {
    printf("SKIP: needs a network namespace\n");
    return 0;
  }
  measure("thirld", (char *[]){thirld, config, none, listen, one, alternate, two, NULL}, seconds);
  measure("coturn", (char *[]){turnserver, n, open, stun, cli, tls, dtls, log, db, pid, loopback, L, one, L, two, NULL},
          seconds);
  unlink(db + strlen("--userdb="));
  rmdir(directory);
  return 0;
}
