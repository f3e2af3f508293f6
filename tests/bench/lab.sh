#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Called by lab.c, which explains it.   lab.sh [ROUNDS]
#
# shellcheck disable=SC2086
# Two networks of the same form: a client behind a NAT, and a server; once with bin/internet in the middle, once with a namespace that masquerades.
set -u
rounds=${1:-3}
. "$(cd "$(dirname "$0")/../.." && pwd)/lab/topology.sh"
lab_start "$@"
internet=$THIRL_BUILD_DIR/bin/internet
bench=${LAB_BENCH:-$THIRL_BUILD_DIR/tests/bench_lab}

host() { # NAME ADDRESS GATEWAY PEER-NAMESPACE INTERFACE-THERE
  lab_namespace "$1"
  ip link add name "$5" netns "$lab_prefix-$4" type veth peer name eth0 netns "$lab_prefix-$1"
  lab_in "$1" ip link set lo up
  lab_in "$1" ip address add "$2" dev eth0
  lab_in "$1" ip link set eth0 up
  lab_in "$1" ip route add default via "$3"
  lab_in "$4" ip link set dev "$5" up
}

lab_namespace engine
host inside 192.168.1.10/24 192.168.1.1 engine inside
host outside 203.0.113.10/24 203.0.113.254 engine outside
host busy 192.168.1.11/24 192.168.1.1 engine busy
host far 203.0.113.11/24 203.0.113.254 engine far
lab_namespace kernel
host kinside 192.168.1.10/24 192.168.1.1 kernel inside
host koutside 203.0.113.10/24 203.0.113.254 kernel outside
lab_in kernel ip address add 192.168.1.1/24 dev inside
lab_in kernel ip address add 203.0.113.1/24 dev outside
lab_in kernel sysctl -qw net.ipv4.ip_forward=1
lab_in kernel nft 'add table ip nat; add chain ip nat post { type nat hook postrouting priority srcnat; }; add rule ip nat post oifname outside masquerade'

start_internet() { # LINK-LINES
  [ -z "${internet_pid:-}" ] || { kill "$internet_pid"; wait "$internet_pid" 2>/dev/null; }
  printf '%s\n' "net inet 203.0.113.0/24" "nat home inet 203.0.113.1 lan 192.168.1.0/24 preset=portrestricted" \
    "host inside home 192.168.1.10" "host outside inet 203.0.113.10" "host busy home 192.168.1.11" "host far inet 203.0.113.11" "$@" >"$lab_work/lab"
  lab_spawn engine "$internet" --stats "$lab_work/lab" inside outside busy far </dev/null >"$lab_work/ready" 2>"$lab_work/stats"
  internet_pid=$lab_pid
  lab_wait 5 grep -q ready "$lab_work/ready" || lab_die "the internet does not start"
}

serve() { # HOST FORM PORT
  # shellcheck disable=SC2086
  lab_spawn "$1" ${4:-} "$bench" "$2" "$3" </dev/null >"$lab_work/$1-$2"
  lab_wait 5 grep -q ready "$lab_work/$1-$2" || lab_die "$2 does not start"
}

# The clocks at both ends run before the load that they share the machine with, where that is allowed: the network is measured, not they.
first=''
chrt -f 1 true 2>/dev/null && first='chrt -f 1'

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

start_internet
for name in outside far koutside; do
  serve "$name" sink 9
  serve "$name" echo 7 "$first"
done
lab_in inside "$bench" ping 203.0.113.10 7 5 >/dev/null
: >"$lab_work/k"
: >"$lab_work/e"
: >"$lab_work/r"
for ((i = 0; i < rounds; i++)); do
  k=$(lab_in kinside "$bench" send 203.0.113.10 9 1)
  e=$(lab_in inside "$bench" send 203.0.113.10 9 1)
  k2=$(lab_in kinside "$bench" send 203.0.113.10 9 1)
  echo "${k% *}" >>"$lab_work/k"
  echo "${k2% *}" >>"$lab_work/k"
  echo "${e% *}" >>"$lab_work/e"
  awk -v e="${e% *}" -v k="${k% *}" -v l="${k2% *}" 'BEGIN { print e / ((k + l) / 2) }' >>"$lab_work/r"
done
printf 'TCP through a NAT, one stream, medians of %d rounds in turn\n' "$rounds"
printf '  kernel MASQUERADE  %8.2f Gbit/s\n  engine             %8.2f Gbit/s\n  ratio              %8.2f   (wanted: 0.5)\n' \
  "$(median <"$lab_work/k")" "$(median <"$lab_work/e")" "$(median <"$lab_work/r")"

read -r _ _ km _ _ < <(lab_in kinside $first "$bench" ping 203.0.113.10 7 500)
read -r _ _ em _ _ < <(lab_in inside $first "$bench" ping 203.0.113.10 7 500)
printf 'datagrams there and back, median\n  kernel %d us, engine %d us: %d us more for two ways through   (wanted: 200)\n' "$km" "$em" $((em - km))

start_internet "link inside latency=10ms"
lab_in inside "$bench" ping 203.0.113.10 7 5 >/dev/null
read -r n least middle late worst < <(lab_in inside $first "$bench" ping 203.0.113.10 7 300)
printf 'a cable with 10 ms each way, idle: least %d, median %d, 95%% %d, worst %d us over the 20000, of %d\n' \
  $((least - 20000)) $((middle - 20000)) $((late - 20000)) $((worst - 20000)) "$n"
lab_spawn busy "$bench" send 203.0.113.11 9 6 </dev/null >"$lab_work/load"
read -r n least middle late worst < <(lab_in inside $first "$bench" ping 203.0.113.10 7 200)
printf 'the same while another stream fills the engine: least %d, median %d, 95%% %d, worst %d us, of %d   (wanted at 95%%: 1000 a way)\n' \
  $((least - 20000)) $((middle - 20000)) $((late - 20000)) $((worst - 20000)) "$n"
kill "$internet_pid"
wait "$internet_pid" 2>/dev/null
sed -n 's/^internet: left/the engine alone, over all its frames: left/p' "$lab_work/stats"
