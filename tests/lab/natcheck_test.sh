#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 300
#
# `thirl nat` finds the kernel NATs of the lab to be what they are called: mapping, filtering and allocation over UDP with coturn as server, whose own
# client judges the same NATs in nat_test.sh; over UDP and TCP with thirld.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$(dirname "$0")/lib_nat_report.sh"
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
lab_side X portrestricted 100.64.0 # a provider's NAT; a home router behind it, and a host behind that
lab_side Y portrestricted          # lets no UDP out
lab_join

lab_namespace home
lab_cable hostX inner home lan
lab_in home sh -c 'ip address add 192.168.77.10/24 dev lan && ip route add default via 192.168.77.1' &&
  lab_in hostX sh -c 'ip address add 192.168.77.1/24 dev inner && echo 1 >/proc/sys/net/ipv4/ip_forward' &&
  "$THIRL_BUILD_DIR/bin/natrules" --outer lan --inner inner --external 100.64.0.10 preset=fullcone >"$lab_work/rules" &&
  lab_in hostX nft -f "$lab_work/rules" &&
  lab_in natY nft 'add table ip blocked; add chain ip blocked forward { type filter hook forward priority -10; }; \
    add rule ip blocked forward meta l4proto udp drop' || lab_die "cannot build the special sides"

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

# said FILE udp|tcp: mapping|filtering|allocation|unsolicited of a report
said() {
  local name words=()
  for name in mapping filtering model unsolicited_syn; do
    words+=("$(nat_report_get "$2" "$1" "$name")")
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
# has NAME FILE TEXT...: the report holds these
has() {
  local name=$1 file=$2 text
  shift 2
  for text in "$@"; do
    if ! grep -qF -- "$text" "$file"; then
      echo "FAIL  $name: no $text in $(cat "$file")"
      wrong=$((wrong + 1))
      return
    fi
  done
  echo "ok    $name: $*"
}

lab_in hostC "$thirl" nat --json --quiet --tcp 203.0.113.10 >"$lab_work/plain" 2>&1
compare "portrestricted, coturn" "$lab_work/plain" tcp "$ei|unknown|preserving|unknown"
has "coturn cannot test filtering over TCP" "$lab_work/plain" '"filtering_why":"not-offered"'

lab_in home "$thirl" nat --json --quiet 203.0.113.10:4478 >"$lab_work/double" 2>&1
compare "home router behind a provider's NAT" "$lab_work/double" udp "$ei|$apd|preserving|"
compare "home router behind a provider's NAT" "$lab_work/double" tcp "$ei|$apd|preserving|dropped"
has "two NATs" "$lab_work/double" '"double_nat":"yes"' '"double_nat_sign":"shared-hop"' '"hops":["192.168.77.1","100.64.0.1"]'

lab_in hostY "$thirl" nat --json --quiet 203.0.113.10:4478 >"$lab_work/blocked" 2>&1
echo "exit $?" >>"$lab_work/blocked"
compare "no UDP" "$lab_work/blocked" tcp "$ei|$apd|preserving|dropped"
has "no UDP" "$lab_work/blocked" '"udp":{"reachable":"no","reachable_why":"no-answer"' '"no-udp"' 'exit 0'

# A router that offers port mapping, by other people; it takes only public addresses for its own and is told one that it has not.
PATH=$PATH:/usr/sbin
if command -v miniupnpd >/dev/null; then
  printf '%s\n' ext_ifname=wan ext_ip=9.9.9.9 listening_ip=lan http_port=5000 enable_upnp=yes enable_natpmp=yes secure_mode=yes \
    "lease_file=$lab_work/leases" uuid=00000000-0000-0000-0000-000000000001 'allow 1024-65535 0.0.0.0/0 1024-65535' >"$lab_work/upnp.conf"
  lab_spawn natA miniupnpd -d -f "$lab_work/upnp.conf" -P "$lab_work/upnp.pid" >"$lab_work/upnp.log" 2>&1
  lab_wait 10 grep -q 'traffic on port 5351' "$lab_work/upnp.log" || { cat "$lab_work/upnp.log"; lab_die "miniupnpd does not start"; }
  lab_in hostA "$thirl" nat --json --quiet --udp 203.0.113.10:4478 >"$lab_work/upnp" 2>&1
  has "a router with port mapping" "$lab_work/upnp" '"pcp":"yes","natpmp":"yes","upnp":"yes","natpmp_address":"9.9.9.9","upnp_address":"9.9.9.9"' \
    '"double_nat":"yes","double_nat_sign":"router-address-differs"'
  [ ! -s "$lab_work/leases" ] || { echo "FAIL  a port was mapped: $(cat "$lab_work/leases")"; wrong=$((wrong + 1)); }
else
  echo "SKIP: no miniupnpd (Debian: miniupnpd-nftables), so no router with port mapping"
fi

# One address suffices to see whether a NAT looks at ports.
lab_spawn server "$thirld" --listen 203.0.113.10:5478 --listen 203.0.113.10:5479 >"$lab_work/small.log" 2>&1
lab_wait 10 lab_in server sh -c "ss -lun 2>/dev/null | grep -q 203.0.113.10:5479" || { cat "$lab_work/small.log"; lab_die "thirld does not start"; }
lab_in hostB "$thirl" nat --json --quiet --udp 203.0.113.10:5478 >"$lab_work/small.B" 2>&1
compare "restricted, one address" "$lab_work/small.B" udp "unknown|unknown|preserving|"
lab_in hostD "$thirl" nat --json --quiet --udp 203.0.113.10:5478 >"$lab_work/small.D" 2>&1
compare "symmetric, one address" "$lab_work/small.D" udp "$apd|$apd|random|"

# A NAT whose idle mappings live for 12 s.
lab_nat C "preset=portrestricted udp.timeout=12s"
lab_in hostC "$thirl" nat --json --quiet --udp --lifetime 60 203.0.113.10:4478 >"$lab_work/lifetime" 2>&1
has "lifetime" "$lab_work/lifetime" '"lifetime_s":9,"lifetime_below_s":15'
[ "$wrong" -eq 0 ]
