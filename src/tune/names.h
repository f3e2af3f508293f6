/* SPDX-License-Identifier: MIT */
/* The numbers that the kernel shows, by name: settings below /proc/sys, counters, and states. Each becomes one fact. */
#ifndef THIRL_TUNE_NAMES_H
#define THIRL_TUNE_NAMES_H

/*
 * X(name, path below /proc/sys, which of its numbers, where it is, since)
 *
 * where   NETNS: each network namespace has its own. SHOWN: the host's, in a child namespace read-only, or (on older kernels) absent. HOST: the host's, absent in a child.
 * since   the first kernel that has it, 605 for 6.5; 0: every kernel that we know
 *
 * Which is which was found by writing in a child namespace and comparing with the host.
 */
#define THIRL_TUNE_SYSCTLS(X)                                                                                          \
  X(NR_OPEN, "fs/nr_open", 0, HOST, 0)                                                                                 \
  X(FILES_USED, "fs/file-nr", 0, HOST, 0)                                                                              \
  X(FILES_MAX, "fs/file-max", 0, HOST, 0)                                                                              \
  X(TCP_MEM_PRESSURE, "net/ipv4/tcp_mem", 1, HOST, 0)                                                                  \
  X(TCP_MEM_MAX, "net/ipv4/tcp_mem", 2, HOST, 0)                                                                       \
  X(UDP_MEM_MAX, "net/ipv4/udp_mem", 2, HOST, 0)                                                                       \
  X(TCP_MAX_ORPHANS, "net/ipv4/tcp_max_orphans", 0, HOST, 0)                                                           \
  X(RMEM_MAX, "net/core/rmem_max", 0, SHOWN, 0)                                                                        \
  X(RMEM_DEFAULT, "net/core/rmem_default", 0, SHOWN, 0)                                                                \
  X(WMEM_MAX, "net/core/wmem_max", 0, SHOWN, 0)                                                                        \
  X(WMEM_DEFAULT, "net/core/wmem_default", 0, SHOWN, 0)                                                                \
  X(SOMAXCONN, "net/core/somaxconn", 0, NETNS, 0)                                                                      \
  X(NETDEV_MAX_BACKLOG, "net/core/netdev_max_backlog", 0, HOST, 0)                                                     \
  X(NETDEV_BUDGET, "net/core/netdev_budget", 0, HOST, 0)                                                               \
  X(BUSY_POLL, "net/core/busy_poll", 0, HOST, 0)                                                                       \
  X(BUSY_READ, "net/core/busy_read", 0, HOST, 0)                                                                       \
  X(UDP_HASH_ENTRIES, "net/ipv4/udp_hash_entries", 0, NETNS, 602)                                                      \
  X(PORT_FIRST, "net/ipv4/ip_local_port_range", 0, NETNS, 0)                                                           \
  X(PORT_LAST, "net/ipv4/ip_local_port_range", 1, NETNS, 0)                                                            \
  X(TCP_SYNCOOKIES, "net/ipv4/tcp_syncookies", 0, NETNS, 0)                                                            \
  X(TCP_MAX_SYN_BACKLOG, "net/ipv4/tcp_max_syn_backlog", 0, NETNS, 0)                                                  \
  X(TCP_MAX_TW_BUCKETS, "net/ipv4/tcp_max_tw_buckets", 0, NETNS, 0)                                                    \
  X(TCP_TW_REUSE, "net/ipv4/tcp_tw_reuse", 0, NETNS, 0)                                                                \
  X(TCP_TW_REUSE_DELAY, "net/ipv4/tcp_tw_reuse_delay", 0, NETNS, 614)                                                  \
  X(TCP_FIN_TIMEOUT, "net/ipv4/tcp_fin_timeout", 0, NETNS, 0)                                                          \
  X(TCP_SLOW_START_AFTER_IDLE, "net/ipv4/tcp_slow_start_after_idle", 0, NETNS, 0)                                      \
  X(TCP_KEEPALIVE_TIME, "net/ipv4/tcp_keepalive_time", 0, NETNS, 0)                                                    \
  X(TCP_RETRIES2, "net/ipv4/tcp_retries2", 0, NETNS, 0)                                                                \
  X(TCP_ORPHAN_RETRIES, "net/ipv4/tcp_orphan_retries", 0, NETNS, 0)                                                    \
  X(TCP_ABORT_ON_OVERFLOW, "net/ipv4/tcp_abort_on_overflow", 0, NETNS, 0)                                              \
  X(TCP_MIGRATE_REQ, "net/ipv4/tcp_migrate_req", 0, NETNS, 514)                                                        \
  X(TCP_SYN_LINEAR_TIMEOUTS, "net/ipv4/tcp_syn_linear_timeouts", 0, NETNS, 605)                                        \
  X(TCP_RTO_MAX_MS, "net/ipv4/tcp_rto_max_ms", 0, NETNS, 615)                                                          \
  X(TCP_NOTSENT_LOWAT, "net/ipv4/tcp_notsent_lowat", 0, NETNS, 0)                                                      \
  X(TCP_RFC1337, "net/ipv4/tcp_rfc1337", 0, NETNS, 0)                                                                  \
  X(TCP_TIMESTAMPS, "net/ipv4/tcp_timestamps", 0, NETNS, 0)                                                            \
  X(TCP_MTU_PROBING, "net/ipv4/tcp_mtu_probing", 0, NETNS, 0)                                                          \
  X(IP_NO_PMTU_DISC, "net/ipv4/ip_no_pmtu_disc", 0, NETNS, 0)                                                          \
  X(IP_NONLOCAL_BIND, "net/ipv4/ip_nonlocal_bind", 0, NETNS, 0)                                                        \
  X(ICMP_RATELIMIT, "net/ipv4/icmp_ratelimit", 0, NETNS, 0)                                                            \
  X(ICMP_MSGS_PER_SEC, "net/ipv4/icmp_msgs_per_sec", 0, NETNS, 0)                                                      \
  X(IP_FORWARD, "net/ipv4/ip_forward", 0, NETNS, 0)                                                                    \
  X(RP_FILTER_ALL, "net/ipv4/conf/all/rp_filter", 0, NETNS, 0)                                                         \
  X(RP_FILTER_DEFAULT, "net/ipv4/conf/default/rp_filter", 0, NETNS, 0)                                                 \
  X(IPV6_DISABLED, "net/ipv6/conf/all/disable_ipv6", 0, NETNS, 0)                                                      \
  X(IPV6_FORWARDING, "net/ipv6/conf/all/forwarding", 0, NETNS, 0)                                                      \
  X(IPV6_TEMPADDR, "net/ipv6/conf/all/use_tempaddr", 0, NETNS, 0)                                                      \
  X(NEIGH_THRESH1, "net/ipv4/neigh/default/gc_thresh1", 0, HOST, 0)                                                    \
  X(NEIGH_THRESH2, "net/ipv4/neigh/default/gc_thresh2", 0, HOST, 0)                                                    \
  X(NEIGH_THRESH3, "net/ipv4/neigh/default/gc_thresh3", 0, HOST, 0)                                                    \
  X(CT_COUNT, "net/netfilter/nf_conntrack_count", 0, NETNS, 0)                                                         \
  X(CT_MAX, "net/netfilter/nf_conntrack_max", 0, SHOWN, 0)                                                             \
  X(CT_BUCKETS, "net/netfilter/nf_conntrack_buckets", 0, SHOWN, 0)                                                     \
  X(CT_TCP_ESTABLISHED, "net/netfilter/nf_conntrack_tcp_timeout_established", 0, NETNS, 0)                             \
  X(CT_TCP_TIME_WAIT, "net/netfilter/nf_conntrack_tcp_timeout_time_wait", 0, NETNS, 0)                                 \
  X(CT_UDP_TIMEOUT, "net/netfilter/nf_conntrack_udp_timeout", 0, NETNS, 0)                                             \
  X(CT_UDP_STREAM, "net/netfilter/nf_conntrack_udp_timeout_stream", 0, NETNS, 0)                                       \
  X(CT_TCP_LOOSE, "net/netfilter/nf_conntrack_tcp_loose", 0, NETNS, 0)                                                 \
  X(CT_HELPER, "net/netfilter/nf_conntrack_helper", 0, NETNS, 0)

/*
 * Counters only rise, and are judged by how much they rose while we looked.
 *
 * X(name, the kernel's word for it). The first part says the file: TcpExt of /proc/net/netstat; Ip, Icmp, Udp of /proc/net/snmp, to which the likes
 * of Udp6 of /proc/net/snmp6 are added; ct and arp of /proc/net/stat; softnet; cpu of /proc/stat in ticks.
 */
#define THIRL_TUNE_COUNTERS(X)                                                                                         \
  X(LISTEN_OVERFLOWS, "TcpExt.ListenOverflows")                                                                        \
  X(LISTEN_DROPS, "TcpExt.ListenDrops")                                                                                \
  X(SYNCOOKIES_SENT, "TcpExt.SyncookiesSent")                                                                          \
  X(REQ_QUEUE_COOKIES, "TcpExt.TCPReqQFullDoCookies")                                                                  \
  X(TIME_WAIT_OVERFLOW, "TcpExt.TCPTimeWaitOverflow")                                                                  \
  X(ABORT_ON_MEMORY, "TcpExt.TCPAbortOnMemory")                                                                        \
  X(MEMORY_PRESSURES, "TcpExt.TCPMemoryPressures")                                                                     \
  X(RP_FILTERED, "TcpExt.IPReversePathFilter")                                                                         \
  X(IP_REASM_FAILS, "Ip.ReasmFails")                                                                                   \
  X(IP_OUT_DISCARDS, "Ip.OutDiscards")                                                                                 \
  X(ICMP_LIMIT_GLOBAL, "Icmp.OutRateLimitGlobal")                                                                      \
  X(ICMP_LIMIT_HOST, "Icmp.OutRateLimitHost")                                                                          \
  X(UDP_IN, "Udp.InDatagrams")                                                                                         \
  X(UDP_NO_PORTS, "Udp.NoPorts")                                                                                       \
  X(UDP_RCVBUF_ERRORS, "Udp.RcvbufErrors")                                                                             \
  X(UDP_SNDBUF_ERRORS, "Udp.SndbufErrors")                                                                             \
  X(UDP_CSUM_ERRORS, "Udp.InCsumErrors")                                                                               \
  X(UDP_MEM_ERRORS, "Udp.MemErrors")                                                                                   \
  X(CT_DROP, "ct.drop")                                                                                                \
  X(CT_EARLY_DROP, "ct.early_drop")                                                                                    \
  X(CT_INSERT_FAILED, "ct.insert_failed")                                                                              \
  X(ARP_TABLE_FULLS, "arp.table_fulls")                                                                                \
  X(ARP_UNRESOLVED, "arp.unresolved_discards")                                                                         \
  X(ARP_RES_FAILED, "arp.res_failed")                                                                                  \
  X(SOFTNET_PROCESSED, "softnet.processed")                                                                            \
  X(SOFTNET_DROPPED, "softnet.dropped")                                                                                \
  X(SOFTNET_SQUEEZED, "softnet.squeezed")                                                                              \
  X(CPU_TOTAL, "cpu.total")                                                                                            \
  X(CPU_STEAL, "cpu.steal")                                                                                            \
  X(CGROUP_OOM, "cgroup.oom")                                                                                          \
  X(CGROUP_FAILCNT, "cgroup.failcnt")

/* States: what they are now counts. X(name, word) */
#define THIRL_TUNE_GAUGES(X)                                                                                           \
  X(TCP_INUSE, "sockstat.TCP.inuse")                                                                                   \
  X(TCP_ORPHANS, "sockstat.TCP.orphan")                                                                                \
  X(TCP_TIME_WAITS, "sockstat.TCP.tw")                                                                                 \
  X(TCP_PAGES, "sockstat.TCP.mem")                                                                                     \
  X(UDP_INUSE, "sockstat.UDP.inuse")                                                                                   \
  X(UDP_PAGES, "sockstat.UDP.mem")                                                                                     \
  X(NEIGHBOURS, "arp.entries")                                                                                         \
  X(CPUS, "cpus")                                                                                                      \
  X(MEMORY_TOTAL, "MemTotal")                                                                                          \
  X(CGROUP_MAX, "cgroup.max")                                                                                          \
  X(CGROUP_CURRENT, "cgroup.current")                                                                                  \
  X(PRESSURE_CPU, "pressure.cpu")                                                                                      \
  X(PRESSURE_MEMORY, "pressure.memory")                                                                                \
  X(CLOCK_SYNCED, "clock.synchronised")                                                                                \
  X(CLOCK_ERROR, "clock.error_us")

#define THIRL_TUNE_SYSCTL_ENUM(name, path, field, where, since) THIRL_TUNE_SYSCTL_##name,
#define THIRL_TUNE_COUNTER_ENUM(name, word)                     THIRL_TUNE_COUNTER_##name,
#define THIRL_TUNE_GAUGE_ENUM(name, word)                       THIRL_TUNE_GAUGE_##name,

typedef enum thirl_tune_sysctl { THIRL_TUNE_SYSCTLS(THIRL_TUNE_SYSCTL_ENUM) THIRL_TUNE_SYSCTL_COUNT } thirl_tune_sysctl;
typedef enum thirl_tune_counter {
  THIRL_TUNE_COUNTERS(THIRL_TUNE_COUNTER_ENUM) THIRL_TUNE_COUNTER_COUNT
} thirl_tune_counter;
typedef enum thirl_tune_gauge { THIRL_TUNE_GAUGES(THIRL_TUNE_GAUGE_ENUM) THIRL_TUNE_GAUGE_COUNT } thirl_tune_gauge;

#endif
