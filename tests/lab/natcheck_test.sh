#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 180
#
# `thirl nat` finds the kernel NATs of the lab to be what they are called: mapping, filtering and allocation over UDP with coturn as server, whose own
# client judges the same NATs in nat_test.sh; over UDP and TCP with thirld.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
lab_start "$@"
thirl=$THIRL_BUILD_DIR/bin/thirl thirld=$THIRL_BUILD_DIR/bin/thirld
[ -x "$thirl" ] && [ -x "$thirld" ] || lab_die "there is no $thirl or $thirld: make build, or set THIRL_BUILD_DIR"
command -v turnserver >/dev/null || lab_skip "needs turnserver (Debian: coturn)"

ei=endpoint-independent ad=address-dependent apd=address-and-port-dependent
# side | NAT | mapping | filtering | allocation | how it answers a SYN from outside
table="A|fullcone|$ei|$ei|preserving|unknown
B|restricted|$ei|$ad|preserving|dropped
C|portrestricted|$ei|$apd|preserving|dropped
D|symmetric|$apd|$apd|random|dropped
E|eim eif random drop 1|$ei|$ei|random|unknown
F|eim apdf preserve rst 0|$ei|$apd|preserving|refused
G|adm eif random drop 0|$ad|$ei|random|unknown
H|adm adf preserve icmp 0|$ad|$ad|preserving|refused
I|adm apdf seq drop 0|$ad|$apd|sequential|dropped
J|apdm eif random drop 0|$apd|$ei|random|unknown
K|apdm adf seq drop 0|$apd|$ad|sequential|dropped
L|apdm apdf seq drop 0|$apd|$apd|sequential|dropped"

lab_server
while IFS='|' read -r side nat _; do
  lab_side "$side" "$nat"
done <<<"$table"
lab_join

lab_spawn server turnserver -n --no-auth --stun-only --no-cli --no-tls --no-dtls --log-file=stdout \
  --userdb="$lab_work/turndb" --pidfile="$lab_work/turn.pid" -L 203.0.113.10 -L 203.0.113.11 >"$lab_work/turn.log" 2>&1
lab_wait 10 lab_in server sh -c "ss -lun 2>/dev/null | grep -q 203.0.113.11:3479" ||
  { tail -n 20 "$lab_work/turn.log"; lab_die "coturn does not start"; }

cat >"$lab_work/thirld.conf" <<END
[server]
listen-tcp = 203.0.113.10:4478
listen-udp = 203.0.113.10:4478
alternate = 203.0.113.11:4479
END
lab_spawn server "$thirld" -c "$lab_work/thirld.conf" >"$lab_work/thirld.log" 2>&1
lab_wait 10 lab_in server sh -c "ss -ltn 2>/dev/null | grep -q 203.0.113.11:4479" ||
  { cat "$lab_work/thirld.log"; lab_die "thirld does not start"; }

# field NAME < JSON: its first value
field() { sed -n "s/.*[{,]\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }

# said FILE udp|tcp: mapping|filtering|allocation|unsolicited of a report
said() {
  local half name words=()
  if [ "$2" = udp ]; then
    half=$(sed -n 's/^{.*"udp":{\(.*\)},"tcp":{.*/,\1/p' "$1")
  else
    half=$(sed -n 's/^{.*},"tcp":{\(.*\)},"servers":.*/,\1/p' "$1")
  fi
  for name in mapping filtering model unsolicited_syn; do
    words+=("$(field "$name" <<<"$half")")
  done
  printf '%s|%s|%s|%s\n' "${words[@]}"
}

wrong=0
# compare NAME FILE PROTOCOL WANTED
compare() {
  local name=$1 seen
  seen=$(said "$2" "$3" 2>&1)
  if [ "$seen" = "$4" ]; then
    echo "ok    $name, $3: $seen"
  else
    echo "FAIL  $name, $3: should be $4"
    echo "      but is found to be $seen"
    wrong=$((wrong + 1))
  fi
}

# observe NAME OPTION...: one report per side, all at once, into $lab_work/NAME.SIDE
observe() {
  local name=$1 side observers=()
  shift
  while IFS='|' read -r side _; do
    lab_in "host$side" "$thirl" nat --json --quiet "$@" >"$lab_work/$name.$side" 2>&1 &
    observers+=($!)
  done <<<"$table"
  wait "${observers[@]}"
}

observe coturn --udp 203.0.113.10
while IFS='|' read -r side nat mapping filtering allocation unsolicited; do
  compare "$nat, coturn" "$lab_work/coturn.$side" udp "$mapping|$filtering|$allocation|"
done <<<"$table"

observe thirld 203.0.113.10:4478
while IFS='|' read -r side nat mapping filtering allocation unsolicited; do
  compare "$nat, thirld" "$lab_work/thirld.$side" udp "$mapping|$filtering|$allocation|"
  compare "$nat, thirld" "$lab_work/thirld.$side" tcp "$mapping|$filtering|$allocation|$unsolicited"
done <<<"$table"
[ "$wrong" -eq 0 ]
