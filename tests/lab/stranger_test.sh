#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 90
#
# Both LANs are 192.168.1.0/24, and in the LAN of host B a stranger has the very private address that host A offers, with every port open. Whether he
# is silent, talks, or gives back what he hears: the session comes up by another way and he gets connectivity checks (STUN) and not one byte more. When
# he says something that the peer would not have said, an event tells of a stranger.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$lab_dir/peers.sh"
lab_start "$@"

bytes=$((1 << 20))

trouble() {
  echo "FAIL  a stranger who $manner: $*"
  sed 's/^/      A: /' "$(peers_log A)"
  sed 's/^/      B: /' "$(peers_log B)"
  cut -c1-200 "$lab_work/heard" | sed 's/^/      stranger: /'
  exit 1
}

# What is not a whole STUN message with the cookie: of TCP in frames of RFC 4571, of UDP bare.
not_stun() {
  awk '
    function number(hex,   i, v) { v = 0; for (i = 1; i <= length(hex); i++) v = v * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1; return v }
    function is_stun(hex) { return length(hex) >= 40 && substr(hex, 9, 8) == "2112a442" && length(hex) == 2 * (20 + number(substr(hex, 5, 4))) }
    { rest = $3 }
    $1 == "udp" { if (!is_stun(rest)) print; next }
    { while (rest != "") {
        size = 2 * number(substr(rest, 1, 4))
        if (!is_stun(substr(rest, 5, size))) { print; break }
        rest = substr(rest, 5 + size)
      } }' "$lab_work/heard"
}

# meet WORDS: a session past a stranger who answers with them
meet() {
  local pid_a pid_b pid_stranger
  lab_spawn stranger "$THIRL_BUILD_DIR/bin/probe" stranger 9 "$1" >"$lab_work/heard" 2>"$lab_work/stranger.log"
  pid_stranger=$lab_pid
  lab_wait 5 grep -q ready "$lab_work/stranger.log" || lab_die "the stranger does not start: $(cat "$lab_work/stranger.log")"
  : >"$(peers_log A)"
  : >"$(peers_log B)"
  peers_start A hostA listen --server 203.0.113.10 </dev/null >"$lab_work/out"
  pid_a=$lab_pid
  { head -c $((bytes / 2)) "$lab_work/data"; sleep 3; tail -c "+$((bytes / 2 + 1))" "$lab_work/data"; } >"$lab_work/in" &
  peers_start B hostB connect "$(peers_ticket A)" <"$lab_work/in" >"$lab_work/back"
  pid_b=$lab_pid
  peers_join "$pid_b" 30 || trouble "connect ended with exit code $?"
  peers_join "$pid_a" 5 || trouble "listen ended with exit code $?"
  kill "$pid_stranger"
  wait "$pid_stranger" 2>/dev/null

  cmp "$lab_work/data" "$lab_work/out" || trouble "A got something else than B sent"
  [ "$(peers_verdict A) $(peers_verdict B)" = 'direct direct' ] || trouble "not direct through the NATs, but $(peers_verdict A) and $(peers_verdict B)"
  [ "$(peers_events B path | tail -n 1 | peers_field address | cut -d: -f1)" = 203.0.113.1 ] || trouble "the direct path is not the NAT's"
  [ -s "$lab_work/heard" ] || trouble "nobody came to him: nothing is shown"
  [ -z "$(not_stun)" ] || trouble "he got more than STUN: $(not_stun | cut -c1-100)"
  echo "ok    a stranger who $manner: $(grep -c guest "$lab_work/stranger.log") connections, $(grep -c . "$lab_work/heard") pieces of STUN," \
    "$(peers_events B stranger | grep -c .) events"
}

tells() {
  [ "$(peers_events B stranger | peers_field address | cut -d: -f1 | sort -u)" = 192.168.1.10 ] ||
    trouble "no event tells of him"
}

lab_server
lab_side A portrestricted 192.168.1
lab_side B restricted 192.168.1 20
lab_host B stranger 192.168.1.10
lab_in stranger nft -f - <<'END' || lab_die "cannot open every port of the stranger"
table ip stranger {
  chain in {
    type nat hook prerouting priority dstnat; policy accept;
    meta l4proto { tcp, udp } redirect to :9
  }
}
END
lab_join delay=25ms
peers_server
head -c "$bytes" /dev/urandom >"$lab_work/data"
mkfifo "$lab_work/in"

manner='is silent'
meet ''
manner='talks HTTP'
meet $'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'
tells
manner='gives back what he hears'
meet '='
tells
