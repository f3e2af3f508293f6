#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 150
# test-together
#
# A process and its sockets: `thirl tune --pid` finds what its limits, its buffers and its listeners will do to it. And what belongs to the host and cannot be
# made bad here, from files that stand in front of the kernel's.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$(dirname "$0")/lib_tune.sh"
lab_start "$@"
tune_start

# subject WORD...: provoke WORD..., and tune looks at it
subject() { provoked "$@" && tune_args+=(--pid "$lab_pid"); }

# ---- descriptors ----

state_FD1() {
  subject listen 4478 65535 && prlimit --pid "$lab_pid" --nofile=256:4096
}
# A limit that it cannot raise itself: root without CAP_SYS_RESOURCE.
state_FD4() {
  lab_spawn "$ns" setpriv --bounding-set -sys_resource prlimit --nofile=256:256 "$tune_provoke" listen 4478 65535 2>"$tune_log.provoke"
  tune_args+=(--pid "$lab_pid")
  await 10 is_ready
}
tune_state FD1 server crit FD4?
tune_state FD4 server crit FD1

# ---- buffers, queues, ports ----

state_UDP1() { subject deaf 3478 4096; }
state_UDP7() { subject take 50000 50096 && tune_demand+=,relay-ports=50000-50099; }
state_UDP7_few() { subject take 50000 50084 && tune_demand+=,relay-ports=50000-50099; }
# The table of a namespace of its own, as small as the kernel lets it be: 128 slots.
state_UDP8() {
  put net/ipv4/udp_child_hash_entries 128 2>/dev/null || { unable "this kernel gives all namespaces one table"; return; }
  : >"$tune_log.provoke"
  lab_spawn "$ns" unshare -n "$tune_provoke" sockets 1500 2>>"$tune_log.provoke"
  tune_enter=(nsenter "--net=/proc/$lab_pid/ns/net" --)
  await 10 is_ready
}
state_TCP1() { put net/core/somaxconn 8 && subject listen 4478 65535; }
state_TCP13() { provoked listen 4478 65535 && subject connect 127.0.0.1 4478 5 quiet; }
tune_state UDP1 server crit
tune_state UDP7 server crit
tune_state UDP7.few server warn
tune_state UDP8 server warn UDP6?,TCP19?
tune_state TCP1 server warn
tune_state TCP13 server warn

state_UDP1_client() { subject deaf 3478 4096; }
state_FD1_full() {
  lab_spawn "$ns" prlimit --nofile=2000:2000 "$tune_provoke" sockets 1960 2>"$tune_log.provoke"
  tune_args+=(--pid "$lab_pid")
  await 10 is_ready
}
state_CT1_subject() {
  lab_in "$ns" nft 'table ip nat { chain post { type nat hook postrouting priority srcnat; masquerade; }; }
    table inet raw { chain pre { type filter hook prerouting priority raw; udp dport 3478 notrack; }; chain out { type filter hook output priority raw; udp sport 3478 notrack; }; }' &&
    subject deaf 3479 8388608
}
tune_state UDP1.client client info
tune_state FD1.full server crit FD4?,UDP1?
tune_state CT1.subject server warn UDP1?

# ---- more clients than this machine can have ----

state_FD2() { tune_demand+=,tcp=2000000; }
state_MEM4() { tune_demand+=,tcp=100000000; }
tune_state FD2 server crit FD1,FD4?,MEM4?
tune_state MEM4 server crit FD1,FD2,FD4?

# ---- the host's ----

state_FD5() {
  subject listen 4478 65535 && show "/proc/$lab_pid/cgroup" 0::/system.slice/thirld.service && show /etc/security/limits.d/99-files.conf '* hard nofile 999999'
}
state_MEM1() {
  subject listen 4478 65535 && show "/proc/$lab_pid/cgroup" 0::/system.slice/thirld.service &&
    show /sys/fs/cgroup/system.slice/thirld.service/memory.max 104857600 &&
    show /sys/fs/cgroup/system.slice/thirld.service/memory.current 99857600
}
state_FD3() { show /proc/sys/fs/file-nr '990 0 1000' && show /proc/sys/fs/file-max 1000; }
state_CT7() { show /proc/sys/net/netfilter/nf_conntrack_buckets 1024; }
# Bytes that nobody reads, more than processors keep for themselves uncounted, and very little that all may take.
state_MEM2() {
  provoked listen 4478 65535 && show /proc/sys/net/ipv4/tcp_mem '0 0 1'
  lab_spawn "$ns" bash -c 'for i in {1..80}; do exec {fd}<>/dev/tcp/127.0.0.1/4478; head -c 65536 /dev/zero >&$fd; done; sleep 60'
  takes() { lab_in "$ns" awk '/^TCP:/ { found = $NF > 0 } END { exit !found }' /proc/net/sockstat; }
  await 5 takes
}
state_DV7() {
  show /proc/sys/net/core/busy_poll 50 && show /proc/sys/net/core/busy_read 0 && show /proc/stat 'cpu  1 2 3 4 5 6 7 8 0 0
cpu0 1 2 3 4 5 6 7 8 0 0'
}
state_NB1() {
  show /proc/sys/net/ipv4/neigh/default/gc_thresh3 1 && tune_enter=(env) && [ -r /proc/net/stat/arp_cache ] ||
    unable "/proc/net/stat/arp_cache is not shown here"
}
tune_state FD3 client crit
tune_state FD5 server info
tune_state MEM1 server warn
tune_state MEM2 client crit
tune_state DV7 server warn
tune_state NB1 client warn '*'
tune_state CT7 router warn

tune_finish
