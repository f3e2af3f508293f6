/* SPDX-License-Identifier: MIT */
/*
 * All that was read of one machine at one moment, as a plain value. Zeroed is valid: then nothing was looked at. Every fact says whether it is known, and
 * why not. The parsers (sysctl.h, counter.h, ...) turn text into facts; the judges (judge.h) turn facts into findings.
 */
#ifndef THIRL_TUNE_FACTS_H
#define THIRL_TUNE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tune/names.h"
#include "tune/terms.h"

/* Limits: of what there may be many, so much is looked at. */
enum {
  THIRL_TUNE_LINKS = 32,     /* network interfaces */
  THIRL_TUNE_UDPS = 64,      /* UDP sockets with their buffers */
  THIRL_TUNE_LISTENERS = 64, /* listening TCP sockets */
  THIRL_TUNE_TUPLES = 64,    /* destinations of TIME_WAIT sockets; exact up to so many, a lower bound beyond */
  THIRL_TUNE_NAME = 32,      /* of an interface, a program */
  THIRL_TUNE_ADDRESS = 48,
  THIRL_TUNE_UNIT = 96, /* of a systemd unit */
  THIRL_TUNE_SYSCTL_TEXT = 64,
  THIRL_TUNE_INODES = 16384, /* sockets of the process that is looked at */
  THIRL_TUNE_PORT_BYTES = 65536 / 8,
  THIRL_TUNE_UNLIMITED_BITS = 62
};

/** No number that was read is larger, or lower than its negative: so that judges can add and double without a thought. */
#define THIRL_TUNE_LARGEST ((int64_t)1 << 60)
/** "unlimited", "max". */
#define THIRL_TUNE_UNLIMITED ((int64_t)1 << THIRL_TUNE_UNLIMITED_BITS)

typedef struct thirl_tune_number {
  int64_t v;
  thirl_tune_why why; /* READ: v holds */
} thirl_tune_number;

static inline int64_t thirl_tune_facts_clamp(int64_t v) {
  return v > THIRL_TUNE_LARGEST ? THIRL_TUNE_LARGEST : v < -THIRL_TUNE_LARGEST ? -THIRL_TUNE_LARGEST : v;
}

/** A short word, such as the name of a congestion control. */
typedef struct thirl_tune_word {
  char text[THIRL_TUNE_NAME];
  thirl_tune_why why;
} thirl_tune_word;

/** A set of ports: bit p % 8 of byte p / 8. */
typedef struct thirl_tune_ports {
  uint8_t bits[THIRL_TUNE_PORT_BYTES];
  thirl_tune_why why;
} thirl_tune_ports;

/** The process that is looked at: --pid, a running thirld, or ourselves. */
typedef struct thirl_tune_process {
  thirl_tune_why why; /* NO_SUBJECT: what follows is ours, as a program started from here would have it */
  int64_t pid;
  char name[THIRL_TUNE_NAME];
  char unit[THIRL_TUNE_UNIT]; /* of systemd, or empty */
  thirl_tune_number nofile_soft, nofile_hard, files_open;
  thirl_tune_number cap_effective; /* a mask */
  thirl_tune_why inodes_why;
  uint32_t n_inodes; /* of its sockets, sorted */
  uint64_t inodes[THIRL_TUNE_INODES];
} thirl_tune_process;

typedef struct thirl_tune_udp {
  uint16_t port;
  bool is_ours, is_connected;
  thirl_tune_number rcvbuf, sndbuf; /* effective bytes, as the kernel counts */
  uint64_t drops;
} thirl_tune_udp;

typedef struct thirl_tune_listener {
  uint16_t port;
  bool is_ours;
  char address[THIRL_TUNE_ADDRESS]; /* as the source writes it; only compared */
  thirl_tune_number backlog;        /* what listen() got, after the cap */
  uint32_t waiting;
} thirl_tune_listener;

/** Sockets in TIME_WAIT from here to one port of one address; many share this. */
typedef struct thirl_tune_tuple {
  uint8_t local[16], remote[16];
  uint16_t remote_port;
  bool is_v6;
  uint32_t n;
} thirl_tune_tuple;

typedef struct thirl_tune_sockets {
  thirl_tune_why udp_why, tcp_why;
  thirl_tune_udp udp[THIRL_TUNE_UDPS]; /* ours first come, then others, as they fit */
  uint32_t n_udp, n_udp_all;
  thirl_tune_listener listener[THIRL_TUNE_LISTENERS];
  uint32_t n_listeners, n_listeners_all;
  thirl_tune_tuple tuple[THIRL_TUNE_TUPLES];
  uint32_t n_tuples, n_time_wait;
  bool tuples_are_lower_bounds;
  uint32_t n_established, n_established_ours, n_unprobed_ours; /* ours without a keepalive timer */
  uint32_t longest_probe_s;                                    /* of our keepalive timers, what is left */
  thirl_tune_ports udp_used, tcp_listening;
} thirl_tune_sockets;

typedef struct thirl_tune_link {
  char name[THIRL_TUNE_NAME];
  char device[THIRL_TUNE_NAME]; /* its driver's name for it, or empty */
  bool is_loopback, is_up, is_virtual, is_ethernet;
  bool has_default4, has_default6, has_global6;
  uint32_t address4[4]; /* host byte order */
  uint32_t n_address4;
  thirl_tune_number rp_filter, forwarding4, accept_ra; /* settings of this interface */
  thirl_tune_word qdisc;
  thirl_tune_number qdisc_packets, qdisc_drops, qdisc_overlimits, qdisc_backlog;
  thirl_tune_number rx_packets, rx_dropped, rx_missed, rx_errors;
  thirl_tune_number rx_queues, rps_cpus; /* how many; how many of its queues spread to other processors */
  thirl_tune_number ring_rx, ring_rx_max;
  thirl_tune_number gro, gso, udp_gro_forwarding, gro_list; /* 0 or 1 */
  thirl_tune_number irqs, irq_cpus;                         /* interrupt lines; processors that served them */
} thirl_tune_link;

/** What the firewall and the NAT rules say, from "nft -j list ruleset", or from the names of old iptables tables. */
typedef struct thirl_tune_ruleset {
  thirl_tune_why why;
  bool uses_conntrack, has_nat, has_masquerade;
  bool random_ports, persistent;
  bool has_flowtable, has_helper, has_foreign; /* foreign: rules of iptables-nft whose words nft does not know */
  bool input_drops, input_accepts_established, forward_drops, forward_accepts;
  char input_chain[THIRL_TUNE_UNIT]; /* that drops: "inet filter input" */
  thirl_tune_ports accepted;         /* UDP ports that a rule lets in without asking for a state */
  thirl_tune_ports notrack_in;       /* UDP ports exempt from tracking: by destination on the way in */
  thirl_tune_ports notrack_out;      /* by source on the way out */
} thirl_tune_ruleset;

/** What "thirl nat" found, in its words; "unknown" where it could not tell. */
typedef struct thirl_tune_nat {
  thirl_tune_why why; /* READ: there is a report */
  char reachable[THIRL_TUNE_NAME], mapping[THIRL_TUNE_NAME], filtering[THIRL_TUNE_NAME], hairpin[THIRL_TUNE_NAME];
  char pcp[THIRL_TUNE_NAME], natpmp[THIRL_TUNE_NAME], upnp[THIRL_TUNE_NAME], double_nat[THIRL_TUNE_NAME];
  thirl_tune_number lifetime_s;
} thirl_tune_nat;

/** Which network namespace this is: the one that the machine started with, or a child that sees only some of its settings. */
typedef enum thirl_tune_home { THIRL_TUNE_HOME_UNKNOWN, THIRL_TUNE_HOME_FIRST, THIRL_TUNE_HOME_CHILD } thirl_tune_home;

typedef struct thirl_tune_facts {
  uint32_t kernel;    /* 612 for 6.12; 0: unknown */
  uint64_t namespace; /* the inode of the network namespace; 0: unknown */
  thirl_tune_home home;
  bool sys_is_read_only; /* /proc/sys is mounted so, as in containers */
  thirl_tune_number sysctl[THIRL_TUNE_SYSCTL_COUNT];
  char sysctl_text[THIRL_TUNE_SYSCTL_COUNT][THIRL_TUNE_SYSCTL_TEXT]; /* the whole line, as one would write it back */
  thirl_tune_number counter[THIRL_TUNE_COUNTER_COUNT];
  thirl_tune_number gauge[THIRL_TUNE_GAUGE_COUNT];
  thirl_tune_word congestion, default_qdisc;
  thirl_tune_ports reserved; /* ip_local_reserved_ports */
  char reserved_text[THIRL_TUNE_SYSCTL_TEXT];
  thirl_tune_process process;
  thirl_tune_sockets sockets;
  thirl_tune_ruleset ruleset;
  thirl_tune_nat nat;
  thirl_tune_why links_why, limits_d_why, log_why;
  thirl_tune_link link[THIRL_TUNE_LINKS];
  uint32_t n_links, n_links_all;
  bool limits_d_sets_nofile, sysctl_d_has_tw_recycle;
  thirl_tune_why sysctl_d_why;
  uint32_t n_table_full_lines; /* of the kernel's log, in the last hour */
} thirl_tune_facts;

#endif
