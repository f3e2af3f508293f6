#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 60
#
# The internet of the lab (bin/wan) delays, loses and forwards as it is told, and drops nothing on its own account.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
lab_start "$@"
probe=$THIRL_BUILD_DIR/bin/probe
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

# restart TERMS...: the same hosts, another internet
restart() {
  if [ -n "${lab_wan_pid:-}" ]; then
    kill "$lab_wan_pid"
    wait "$lab_wan_pid"
    mv "$lab_work/wan.log" "$lab_work/stats"
    rm -f "$lab_work/wan.stdin" "$lab_work/wan.ready"
  fi
  lab_join "$@"
}

# ping N MS: prints received, least, average, greatest, deviation (milliseconds)
ping() {
  lab_in hostA "$probe" ping 203.0.113.10 7 "$1" "$2" |
    sed -n 's|^[0-9]* sent, \([0-9]*\) back.* \([0-9.]*\)/\([0-9.]*\)/\([0-9.]*\)/\([0-9.]*\) ms$|\1 \2 \3 \4 \5|p'
}

# transfer MIB: bytes and Mbit/s from the host to the server
transfer() {
  lab_spawn server "$probe" sink 9 >"$lab_work/sink" 2>"$lab_work/sink.ready"
  lab_wait 5 grep -q ready "$lab_work/sink.ready" || lab_die "the sink does not start"
  lab_in hostA "$probe" send 203.0.113.10 9 "$1" || return 1
  wait "$lab_pid"
  sed -n 's|^\([0-9]*\) bytes in .* \([0-9]*\) Mbit/s$|\1 \2|p' "$lab_work/sink"
}

stat() { awk -v name="$1" -v way="$2" -v what="$3" '$2 == name && index($0, " " way) {
  for (i = 4; i < NF; i++) if ($(i + 1) ~ "^" what ",?$") print $i }' "$lab_work/stats"; }

lab_server
lab_side A fullcone

restart delay=25ms --stats
lab_spawn server "$probe" echo 7 2>"$lab_work/echo"
lab_wait 5 grep -q ready "$lab_work/echo" || lab_die "the echo does not start"
read -r back least average _ deviation < <(ping 100 10)
echo "      25 ms a cable: $back of 100 back, $least least, $average average, deviation $deviation ms"
# What a busy machine adds it adds to some: the least tells what the cables do.
check "100 ms there and back" "$back == 100 && $least >= 100 && $least < 101"
read -r bytes rate < <(transfer 16)
echo "      $bytes bytes, $rate Mbit/s"
check "16 MiB at 100 ms" "$bytes == 16777216"

restart delay=5ms jitter=10ms --seed 3
read -r back least average greatest _ < <(ping 300 2)
echo "      5 to 15 ms a cable: $back of 300 back, $least least, $average average, $greatest greatest"
check "jitter adds 0 to 10 ms to each of four cables" "$back == 300 && $least >= 20 && $least < 60 && $average > 35"

for name in natA server; do
  check "nothing dropped by itself, $name" "$(stat "$name" up dropped) + $(stat "$name" down dropped) + \
    $(stat "$name" not overrun) + $(stat "$name" not cut) + $(stat "$name" not unsendable) == 0"
done

restart loss=2% --seed 5
read -r back _ < <(ping 2000 1)
echo "      2 % a cable: $back of 2000 back"
check "8 % of the echoes are lost" "$back > 1780 && $back < 1900"
read -r bytes rate < <(transfer 8)
echo "      $bytes bytes, $rate Mbit/s"
check "8 MiB in spite of loss" "$bytes == 8388608"

restart queue=64M
read -r bytes rate < <(transfer 256)
echo "      nothing impaired: $bytes bytes, $rate Mbit/s"
check "256 MiB unimpaired, large packets whole" "$bytes == 268435456"

# It ends when its stdin does.
exec 7<>"$lab_work/wan.stdin"
kill "$lab_wan_pid"
wait "$lab_wan_pid"
check "ends with exit code 0 on SIGTERM" "$? == 0"
exec 7>&-
(sleep 0.2) | timeout 5 nsenter --net="/run/netns/$lab_prefix-wan" -- "$THIRL_BUILD_DIR/bin/wan" server:203.0.113.10 >"$lab_work/end"
check "ends when stdin does" "$? == 0"
check "was ready before" "$(grep -c ready "$lab_work/end") == 1"
[ "$wrong" -eq 0 ]
