/* SPDX-License-Identifier: MIT */
#include "lab/router.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lab/frame.h"
#include "lab/subject.h"

enum { PATIENCE_MS = 2000 };

static const uint8_t macs[ROUTER_SIDES][FRAME_MAC] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 1, 1}};
static const uint8_t hosts_macs[ROUTER_SIDES][FRAME_MAC] = {{2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 1, 2}};
static int router_ns = -1, own_ns = -1, cables[ROUTER_SIDES] = {-1, -1};

const uint8_t *router_mac(unsigned side) {
  return macs[side];
}

const uint8_t *router_hosts_mac(unsigned side) {
  return hosts_macs[side];
}

static bool write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = write(fd, text, strlen(text));
  close(fd);
  return n == (ssize_t)strlen(text);
}

/* Namespaces of our own; without root those of a user namespace. */
static bool enter(void) {
  char map[64];
  unsigned uid = (unsigned)getuid(), gid = (unsigned)getgid();
  if (unshare(CLONE_NEWNET) == 0) return true;
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  write_file("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "0 %u 1", uid);
  if (!write_file("/proc/self/uid_map", map)) return false;
  snprintf(map, sizeof map, "0 %u 1", gid);
  return write_file("/proc/self/gid_map", map);
}

static void child(const char *const argv[], const int *pipe_fds, bool quiet) {
  int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(pipe_fds ? pipe_fds[0] : nowhere, 0);
  dup2(quiet ? nowhere : 2, 1);
  if (quiet) dup2(nowhere, 2);
  if (setns(router_ns, CLONE_NEWNET) != 0) _exit(126);
  execvp(argv[0], (char *const *)(uintptr_t)argv);
  _exit(127);
}

int router_run(const char *const argv[], const char *input, bool quiet) {
  int fds[2], status = 0;
  if (input && pipe2(fds, O_CLOEXEC) != 0) return -1;
  pid_t pid = fork();
  if (pid == 0) child(argv, input ? fds : NULL, quiet);
  if (input) {
    close(fds[0]);
    for (size_t at = 0, n = strlen(input); pid > 0 && at < n;) {
      ssize_t put = write(fds[1], input + at, n - at);
      if (put <= 0) break;
      at += (size_t)put;
    }
    close(fds[1]);
  }
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool router_sysctl(const char *name, const char *value) {
  char path[128] = "/proc/sys/";
  size_t at = strlen(path);
  for (; *name && at < sizeof path - 1; name++)
    path[at++] = *name == '.' ? '/' : *name;
  path[at] = '\0';
  if (setns(router_ns, CLONE_NEWNET) != 0) return false;
  bool done = write_file(path, value);
  return setns(own_ns, CLONE_NEWNET) == 0 && done;
}

static int open_cable(const char *interface) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)), on = 1, room = 4 << 20;
  struct sockaddr_ll a = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(interface)};
  if (fd < 0) return -1;
  setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
  close(fd);
  return -1;
}

static bool lay_cables(void) {
  static const char batch[] =
      "link set lo up\n"
      "link add lan address 02:00:00:00:00:01 type veth peer name lant address 02:00:00:00:00:02\n"
      "link add wan address 02:00:00:00:01:01 type veth peer name want address 02:00:00:00:01:02\n"
      "address add 192.168.1.1/24 dev lan\n"
      "address add 203.0.113.1/24 dev wan\n"
      "link set lan up\nlink set wan up\n";
  char rest[1024];
  size_t at = 0;
  const char *const ip[] = {"ip", "-batch", "-", NULL};
  if (router_run(ip, batch, false) != 0) return false;
  for (unsigned i = 0; i < SUBJECT_HOSTS; i++) {
    thirl_addr h = subject_host(i);
    bool inside = subject_is_inside(i);
    at += (size_t)snprintf(rest + at, sizeof rest - at,
                           "neighbour replace %u.%u.%u.%u lladdr 02:00:00:00:0%d:02 dev %s nud permanent\n", h.ip[0],
                           h.ip[1], h.ip[2], h.ip[3], inside ? 0 : 1, inside ? "lan" : "wan");
  }
  snprintf(rest + at, sizeof rest - at, "link set lant netns %d\nlink set want netns %d\n", (int)getpid(),
           (int)getpid());
  return router_run(ip, rest, false) == 0;
}

static bool raise_interface(const char *name) {
  struct ifreq r = {0};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
  bool done = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &r) == 0;
  r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
  done = done && ioctl(fd, SIOCSIFFLAGS, &r) == 0;
  if (fd >= 0) close(fd);
  return done;
}

static bool is_there(const char *tool, const char *option) {
  const char *const argv[] = {tool, option, NULL};
  return router_run(argv, NULL, true) == 0;
}

/* On one processor what the kernel does for a frame happens in the order of the frames. */
static void stay_on_one_processor(void) {
  cpu_set_t set;
  int cpu = sched_getcpu();
  CPU_ZERO(&set);
  CPU_SET((unsigned)(cpu < 0 ? 0 : cpu), &set);
  sched_setaffinity(0, sizeof set, &set);
}

bool router_begin(char *why, size_t size) {
  static const char *const off[] = {"net.ipv4.conf.all.rp_filter", "net.ipv4.conf.default.rp_filter",
                                    "net.ipv4.icmp_ratelimit"};
  if (!enter()) {
    snprintf(why, size, "needs root, or user namespaces for everybody: %s", strerror(errno));
    return false;
  }
  router_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (router_ns < 0 || unshare(CLONE_NEWNET) != 0) {
    snprintf(why, size, "no second namespace: %s", strerror(errno));
    return false;
  }
  own_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (!is_there("nft", "-v") || !is_there("conntrack", "-V") || !is_there("ip", "-V")) {
    snprintf(why, size, "needs ip, nft and conntrack (Debian: iproute2, nftables, conntrack)");
    return false;
  }
  stay_on_one_processor();
  router_sysctl("net.ipv6.conf.all.disable_ipv6", "1");
  router_sysctl("net.ipv6.conf.default.disable_ipv6", "1");
  write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
  for (size_t i = 0; i < sizeof off / sizeof *off; i++)
    router_sysctl(off[i], "0");
  bool done =
      router_sysctl("net.ipv4.ip_forward", "1") && lay_cables() && raise_interface("lant") && raise_interface("want");
  cables[ROUTER_INSIDE] = done ? open_cable("lant") : -1;
  cables[ROUTER_OUTSIDE] = done ? open_cable("want") : -1;
  if (cables[ROUTER_INSIDE] >= 0 && cables[ROUTER_OUTSIDE] >= 0) return true;
  snprintf(why, size, "no cables: %s", strerror(errno));
  return false;
}

typedef struct listening {
  router_hear *hear;
  void *ctx;
  bool answered;
} listening;

static void take(unsigned side, listening *l) {
  uint8_t frame[2048];
  for (ssize_t n; (n = recv(cables[side], frame, sizeof frame, MSG_DONTWAIT)) > 0;) {
    bool is_question = false;
    thirl_addr sender, target;
    if (frame_arp_decode(frame, (size_t)n, &is_question, &sender, &target))
      l->answered = l->answered || !is_question;
    else if (l->hear)
      l->hear(l->ctx, side, frame, (size_t)n);
  }
}

static bool ask(unsigned side, listening *l) {
  uint8_t frame[FRAME_MAX];
  thirl_addr us = side == ROUTER_INSIDE ? SUBJECT_INNER : SUBJECT_OUTER;
  thirl_addr host = subject_host(side == ROUTER_INSIDE ? SUBJECT_A : SUBJECT_S);
  size_t n = frame_arp_ask(&us, &host, hosts_macs[side], frame);
  l->answered = false;
  if (send(cables[side], frame, n, 0) != (ssize_t)n) return false;
  for (int waited = 0; waited < PATIENCE_MS && !l->answered; waited += 10) {
    struct pollfd p = {.fd = cables[side], .events = POLLIN};
    (void)poll(&p, 1, 10);
    take(side, l);
  }
  take(!side, l);
  return l->answered;
}

bool router_send(unsigned side, const uint8_t *frame, size_t len, router_hear *hear, void *ctx) {
  listening l = {.hear = hear, .ctx = ctx};
  if (len && send(cables[side], frame, len, 0) != (ssize_t)len) return false;
  return ask(side, &l) && ask(!side, &l);
}
