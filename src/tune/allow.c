/* SPDX-License-Identifier: MIT */
#include "tune/allow.h"

#include <stddef.h>
#include <string.h>

#define NUMBER THIRL_TUNE_ALLOW_NUMBER
#define RANGE  THIRL_TUNE_ALLOW_RANGE
#define TRIPLE THIRL_TUNE_ALLOW_TRIPLE
#define PORTS  THIRL_TUNE_ALLOW_PORTS
#define QDISC  THIRL_TUNE_ALLOW_QDISC

/* The bounds are narrower than the kernel's: what no advice of ours goes beyond. */
static const thirl_tune_allowed table[] = {
    {"fs.file-max", NUMBER, 65536, INT64_C(1) << 40, true},
    {"fs.nr_open", NUMBER, 1048576, 16777216, true},
    {"net.core.busy_poll", NUMBER, 0, 100, true},
    {"net.core.busy_read", NUMBER, 0, 100, true},
    {"net.core.default_qdisc", QDISC, 0, 0, true},
    {"net.core.netdev_budget", NUMBER, 300, 10000, true},
    {"net.core.netdev_max_backlog", NUMBER, 1000, 1000000, true},
    {"net.core.rmem_max", NUMBER, 212992, 268435456, true},
    {"net.core.somaxconn", NUMBER, 128, 65535, false},
    {"net.core.wmem_max", NUMBER, 212992, 268435456, true},
    {"net.ipv4.conf.all.rp_filter", NUMBER, 0, 2, false},
    {"net.ipv4.icmp_msgs_per_sec", NUMBER, 100, 100000, false},
    {"net.ipv4.icmp_ratelimit", NUMBER, 1, 10000, false},
    {"net.ipv4.ip_local_port_range", RANGE, 1024, 65535, false},
    {"net.ipv4.ip_local_reserved_ports", PORTS, 1, 65535, false},
    {"net.ipv4.ip_no_pmtu_disc", NUMBER, 0, 3, false},
    {"net.ipv4.ip_nonlocal_bind", NUMBER, 0, 1, false},
    {"net.ipv4.neigh.default.gc_thresh1", NUMBER, 128, 1048576, true},
    {"net.ipv4.neigh.default.gc_thresh2", NUMBER, 512, 1048576, true},
    {"net.ipv4.neigh.default.gc_thresh3", NUMBER, 1024, 1048576, true},
    {"net.ipv4.tcp_abort_on_overflow", NUMBER, 0, 1, false},
    {"net.ipv4.tcp_fin_timeout", NUMBER, 15, 120, false},
    {"net.ipv4.tcp_max_syn_backlog", NUMBER, 128, 1048576, false},
    {"net.ipv4.tcp_max_tw_buckets", NUMBER, 4096, 16777216, false},
    {"net.ipv4.tcp_mem", TRIPLE, 1024, INT64_C(1) << 32, true},
    {"net.ipv4.tcp_migrate_req", NUMBER, 0, 1, false},
    {"net.ipv4.tcp_mtu_probing", NUMBER, 0, 2, false},
    {"net.ipv4.tcp_notsent_lowat", NUMBER, 16384, UINT32_MAX, false},
    {"net.ipv4.tcp_retries2", NUMBER, 8, 15, false},
    {"net.ipv4.tcp_slow_start_after_idle", NUMBER, 0, 1, false},
    {"net.ipv4.tcp_syncookies", NUMBER, 1, 2, false},
    {"net.ipv4.tcp_timestamps", NUMBER, 1, 2, false},
    {"net.ipv4.tcp_tw_reuse", NUMBER, 0, 2, false},
    {"net.ipv4.udp_mem", TRIPLE, 1024, INT64_C(1) << 32, true},
    {"net.netfilter.nf_conntrack_buckets", NUMBER, 1024, 16777216, true},
    {"net.netfilter.nf_conntrack_max", NUMBER, 65536, 67108864, true},
    {"net.netfilter.nf_conntrack_tcp_loose", NUMBER, 0, 1, false},
    {"net.netfilter.nf_conntrack_tcp_timeout_established", NUMBER, 7440, 432000, false},
    {"net.netfilter.nf_conntrack_tcp_timeout_time_wait", NUMBER, 1, 240, false},
    {"net.netfilter.nf_conntrack_udp_timeout", NUMBER, 30, 600, false},
    {"net.netfilter.nf_conntrack_udp_timeout_stream", NUMBER, 120, 3600, false},
};

/* What one would look for, and why it is not there. */
static const struct {
  const char *name, *why;
} left_out[] = {
    {"net.ipv4.ip_forward", "writing it sets many settings of all interfaces to their defaults, and nothing brings "
                            "these back: set it by hand"},
    {"net.ipv6.conf.all.forwarding", "writing it changes every interface: set it by hand"},
    {"net.ipv6.conf.all.disable_ipv6",
     "writing it changes every interface, and takes or makes addresses: set it by hand"},
    {"net.ipv4.tcp_congestion_control", "writing it may load a module for good: set it by hand"},
};

const thirl_tune_allowed *thirl_tune_allow_at(unsigned i) {
  return i < sizeof table / sizeof *table ? &table[i] : NULL;
}

const thirl_tune_allowed *thirl_tune_allow_find(const char *name) {
  for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
    if (strcmp(table[i].name, name) == 0) return &table[i];
  return NULL;
}

/* A number at *text, which then stands behind it. */
static bool take_number(const char **text, const thirl_tune_allowed *a, int64_t *out) {
  const char *p = *text;
  int64_t v = 0;
  if (*p < '0' || *p > '9') return false;
  for (; *p >= '0' && *p <= '9'; p++) {
    v = v * 10 + (*p - '0');
    if (v > a->most) return false;
  }
  *text = p;
  *out = v;
  return v >= a->least;
}

static void skip_blanks(const char **text) {
  while (**text == ' ' || **text == '\t')
    (*text)++;
}

static bool are_numbers(const thirl_tune_allowed *a, const char *value, unsigned n) {
  int64_t last = a->least, v = 0;
  for (unsigned i = 0; i < n; i++) {
    const char *before = value;
    skip_blanks(&value);
    if (i && value == before) return false;
    if (!take_number(&value, a, &v) || v < last) return false;
    last = v;
  }
  return *value == '\0';
}

static bool are_ports(const thirl_tune_allowed *a, const char *value) {
  int64_t first, last;
  if (*value == '\0') return true;
  for (;;) {
    if (!take_number(&value, a, &first)) return false;
    last = first;
    if (*value == '-') {
      value++;
      if (!take_number(&value, a, &last) || last < first) return false;
    }
    if (*value == '\0') return true;
    if (*value++ != ',') return false;
  }
}

static bool is_qdisc(const char *value) {
  static const char *const names[] = {"fq", "fq_codel", "pfifo_fast", "cake", "sfq"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(value, names[i]) == 0) return true;
  return false;
}

static bool fits(const thirl_tune_allowed *a, const char *value) {
  switch (a->kind) {
  case THIRL_TUNE_ALLOW_NUMBER:
    return are_numbers(a, value, 1);
  case THIRL_TUNE_ALLOW_RANGE:
    return are_numbers(a, value, 2);
  case THIRL_TUNE_ALLOW_TRIPLE:
    return are_numbers(a, value, 3);
  case THIRL_TUNE_ALLOW_PORTS:
    return are_ports(a, value);
  case THIRL_TUNE_ALLOW_QDISC:
    return is_qdisc(value);
  }
  return false;
}

const char *thirl_tune_allow_refuse(const char *name, const char *value) {
  const thirl_tune_allowed *a = thirl_tune_allow_find(name);
  for (unsigned i = 0; i < sizeof left_out / sizeof *left_out; i++)
    if (strcmp(left_out[i].name, name) == 0) return left_out[i].why;
  if (!a) return "it is not on the list of what thirl may write: set it by hand";
  return fits(a, value) ? NULL : "the value is not within the bounds that thirl keeps to: set it by hand";
}

bool thirl_tune_allow_same(const char *a, const char *b) {
  for (;;) {
    skip_blanks(&a);
    skip_blanks(&b);
    if (*a == '\0' || *b == '\0') return *a == *b;
    size_t n = strcspn(a, " \t");
    if (strcspn(b, " \t") != n || memcmp(a, b, n) != 0) return false;
    a += n;
    b += n;
  }
}
