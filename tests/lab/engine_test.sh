#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 120
#
# The engine between real kernels (bin/internet): what is asked for is what is measured by ping, nft, and sockets.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
lab_start "$@"
command -v ping >/dev/null || lab_skip "needs ping (Debian: iputils-ping)"
probe=$THIRL_BUILD_DIR/bin/probe
internet=$THIRL_BUILD_DIR/bin/internet
wrong=0

check() { # WHAT CONDITION...: an awk condition
  local what=$1
  shift
  if awk "BEGIN { exit !($*) }"; then
    echo "ok    $what"
  else
    echo "FAIL  $what: not $*"
    wrong=$((wrong + 1))
  fi
}

host() { # NAME ADDRESS/BITS GATEWAY [ADDRESS6/BITS GATEWAY6]
  lab_namespace "$1"
  ip link add name "$1" netns "$lab_prefix-net" type veth peer name eth0 netns "$lab_prefix-$1"
  lab_in net sysctl -qw "net.ipv6.conf.$1.disable_ipv6=1"
  lab_in net ip link set dev "$1" up
  lab_in "$1" ip link set lo up
  lab_in "$1" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.accept_ra=0 net.ipv6.conf.eth0.accept_dad=0
  lab_in "$1" ip address add "$2" dev eth0
  lab_in "$1" ip link set eth0 up
  lab_in "$1" ip route add default via "$3"
  [ $# -lt 5 ] || { lab_in "$1" ip address add "$4" dev eth0 nodad && lab_in "$1" ip -6 route add default via "$5"; }
}

# begin LINE...: the same hosts, these links and events beside them
begin() {
  end
  printf '%s\n' "seed 5" "net inet 203.0.113.0/24 2001:db8::/64" \
    "host server inet 203.0.113.10 2001:db8::10" \
    "nat home inet 203.0.113.1 2001:db8::1 lan 192.168.1.0/24 2001:db8:1::/64 preset=portrestricted alloc=preserve" \
    "host a home 192.168.1.10 2001:db8:1::10" "host b home 192.168.1.11" "$@" >"$lab_work/lab"
  mkfifo "$lab_work/words"
  exec 8<>"$lab_work/words"
  lab_spawn net "$internet" --stats --capture a "$lab_work/pcap" "$lab_work/lab" server a b <"$lab_work/words" >"$lab_work/said" 2>"$lab_work/stats"
  internet_pid=$lab_pid
  lab_wait 5 grep -q ready "$lab_work/said" || lab_die "the internet does not start: $(cat "$lab_work/stats")"
}

end() {
  [ -n "${internet_pid:-}" ] || return 0
  kill "$internet_pid"
  wait "$internet_pid"
  exec 8>&-
  rm -f "$lab_work/words"
  internet_pid=''
}

has_said_more_than() { [ "$(wc -l <"$lab_work/said")" -gt "$1" ]; }

# say LINE: an event, now
say() {
  local before
  before=$(wc -l <"$lab_work/said")
  echo "$1" >&8
  lab_wait 5 has_said_more_than "$before" || lab_die "no answer to $1"
  [ "$(tail -n 1 "$lab_work/said")" = "done" ] || lab_die "$1: $(tail -n 1 "$lab_work/said")"
}

# round_trips HOST ADDRESS N: received, least, average
round_trips() {
  lab_in "$1" ping -n -q -i 0.01 -c "$3" -W 2 "$2" |
    awk '/received/ { n = $4 } /^rtt/ { split($4, t, "/"); least = t[1]; average = t[2] } END { print n + 0, least + 0, average + 0 }'
}

# says HOST ARGUMENTS...: what ping is told instead of an answer
says() {
  local name=$1
  shift
  lab_in "$name" ping -n -c 1 -W 5 "$@" | sed -n 's/^From \([^ ]*\).* icmp_seq=1 /\1 /p'
}

# transfer FROM MIB: bytes and Mbit/s to the server
transfer() {
  lab_spawn server "$probe" sink 9 >"$lab_work/sink" 2>"$lab_work/sink.ready"
  local pid=$lab_pid
  lab_wait 5 grep -q ready "$lab_work/sink.ready" || lab_die "the sink does not start"
  lab_in "$1" "$probe" send 203.0.113.10 9 "$2" || return 1
  wait "$pid"
  sed -n 's|^\([0-9]*\) bytes in .* \([0-9]*\) Mbit/s$|\1 \2|p' "$lab_work/sink"
}

lab_namespace net
host server 203.0.113.10/24 203.0.113.254 2001:db8::10/64 2001:db8::ffff:ffff:ffff:fffe
host a 192.168.1.10/24 192.168.1.1 2001:db8:1::10/64 2001:db8:1::1
host b 192.168.1.11/24 192.168.1.1

begin
read -r n least _ < <(round_trips a 203.0.113.10 20)
check "ping through the NAT" "$n == 20 && $least < 5"
read -r n _ < <(round_trips b 203.0.113.10 5)
check "and from another host" "$n == 5"
read -r n _ < <(round_trips a 192.168.1.11 5)
check "neighbours" "$n == 5"
read -r n _ < <(round_trips a 192.168.1.1 5)
check "the NAT inside" "$n == 5"
read -r n _ < <(round_trips server 203.0.113.1 5)
check "the NAT outside" "$n == 5"
read -r n _ < <(round_trips a 2001:db8::10 5)
check "IPv6 out through the firewall" "$n == 5"
read -r n _ < <(lab_in server ping -n -q -i 0.2 -c 3 -W 1 2001:db8:1::10 | awk '/received/ { print $4 }')
check "not in" "$n == 0"
[ "$(says a -t 1 203.0.113.10)" = "192.168.1.1 Time to live exceeded" ]
check "the first hop is the NAT" "$? == 0"
[ "$(says a 203.0.113.77)" = "203.0.113.1 Destination Host Unreachable" ]
check "nobody there" "$? == 0"
[ "$(says a 8.8.8.8)" = "203.0.113.254 Destination Net Unreachable" ]
check "no way there" "$? == 0"

# The judge of addresses: nft in the server's namespace counts what comes from the NAT's address, and what does not.
lab_in server nft -f - <<'X'
table ip judge {
  counter right { }
  counter wrong { }
  chain in { type filter hook input priority 0; ip saddr 203.0.113.1 udp dport 7 udp sport 5000 counter name right; ip saddr 192.168.1.0/24 counter name wrong; }
}
X
lab_spawn server "$probe" echo 7 2>"$lab_work/echo"
lab_wait 5 grep -q ready "$lab_work/echo" || lab_die "the echo does not start"
back=$(lab_in a bash -c 'exec 3<>/dev/udp/203.0.113.10/7; printf hello >&3; timeout 2 head -c 5 <&3')
check "a datagram there and back" "\"$back\" == \"hello\""
read -r n lost < <(lab_in b "$probe" ping 203.0.113.10 7 300 1 | sed -n 's/^\([0-9]*\) sent, \([0-9]*\) back.*/\1 \2/p')
check "300 datagrams there and back" "$n == 300 && $lost == 300"
check "no inner address gets out" "$(lab_in server nft list counter ip judge wrong | sed -n 's/.*packets \([0-9]*\).*/\1/p') == 0"
read -r bytes rate < <(transfer a 256)
echo "      $bytes bytes, $rate Mbit/s"
check "256 MiB of TCP, large packets whole" "$bytes == 268435456"

begin "link a latency=10ms" "link server down latency=5ms"
read -r n least average < <(round_trips a 203.0.113.10 30)
echo "      10 ms each way and 5 ms: least $least, average $average ms"
check "25 ms there and back" "$n == 30 && $least >= 25 && $least < 26"
read -r bytes rate < <(transfer a 32)
check "32 MiB over it" "$bytes == 33554432"
say "link a latency=40ms"
read -r n least _ < <(round_trips a 203.0.113.10 5)
check "85 ms when told so" "$n == 5 && $least >= 85 && $least < 88"
say "link a down"
check "a cut cable" "$(lab_in a ping -n -q -i 0.2 -c 3 -W 1 203.0.113.10 | awk '/received/ { print $4 }') == 0"
say "link a up"
read -r n _ < <(round_trips a 203.0.113.10 3)
check "mended" "$n == 3"

begin "link home rate=50mbit loss=1% burst=2 reorder=1% duplicate=1% queue=200K"
read -r bytes rate < <(transfer a 8)
echo "      50 Mbit/s with losses, late and doubled packets: $rate Mbit/s"
check "8 MiB in spite of it, not faster than the link" "$bytes == 8388608 && $rate <= 50"

begin "link home mtu=1300"
lab_in a ip route flush cache
read -r bytes rate < <(transfer a 8)
check "TCP learns a smaller MTU" "$bytes == 8388608"
check "from the router that has it" "$(lab_in a ip route get 203.0.113.10 | grep -c 'mtu 1300') == 1"
end
check "no packet was dropped on the engine's own account" "$(awk '/received/ { n += $6 + $8 + $10 } END { print n + 0 }' "$lab_work/stats") == 0"
check "a capture, as pcap" "$(od -An -tx4 -N4 "$lab_work/pcap" | grep -c a1b2c3d4) == 1 && $(wc -c <"$lab_work/pcap") > 8388608"
[ "$wrong" -eq 0 ]
