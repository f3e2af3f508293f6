#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 120
#
# The iptables recipes for NAT types as they circulate (lab/netfilter/recipe.c), claimed against measured, with plain sockets at both ends. The table in
# docs/recipes.md is what this test has measured: it is made again, and must be the same. To update it:
#
#   THIRL_UPDATE=1 tests/lab/recipes_test.sh
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
page=$lab_dir/../docs/recipes.md
lab_start "$@"
for tool in iptables conntrack; do
  command -v "$tool" >/dev/null || lab_skip "needs $tool (Debian: iptables, conntrack)"
done
rules=$THIRL_BUILD_DIR/bin/natrules
port=5000 # THIRL_LAB_RECIPE_PORT
wrong=0

complain() {
  echo "FAIL  $*"
  wrong=$((wrong + 1))
}

probe() { # FROM_PORT WORD...
  "$THIRL_BUILD_DIR/bin/natprobe" "$lab_prefix-server" 203.0.113.10 203.0.113.11 "$@" 2>/dev/null
}

# What one measurement leaves behind must not be seen by the next.
forget() { # SIDE
  lab_in "nat$1" sh -c 'conntrack -F; for list in /proc/net/xt_recent/*; do [ ! -e "$list" ] || echo / >"$list"; done' >/dev/null 2>&1
}

# Prints "UNASKED MAPPING FILTERING ANSWER MAPPING FILTERING ANSWER OTHER EARLY": UDP, then TCP
measure() { # SIDE FROM_PORT
  local side=$1 from=$2 host=$lab_prefix-host$1 protocol mapping answer filtering other early='-'
  printf '%s' "$(probe "$from" unasked "${lab_address[nat$side]}" "$port" "$host")"
  for protocol in udp tcp; do
    forget "$side"
    read -r _ mapping answer < <(probe "$from" mapping "$protocol" "$port" "$host")
    forget "$side"
    read -r _ filtering < <(probe "$from" filtering "$protocol" "$port" "$host")
    printf ' %s %s %s' "$mapping" "$filtering" "${answer:-none}"
  done
  forget "$side"
  read -r _ other _ < <(probe "$from" mapping udp 5333 "$host")
  [ "$other" = failed ] || read -r _ early _ < <(probe "$from" early "$host")
  echo " $other $early"
}

type_of() { # MAPPING/FILTERING, in the words of RFC 3489
  case $1 in
    eim/eif) echo 'full cone' ;;
    eim/adf) echo 'restricted cone' ;;
    eim/apdf) echo 'port-restricted cone' ;;
    *) echo symmetric ;;
  esac
}

answer_of() { # UDP TCP
  case "$1 $2" in
    'drop drop') echo silence ;;
    'icmp rst') echo 'ICMP, RST' ;;
    *) echo "$1, $2" ;;
  esac
}

row() { # NAME CLAIMED REASON, and what measure prints
  local name=$1 claimed=$2 reason=$3 type others early
  shift 3
  type=$(type_of "$2/$3")
  [ "$type" = "$claimed" ] || type="**$type**"
  case $8 in failed) others='leave untranslated' ;; *) others=translated ;; esac
  case $9 in kept) early='keeps it' ;; moved) early='loses it' ;; *) early='' ;; esac
  case $1 in let-in) unasked=open ;; *) unasked=closed ;; esac
  echo "| \`$name\` | $claimed | $type | $2/$3 | $5/$6 | $unasked | $(answer_of "$4" "$7") | $others | $early | $reason |"
}

write_page() {
  cat <<'END'
# What circulating NAT recipes really do

People who want to test a program behind "all four types of NAT" copy iptables rules from each other. This page says what those rules make of a Linux
router. Every row was measured by `tests/lab/recipes_test.sh`, which makes this page again on each run and fails when it is not the same
(`THIRL_UPDATE=1 tests/lab/recipes_test.sh` writes it). None but the first keeps its promise, and the first is not a NAT.

*Measured* is the type in the words of RFC 3489, bold where it is not the claimed one; *UDP* and *TCP* are mapping and filtering in those of RFC 4787 (eim,
adm, apdm; eif, adf, apdf). *Unasked*: can anybody send to the port before the host has sent anything? *Strangers* get this answer from a port that nobody has.
*Other ports* of the inner host: only some recipes translate them. *Early*: does a host that sends to a peer whose packet has come first keep its outer port?

| recipe | claimed | measured | UDP | TCP | unasked | strangers get | other ports | early | why |
|---|---|---|---|---|---|---|---|---|---|
END
  cat "$lab_work"/rows.*
  cat <<'END'

In the lab: `nat home inet 203.0.113.1 lan 192.168.1.0/24 recipe=classic-sym`. What a NAT of these types should be is one word: `preset=fullcone`,
`preset=restricted`, `preset=portrestricted`, `preset=symmetric`, for any number of hosts and ports, UDP and TCP, natbox and netfilter.

## The rules

`$OUT` and `$EXT` are the router's outer interface and address, `$INT` the inner host's address, `$P` the port.
END
  local name claimed
  while IFS='|' read -r name _ claimed _; do
    printf '\n`%s` (%s)\n\n' "$name" "$claimed"
    "$rules" --lines "$name" | sed 's/^/    /'
  done <"$lab_work/recipes"
}

"$rules" --recipes >"$lab_work/recipes"
lab_server
sides=()
while IFS='|' read -r name _; do
  side=R${#sides[@]}
  sides+=("$side")
  lab_side "$side" mode=route
  "$rules" --recipe "$name" --outer wan --external "${lab_address[nat$side]}" --host "${lab_lan[$side]}.10" >"$lab_work/script.$side"
  lab_in "nat$side" sh "$lab_work/script.$side" >"$lab_work/iptables.log" 2>&1 ||
    lab_skip "the kernel or iptables cannot do $name: $(tail -n 1 "$lab_work/iptables.log")"
done <"$lab_work/recipes"
lab_join

measurers=()
for side in "${sides[@]}"; do
  measure "$side" $((20000 + 10 * ${#measurers[@]})) >"$lab_work/measured.$side" &
  measurers+=($!)
done
wait "${measurers[@]}"

number=0
while IFS='|' read -r name _ claimed expected reason; do
  side=${sides[$number]}
  read -ra seen <"$lab_work/measured.$side"
  row "$name" "$claimed" "$reason" "${seen[@]}" >"$lab_work/rows.$number"
  number=$((number + 1))
  if [ "${seen[1]}/${seen[2]} ${seen[4]}/${seen[5]}" = "$expected $expected" ]; then
    echo "ok    $name claims to be a $claimed, and is $expected"
  else
    complain "$name is said to be $expected, and is ${seen[*]}"
  fi
done <"$lab_work/recipes"

write_page >"$lab_work/page"
if [ -n "${THIRL_UPDATE:-}" ]; then
  cp "$lab_work/page" "$page"
  echo "      wrote $page"
elif cmp -s "$lab_work/page" "$page"; then
  echo "ok    docs/recipes.md says what was measured"
else
  complain "docs/recipes.md does not say what was measured (THIRL_UPDATE=1 $0 writes it):"
  diff "$page" "$lab_work/page" | head -n 40
fi
[ "$wrong" -eq 0 ]
