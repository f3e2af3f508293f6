#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 400
#
# The NATs of the lab's own engine are what the lab calls them. The nine behaviours, with ports preserved (P...), in sequence (S...), random (R...) and in
# blocks (B...), between real kernels, as they are seen by programs of other people (UDP: coturn's RFC 5780 client, Debian's RFC 3489 client, against
# coturn), by `thirl nat` against thirld (UDP and TCP), and by plain sockets at both ends (UDP and TCP, also what no STUN client sees: two hosts on
# one port, the peer that is early, the end of a life time, all 81 pairs of holes punched).
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$(dirname "$0")/lib_nat_report.sh"
. "$(dirname "$0")/lib_stun_words.sh"
lab_start "$@"
for tool in turnserver turnutils_natdiscovery stun; do
  command -v "$tool" >/dev/null || lab_skip "needs $tool (Debian: coturn, stun-client)"
done
thirl=$THIRL_BUILD_DIR/bin/thirl thirld=$THIRL_BUILD_DIR/bin/thirld natprobe=$THIRL_BUILD_DIR/bin/natprobe
for tool in "$thirl" "$thirld" "$natprobe"; do
  [ -x "$tool" ] || lab_die "there is no $tool: make build, or set THIRL_BUILD_DIR"
done

behaviours='eim/eif eim/adf eim/apdf adm/eif adm/adf adm/apdf apdm/eif apdm/adf apdm/apdf'
letters='P S R B'
declare -A allocation=([P]=preserve [S]=seq:1 [R]=random [B]=block:1024) model=([P]=preserving [S]=sequential [R]=random [B]=block)
declare -A place=() # of each host: the path of its namespace
# shellcheck disable=SC2154 # of topology.sh
export THIRL_LAB_DIR=$lab_work/labs
wrong=0

say() { # WHAT EXPECTED SEEN
  if [ "$2" = "$3" ]; then
    echo "ok    $1: $3"
  else
    echo "FAIL  $1: should be $2, is $3"
    wrong=$((wrong + 1))
  fi
}

# ---- the network ----

# each COMMAND...: with LETTER NUMBER BEHAVIOUR of every NAT
each() {
  local letter number behaviour
  for letter in $letters; do
    number=0
    for behaviour in $behaviours; do
      "$@" "$letter" "$number" "$behaviour"
      number=$((number + 1))
    done
  done
}

sides=0
write_side() { # LETTER NUMBER BEHAVIOUR
  local name=${1,}$2 lan
  sides=$((sides + 1))
  lan=192.168.$sides
  echo "nat n$name inet 203.0.113.$((100 + sides)) lan $lan.0/24 map=${3%/*} filter=${3#*/} alloc=${allocation[$1]}"
  echo "host h$name n$name $lan.10"
  echo "host t$name n$name $lan.11"
  echo "link n$name latency=25ms"
}

write_network() {
  echo "seed 4"
  echo "net inet 203.0.113.0/24"
  echo "host server inet 203.0.113.10 203.0.113.11"
  echo "link server latency=25ms"
  each write_side
}

on() { # HOST COMMAND...
  local host=$1
  shift
  "$thirl" lab exec --name same "$host" -- "$@"
}

# Runs on a host in the background, lab_pid; ends with the lab.
spawn_on() {
  local host=$1
  shift
  "$thirl" lab exec --name same "$host" -- setpriv --pdeathsig KILL "$@" &
  lab_pid=$!
  lab_pids+=("$lab_pid")
}

ours=$(readlink /proc/self/ns/net)
is_inside() { # PID
  local now
  now=$(readlink "/proc/$1/ns/net" 2>/dev/null)
  [ -n "$now" ] && [ "$now" != "$ours" ]
}

# A process on the host holds its namespace for us.
find_place() { # HOST
  local host=$1
  spawn_on "$host" sleep 1000
  place[$host]=/proc/$lab_pid/ns/net
}

find_places() {
  local host
  find_place server
  for letter in $letters; do
    for number in 0 1 2 3 4 5 6 7 8; do
      find_place "h${letter,}$number"
      [ "$letter" != P ] || find_place "t${letter,}$number"
    done
  done
  for host in "${!place[@]}"; do
    lab_wait 20 is_inside "$(cut -d/ -f3 <<<"${place[$host]}")" || lab_die "no process gets to $host"
  done
}

hosts() { # LETTER: the places of its hosts
  local number
  for number in 0 1 2 3 4 5 6 7 8; do echo "${place[h${1,}$number]}"; done
}

probe() { "$natprobe" "${place[server]}" 203.0.113.10 203.0.113.11 "$@"; }

# ---- what STUN clients say ----

start_observer() { # LETTER NUMBER BEHAVIOUR
  stun_words_seen "$(on "h${1,}$2" hostname -I | cut -d' ' -f1)" on "h${1,}$2" >"$lab_work/seen.$1$2" &
  observers+=($!)
}

start_observers() {
  spawn_on server turnserver -n --no-auth --stun-only --no-cli --no-tls --no-dtls --log-file=stdout \
    --userdb="$lab_work/turndb" --pidfile="$lab_work/turn.pid" -L 203.0.113.10 -L 203.0.113.11 >"$lab_work/turn.log" 2>&1
  lab_wait 10 on server sh -c "ss -lun 2>/dev/null | grep -q 203.0.113.11:3479" ||
    { tail -n 20 "$lab_work/turn.log"; lab_die "coturn does not start"; }
  each start_observer
}

check_observer() { # LETTER NUMBER BEHAVIOUR
  local mapping=${3%/*} filtering=${3#*/} ports=random seen_mapping='' seen_filtering='' seen_classic=''
  { read -r seen_mapping; read -r seen_filtering; read -r seen_classic; } <"$lab_work/seen.$1$2"
  [ "$1" != P ] || ports=preserves
  say "$3 ${allocation[$1]}: coturn" "$(stun_words_coturn "$mapping" "$filtering")" "$seen_mapping, $seen_filtering"
  say "$3 ${allocation[$1]}: stun" "$(stun_words_classic "$mapping" "$filtering" "$ports")" "$seen_classic"
}

# ---- what thirl nat says ----

start_thirld() {
  cat >"$lab_work/thirld.conf" <<END
[server]
listen-tcp = 203.0.113.10:4478
listen-udp = 203.0.113.10:4478
alternate = 203.0.113.11:4479
END
  spawn_on server "$thirld" -c "$lab_work/thirld.conf" >"$lab_work/thirld.log" 2>&1
  lab_wait 10 on server sh -c "ss -ltn 2>/dev/null | grep -q 203.0.113.11:4479" ||
    { cat "$lab_work/thirld.log"; lab_die "thirld does not start"; }
}

report() { # LETTER NUMBER
  on "h${1,}$2" "$thirl" nat --json --quiet 203.0.113.10:4478 >"$lab_work/report.$1$2" 2>&1
}

start_report() { # LETTER NUMBER BEHAVIOUR
  report "$1" "$2" &
  observers+=($!)
}

check_report() { # LETTER NUMBER BEHAVIOUR
  local protocol words
  for protocol in udp tcp; do
    words=$(nat_report_words "$protocol" "$lab_work/report.$1$2")
    say "$3 ${allocation[$1]}: thirl nat, $protocol" "$(nat_report_long "$3") ${model[$1]}" "$words"
  done
}

# ---- what plain sockets see ----

# Three ports in a row: as the allocation says?
ports_are() { # LETTER MAPPING PORT PORT PORT
  case $1$2 in
    Peim) [ "$3" = 5000 ] ;;
    P*) [ "$3" = 5000 ] && [ "$5" != 5000 ] ;;
    S*) [ "$3" -ge 1024 ] && [ "$3" -lt 1100 ] ;;
    R*) [ "$3" != 5000 ] ;;
    B*) [ $((($3 - 1024) / 1024)) = $((($4 - 1024) / 1024)) ] && [ $((($3 - 1024) / 1024)) = $((($5 - 1024) / 1024)) ] ;;
  esac
}

check_classes() { # udp|tcp
  local letter number behaviour mapping filtering answer first second third
  for letter in $letters; do
    # shellcheck disable=SC2046
    probe 20000 classify "$1" $(hosts "$letter") >"$lab_work/classes" || { echo "FAIL  $1 could not be tried"; wrong=$((wrong + 1)); }
    for behaviour in $behaviours; do
      read -r _ _ mapping filtering answer _ first second third
      ports_are "$letter" "$mapping" "$first" "$second" "$third" || filtering+=", ports $first $second $third"
      say "$behaviour ${allocation[$letter]}: plain $1" "$behaviour, silent" "$mapping/$filtering, ${answer/drop/silent}"
    done <"$lab_work/classes"
  done
}

# punching.md 4.1: rows and columns in the order of $behaviours
matrix='+++++++++
+++++++++
++++..+..
+++++++++
++.+..+..
++.+..+..
+++++++++
++.+..+..
++.+..+..'

check_matrix() { # udp|tcp PATIENCE LETTER LETTER
  local seen
  # shellcheck disable=SC2046
  seen=$(probe 21000 punch "$1" "$2" $(hosts "$3") -- $(hosts "$4") 2>"$lab_work/punch.log")
  if [ "$seen" = "$matrix" ]; then
    echo "ok    81 pairs ($3, $4) punch holes with $1, $(tr -cd + <<<"$seen" | wc -c) of them reach each other; $(cat "$lab_work/punch.log")"
  else
    echo "FAIL  81 pairs ($3, $4) punch holes with $1: $(cat "$lab_work/punch.log"); should be, and is:"
    paste <(echo "$matrix") <(echo "$seen")
    wrong=$((wrong + 1))
  fi
}

# A peer whose packet is there before ours does not take our port away. With a mapping for each destination the port is another one anyway, unless
# the flow that the early packet has begun is there already.
check_early() {
  local letter behaviour expected answer
  for letter in P R; do
    # shellcheck disable=SC2046
    probe 22000 early $(hosts "$letter") >"$lab_work/early"
    for behaviour in $behaviours; do
      read -r _ answer
      case $behaviour in
        */eif) expected='kept answered let-in' ;;
        eim/*) expected='kept answered kept-out' ;;
        *) expected='moved answered kept-out' ;;
      esac
      say "$behaviour ${allocation[$letter]}: the peer is early" "$expected" "$answer"
    done <"$lab_work/early"
  done
}

check_twins() {
  local number=0 behaviour mapping
  for behaviour in $behaviours; do
    mapping=${behaviour%/*}
    say "$behaviour preserve: two hosts, one port" "$mapping $mapping apart 6" \
      "$(probe 23000 twins "${place[hp$number]}" "${place[tp$number]}" 2>&1)"
    number=$((number + 1))
  done
}

# Life times of 1 s (no answer yet) and 3 s (answered), told apart by 0.35 s on either side.
check_expiry() {
  local number=0 behaviour expected answer
  for behaviour in $behaviours; do
    "$thirl" lab set --name same "nat nr$number udp.timeout=1/3 tcp.timeout=2/3/2" || lab_die "thirl lab set does not work"
    number=$((number + 1))
  done
  # shellcheck disable=SC2046
  probe 24000 expiry 1000 3000 $(hosts R) >"$lab_work/expiry"
  for behaviour in $behaviours; do
    read -r _ answer
    case $behaviour in
      eim/*) expected='+-+-+++-' ;;
      *) expected='+-+--++-' ;;
    esac
    say "$behaviour random: just before, just after the end" "$expected" "$answer"
  done <"$lab_work/expiry"
}

end() {
  local status=$?
  exec 2>/dev/null # bash would tell of each process on a host
  "$thirl" lab down --name same >/dev/null
  (exit "$status")
  lab_stop
}

mkdir -p "$THIRL_LAB_DIR"
write_network >"$lab_work/same.lab"
"$thirl" lab up --name same "$lab_work/same.lab" || lab_die "the network does not come up"
trap end EXIT
find_places

observers=()
start_observers
start_thirld
check_classes udp
check_classes tcp
check_twins
check_early
wait "${observers[@]}"
each check_observer
observers=()
each start_report
wait "${observers[@]}"
each check_report
check_matrix udp 2000 P R
check_matrix tcp 4000 P R
check_matrix udp 2000 S B
check_matrix tcp 4000 S B
check_expiry
[ "$wrong" -eq 0 ]
