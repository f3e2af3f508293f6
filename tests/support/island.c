/* SPDX-License-Identifier: MIT */
#include "support/island.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

thirl_addr island_addr(uint8_t host, uint16_t port) {
  return thirl_addr_v4(203, 0, 113, host, port);
}

static bool set(int fd, unsigned long request, const char *name, uint32_t value) {
  struct ifreq r = {0};
  snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
  if (request == SIOCSIFFLAGS) {
    r.ifr_flags = (short)value;
  } else {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(value)};
    memcpy(&r.ifr_addr, &a, sizeof a);
  }
  return ioctl(fd, request, &r) == 0;
}

thirl_error island_enter(void) {
  if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return errno == EPERM || errno == EACCES ? THIRL_E_PERMISSION : THIRL_E_IO;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return THIRL_E_IO;
  bool ok = set(fd, SIOCSIFFLAGS, "lo", IFF_UP | IFF_RUNNING) && set(fd, SIOCSIFADDR, "lo:1", 0xcb007101) &&
            set(fd, SIOCSIFNETMASK, "lo:1", 0xffffff00);
  close(fd);
  return ok ? THIRL_OK : THIRL_E_IO;
}
