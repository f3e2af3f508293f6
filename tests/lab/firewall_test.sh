#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 120
#
# Firewalls that translate nothing, IPv6: coturn's RFC 5780 client sees no NAT, and the filter that the word says; with the kernel's rules and with
# natbox.
set -u
build=${THIRL_BUILD_DIR:-$(cd "$(dirname "$0")/../.." && pwd)/build/release}
work=$(mktemp -d /tmp/firewall.XXXXXX) || exit 1 # a short name: it becomes part of the path of a socket
export THIRL_LAB_DIR=$work/labs
mkdir "$work/labs"
trap '"$build/bin/thirl" lab down --name wall 2>/dev/null; rm -rf "$work"' EXIT
wrong=0
for tool in turnserver turnutils_natdiscovery; do
  command -v "$tool" >/dev/null || { echo "skipped: needs $tool (Debian: coturn)"; exit 77; }
done

lab() { "$build/bin/thirl" lab "$@"; }

wait_for() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}
listens() { lab exec --name wall server -- ss -lun | grep -q '2001:db8::11\]:3479'; }

cat >"$work/wall.lab" <<'END'
net inet 2001:db8::/64
host server inet 2001:db8::10 2001:db8::11
nat fw-eif inet 2001:db8::1 lan 2001:db8:a::/64 mode=firewall filter=eif
nat fw-adf inet 2001:db8::2 lan 2001:db8:b::/64 mode=firewall filter=adf
nat fw-apdf inet 2001:db8::3 lan 2001:db8:c::/64 mode=firewall filter=apdf
host eif fw-eif 2001:db8:a::10
host adf fw-adf 2001:db8:b::10
host apdf fw-apdf 2001:db8:c::10
END
declare -A in_words=([eif]='Endpoint Independent Filtering' [adf]='Address Dependent Filtering' [apdf]='Address and Port Dependent Filtering')
declare -A address=([eif]=2001:db8:a::10 [adf]=2001:db8:b::10 [apdf]=2001:db8:c::10)

for engine in netfilter natbox; do
  lab up --name wall --engine "$engine" "$work/wall.lab" >/dev/null 2>"$work/err" || { echo "skipped: $(cat "$work/err")"; exit 77; }
  lab exec --name wall server -- turnserver -n --no-auth --stun-only --no-cli --no-tls --no-dtls --log-file=stdout \
    --userdb="$work/turndb" --pidfile="$work/turn.pid" -L 2001:db8::10 -L 2001:db8::11 >"$work/turn.log" 2>&1 &
  wait_for 10 listens || { echo "FAIL  coturn does not start"; tail "$work/turn.log"; exit 1; }
  observers=()
  for filter in eif adf apdf; do
    lab exec --name wall "$filter" -- turnutils_natdiscovery -m -f -L "${address[$filter]}" -l 5000 2001:db8::10 >"$work/seen.$filter" 2>&1 &
    observers+=($!)
  done
  wait "${observers[@]}"
  for filter in eif adf apdf; do
    mapping=NAT
    grep -q 'No NAT! (Endpoint Independent Mapping)' "$work/seen.$filter" && mapping='no NAT'
    seen=$(sed -n 's/^NAT with \(.*Filtering\)!$/\1/p' "$work/seen.$filter" | tail -n 1)
    if [ "$mapping, $seen" = "no NAT, ${in_words[$filter]}" ]; then
      echo "ok    $engine, filter=$filter: no NAT, $seen"
    else
      echo "FAIL  $engine, filter=$filter: should be no NAT and ${in_words[$filter]}, is $mapping and $seen:"
      sed 's/^/      /' "$work/seen.$filter"
      wrong=$((wrong + 1))
    fi
  done
  lab down --name wall
done
[ "$wrong" -eq 0 ]
