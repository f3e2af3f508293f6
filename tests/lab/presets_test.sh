#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 300
#
# The networks that come with `thirl lab` are what their descriptions say: what `thirl nat` finds out in each (UDP and TCP, IPv4 and IPv6), what coturn's client
# and Debian's `stun` say where they can, and whether two hosts get a connection. The carrier's NAT in front of a home router is found to be two NATs;
# where no UDP passes there is none, and a TCP connection.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$(dirname "$0")/lib_nat_report.sh"
lab_start "$@"
. "$lab_dir/peers.sh"
thirl=$THIRL_BUILD_DIR/bin/thirl thirld=$THIRL_BUILD_DIR/bin/thirld
[ -x "$thirl" ] && [ -x "$thirld" ] || lab_die "there is no $thirl or $thirld: make build, or set THIRL_BUILD_DIR"
for tool in turnserver turnutils_natdiscovery stun; do
  command -v "$tool" >/dev/null || lab_skip "needs $tool (Debian: coturn, stun-client)"
done
# shellcheck disable=SC2154 # of topology.sh
export THIRL_LAB_DIR=$lab_work/labs
mkdir -p "$THIRL_LAB_DIR"
wrong=0

say() { # WHAT EXPECTED SEEN
  if [ "$2" = "$3" ]; then
    echo "ok    $1: $3"
  else
    echo "FAIL  $1: should be: $2"
    echo "      but is:    $3"
    wrong=$((wrong + 1))
  fi
}

# ---- one network ----

on() { # HOST COMMAND...
  local host=$1
  shift
  "$thirl" lab exec --name "$net" "$host" -- "$@"
}

# In the background; ends with the network. lab_pid.
lab_spawn() { # HOST COMMAND...
  local host=$1
  shift
  "$thirl" lab exec --name "$net" "$host" -- setpriv --pdeathsig TERM "$@" <&0 &
  lab_pid=$!
}

listens() { # PROTOCOL ADDRESS:PORT
  on server sh -c "ss -ln$1 2>/dev/null | grep -qF '$2 '"
}

start_thirld() { # PRIMARY ALTERNATE
  printf '[server]\nlisten-tcp = %s\nlisten-udp = %s\nalternate = %s\n' "$1" "$1" "$2" >"$lab_work/$net.conf"
  lab_spawn server "$thirld" -c "$lab_work/$net.conf" >"$lab_work/$net.thirld" 2>&1 </dev/null
  lab_wait 10 listens t "$2" || lab_die "thirld does not start: $(cat "$lab_work/$net.thirld")"
}

start_coturn() {
  lab_spawn server turnserver -n --no-auth --stun-only --no-cli --no-tls --no-dtls --log-file=stdout \
    --userdb="$lab_work/$net.turndb" --pidfile="$lab_work/$net.turnpid" -L 203.0.113.10 -L 203.0.113.11 >"$lab_work/$net.coturn" 2>&1
  lab_wait 10 listens u 203.0.113.11:3479 || lab_die "coturn does not start: $(tail -n 5 "$lab_work/$net.coturn")"
}

# ---- what is said ----

short() { # word of thirl nat
  case $1 in
    endpoint-independent) echo ei ;;
    address-dependent) echo ad ;;
    address-and-port-dependent) echo apd ;;
    *) echo "$1" ;;
  esac
}

# report FILE: "udp yes ei apd preserving no; tcp ...; double no": reachable mapping filtering model hairpin
report() {
  local protocol name
  for protocol in udp tcp; do
    printf '%s' "$protocol"
    for name in reachable mapping filtering model hairpin; do
      printf ' %s' "$(short "$(nat_report_get "$protocol" "$1" "$name")")"
    done
    printf '; '
  done
  printf 'double %s\n' "$(nat_report_field double_nat <"$1")"
}

# nat HOST SERVER OPTION...: nine networks at once may be too many for a busy machine: who does not know is asked again. Who says something else is not.
nat() {
  local host=$1 server=$2 said try
  shift 2
  for try in 1 2 3; do
    on "$host" "$thirl" nat --json --quiet --hairpin "$@" "$server" >"$lab_work/$net.json" 2>"$lab_work/$net.err.$try"
    said=$(report "$lab_work/$net.json")
    grep -Eq 'yes (unknown|[a-z]+ unknown)' <<<"$said" || break
  done
  echo "$said"
}

# What coturn's client says about mapping and filtering, and `stun` in its own words.
others() { # HOST LOCAL_ADDRESS
  on "$1" turnutils_natdiscovery -m -L "$2" -l 6000 203.0.113.10 2>&1 | sed -n 's/^NAT with \(.*\)!$/\1/p' | tail -n 1
  on "$1" turnutils_natdiscovery -f -L "$2" -l 6001 203.0.113.10 2>&1 | sed -n 's/^NAT with \(.*\)!$/\1/p' | tail -n 1
  on "$1" stun 203.0.113.10 2>/dev/null | sed -n 's/^Primary: //p' | sed 's/[ \t]*$//'
}

# ---- two programs ----

# connection HOST OTHER SERVER: what the path was in the end, and what came through
connection() {
  local pid_a pid_b path code
  echo "$net says hello" >"$lab_work/$net.greeting"
  mkfifo "$lab_work/$net.in.A" "$lab_work/$net.in.B"
  { lab_wait 20 peers_have_verdict "$net-A" "$net-B"; cat "$lab_work/$net.greeting"; } >"$lab_work/$net.in.A" &
  { lab_wait 20 peers_have_verdict "$net-A" "$net-B"; } >"$lab_work/$net.in.B" &
  : >"$(peers_log "$net-A")"
  : >"$(peers_log "$net-B")"
  peers_start "$net-A" "$1" listen --server "$3" <"$lab_work/$net.in.A" >"$lab_work/$net.out.A"
  pid_a=$lab_pid
  peers_start "$net-B" "$2" connect "$(peers_ticket "$net-A")" <"$lab_work/$net.in.B" >"$lab_work/$net.out.B"
  pid_b=$lab_pid
  peers_join "$pid_b" 30
  code=$?
  peers_join "$pid_a" 5
  path=$(peers_events "$net-B" path | tail -n 1)
  case $path in
    *'"direct":true'*) path=direct ;;
    *'"direct":false'*) path=relayed ;;
  esac
  echo "$path, exit $code, $(cat "$lab_work/$net.out.B")"
}

# ---- the networks: each writes what it sees to its own file, all at once ----

up() { "$thirl" lab up --name "$net" "$1" >"$lab_work/$net.up" 2>&1 || lab_die "$net does not come up: $(cat "$lab_work/$net.up")"; }

look_at() { # PRESET ADDRESS: the host a, over IPv4, with everybody's programs
  net=$1
  up "$1"
  start_thirld 203.0.113.10:4478 203.0.113.11:4479
  start_coturn
  nat a 203.0.113.10:4478
  others a "$2"
  connection a b 203.0.113.10:4478
}

look_at_ipv6() {
  net=ipv6
  up ipv6
  start_thirld '[2001:db8::10]:4478' '[2001:db8::11]:4479'
  nat a '[2001:db8::10]:4478' --ipv6
  connection a b '[2001:db8::10]:4478'
}

look_at_dualstack() {
  look_at dualstack 192.168.1.10
  start_thirld '[2001:db8::10]:4578' '[2001:db8::11]:4579'
  nat a '[2001:db8::10]:4578' --ipv6
}

look_at_hotel() {
  look_at hotel 10.20.3.7
  on a "$thirl" nat --json --quiet --udp --lifetime 70 203.0.113.10:4478 2>/dev/null | nat_report_field lifetime_s
}

# Only the ports of the web: the server is there, with both addresses.
look_at_corporate() {
  net=corporate
  up corporate
  start_thirld 203.0.113.10:443 203.0.113.11:80
  nat a 203.0.113.10:443
  nat_report_field reachable_why <"$lab_work/corporate.json"
  connection a b 203.0.113.10:443
}

# The same host behind a router that stops nothing but UDP.
look_at_udp_blocked() {
  net=udp-blocked
  "$thirl" lab presets home | sed 's/preset=restricted.*/preset=udp-blocked/' >"$lab_work/udp-blocked.lab"
  up "$lab_work/udp-blocked.lab"
  start_thirld 203.0.113.10:4478 203.0.113.11:4479
  nat a 203.0.113.10:4478
  connection a b 203.0.113.10:4478
}

end() {
  local status=$? name
  exec 2>/dev/null # bash would tell of each process on a host
  for name in home port-restricted symmetric cgnat hotel corporate ipv6 dualstack udp-blocked; do
    "$thirl" lab down --name "$name" >/dev/null
  done
  (exit "$status")
  lab_stop
}
trap end EXIT

lookers=()
look() { # NAME COMMAND...
  local name=$1
  shift
  (trap - EXIT; "$@") >"$lab_work/seen.$name" 2>"$lab_work/trouble.$name" &
  lookers+=($!)
}

look home look_at home 192.168.1.10
look port-restricted look_at port-restricted 192.168.1.10
look symmetric look_at symmetric 192.168.1.10
look cgnat look_at cgnat 192.168.1.10
look hotel look_at_hotel
look corporate look_at_corporate
look ipv6 look_at_ipv6
look dualstack look_at_dualstack
look udp-blocked look_at_udp_blocked
wait "${lookers[@]}"

# check NAME LINE EXPECTED: a line of what was seen
check() {
  local seen
  seen=$(sed -n "$2p" "$lab_work/seen.$1")
  say "$1" "$3" "$seen"
  [ "$seen" = "$3" ] || sed 's/^/      /' "$lab_work/trouble.$1"
}

ei='Endpoint Independent' ad='Address Dependent' apd='Address and Port Dependent'
check_all() { # NAME UDP_AND_TCP DOUBLE MAPPING FILTERING CLASSIC PATH
  check "$1" 1 "udp yes $2; tcp yes $2; double $3"
  check "$1" 2 "$4 Mapping"
  check "$1" 3 "$5 Filtering"
  check "$1" 4 "$6"
  check "$1" 5 "$7, exit 0, $1 says hello"
}

# Nobody can tell that there is no second NAT, only that there is one: unknown.
check_all home 'ei ad preserving yes' unknown "$ei" "$ad" \
  'Independent Mapping, Address Dependent Filter, preserves ports, will hairpin' direct
check_all port-restricted 'ei apd preserving no' unknown "$ei" "$apd" \
  'Independent Mapping, Port Dependent Filter, preserves ports, no hairpin' direct
check_all symmetric 'apd apd random unknown' unknown "$apd" "$apd" 'Dependent Mapping, random port, no hairpin' relayed
check_all cgnat 'ei apd block yes' yes "$ei" "$apd" \
  'Independent Mapping, Port Dependent Filter, random port, will hairpin' direct
check_all hotel 'apd apd random unknown' unknown "$apd" "$apd" 'Dependent Mapping, random port, no hairpin' relayed
lifetime=$(sed -n 6p "$lab_work/seen.hotel")
say "hotel: UDP is forgotten after about a minute" yes "$([ "${lifetime:-0}" -ge 57 ] && [ "$lifetime" -le 60 ] && echo yes || echo "no, $lifetime s")"
check_all dualstack 'ei apd preserving no' unknown "$ei" "$apd" \
  'Independent Mapping, Port Dependent Filter, preserves ports, no hairpin' direct
check dualstack 6 'udp yes none apd none yes; tcp yes none apd none yes; double no'
check ipv6 1 'udp yes none apd none yes; tcp yes none apd none yes; double no'
check ipv6 2 'direct, exit 0, ipv6 says hello'
check corporate 1 'udp no unknown unknown unknown unknown; tcp yes apd apd random unknown; double unknown'
check corporate 2 no-answer
check corporate 3 'relayed, exit 0, corporate says hello'
check udp-blocked 1 'udp no unknown unknown unknown unknown; tcp yes ei apd preserving no; double unknown'
check udp-blocked 2 'direct, exit 0, udp-blocked says hello'
[ "$wrong" -eq 0 ]
