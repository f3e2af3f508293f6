#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 240
#
# `thirl lab matrix`: the 16 pairs of the four classic NATs with thirl itself are what the table says (13 direct, 3 relayed); a run that is broken off goes
# on where it was, and leaves nothing behind; other programs are tried, too, and say what happened in three ways; bad words are told in one sentence.
set -u
build=${THIRL_BUILD_DIR:-$(cd "$(dirname "$0")/../.." && pwd)/build/release}
thirl=$build/bin/thirl
work=$(mktemp -d "${TMPDIR:-/tmp}/thirl-matrix-test.XXXXXX") || exit 1
export THIRL_LAB_DIR=$work/labs TMPDIR=$work/tmp
mkdir "$work/labs" "$work/tmp"
trap 'rm -rf "$work"' EXIT
wrong=0

check() { # WHAT COMMAND...
  local what=$1
  shift
  if "$@"; then
    echo "ok    $what"
  else
    echo "FAIL  $what"
    sed 's/^/      /' "$work/err" | tail -n 5
    wrong=$((wrong + 1))
  fi
}

matrix() { "$thirl" lab matrix "$@" >"$work/out" 2>"$work/err"; }

matrix --nats fullcone --jobs 1 --left true --right true
status=$?
if [ "$status" -ne 0 ]; then
  # No privileges, no kernel for it: the same sentence as lab up has.
  echo "skipped: $(tail -n 1 "$work/err")"
  exit 77
fi

# ---- thirl itself, broken off and gone on with ----

count() { cat "$1" 2>/dev/null | grep -c '"path"'; }
has_some() { [ "$(count "$work/results")" -ge 3 ]; }
wait_for() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}
is_empty() { [ -z "$(ls -A "$1")" ]; }
no_lab() { [ -z "$("$thirl" lab list)" ] && is_empty "$work/labs"; }

"$thirl" lab matrix --results "$work/results" >"$work/out" 2>"$work/err" &
pid=$!
check "three pairs in 60 s" wait_for 60 has_some
kill -TERM "$pid"
wait "$pid"
check "ends by the signal" [ $? -eq 143 ]
check "leaves no lab behind" wait_for 10 no_lab
check "leaves no file behind" is_empty "$work/tmp"
before=$(count "$work/results")
matrix --results "$work/results" --json "$work/json" --html "$work/page.html"
check "goes on, and comes to its end" [ $? -eq 0 ]
check "tries nothing twice ($before before, $(count "$work/results") in all)" [ "$(count "$work/results")" -eq 16 ]
check "says how much is left" grep -q '^1 of '"$((16 - before))"', .* left; ' "$work/err"

direct_or_relayed() { # the table, without times
  sed -n '2,5p' "$work/out" | sed 's/ [0-9][0-9]* / /g; s/  */ /g; s/ *$//'
}
expected='fullcone TCP TCP TCP TCP
restricted TCP TCP TCP TCP
portrestricted TCP TCP TCP relay
symmetric TCP TCP relay relay'
if [ "$(direct_or_relayed)" = "$expected" ]; then
  echo "ok    16 pairs: $(tail -n 1 "$work/out")"
else
  echo "FAIL  16 pairs: should be, and is"
  paste <(echo "$expected") <(direct_or_relayed)
  wrong=$((wrong + 1))
fi
check "the report counts them" grep -q '"tcp": 13' "$work/json"
check "the page is whole" grep -q '</html>' "$work/page.html"
check "the page has a cell for each" [ "$(grep -o '<td class="[tru]' "$work/page.html" | wc -l)" -eq 16 ]
matrix --results "$work/results" --latency 5
check "another matrix does not go into the file" [ $? -eq 2 ]
check "and that is told" grep -q 'it is about something else: "latency_ms" is different' "$work/err"

# ---- other programs ----

cell() { sed -n '2p' "$work/out" | sed 's/^[^ ]* *//; s/ *$//'; }
says() { # WHAT EXPECTED, after a matrix of one NAT
  check "$1: $(cell)" [ "$(cell)" = "$2" ]
}

matrix --nats fullcone --left 'echo hello; echo "{\"path\":\"udp\",\"ms\":12}"' --right 'echo "{\"path\":\"udp\",\"ms\":15}"'
says "a line of each side, the slower time" "UDP 15"
matrix --nats fullcone --left 'echo "{\"path\":\"tcp\",\"ms\":12}"; exec sleep 100' --right 'echo "{\"path\":\"relay\"}"'
says "the worse of both, one never ends" "relay"
matrix --nats fullcone --left 'exec sleep 100' --right true
says "exit code 0 of one, no word of the other" "direct"
matrix --nats fullcone --left true --right 'echo broken >&2; exit 3' --json "$work/json"
says "exit code 3" "failed"
check "and its last words" grep -q '"note": "right: exit code 3: broken"' "$work/json"
matrix --nats fullcone --timeout 1 --left 'exec sleep 100' --right 'exec sleep 100'
says "out of time" "failed"
matrix --nats fullcone --server 'exec sleep 100' --left 'echo 7 >said; ip -4 addr show | grep -q 192.168.1.10' \
  --right '[ "$THIRL_MATRIX_SIDE$THIRL_MATRIX_SERVER" = right203.0.113.10 ]' \
  --judge '[ "$(cat left.exit right.exit server.exit | xargs)" = "0 0 stopped" ] && echo "{\"path\":\"tcp\",\"ms\":$(cat said)}"'
says "a judge" "TCP 7"
# libnice behind two kinds of NAT, with coturn: examples/matrix.
examples=${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/examples/matrix
# shellcheck disable=SC2046
if ! command -v turnserver >/dev/null; then
  echo "SKIP: libnice through the matrix: needs coturn"
elif ! cc -o "$work/nice" "$examples/nice.c" $(pkg-config --cflags --libs nice 2>/dev/null) 2>/dev/null; then
  echo "SKIP: libnice through the matrix: needs libnice-dev"
else
  matrix --nats portrestricted,symmetric --server "$examples/coturn.sh" --left "$work/nice" --right "$work/nice"
  check "libnice: $(tail -n 1 "$work/out")" [ "$(sed -n '2,3p' "$work/out" | sed 's/ [0-9][0-9]* / /g; s/  */ /g; s/ *$//' | paste -sd ';')" = \
    'portrestricted UDP relay;symmetric relay relay' ]
fi
check "no lab is left" no_lab
check "no file is left" is_empty "$work/tmp"

# ---- bad words ----

refuses() { # SENTENCE ARGUMENT...
  local sentence=$1
  shift
  matrix "$@"
  check "refused: $sentence" [ "$? $(head -n 1 "$work/err")" = "2 thirl lab matrix: $sentence" ]
}
refuses '--nats: "fullcon" is neither a preset nor a behaviour such as adm/apdf' --nats fullcon
refuses '--nats: there are two NATs called symmetric' --nats symmetric,symmetric
refuses '--nat: "map=amd" is nothing that a NAT can have' --nat 'mine map=amd'
refuses '--engine wants natbox or netfilter, not both' --engine both
refuses '--left and --right belong together' --left true
refuses '--jobs wants a number from 1 to 32, not 0' --jobs 0
refuses '--nats: a list has no blanks: use --nat' --nats 'fullcone, symmetric'
refuses 'unknown option --foo' --foo
refuses '--json wants a value' --json
refuses 'one word too many: pair' pair
[ "$wrong" -eq 0 ]
