/* SPDX-License-Identifier: MIT */
/*
 * natprobe: what the NATs between some network namespaces do, tried with plain sockets. One process holds the hosts' ends and the server's.
 *
 *   natprobe PLACE classify udp|tcp HOST...      "HOST udp eim apdf drop off 5000 5000 5000": mapping, filtering, answer to the unsolicited,
 *                                                hairpin (UDP), and the ports that the server has seen
 *   natprobe PLACE mapping udp|tcp INNER_PORT HOST...     "HOST eim drop", and nothing else is tried
 *   natprobe PLACE filtering udp|tcp INNER_PORT HOST...   "HOST apdf"
 *   natprobe PLACE unasked ADDRESS INNER_PORT HOST        "let-in" or "kept-out": from outside to that port of that address, before anything was sent
 *   natprobe PLACE punch udp|tcp MS LEFT... -- RIGHT...   all pairs at once; a line for each LEFT: a '+' or '.' for each RIGHT
 *   natprobe PLACE twins HOST OTHER              two hosts behind one NAT, one port: "eim eim apart 6": answers that came to the right one
 *   natprobe PLACE early HOST...                 "HOST kept answered let-in" or "HOST moved unanswered kept-out": a peer sends first
 *   natprobe PLACE expiry NEW_MS OPEN_MS HOST... "HOST" and a '+' or '-' for each: new before, after; open before, after; port reused before,
 *                                                not after; TCP before, after
 *
 * PLACE is SERVER ADDRESS ADDRESS PORT: the server's namespace, its two addresses and the first of its ports. Namespaces are names below
 * /run/netns or paths. Hosts are tried at the same time. Exit code 1: something could not be tried.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "lab/tools/punch.h"
#include "lab/tools/trial.h"

enum { EXIT_USAGE = 2, PORTS_OF_SERVER = 2, HOSTS_MAX = 64, LINE_MAX_LEN = 256 };

enum { CLASSIFY_FROM = 5000, EARLY_FROM = 5020, EXPIRY_FROM = 5040, TWINS_FROM = 5060 };

typedef struct setting {
  const char *server, *address[2];
  uint16_t port, inner_port;
  bool tcp;
  unsigned new_ms, open_ms;
} setting;

/* Of one host: its line, without its name; false: could not be tried. */
typedef bool (*trial)(const setting *s, const thirl_lab_classify_place *place, char *line);

static thirl_lab_classify_place place_of(const setting *s, const char *host, unsigned number) {
  thirl_lab_classify_place p = {.server = s->server, .host = host, .port = s->inner_port};
  for (int i = 0; i < 4; i++) {
    uint16_t port = (uint16_t)(s->port + number * PORTS_OF_SERVER + (unsigned)i % 2);
    if (thirl_lab_nsock_address(s->address[i / 2], port, &p.at[i / 2][i % 2])) continue;
    fprintf(stderr, "natprobe: not an IPv4 address: %s\n", s->address[i / 2]);
    exit(EXIT_USAGE);
  }
  return p;
}

static const char *const answers[] = {"drop", "rst", "icmp"};

static bool classify(const setting *s, const thirl_lab_classify_place *place, char *line) {
  thirl_lab_classify_result r;
  if ((s->tcp ? thirl_lab_classify_tcp : thirl_lab_classify_udp)(place, THIRL_LAB_CLASSIFY_ALL, &r) != THIRL_OK)
    return false;
  snprintf(line, LINE_MAX_LEN, "%s %s %s %s %s %u %u %u", s->tcp ? "tcp" : "udp", thirl_lab_classify_mapping(&r),
           thirl_lab_classify_filtering(&r), answers[r.answer], s->tcp ? "-" : (r.hairpin ? "external" : "off"),
           ntohs(r.seen[0].sin_port), ntohs(r.seen[1].sin_port), ntohs(r.seen[2].sin_port));
  return true;
}

static bool find_mapping(const setting *s, const thirl_lab_classify_place *place, char *line) {
  thirl_lab_classify_result r;
  if ((s->tcp ? thirl_lab_classify_tcp : thirl_lab_classify_udp)(place, THIRL_LAB_CLASSIFY_MAPPING, &r) != THIRL_OK)
    return false;
  snprintf(line, LINE_MAX_LEN, "%s %s", thirl_lab_classify_mapping(&r), answers[r.answer]);
  return true;
}

static bool find_filtering(const setting *s, const thirl_lab_classify_place *place, char *line) {
  thirl_lab_classify_result r;
  if ((s->tcp ? thirl_lab_classify_tcp : thirl_lab_classify_udp)(place, THIRL_LAB_CLASSIFY_FILTERING, &r) != THIRL_OK)
    return false;
  snprintf(line, LINE_MAX_LEN, "%s", thirl_lab_classify_filtering(&r));
  return true;
}

static bool come_early(const setting *s, const thirl_lab_classify_place *place, char *line) {
  thirl_lab_trial_early r;
  (void)s;
  if (thirl_lab_trial_run_early(place, &r) != THIRL_OK) return false;
  snprintf(line, LINE_MAX_LEN, "%s %s %s", r.kept ? "kept" : "moved", r.answered ? "answered" : "unanswered",
           r.let_in ? "let-in" : "kept-out");
  return true;
}

static bool expire(const setting *s, const thirl_lab_classify_place *place, char *line) {
  thirl_lab_trial_expiry r;
  if (thirl_lab_trial_run_expiry(place, s->new_ms, s->open_ms, &r) != THIRL_OK) return false;
  const bool what[] = {r.new_before,    r.new_after,   r.open_before, r.open_after,
                       r.reused_before, r.moved_after, r.tcp_before,  r.tcp_after};
  for (size_t i = 0; i < sizeof what; i++)
    line[i] = what[i] ? '+' : '-';
  line[sizeof what] = '\0';
  return true;
}

/* A process for each host, so that each may wait as it likes; lines in the order of the hosts. */
static int try_all(const setting *s, trial what, char **hosts, int n) {
  pid_t pids[HOSTS_MAX];
  int pipes[HOSTS_MAX][2], bad = 0;
  if (n < 1 || n > HOSTS_MAX) return EXIT_USAGE;
  for (int i = 0; i < n; i++) {
    if (pipe(pipes[i]) < 0 || (pids[i] = fork()) < 0) return EXIT_FAILURE;
    if (pids[i] > 0) {
      close(pipes[i][1]);
      continue;
    }
    char line[LINE_MAX_LEN] = "";
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    thirl_lab_classify_place place = place_of(s, hosts[i], (unsigned)i);
    bool good = what(s, &place, line);
    _exit(good && write(pipes[i][1], line, strlen(line)) > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  for (int i = 0; i < n; i++) {
    char line[LINE_MAX_LEN] = "";
    int status;
    ssize_t len = read(pipes[i][0], line, sizeof line - 1);
    printf("%s %s\n", hosts[i], len > 0 ? line : "failed");
    if (waitpid(pids[i], &status, 0) < 0 || status != 0) bad = EXIT_FAILURE;
  }
  return bad;
}

static int twins(const setting *s, const char *host, const char *other) {
  thirl_lab_trial_twins r;
  thirl_lab_classify_place place = place_of(s, host, 0);
  if (thirl_lab_trial_run_twins(&place, other, &r) != THIRL_OK) return EXIT_FAILURE;
  printf("%s %s %s %u\n", thirl_lab_classify_mapping(&r.of[0]), thirl_lab_classify_mapping(&r.of[1]),
         r.shared ? "shared" : "apart", r.answered);
  return EXIT_SUCCESS;
}

static int unasked(const setting *s, const char *address, const char *host) {
  bool let_in;
  struct sockaddr_in outer;
  thirl_lab_classify_place place = place_of(s, host, 0);
  if (!thirl_lab_nsock_address(address, s->inner_port, &outer)) return EXIT_USAGE;
  if (thirl_lab_trial_run_unasked(&place, outer, &let_in) != THIRL_OK) return EXIT_FAILURE;
  puts(let_in ? "let-in" : "kept-out");
  return EXIT_SUCCESS;
}

static int punch(const setting *s, unsigned patience_ms, char **names, int n) {
  static unsigned took[THIRL_LAB_PUNCH_SIDE_MAX * THIRL_LAB_PUNCH_SIDE_MAX];
  unsigned left = 0, slowest = 0;
  while (left < (unsigned)n && strcmp(names[left], "--") != 0)
    left++;
  unsigned right = left < (unsigned)n ? (unsigned)n - left - 1 : 0;
  if (left < 1 || right < 1 || left > THIRL_LAB_PUNCH_SIDE_MAX || right > THIRL_LAB_PUNCH_SIDE_MAX) return EXIT_USAGE;
  thirl_lab_punch_plan plan = {.tcp = s->tcp,
                               .server = s->server,
                               .left = (const char *const *)names,
                               .right = (const char *const *)names + left + 1,
                               .n_left = left,
                               .n_right = right,
                               .patience_ms = patience_ms};
  if (!thirl_lab_nsock_address(s->address[0], s->port, &plan.at)) return EXIT_USAGE;
  if (!thirl_lab_punch_run(&plan, took)) return EXIT_FAILURE;
  for (unsigned i = 0; i < left; i++, putchar('\n'))
    for (unsigned j = 0; j < right; j++) {
      unsigned ms = took[i * right + j];
      putchar(ms ? '+' : '.');
      if (ms > slowest) slowest = ms;
    }
  fprintf(stderr, "the slowest pair took %u ms\n", slowest);
  return EXIT_SUCCESS;
}

static int usage(void) {
  fprintf(stderr,
          "usage: natprobe SERVER ADDRESS ADDRESS PORT classify udp|tcp HOST... | mapping udp|tcp INNER_PORT HOST... | "
          "filtering udp|tcp INNER_PORT HOST... | unasked ADDRESS INNER_PORT HOST | punch udp|tcp MS LEFT... -- "
          "RIGHT... | twins HOST OTHER | early HOST... | expiry NEW_MS OPEN_MS HOST...\n");
  return EXIT_USAGE;
}

/* Inner ports, so that what one trial leaves behind does not touch another. */
static uint16_t inner_port_of(const char *verb) {
  if (strcmp(verb, "early") == 0) return EARLY_FROM;
  if (strcmp(verb, "expiry") == 0) return EXPIRY_FROM;
  return strcmp(verb, "twins") == 0 ? TWINS_FROM : CLASSIFY_FROM;
}

static int run(setting *s, const char *verb, int n, char **words) {
  s->tcp = strcmp(words[0], "tcp") == 0;
  s->inner_port = inner_port_of(verb);
  if (strcmp(verb, "early") == 0) return try_all(s, come_early, words, n);
  if (strcmp(verb, "twins") == 0 && n == 2) return twins(s, words[0], words[1]);
  if (strcmp(verb, "classify") == 0 && n > 1) return try_all(s, classify, words + 1, n - 1);
  if (strcmp(verb, "punch") == 0 && n > 3) return punch(s, (unsigned)atoi(words[1]), words + 2, n - 2);
  if (n < 3) return EXIT_USAGE;
  if (strcmp(verb, "expiry") == 0) {
    s->new_ms = (unsigned)atoi(words[0]);
    s->open_ms = (unsigned)atoi(words[1]);
    return try_all(s, expire, words + 2, n - 2);
  }
  s->inner_port = (uint16_t)atoi(words[1]);
  if (strcmp(verb, "mapping") == 0) return try_all(s, find_mapping, words + 2, n - 2);
  if (strcmp(verb, "filtering") == 0) return try_all(s, find_filtering, words + 2, n - 2);
  return strcmp(verb, "unasked") == 0 ? unasked(s, words[0], words[2]) : EXIT_USAGE;
}

int main(int argc, char **argv) {
  if (argc < 7) return usage();
  setting s = {.server = argv[1], .address = {argv[2], argv[3]}, .port = (uint16_t)atoi(argv[4])};
  int bad = run(&s, argv[5], argc - 6, argv + 6);
  return bad == EXIT_USAGE ? usage() : bad;
}
