#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 150
# test-together
#
# Traffic that goes wrong while `thirl tune` looks: floods, queues that overflow, ports that are used up. It finds each of them by the kernel's counters.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$(dirname "$0")/lib_tune.sh"
lab_start "$@"
tune_start

invented() { lab_in "$ns" ip route add 198.18.0.0/15 dev lo; } # a way back to the addresses that provoke invents

# ---- UDP ----

state_UDP2() { provoked deaf 3478 4096 && provoke blast 127.0.0.1 3478 100 2000 && await 5 counts RcvbufErrors 10; }
state_UDP3() { provoke stuff 203.0.113 4 2000 && await 5 counts SndbufErrors 10; }
state_UDP4() { provoke blast 127.0.0.1 9 100 2000 && await 5 counts NoPorts 10; }
state_UDP5() { invented && provoked deaf 3478 100000 && provoke corrupt 203.0.113.10 3478 200 && await 5 counts InCsumErrors 5; }
state_UDP5_fragments() {
  put net/ipv4/ipfrag_time 1
  invented && provoke shard 203.0.113.10 200 && await 5 counts ReasmFails 5
}
tune_state UDP2 server crit
tune_state UDP3 client warn NAT10?
tune_state UDP4 server info
tune_state UDP5 server warn
tune_state UDP5.fragments client warn

# ---- TCP ----

state_TCP2() {
  put net/core/somaxconn 8 && provoked listen 4478 65535 && provoke connect 127.0.0.1 4478 40 && await 5 counts ListenOverflows 10
}
state_TCP5() {
  invented && provoked listen 4478 128 && provoke syn 127.0.0.1 4478 500 && await 5 counts SyncookiesSent 10
}
state_TCP5_flood() {
  invented && provoked listen 4478 128 && provoke syn 127.0.0.1 4478 20000 && await 5 counts SyncookiesSent 2000
}
state_TCP6() { put net/ipv4/ip_local_port_range '20000 23999' net/ipv4/tcp_tw_reuse 0 && provoked churn 203.0.113.10 80 3000; }
state_TCP6_all() { put net/ipv4/ip_local_port_range '20000 20999' net/ipv4/tcp_tw_reuse 0 && provoked churn 203.0.113.10 80 2000; }
state_TCP7() {
  put net/ipv4/tcp_max_tw_buckets 5
  lab_spawn "$ns" bash -c 'for i in $(seq 20); do timeout 0.5 "$0" churn 203.0.113.10 80 100; sleep 0.1; done' "$tune_provoke" 2>/dev/null
  await 5 counts TCPTimeWaitOverflow 10
}
tune_state TCP2 server 'crit<TCP1' TCP1
tune_state TCP5 server info
tune_state TCP5.flood server warn
tune_state TCP6 client warn TCP19
tune_state TCP6.all client crit TCP19
tune_state TCP7 client warn

# ---- IP ----

state_IP1() {
  put net/ipv4/conf/all/rp_filter 1 net/ipv4/conf/wan/rp_filter 1 &&
    ip link add name wan2 netns "$lab_prefix-$ns" type veth peer name "q$ns" netns "$lab_prefix-sky" &&
    lab_in "$ns" sh -c 'ip link set dev wan2 up && ip address add 198.51.100.10/24 dev wan2' &&
    lab_in sky sh -c "ip link set dev q$ns up && ip address add 198.51.100.1/24 dev q$ns" || return 1
  lab_spawn sky "$tune_provoke" stray 198.51.100.10 192.0.2.1 200 2>/dev/null
  await 5 counts IPReversePathFilter 10
}
# Answers to an address behind the uplink: what comes from lo is not limited.
state_IP3() {
  lab_in sky sh -c "ip address add 203.0.113.77/24 dev p$ns"
  lab_in "$ns" ip neighbour add 203.0.113.77 lladdr 02:00:00:00:00:77 dev wan nud permanent
  lab_spawn sky "$tune_provoke" blast 203.0.113.10 9 100 1000 2>/dev/null
  await 5 counts OutRateLimitHost 10
}
# A neighbour that is not there, and more for it than waits. Neighbours are counted for all namespaces together, and only the first one shows the counters.
state_NB2() {
  [ -r /proc/net/stat/arp_cache ] || { unable "/proc/net/stat/arp_cache is not shown here"; return; }
  tune_enter=(env)
  for _ in 1 2 3; do
    provoke blast 203.0.113.99 9 8000 1000
  done
}
# Frames of a protocol that nobody speaks are counted as dropped.
state_DV2() {
  lab_spawn sky "$tune_provoke" babble "p$ns" 200 2>/dev/null
  lost() { lab_in "$ns" awk '/wan:/ { found = $5 > 10 } END { exit !found }' /proc/net/dev; }
  await 5 lost
}
state_DV6() {
  lab_in "$ns" tc qdisc add dev wan root tbf rate 100kbit burst 2kb limit 4kb || { unable "this kernel has no tbf"; return; }
  provoke blast 203.0.113.1 9 1000 500
  dropped() { lab_in "$ns" tc -s qdisc show dev wan | grep -q 'dropped [1-9][0-9]'; }
  await 5 dropped
}
# What the firewall of this machine itself throws away.
state_NAT10() {
  lab_in "$ns" nft 'table inet f { chain out { type filter hook output priority 0; udp dport 9 drop; }; }' &&
    provoke blast 203.0.113.1 9 100 500 && await 5 counts OutDiscards 10
}
tune_state IP1 server crit
tune_state NAT10 client warn
tune_state IP3 server info
tune_state NB2 client info '*'
tune_state DV2 client warn
tune_state DV6 client warn NAT10?,UDP3?

tune_finish
