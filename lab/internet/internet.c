/* SPDX-License-Identifier: MIT */
/*
 * internet: the engine on interfaces that are already there, without a supervisor: for tests, and for hosts that are not the lab's.
 *
 *   internet [--stats] [--capture NODE FILE] TOPOLOGY INTERFACE...     an interface for each host, and for each side of a kernel's NAT, in the
 *                                                                      order in which the topology names them
 *
 * Prints "ready" when all interfaces are open. Each line on stdin is an event for now ("nat home reboot"). Ends on SIGTERM, SIGINT, with its parent,
 * or when stdin (a pipe, a socket, a terminal) ends.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

#include "lab/internet/pump.h"
#include "io/clock.h"

enum { EXIT_USAGE = 2, TEXT_MAX = 1 << 20, LINE_MAX_LEN = 1024 };

typedef struct internet {
  thirl_lab_topology *topology;
  thirl_lab_engine_machine *engine;
  thirl_lab_pump *pump;
  bool stats;
  const char *capture_node, *capture_file;
  thirl_lab_engine_port captured;
  FILE *capture;
} internet;

static int complain(const char *what, const char *word) {
  fprintf(stderr, "internet: %s: %s\n", what, word);
  return EXIT_USAGE;
}

static thirl_lab_topology *read_topology(const char *path) {
  static char text[TEXT_MAX];
  thirl_lab_topology *t = NULL;
  thirl_lab_complaint why;
  FILE *f = fopen(path, "r");
  if (!f) {
    complain(path, strerror(errno));
    return NULL;
  }
  size_t n = fread(text, 1, sizeof text, f);
  fclose(f);
  if (thirl_lab_topology_read(path, text, n, &t, &why) != THIRL_OK) fprintf(stderr, "internet: %s\n", why.text);
  return t;
}

static int start_capture(internet *w) {
  struct timespec t;
  size_t node = thirl_lab_topology_find_node(w->topology, w->capture_node);
  if (node == SIZE_MAX) return complain("no such node", w->capture_node);
  clock_gettime(CLOCK_REALTIME, &t);
  thirl_time wall = (thirl_time)t.tv_sec * THIRL_S + (thirl_time)t.tv_nsec / 1000;
  w->captured = (thirl_lab_engine_port){.node = node};
  w->capture = fopen(w->capture_file, "wb");
  if (!w->capture) return complain(w->capture_file, strerror(errno));
  return thirl_lab_engine_capture(w->engine, w->captured, wall - thirl_io_clock_now(), 0) == THIRL_OK
             ? 0
             : complain("cannot capture", w->capture_node);
}

static void write_capture(internet *w) {
  if (!w->capture) return;
  thirl_bytes b = thirl_lab_engine_capture_take(w->engine, w->captured, NULL);
  if (b.n > 0) fwrite(b.p, 1, b.n, w->capture);
  fflush(w->capture);
}

/* False: stdin has ended. */
static bool read_events(internet *w) {
  static char line[LINE_MAX_LEN];
  static size_t held;
  ssize_t n = read(STDIN_FILENO, line + held, sizeof line - 1 - held);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
  if (n > 0) held += (size_t)n;
  for (char *end; (end = memchr(line, '\n', held));) {
    thirl_lab_event event;
    thirl_lab_complaint why = {""};
    *end = '\0';
    thirl_error e = thirl_lab_topology_read_event(w->topology, line, &event, &why);
    if (e == THIRL_OK) e = thirl_lab_engine_apply(w->engine, thirl_io_clock_now(), &event);
    printf("%s\n", e == THIRL_OK ? "done" : why.text[0] ? why.text : thirl_error_text(e));
    fflush(stdout);
    size_t used = (size_t)(end - line) + 1;
    memmove(line, end + 1, held -= used);
  }
  if (held == sizeof line - 1) held = 0;
  return true;
}

static void print_link(const char *name, const char *way, const thirl_lab_link_stats *s) {
  fprintf(stderr,
          "internet: %s %s: %" PRIu64 " packets, %" PRIu64 " bytes, %" PRIu64 " lost, %" PRIu64 " dropped, %" PRIu64
          " doubled, %" PRIu64 " late, %" PRIu64 " too big\n",
          name, way, s->packets, s->bytes, s->lost, s->dropped, s->doubled, s->late, s->too_big);
}

static void print_stats(internet *w) {
  for (size_t i = 0; i < w->topology->n_nodes; i++) {
    thirl_lab_engine_counts c;
    const char *name = w->topology->nodes[i].name;
    thirl_lab_engine_count(w->engine, (thirl_lab_engine_port){.node = i}, &c);
    print_link(name, "up", &c.up);
    print_link(name, "down", &c.down);
  }
  fprintf(stderr,
          "internet: left at most so many us after they were due: 50%% %" PRIu64 ", 95%% %" PRIu64 ", 99%% %" PRIu64
          "\n",
          thirl_lab_pump_lateness(w->pump, 0.5), thirl_lab_pump_lateness(w->pump, 0.95),
          thirl_lab_pump_lateness(w->pump, 0.99));
  for (size_t i = 0; i < thirl_lab_engine_count_ports(w->engine); i++) {
    thirl_lab_pump_counts c = thirl_lab_pump_count(w->pump, i);
    const char *name = w->topology->nodes[thirl_lab_engine_get_port(w->engine, i).node].name;
    fprintf(stderr,
            "internet: %s: %" PRIu64 " received, %" PRIu64 " sent, %" PRIu64 " overrun, %" PRIu64 " cut, %" PRIu64
            " unsendable\n",
            name, c.received, c.sent, c.overrun, c.cut, c.unsendable);
  }
}

static int watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void run(internet *w, int epoll, int signals) {
  struct epoll_event events[3];
  for (;;) {
    int n = epoll_wait(epoll, events, 3, -1);
    for (int i = 0; i < n; i++) {
      if (events[i].data.fd == signals) return;
      if (events[i].data.fd == STDIN_FILENO && !read_events(w)) return;
    }
    thirl_lab_pump_step(w->pump);
    write_capture(w);
  }
}

static int parse(internet *w, int argc, char **argv, int *at) {
  int i = 1;
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (strcmp(argv[i], "--stats") == 0) {
      w->stats = true;
    } else if (strcmp(argv[i], "--capture") == 0 && i + 2 < argc) {
      w->capture_node = argv[++i];
      w->capture_file = argv[++i];
    } else {
      return complain("unknown option", argv[i]);
    }
  }
  *at = i;
  return i < argc ? 0 : complain("usage", "internet [--stats] [--capture NODE FILE] TOPOLOGY INTERFACE...");
}

static int set_up(internet *w, int argc, char **argv) {
  int at = 0;
  thirl_lab_complaint why;
  int bad = parse(w, argc, argv, &at);
  if (bad) return bad;
  w->topology = read_topology(argv[at]);
  if (!w->topology) return EXIT_FAILURE;
  w->engine = thirl_lab_engine_new(w->topology, thirl_io_clock_now());
  if (!w->engine) return complain("engine", "out of memory");
  if ((size_t)(argc - at - 1) != thirl_lab_engine_count_ports(w->engine))
    return complain("one interface for each host, and for each side of a kernel's NAT", argv[at]);
  if (thirl_lab_pump_open(w->engine, -1, (const char *const *)argv + at + 1, &w->pump, &why) != THIRL_OK) {
    fprintf(stderr, "internet: %s\n", why.text);
    return EXIT_FAILURE;
  }
  return w->capture_node ? start_capture(w) : 0;
}

static void tear_down(internet *w) {
  if (w->capture) {
    write_capture(w);
    fclose(w->capture);
  }
  thirl_lab_pump_close(w->pump);
  thirl_lab_engine_free(w->engine);
  thirl_lab_topology_free(w->topology);
}

int main(int argc, char **argv) {
  internet w = {0};
  sigset_t signals;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  int bad = set_up(&w, argc, argv);
  int epoll = epoll_create1(EPOLL_CLOEXEC), signal = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (bad == 0 &&
      (epoll < 0 || signal < 0 || watch(epoll, signal) < 0 || watch(epoll, thirl_lab_pump_fd(w.pump)) < 0)) {
    perror("internet");
    bad = EXIT_FAILURE;
  }
  if (bad == 0) {
    watch(epoll, STDIN_FILENO); /* refused for a file or /dev/null, which do not end */
    bad = puts("ready") < 0 || fflush(stdout) != 0 ? EXIT_FAILURE : 0;
  }
  if (bad == 0) run(&w, epoll, signal);
  if (bad == 0 && w.stats) print_stats(&w);
  tear_down(&w);
  return bad;
}
