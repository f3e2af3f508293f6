#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 180
#
# thirld as the server of NAT discovery: behind each of the nine NATs of RFC 4787, coturn's RFC 5780 client and Debian's RFC 3489 client find the same
# with thirld on two addresses as with coturn on the same two, and both find what the NAT is. UDP; the kernel is the NAT.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
lab_start "$@"
for tool in turnserver turnutils_natdiscovery stun; do
  command -v "$tool" >/dev/null || lab_skip "needs $tool (Debian: coturn, stun-client)"
done
thirld=$THIRL_BUILD_DIR/bin/thirld
[ -x "$thirld" ] || lab_die "there is no $thirld: make build, or set THIRL_BUILD_DIR"

ei='Endpoint Independent' ad='Address Dependent' apd='Address and Port Dependent'
# side | NAT | mapping | filtering; every way of choosing a port and of refusing occurs
table="A|eim eif preserve drop 0|$ei|$ei
B|eim adf random drop 0|$ei|$ad
C|eim apdf preserve rst 0|$ei|$apd
D|adm eif random drop 0|$ad|$ei
E|adm adf preserve icmp 0|$ad|$ad
F|adm apdf seq drop 0|$ad|$apd
G|apdm eif random drop 0|$apd|$ei
H|apdm adf seq drop 0|$apd|$ad
I|apdm apdf random drop 0|$apd|$apd
J|none||"

# verdict SIDE -m|-f PORT [-P]: what coturn's client says in its last words
verdict() {
  local side=$1 question=$2 port=$3
  shift 3
  lab_in "host$side" turnutils_natdiscovery "$question" "$@" -L "${lab_lan[$side]}.10" -l "$port" 203.0.113.10 2>&1 |
    sed -n 's/^\(NAT with .*\|No NAT.*\)!.*$/\1/p' | tail -n 1
}

# lives SIDE PORT: how many answers it has, one of them by RESPONSE-PORT to a mapping of a second ago
lives() {
  lab_in "host$1" turnutils_natdiscovery -t -T 1 -L "${lab_lan[$1]}.10" -l "$2" 203.0.113.10 2>&1 | grep -c 'UDP reflexive addr'
}

# observe SIDE PORT: mapping and filtering by one client, also in fragments (PADDING), and the lifetime; all that the other says
observe() {
  verdict "$1" -m "$2"
  verdict "$1" -f "$(($2 + 1))"
  verdict "$1" -f "$(($2 + 2))" -P
  lives "$1" "$(($2 + 3))"
  lab_in "host$1" stun 203.0.113.10 2>/dev/null | sed -n 's/^Primary: //p' | sed 's/[ \t]*$//'
}

# observe_all NAME PORT: by every host at once, into files
observe_all() {
  local side observers=()
  while IFS='|' read -r side _; do
    observe "$side" "$2" >"$lab_work/$1.$side" &
    observers+=($!)
  done <<<"$table"
  wait "${observers[@]}"
}

listens() { lab_in server sh -c "ss -lun 2>/dev/null | grep -q 203.0.113.11:3479"; }
is_quiet() { ! listens; }

lab_server
while IFS='|' read -r side nat _; do
  lab_side "$side" "$nat"
done <<<"$table"
lab_join

lab_spawn server turnserver -n --no-auth --stun-only --no-cli --no-tls --no-dtls --log-file=stdout \
  --userdb="$lab_work/turndb" --pidfile="$lab_work/turn.pid" -L 203.0.113.10 -L 203.0.113.11 >"$lab_work/turn.log" 2>&1
lab_wait 10 listens || { tail -n 20 "$lab_work/turn.log"; lab_die "coturn does not start"; }
observe_all coturn 5000
kill -TERM "$lab_pid"
lab_wait 10 is_quiet || lab_die "coturn does not end"

lab_spawn server "$thirld" --listen 203.0.113.10 --alternate 203.0.113.11 2>"$lab_work/thirld.log"
lab_wait 10 listens || { cat "$lab_work/thirld.log"; lab_die "thirld does not start"; }
observe_all thirld 6000

wrong=0
while IFS='|' read -r side nat mapping filtering; do
  { read -r seen_mapping; read -r seen_filtering; read -r seen_padded; read -r answers; read -r seen_classic; } <"$lab_work/thirld.$side"
  seen="$seen_mapping; $seen_filtering; $seen_classic"
  [ "$seen_padded" = "$seen_filtering" ] || seen_filtering="$seen_filtering, in fragments $seen_padded"
  [ "$answers" = 2 ] || seen_filtering="$seen_filtering, RESPONSE-PORT is not heard"
  expected="NAT with $mapping Mapping; NAT with $filtering Filtering"
  # Where there is none: coturn's client says both, and has "no NAT" for the first and the usual words for the second question.
  [ "$nat" != none ] || expected="NAT with $ei Mapping; NAT with $ei Filtering"
  if [ "$seen_mapping; $seen_filtering" = "$expected" ] && [ -n "$seen_classic" ] &&
    cmp -s "$lab_work/coturn.$side" "$lab_work/thirld.$side"; then
    echo "ok    $nat: $seen"
  else
    echo "FAIL  $nat: should be $expected"
    echo "      with thirld it is $seen"
    echo "      with coturn it is $(tr '\n' ';' <"$lab_work/coturn.$side")"
    wrong=$((wrong + 1))
  fi
done <<<"$table"

# ---- IPv6, without a NAT; four listeners that are a pair without being called one ----

six() {
  lab_namespace six
  lab_in six sh -c '
    set -e
    for name in all lo; do echo 0 >/proc/sys/net/ipv6/conf/$name/disable_ipv6; done
    for host in 10 11 20; do ip address add 2001:db8::$host/64 dev lo nodad; done' 2>/dev/null || return 1
  {
    echo '[server]'
    for at in 10]:3478 10]:3479 11]:3478 11]:3479; do echo "listen-udp = [2001:db8::$at"; done
  } >"$lab_work/six.conf"
  lab_spawn six "$thirld" -c "$lab_work/six.conf" 2>"$lab_work/six.log"
  lab_wait 10 grep -q 'NAT discovery with \[2001:db8::10\]:3478 and \[2001:db8::11\]:3479 over UDP' "$lab_work/six.log" ||
    { cat "$lab_work/six.log"; lab_die "thirld does not start on IPv6"; }
  lab_in six turnutils_natdiscovery -m -f -L 2001:db8::20 -l 5000 2001:db8::10 2>&1 |
    sed -n 's/^NAT with \(.*\)!$/\1/p; s/^.*Response origin: : \(2001.*\)/from \1/p' >"$lab_work/six"
}

if six; then
  # coturn's client says the origin of its first answer twice, and no origin where there is no OTHER-ADDRESS: at the second address.
  seen=$(uniq "$lab_work/six" | tr '\n' ';')
  expected="from 2001:db8::10:3478;$ei Mapping;from 2001:db8::10:3478;from 2001:db8::11:3479;$ei Filtering;"
  if [ "$seen" = "$expected" ]; then
    echo "ok    IPv6: $ei Mapping, $ei Filtering, each answer from where it was wanted"
  else
    echo "FAIL  IPv6: should be $expected"
    echo "      but is $seen"
    wrong=$((wrong + 1))
  fi
else
  echo "      IPv6 is not tried: the machine has none"
fi
[ "$wrong" -eq 0 ]
