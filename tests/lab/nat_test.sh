#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 90
#
# The kernel NATs of the lab are what they are called: what coturn's RFC 5780 client and the STUN client of Debian (RFC 3489) find out about them over
# UDP, with coturn as server on two addresses. The four classic ones by both programs, the nine of RFC 4787 by coturn.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
lab_start "$@"
for tool in turnserver turnutils_natdiscovery stun; do
  command -v "$tool" >/dev/null || lab_skip "needs $tool (Debian: coturn, stun-client)"
done

ei='Endpoint Independent' ad='Address Dependent' apd='Address and Port Dependent'
# side | NAT | mapping | filtering | what `stun` says, or nothing
table="A|fullcone|$ei|$ei|Independent Mapping, Independent Filter, preserves ports, no hairpin
B|restricted|$ei|$ad|Independent Mapping, Address Dependent Filter, preserves ports, no hairpin
C|portrestricted|$ei|$apd|Independent Mapping, Port Dependent Filter, preserves ports, no hairpin
D|symmetric|$apd|$apd|Dependent Mapping, random port, no hairpin
E|eim eif random drop 1|$ei|$ei|Independent Mapping, Independent Filter, random port, will hairpin
F|eim apdf preserve rst 0|$ei|$apd|Independent Mapping, Port Dependent Filter, preserves ports, no hairpin
G|adm eif random drop 0|$ad|$ei|
H|adm adf preserve icmp 0|$ad|$ad|
I|adm apdf seq drop 0|$ad|$apd|
J|apdm eif random drop 0|$apd|$ei|
K|apdm adf seq drop 0|$apd|$ad|
L|apdm apdf seq drop 0|$apd|$apd|"

# verdict SIDE -m|-f PORT: what coturn's client says in its last words, without "NAT with" and "!"
verdict() {
  lab_in "host$1" turnutils_natdiscovery "$2" -L "${lab_lan[$1]}.10" -l "$3" 203.0.113.10 2>&1 |
    sed -n 's/^NAT with \(.*\)!$/\1/p' | tail -n 1
}

# observe SIDE: its three lines
observe() {
  verdict "$1" -m 5000
  verdict "$1" -f 5001
  lab_in "host$1" stun 203.0.113.10 2>/dev/null | sed -n 's/^Primary: //p' | sed 's/[ \t]*$//'
}

lab_server
while IFS='|' read -r side nat _; do
  lab_side "$side" "$nat"
done <<<"$table"
lab_join

lab_spawn server turnserver -n --no-auth --stun-only --no-cli --no-tls --no-dtls --log-file=stdout \
  --userdb="$lab_work/turndb" --pidfile="$lab_work/turn.pid" -L 203.0.113.10 -L 203.0.113.11 >"$lab_work/turn.log" 2>&1
lab_wait 10 lab_in server sh -c "ss -lun 2>/dev/null | grep -q 203.0.113.11:3479" ||
  { tail -n 20 "$lab_work/turn.log"; lab_die "coturn does not start"; }

observers=()
while IFS='|' read -r side _; do
  observe "$side" >"$lab_work/seen.$side" &
  observers+=($!)
done <<<"$table"
wait "${observers[@]}"

wrong=0
while IFS='|' read -r side nat mapping filtering classic; do
  { read -r seen_mapping; read -r seen_filtering; read -r seen_classic; } <"$lab_work/seen.$side"
  [ -n "$classic" ] || seen_classic=
  if [ "$seen_mapping|$seen_filtering|$seen_classic" = "$mapping Mapping|$filtering Filtering|$classic" ]; then
    echo "ok    $nat: $seen_mapping, $seen_filtering${classic:+; $classic}"
  else
    echo "FAIL  $nat: should be $mapping Mapping, $filtering Filtering${classic:+; $classic}"
    echo "      but is seen as $seen_mapping, $seen_filtering; $seen_classic"
    wrong=$((wrong + 1))
  fi
done <<<"$table"
[ "$wrong" -eq 0 ]
