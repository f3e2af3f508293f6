/* SPDX-License-Identifier: MIT */
#include "host/card.h"

#include <dirent.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "host/file.h"

enum { FEATURES_MAX = 256, QUEUES_MAX = 256 };

/* ---- ethtool ---- */

/* What ethtool fills in: a head with a tail of its own length. */
typedef union feature_names {
  struct ethtool_gstrings head;
  char room[sizeof(struct ethtool_gstrings) + FEATURES_MAX * ETH_GSTRING_LEN];
} feature_names;

typedef union feature_blocks {
  struct ethtool_gfeatures head;
  char room[sizeof(struct ethtool_gfeatures) + FEATURES_MAX / 32 * sizeof(struct ethtool_get_features_block)];
} feature_blocks;

typedef union set_sizes {
  struct ethtool_sset_info head;
  char room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
} set_sizes;

static bool ask(int fd, const char *name, void *what) {
  struct ifreq r = {0};
  snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
  r.ifr_data = what;
  return ioctl(fd, SIOCETHTOOL, &r) == 0;
}

static void print_features(int fd, const char *name, thirl_host_dump *d) {
  static const struct {
    const char *kernel, *ours;
  } wanted[] = {{"rx-gro", "gro"},
                {"tx-generic-segmentation", "gso"},
                {"rx-udp-gro-forwarding", "udp_gro_forwarding"},
                {"rx-gro-list", "gro_list"}};
  static feature_names names;
  feature_blocks blocks = {.head = {.cmd = ETHTOOL_GFEATURES, .size = FEATURES_MAX / 32}};
  set_sizes sizes = {.head = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_FEATURES}};
  uint32_t n = ask(fd, name, &sizes) ? sizes.head.data[0] : 0;
  if (!n || n > FEATURES_MAX) return;
  memset(&names, 0, sizeof names);
  names.head = (struct ethtool_gstrings){.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = n};
  if (!ask(fd, name, &names) || !ask(fd, name, &blocks)) return;
  for (uint32_t i = 0; i < n; i++) {
    const char *feature = (const char *)names.head.data + (size_t)i * ETH_GSTRING_LEN;
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
      if (strncmp(feature, wanted[k].kernel, ETH_GSTRING_LEN) == 0)
        thirl_host_dump_print(d, "%s %s=%u\n", name, wanted[k].ours, blocks.head.features[i / 32].active >> i % 32 & 1);
  }
}

static void print_ring(int fd, const char *name, thirl_host_dump *d) {
  struct ethtool_ringparam ring = {.cmd = ETHTOOL_GRINGPARAM};
  if (ask(fd, name, &ring) && ring.rx_max_pending)
    thirl_host_dump_print(d, "%s ring_rx=%" PRIu32 " ring_rx_max=%" PRIu32 "\n", name, ring.rx_pending,
                          ring.rx_max_pending);
}

/* ---- sysfs ---- */

static bool read_text(const char *name, const char *file, char *to, size_t size) {
  char path[THIRL_HOST_FILE_PATH];
  snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, file);
  FILE *f = fopen(path, "re");
  if (!f) return false;
  bool ok = fgets(to, (int)size, f) != NULL;
  fclose(f);
  to[strcspn(to, "\n")] = '\0';
  return ok;
}

/* /sys belongs to the namespace in which it was mounted, which need not be ours. */
static bool is_our_sysfs(const char *name, int index, const uint8_t *hardware) {
  char text[64], expected[64];
  if (!hardware || !read_text(name, "ifindex", text, sizeof text) || atoi(text) != index) return false;
  snprintf(expected, sizeof expected, "%02x:%02x:%02x:%02x:%02x:%02x", hardware[0], hardware[1], hardware[2],
           hardware[3], hardware[4], hardware[5]);
  return read_text(name, "address", text, sizeof text) && strcmp(text, expected) == 0;
}

/* A mask is "00000000,00000003": does it name any processor? */
static bool is_spread(const char *mask) {
  return strspn(mask, "0,") != strlen(mask);
}

static void print_queues(const char *name, thirl_host_dump *d) {
  char path[THIRL_HOST_FILE_PATH], mask[1024];
  unsigned queues = 0, spread = 0;
  snprintf(path, sizeof path, "/sys/class/net/%s/queues", name);
  DIR *dir = opendir(path);
  if (!dir) return;
  for (struct dirent *e; queues < QUEUES_MAX && (e = readdir(dir));) {
    if (strncmp(e->d_name, "rx-", 3) != 0) continue;
    queues++;
    snprintf(path, sizeof path, "queues/%.32s/rps_cpus", e->d_name);
    if (read_text(name, path, mask, sizeof mask)) spread += is_spread(mask);
  }
  closedir(dir);
  thirl_host_dump_print(d, "%s rx_queues=%u rps_cpus=%u\n", name, queues, spread);
}

/* Where a link of sysfs leads to; false: there is none. */
static bool read_target(const char *name, const char *file, char target[THIRL_HOST_FILE_PATH]) {
  char path[THIRL_HOST_FILE_PATH];
  snprintf(path, sizeof path, "/sys/class/net/%s%s", name, file);
  ssize_t n = readlink(path, target, THIRL_HOST_FILE_PATH - 1);
  target[n > 0 ? n : 0] = '\0';
  return n > 0;
}

/* Some drivers name their interrupts after the device, not after the interface. */
static void print_device(const char *name, thirl_host_dump *d) {
  char target[THIRL_HOST_FILE_PATH];
  if (read_target(name, "", target) && strstr(target, "/virtual/")) thirl_host_dump_print(d, "%s virtual=1\n", name);
  const char *slash = read_target(name, "/device", target) ? strrchr(target, '/') : NULL;
  if (slash) thirl_host_dump_print(d, "%s device=%.31s\n", name, slash + 1);
}

void thirl_host_card_ask(const char *name, int index, const uint8_t *hardware, thirl_host_dump *d) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    print_features(fd, name, d);
    print_ring(fd, name, d);
    close(fd);
  }
  if (is_our_sysfs(name, index, hardware)) {
    print_queues(name, d);
    print_device(name, d);
  } else {
    thirl_host_dump_print(d, "%s rps_cpus=!not-in-namespace\n", name);
  }
}
