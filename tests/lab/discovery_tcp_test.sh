#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 90
#
# thirld connects to a client that asks for it from its other address and port: what it says became of it is what the client's own listener sees,
# behind each of the nine NATs of RFC 4787, that drop, reset and reject. The server listens on every address, so this is also how it
# keeps its two addresses apart then; coturn's client sees the same over UDP.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
lab_start "$@"
thirld=$THIRL_BUILD_DIR/bin/thirld asker=$THIRL_BUILD_DIR/bin/asker
[ -x "$thirld" ] && [ -x "$asker" ] || lab_die "there is no $thirld or $asker: make build, or set THIRL_BUILD_DIR"

# side | NAT | filtering | what becomes of a connection that it does not let through
table="A|eim eif preserve drop 0|eif|-
B|eim adf random drop 0|adf|E_TIMEOUT
C|eim apdf preserve rst 0|apdf|E_REFUSED
D|adm eif random drop 0|eif|-
E|adm adf preserve icmp 0|adf|E_REFUSED
F|adm apdf seq drop 0|apdf|E_TIMEOUT
G|apdm eif random drop 0|eif|-
H|apdm adf seq rst 0|adf|E_REFUSED
I|apdm apdf random icmp 0|apdf|E_REFUSED
J|none|eif|-"

lab_server
while IFS='|' read -r side nat _; do
  lab_side "$side" "$nat"
done <<<"$table"
lab_join

printf '[server]\nprimary = 203.0.113.10\nalternate = 203.0.113.11\n' >"$lab_work/thirld.conf"
lab_spawn server "$thirld" -c "$lab_work/thirld.conf" 2>"$lab_work/thirld.log"
# The listeners on IPv6 may be missing.
lab_wait 10 grep -q 'UDP 0.0.0.0:3479' "$lab_work/thirld.log" || { cat "$lab_work/thirld.log"; lab_die "thirld does not start"; }

# From elsewhere, from the other address, from the other port; asked at the first and, to see that it goes both ways, at the second address.
askers=()
while IFS='|' read -r side _; do
  for flags in 6 4 2; do
    lab_in "host$side" "$asker" 203.0.113.10 3478 "500$flags" "$flags" >"$lab_work/$side.$flags" 2>&1 &
    askers+=($!)
  done
  lab_in "host$side" "$asker" 203.0.113.11 3479 5009 6 >"$lab_work/$side.back" 2>&1 &
  askers+=($!)
done <<<"$table"
wait "${askers[@]}"

wrong=0
# check SIDE FILE ALLOWED FROM REFUSAL: the line without how we are seen
check() {
  local seen expected="$5 -"
  seen=$(sed 's/^[0-9.:]* //' "$lab_work/$1.$2")
  [ "$3" = no ] || expected="OK $4"
  [ "$seen" = "$expected" ] && return
  echo "FAIL  $1, $2: should be '$expected', is '$seen'"
  wrong=$((wrong + 1))
}
while IFS='|' read -r side nat filtering refusal; do
  before=$wrong address=no port=no
  [ "$filtering" = eif ] && address=yes
  [ "$filtering" = apdf ] || port=yes
  check "$side" 6 "$address" 203.0.113.11:3479 "$refusal"
  check "$side" 4 "$address" 203.0.113.11:3478 "$refusal"
  check "$side" 2 "$port" 203.0.113.10:3479 "$refusal"
  check "$side" back "$address" 203.0.113.10:3478 "$refusal"
  [ "$wrong" -ne "$before" ] || echo "ok    $nat: the server and the listener say $filtering"
done <<<"$table"

if command -v turnutils_natdiscovery >/dev/null; then
  seen=$(lab_in hostB turnutils_natdiscovery -f -L "${lab_lan[B]}.10" -l 6000 203.0.113.10 2>&1 | sed -n 's/^NAT with \(.*\)!$/\1/p' | tail -n 1)
  if [ "$seen" = "Address Dependent Filtering" ]; then
    echo "ok    over UDP $seen"
  else
    echo "FAIL  over UDP coturn's client sees '$seen', not Address Dependent Filtering"
    wrong=$((wrong + 1))
  fi
fi
[ "$wrong" -eq 0 ]
