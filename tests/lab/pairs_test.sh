#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 180
#
# The 16 ordered pairs of the four classic NATs: a real thirld, `thirl listen` behind one, `thirl connect` behind the other, 1 MiB of random bytes each
# way at once, half of it before and half of it after the decision about the path. All connect; all but three get a direct connection: a symmetric NAT
# and a port-restricted or symmetric one at the other end stay relayed, and both sides say whose NAT it is.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$lab_dir/peers.sh"

nats='fullcone restricted portrestricted symmetric'
half=524288

# ---- one pair, in a process of its own: $0 --pair A B ----

# feed NAME OTHER: what NAME shall send
feed() {
  head -c "$half" "$lab_work/$1.data"
  lab_wait 15 peers_have_verdict A B
  tail -c "+$((half + 1))" "$lab_work/$1.data"
}

trouble() {
  echo "FAIL  $pair: $*"
  sed 's/^/      A: /' "$(peers_log A)"
  sed 's/^/      B: /' "$(peers_log B)"
  sed 's/^/      thirld: /' "$lab_work/thirld.log"
  exit 1
}

# number NAME TYPE KEY: of the last such event, 0 if it is not there
number() {
  local value
  value=$(peers_events "$1" "$2" | tail -n 1 | peers_field "$3")
  echo "${value:-0}"
}

run_pair() {
  local a=$1 b=$2 name pid_a pid_b expected=direct reason_a='' reason_b='' reason bytes
  pair="$a x $b"
  case "$pair" in
    'symmetric x symmetric') expected=relayed reason_a=E_NAT_BOTH reason_b=E_NAT_BOTH ;;
    'portrestricted x symmetric') expected=relayed reason_a=E_NAT_THEIRS reason_b=E_NAT_OURS ;;
    'symmetric x portrestricted') expected=relayed reason_a=E_NAT_OURS reason_b=E_NAT_THEIRS ;;
  esac
  lab_server
  lab_side A "$a"
  lab_side B "$b"
  lab_join delay=25ms
  peers_server
  for name in A B; do
    head -c $((2 * half)) /dev/urandom >"$lab_work/$name.data"
    : >"$(peers_log "$name")"
    mkfifo "$lab_work/$name.in"
    feed "$name" >"$lab_work/$name.in" &
  done
  peers_start A hostA listen --server 203.0.113.10 <"$lab_work/A.in" >"$lab_work/A.out"
  pid_a=$lab_pid
  peers_start B hostB connect "$(peers_ticket A)" <"$lab_work/B.in" >"$lab_work/B.out"
  pid_b=$lab_pid
  peers_join "$pid_b" 30 || trouble "connect ended with exit code $?"
  peers_join "$pid_a" 5 || trouble "listen ended with exit code $?"

  cmp "$lab_work/A.data" "$lab_work/B.out" || trouble "B got something else than A sent"
  cmp "$lab_work/B.data" "$lab_work/A.out" || trouble "A got something else than B sent"
  for name in A B; do
    [ "$name" = A ] && reason=$reason_a || reason=$reason_b
    case "$expected $(peers_verdict "$name")" in
      'direct direct')
        [ "$(number "$name" finished direct_bytes)" -gt 0 ] || trouble "$name moved nothing over the direct path"
        [ "$(peers_events "$name" path | grep -c .)" -eq 2 ] || trouble "$name changed paths more often than once"
        ;;
      "relayed relayed $reason") [ "$(number "$name" finished direct_bytes)" -eq 0 ] || trouble "$name moved bytes over a direct path" ;;
      *) trouble "$name should be $expected $reason, says '$(peers_verdict "$name")'" ;;
    esac
    bytes=$(($(number "$name" finished direct_bytes) + $(number "$name" finished relayed_bytes)))
    [ "$bytes" -eq $((4 * half)) ] || trouble "$name counts $bytes bytes, not $((4 * half)): each byte counts once"
  done
  printf 'ok    %-32s %s' "$pair:" "$(peers_verdict A)"
  [ "$expected" = direct ] || printf ' here, %s there' "$(peers_verdict B)"
  [ "$expected" = relayed ] || awk -v a="$(number A confirmed after_us)" -v b="$(number B confirmed after_us)" \
    'BEGIN { printf ", confirmed after %.2f and %.2f round trips", a / 1e5, b / 1e5 }'
  echo ", $(number A finished direct_bytes) bytes direct, $(number A finished relayed_bytes) relayed"
  exit 0
}

if [ "${1:-}" = --pair ]; then
  lab_start "$@"
  run_pair "$2" "$3"
fi

# ---- all of them, two at a time ----

running=() wrong=0
collect() {
  local pid=${running[0]%% *} log=${running[0]#* } status
  wait "$pid"
  status=$?
  running=("${running[@]:1}")
  cat "$log"
  rm -f "$log"
  [ "$status" -ne 77 ] || exit 77
  [ "$status" -eq 0 ] || wrong=$((wrong + 1))
}

for a in $nats; do
  for b in $nats; do
    log=$(mktemp "${TMPDIR:-/tmp}/thirl-pair.XXXXXX")
    bash "$0" --pair "$a" "$b" >"$log" 2>&1 &
    running+=("$! $log")
    [ ${#running[@]} -lt 2 ] || collect
  done
done
while [ ${#running[@]} -gt 0 ]; do
  collect
done
[ "$wrong" -eq 0 ]
