#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 150
# test-together
#
# Settings of a network namespace that hurt a server, a router or a client: `thirl tune` finds each of them, at the level it deserves, and nothing else.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$(dirname "$0")/lib_tune.sh"
lab_start "$@"
tune_start

# ---- TCP ----

state_TCP3() { put net/ipv4/tcp_syncookies 0 net/ipv4/tcp_max_syn_backlog 4096; }
state_TCP3_client() { put net/ipv4/tcp_syncookies 0; }
state_TCP4() { put net/ipv4/tcp_syncookies 0 net/ipv4/tcp_max_syn_backlog 128; }
state_TCP8() { put net/ipv4/tcp_tw_reuse 1; }
state_TCP9() { put net/netfilter/nf_conntrack_tcp_timeout_time_wait 1; }
state_TCP10() { put net/ipv4/tcp_fin_timeout 5; }
state_TCP11() { put net/ipv4/tcp_slow_start_after_idle 1 net/ipv4/tcp_congestion_control reno; }
state_TCP12() {
  put net/ipv4/tcp_congestion_control bbr 2>/dev/null || unable "this kernel has no BBR"
}
state_TCP14() { put net/ipv4/tcp_retries2 3; }
state_TCP16() { put net/ipv4/tcp_abort_on_overflow 1; }
state_TCP17() { put net/ipv4/tcp_migrate_req 0 && provoked listen 4478 65535 4; }
state_TCP17_two() { put net/ipv4/tcp_migrate_req 0 && provoked listen 4478 65535 2; }
state_TCP19() { put net/ipv4/ip_local_port_range '20000 30000'; }
state_TCP19_client() { put net/ipv4/ip_local_port_range '40000 41000'; }
state_TCP20() { provoked listen 20001 65535 && tune_args+=(--pid "$lab_pid"); }
state_TCP20_other() { provoked listen 20001 65535; } # of a program that we do not look at
state_TCP21() { put net/ipv4/tcp_notsent_lowat 4294967295; }
state_TCP22() { put net/ipv4/tcp_timestamps 0; }
# Of a file that is read at the next start: tcp_tw_recycle is no setting of this kernel.
state_TCP8_file() { show /etc/sysctl.d/99-faster.conf 'net.ipv4.tcp_tw_recycle = 1'; }
state_TCP15() { put net/ipv4/tcp_orphan_retries 1; }
tune_state TCP3 server crit
tune_state TCP3.client client warn
tune_state TCP4 server 'warn<TCP3' TCP3
tune_state TCP8 client info
tune_state TCP8.file client warn
tune_state TCP9 client info
tune_state TCP10 client warn
tune_state TCP11 server info
tune_state TCP12 client info
tune_state TCP14 client warn
tune_state TCP15 server info
tune_state TCP16 server warn
tune_state TCP17 server warn
tune_state TCP17.two server warn
tune_state TCP19 server warn
tune_state TCP19.client client warn
tune_state TCP20 server warn
tune_state TCP20.other server info
tune_state TCP21 server info
tune_state TCP22 client warn

# ---- IP ----

second_uplink() {
  ip link add name wan2 netns "$lab_prefix-$ns" type veth peer name "q$ns" netns "$lab_prefix-sky" &&
    lab_in sky ip link set dev "q$ns" up &&
    lab_in "$ns" ip -batch - <<END
link set dev wan2 up
address add 198.51.100.10/24 dev wan2
route add default via 198.51.100.1 metric 200
END
}

state_IP1() { second_uplink && put net/ipv4/conf/all/rp_filter 1 net/ipv4/conf/wan/rp_filter 1; }
state_IP2() { put net/ipv4/ip_nonlocal_bind 1; }
state_IP3() { put net/ipv4/icmp_ratelimit 0; }
state_IP3_all() { put net/ipv4/icmp_msgs_per_sec 0; }
state_IP4() { put net/ipv6/conf/all/disable_ipv6 1; }
state_IP4_router() { put net/ipv6/conf/all/forwarding 1 net/ipv6/conf/wan/accept_ra 1; }
state_IP5() { put net/ipv4/ip_no_pmtu_disc 1; }
state_IP5_tunnel() {
  put net/ipv4/tcp_mtu_probing 0
  lab_in "$ns" sh -c 'ip tuntap add name t0 mode tun && ip link set dev t0 up' || unable "no tunnel can be made here"
}
tune_state IP1 server warn
tune_state IP2 server info
tune_state IP3 server warn
tune_state IP3.all server warn
tune_state IP4 client info
tune_state IP4.router router warn
tune_state IP5 client warn
tune_state IP5.tunnel client info

# ---- ports of relays ----

state_UDP6() { put net/ipv4/ip_local_port_range '32768 60999' net/ipv4/ip_local_reserved_ports '' && tune_demand+=,relay-ports=49152-65535; }
tune_state UDP6 server warn

# ---- a router's table and rules ----

rule() { lab_in "$ns" nft "$*"; }

state_CT8() { put net/netfilter/nf_conntrack_tcp_timeout_established 600; }
state_CT8_long() { put net/netfilter/nf_conntrack_tcp_timeout_established 864000; }
state_CT9() { put net/netfilter/nf_conntrack_udp_timeout 30; }
state_CT9_stream() { put net/netfilter/nf_conntrack_udp_timeout_stream 120; }
state_CT10() { put net/netfilter/nf_conntrack_tcp_loose 0; }
state_CT11() { rule 'flush chain ip nat post; add rule ip nat post oifname "wan" masquerade random'; }
state_CT11_fully() { rule 'flush chain ip nat post; add rule ip nat post oifname "wan" snat to 203.0.113.10 fully-random'; }
state_CT11_iptables() {
  rule 'delete table ip nat' && lab_in "$ns" iptables -t nat -A POSTROUTING -o wan -j MASQUERADE --random-fully
}
state_CT12() { put net/ipv4/ip_forward 0; }
state_CT12_policy() { rule 'table ip filter { chain forward { type filter hook forward priority 0; policy drop; }; }'; }
state_CT13() {
  rule 'table ip alg { ct helper sip-any { type "sip" protocol udp; }; chain pre { type filter hook prerouting priority 0; udp dport 5060 ct helper set "sip-any"; }; }' ||
    unable "this kernel has no helper for SIP"
}
state_CT13_iptables() {
  lab_in "$ns" iptables -t raw -A PREROUTING -p udp --dport 5060 -j CT --helper sip || unable "iptables cannot set a helper here"
}
state_CT14() { :; }
state_CT15() { lab_in "$ns" sh -c 'ip address flush dev wan; ip address add 192.168.7.2/24 dev wan; ip route add default via 192.168.7.1'; }
state_CT15_provider() { lab_in "$ns" sh -c 'ip address flush dev wan; ip address add 100.64.7.2/24 dev wan; ip route add default via 100.64.7.1'; }
tune_state CT8 router crit
tune_state CT8.long router info
tune_state CT9 router warn
tune_state CT9.stream router warn
tune_state CT10 router warn
tune_state CT11 router warn
tune_state CT11.fully router warn
tune_state CT11.iptables router warn
tune_state CT12 router crit
tune_state CT12.policy router crit
tune_state CT13 router warn
tune_state CT13.iptables router warn
tune_state CT14 router info
tune_state CT15 router warn
tune_state CT15.provider client warn

# ---- a server behind its own firewall ----

state_CT1() {
  rule 'table inet f { chain in { type filter hook input priority 0; ct state established,related accept; udp dport 3478 accept; }; }' &&
    provoked deaf 3478 8388608
}
state_CT1_million() { state_CT1 && tune_demand+=,clients=1000000; }
# Exempt from tracking, so "established" is no answer any more, and no rule accepts the port.
state_NAT5_notrack() {
  rule 'table inet f { chain in { type filter hook input priority 0; policy drop; ct state established,related accept; tcp dport 22 accept; };
    chain pre { type filter hook prerouting priority raw; udp dport 3478 notrack; }; chain out { type filter hook output priority raw; udp sport 3478 notrack; }; }'
}
state_NAT5() {
  rule 'table inet f { chain in { type filter hook input priority 0; policy drop; iifname "lo" accept; tcp dport 22 accept; }; }'
}
state_NAT8() { lab_in "$ns" ip -6 address flush dev wan scope global; }
tune_state CT1 server warn
tune_state CT1.million server crit
tune_state NAT5 client warn
tune_state NAT5.notrack server warn
tune_state NAT8 client info

# ---- devices ----

state_DV6() { lab_in "$ns" tc qdisc add dev wan root pfifo_fast; }
tune_state DV6 router info

tune_finish
