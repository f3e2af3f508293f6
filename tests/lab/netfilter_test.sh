#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 300
#
# The kernel's NATs are what the lab calls them. The nine behaviours, with ports preserved (side P...) and random (side R...), as they are seen by programs of
# other people (UDP: coturn's RFC 5780 client, Debian's RFC 3489 client, against coturn), by `thirl nat` against thirld (UDP and TCP), and by plain
# sockets at both ends (UDP and TCP, also what no STUN client sees: two hosts on one port, the peer that is early, the end of a life time, all 81 pairs of holes punched).
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$(dirname "$0")/lib_nat_report.sh"
. "$(dirname "$0")/lib_stun_words.sh"
lab_start "$@"
for tool in turnserver turnutils_natdiscovery stun conntrack; do
  command -v "$tool" >/dev/null || lab_skip "needs $tool (Debian: coturn, stun-client, conntrack)"
done

behaviours='eim/eif eim/adf eim/apdf adm/eif adm/adf adm/apdf apdm/eif apdm/adf apdm/apdf'
declare -A words=() # of each side
wrong=0

say() { # WHAT EXPECTED SEEN
  if [ "$2" = "$3" ]; then
    echo "ok    $1: $3"
  else
    echo "FAIL  $1: should be $2, is $3"
    wrong=$((wrong + 1))
  fi
}

# sides LETTER WORDS...: one for each behaviour, P0 to P8
sides() {
  local letter=$1 number=0 behaviour
  shift
  for behaviour in $behaviours; do
    words[$letter$number]="map=${behaviour%/*} filter=${behaviour#*/} $*"
    lab_side "$letter$number" "${words[$letter$number]}"
    number=$((number + 1))
  done
}

hosts() { # LETTER: their namespaces
  local number
  for number in 0 1 2 3 4 5 6 7 8; do echo "$lab_prefix-host$1$number"; done
}

probe() { "$THIRL_BUILD_DIR/bin/natprobe" "$lab_prefix-server" 203.0.113.10 203.0.113.11 "$@"; }

# ---- what STUN clients say ----

start_observers() {
  local side
  lab_spawn server turnserver -n --no-auth --stun-only --no-cli --no-tls --no-dtls --log-file=stdout \
    --userdb="$lab_work/turndb" --pidfile="$lab_work/turn.pid" -L 203.0.113.10 -L 203.0.113.11 >"$lab_work/turn.log" 2>&1
  lab_wait 10 lab_in server sh -c "ss -lun 2>/dev/null | grep -q 203.0.113.11:3479" ||
    { tail -n 20 "$lab_work/turn.log"; lab_die "coturn does not start"; }
  for side in "${!words[@]}"; do
    stun_words_seen "${lab_lan[$side]}.10" lab_in "host$side" >"$lab_work/seen.$side" &
    observers+=($!)
  done
}

check_observers() {
  local letter number=0 behaviour mapping filtering ports seen_mapping seen_filtering seen_classic
  wait "${observers[@]}"
  for behaviour in $behaviours; do
    mapping=${behaviour%/*} filtering=${behaviour#*/}
    for letter in P R; do
      ports=preserves
      [ "$letter" = P ] || ports=random
      seen_mapping='' seen_filtering='' seen_classic=''
      { read -r seen_mapping; read -r seen_filtering; read -r seen_classic; } <"$lab_work/seen.$letter$number"
      say "${words[$letter$number]}: coturn" "$(stun_words_coturn "$mapping" "$filtering")" "$seen_mapping, $seen_filtering"
      say "${words[$letter$number]}: stun" "$(stun_words_classic "$mapping" "$filtering" "$ports")" "$seen_classic"
    done
    number=$((number + 1))
  done
}

# ---- what thirl nat says ----

report() { # SIDE
  lab_in "host$1" "$THIRL_BUILD_DIR/bin/thirl" nat --json --quiet 203.0.113.10:4478 >"$lab_work/report.$1" 2>&1
}

# In two halves, so that the machine keeps up.
make_reports() {
  local side reports letter
  lab_spawn server "$THIRL_BUILD_DIR/bin/thirld" --listen 203.0.113.10:4478 --alternate 203.0.113.11:4479 >"$lab_work/thirld.log" 2>&1
  lab_wait 10 grep -q 'listening on TCP 203.0.113.11:4479' "$lab_work/thirld.log" ||
    { cat "$lab_work/thirld.log"; lab_die "thirld does not start"; }
  for letter in P R; do
    reports=()
    for side in "${!words[@]}"; do
      [ "${side:0:1}" = "$letter" ] || continue
      report "$side" &
      reports+=($!)
    done
    wait "${reports[@]}"
  done
}

# On a busy machine an answer may be missing; a wrong one never is right the second time.
words_of() { # PROTOCOL SIDE
  local seen
  seen=$(nat_report_words "$1" "$lab_work/report.$2")
  case $seen in *unknown*) report "$2" && seen=$(nat_report_words "$1" "$lab_work/report.$2") ;; esac
  echo "$seen"
}

check_reports() {
  local letter number=0 behaviour protocol
  local -A model=([P]=preserving [R]=random)
  for behaviour in $behaviours; do
    for letter in P R; do
      for protocol in udp tcp; do
        say "${words[$letter$number]}: thirl nat, $protocol" "$(nat_report_long "$behaviour") ${model[$letter]}" "$(words_of "$protocol" "$letter$number")"
      done
    done
    number=$((number + 1))
  done
}

# ---- what plain sockets see ----

# For the first of three mappings: the inner port, or not.
ports_are() { # LETTER PORT
  if [ "$1" = P ]; then [ "$2" = 5000 ]; else [ "$2" != 5000 ]; fi
}

check_classes() { # udp|tcp
  local letter number behaviour mapping filtering answer first
  for letter in P R; do
    # shellcheck disable=SC2046
    probe 20000 classify "$1" $(hosts "$letter") >"$lab_work/classes" || { echo "FAIL  $1 could not be tried"; wrong=$((wrong + 1)); }
    number=0
    for behaviour in $behaviours; do
      read -r _ _ mapping filtering answer _ first _
      ports_are "$letter" "$first" || filtering+=", port $first"
      say "${words[$letter$number]}: plain $1" "$behaviour, silent" "$mapping/$filtering, ${answer/drop/silent}"
      number=$((number + 1))
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

check_matrix() { # udp|tcp PATIENCE
  local seen
  # shellcheck disable=SC2046
  seen=$(probe 21000 punch "$1" "$2" $(hosts P) -- $(hosts R) 2>"$lab_work/punch.log")
  if [ "$seen" = "$matrix" ]; then
    echo "ok    81 pairs punch holes with $1, $(tr -cd + <<<"$seen" | wc -c) of them reach each other; $(cat "$lab_work/punch.log")"
  else
    echo "FAIL  81 pairs punch holes with $1: $(cat "$lab_work/punch.log"); should be, and is:"
    paste <(echo "$matrix") <(echo "$seen")
    wrong=$((wrong + 1))
  fi
}

# A peer whose packet is there before ours does not take our port away. With a mapping for each destination the port is another one anyway, unless
# the flow that the early packet has begun is there already.
check_early() {
  local letter number behaviour expected answer
  for letter in P R; do
    number=0
    # shellcheck disable=SC2046
    probe 22000 early $(hosts "$letter") >"$lab_work/early"
    for behaviour in $behaviours; do
      read -r _ answer
      case $behaviour in
        */eif) expected='kept answered let-in' ;;
        eim/*) expected='kept answered kept-out' ;;
        *) expected='moved answered kept-out' ;;
      esac
      say "${words[$letter$number]}: the peer is early" "$expected" "$answer"
      number=$((number + 1))
    done <"$lab_work/early"
  done
}

check_twins() {
  local number=0 behaviour mapping
  for behaviour in $behaviours; do
    mapping=${behaviour%/*}
    say "${words[P$number]}: two hosts, one port" "$mapping $mapping apart 6" \
      "$(probe 23000 twins "$lab_prefix-hostP$number" "$lab_prefix-twinP$number" 2>&1)"
    number=$((number + 1))
  done
}

# Words beside the nine behaviours: host | words | plain UDP | plain TCP, as "mapping filtering answer hairpin port port port" | the peer is early.
# A sequence and a block are told by their ports; Linux keeps a port for every destination, as long as nobody else is there.
more="X0|preset=symmetric-seq|apdm apdf drop off 1024 1025 1026|apdm apdf drop - 1024 1025 1026|moved answered kept-out
X1|map=apdm alloc=block:512|apdm apdf drop off block block block|apdm apdf drop - block block block|moved answered kept-out
X2|alloc=preserve unsolicited=rst hairpin=external|eim apdf drop external 5000 5000 5000|eim apdf rst - 5000 5000 5000|kept answered kept-out
X3|map=apdm filter=eif unsolicited=icmp hairpin=external|apdm eif icmp external 5000 other other|apdm eif icmp - 5000 other other|kept answered let-in
X4|preset=linux|eim apdf drop off 5000 5000 5000|eim apdf drop - 5000 5000 5000|kept answered kept-out
X5|preset=linux-open|eim apdf icmp off 5000 5000 5000|eim apdf rst - 5000 5000 5000|moved answered kept-out"

# A port of the block of inner addresses that end in 10, which begins at 1024 + 10 * 512; another port than the inner one.
in_words_of() { # EXPECTED SEEN: what is seen, with words for ports that are drawn
  awk -v expected="$1" -v seen="$2" 'BEGIN {
    n = split(expected, e, " "); split(seen, s, " ")
    for (i = 1; i <= n; i++) {
      if (e[i] == "block" && s[i] >= 6144 && s[i] <= 6655) s[i] = "block"
      if (e[i] == "other" && s[i] != 5000) s[i] = "other"
      printf "%s%s", s[i], i < n ? " " : ""
    } }'
}

check_more() {
  local side words udp tcp early hosts=() what
  while IFS='|' read -r side _; do hosts+=("$lab_prefix-host$side"); done <<<"$more"
  for what in 'classify udp' 'classify tcp' early; do
    # shellcheck disable=SC2086
    probe 25000 $what "${hosts[@]}" >"$lab_work/more.${what##* }"
  done
  while IFS='|' read -r side words udp tcp early; do
    say "$words: plain udp" "$udp" "$(in_words_of "$udp" "$(more_of udp "$side" 3-)")"
    say "$words: plain tcp" "$tcp" "$(in_words_of "$tcp" "$(more_of tcp "$side" 3-)")"
    say "$words: the peer is early" "$early" "$(more_of early "$side" 2-)"
  done <<<"$more"
  # Linux gives a port to both, as long as they speak to others.
  say "preset=linux: two hosts, one port" "shared 6" "$(probe 25100 twins "$lab_prefix-hostX4" "$lab_prefix-twinX4" | cut -d' ' -f3-)"
}

more_of() { grep "host$2 " "$lab_work/more.$1" | cut -d' ' -f"$3"; }

# A firewall translates nothing and lets in whom its filter allows (IPv4; see firewall_test.sh for IPv6).
check_walls() {
  local side filter hosts=()
  for side in F0 F1 F2; do hosts+=("$lab_prefix-host$side"); done
  lab_nat F0 "mode=firewall filter=eif"
  lab_nat F1 "mode=firewall filter=adf unsolicited=icmp"
  lab_nat F2 "mode=firewall filter=apdf tcp.unsolicited=rst"
  probe 26000 classify udp "${hosts[@]}" >"$lab_work/more.wall-udp"
  probe 26000 classify tcp "${hosts[@]}" >"$lab_work/more.wall-tcp"
  for side in F0 F1 F2; do
    case $side in F0) filter=eif ;; F1) filter=adf ;; *) filter=apdf ;; esac
    say "firewall, filter=$filter: plain udp" "eim $filter 5000 5000 5000" "$(more_of wall-udp "$side" 3,4,7-)"
    say "firewall, filter=$filter: plain tcp" "eim $filter 5000 5000 5000" "$(more_of wall-tcp "$side" 3,4,7-)"
  done
}

# Life times of 1 s (no answer yet) and 3 s (answered), told apart by 0.35 s on either side. Other inner ports than before, so nothing lives on.
check_expiry() {
  local number=0 behaviour expected answer
  for behaviour in $behaviours; do
    lab_nat "R$number" "${words[R$number]} udp.timeout=1/3 tcp.timeout=2/3/2"
    number=$((number + 1))
  done
  number=0
  # shellcheck disable=SC2046
  probe 24000 expiry 1000 3000 $(hosts R) >"$lab_work/expiry"
  for behaviour in $behaviours; do
    read -r _ answer
    case $behaviour in
      eim/*) expected='+-+-+++-' ;;
      *) expected='+-+--++-' ;;
    esac
    say "${words[R$number]}: just before, just after the end" "$expected" "$answer"
    number=$((number + 1))
  done <"$lab_work/expiry"
}

# What leaves untranslated, counted where it would arrive.
guard() { # NAME
  lab_in "$1" nft -f - <<END
table ip guard {
  counter leaked { }
  chain in {
    type filter hook prerouting priority -400; policy accept;
    iifname "wan" ip saddr 192.168.0.0/16 ip saddr != { ${lab_lan[F0]}.0/24, ${lab_lan[F1]}.0/24, ${lab_lan[F2]}.0/24 } counter name leaked
  }
}
END
}

check_leaks() {
  local name leaked=0
  for name in "${lab_public[@]}"; do
    leaked=$((leaked + $(lab_in "$name" nft list counter ip guard leaked | sed -n 's/.*packets \([0-9]*\).*/\1/p')))
  done
  say "packets with a private source on the internet" 0 "$leaked"
}

# A connection that the NAT has forgotten and may not adopt: its packets must not go out as they are.
forget_a_connection() {
  lab_nat R8 "${words[R8]} pickup=off"
  mkfifo "$lab_work/go" || exit 1
  lab_spawn hostR8 bash -c 'exec 3<>/dev/tcp/203.0.113.10/3478 && echo ready && read -r && echo hello >&3 && sleep 0.3' \
    <>"$lab_work/go" >"$lab_work/forgotten"
  lab_wait 5 grep -q ready "$lab_work/forgotten" || lab_die "no connection to coturn"
  lab_in natR8 conntrack -F >/dev/null 2>&1
  echo >"$lab_work/go"
  wait "$lab_pid"
}

lab_server
sides P alloc=preserve
sides R alloc=random
while IFS='|' read -r side nat _; do
  lab_side "$side" "$nat"
done <<<"$more"
for side in F0 F1 F2; do
  lab_side "$side" none
done
lab_host X4 twinX4 "${lab_lan[X4]}.11"
for number in 0 1 2 3 4 5 6 7 8; do
  lab_host "P$number" "twinP$number" "${lab_lan[P$number]}.11"
done
lab_join delay=25ms
for name in "${lab_public[@]}"; do
  guard "$name"
done

observers=()
start_observers
check_classes udp
check_classes tcp
check_twins
check_early
check_more
check_walls
check_observers
make_reports
check_reports
check_matrix udp 2000
check_matrix tcp 4000
check_expiry
forget_a_connection
check_leaks
[ "$wrong" -eq 0 ]
