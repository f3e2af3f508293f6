#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The runner itself: what it must count, and each kind of trouble that it must not overlook.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/thirl-meta.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir build
wrong=0

# program NAME BODY: a stand-in for a cmocka program
program() {
  printf '#!/bin/sh\n%s\n' "$2" >"$1.prog"
  chmod +x "$1.prog"
  printf '%s\tunit\t%s\t%s\n' "$1" "$work/$1.prog" "$work/$1.prog" >>build/tests.list
}

# script NAME BODY: a shell test
script() {
  printf '#!/bin/sh\n%s\n' "$2" >"$1.sh"
  printf '%s\tlab\t%s\tsh\t%s\n' "$1" "$work/$1.sh" "$work/$1.sh" >>build/tests.list
}

# expect NAME STATUS LAST_LINE [WORDS]: runs what was listed since the last time
expect() {
  local name=$1 status=$2 last=$3 words=${4:-} got_status got_last
  "$root/scripts/run-tests" -t 2 build >out 2>&1
  got_status=$?
  got_last=$(tail -n 1 out)
  if [ "$got_status" -ne "$status" ] || [ "$got_last" != "$last" ] || ! grep -qF -- "$words" out; then
    echo "WRONG: $name: expected status $status, last line '$last', the words '$words'; got status $got_status and:"
    sed 's/^/    /' out
    wrong=$((wrong + 1))
  else
    echo "right: $name"
  fi
  : >build/tests.list
}

: >build/tests.list
passed_3='echo "[==========] Running 3 test(s)."; echo "[  PASSED  ] 3 test(s)."'

program good "$passed_3"
program two_groups "$passed_3; $passed_3"
script shell_good 'exit 0'
expect "sums" 0 "10 passed, 0 failed"

program skips 'echo "SKIP: no IPv6 here"; echo "[  PASSED  ] 1 test(s)."; echo "[  SKIPPED ] 2 test(s), listed below:"'
script shell_skips 'echo "needs root"; exit 77'
expect "skipped tests with their reasons" 0 "1 passed, 0 failed, 3 skipped" "skipped: build/shell_skips: needs root"

program skips 'echo "[  PASSED  ] 1 test(s)."; echo "[  SKIPPED ] 1 test(s), listed below:"; echo "[  SKIPPED ] over_v6"'
expect "a skipped test without a reason" 0 "1 passed, 0 failed, 1 skipped" "over_v6: no reason given"

script only_skips 'echo "needs root"; exit 77'
expect "nothing but skipped tests" 1 "0 passed, 0 failed, 1 skipped"

program bad 'echo "[  PASSED  ] 2 test(s)."; echo "[  FAILED  ] 1 test(s), listed below:"; echo "[  FAILED  ] b"; exit 1'
expect "a failed test" 1 "2 passed, 1 failed" "[  FAILED  ] b"

program lies 'echo "[  PASSED  ] 2 test(s)."; echo "[  FAILED  ] 1 test(s), listed below:"; exit 0'
expect "failed tests and exit 0" 1 "2 passed, 1 failed" "exit status 0 in spite of failed tests"

program mumbles 'echo "case 7: FAIL"; echo "[  PASSED  ] 1 test(s)."'
expect "prints the word and exits 0" 1 "1 passed, 1 failed" "exit status 0, but it printed: case 7: FAIL"

script shell_mumbles 'echo "FAIL: 7"; exit 0'
expect "a shell test that prints the word and exits 0" 1 "0 passed, 1 failed"

script shell_parts 'echo "SKIP: zsh: needs zsh"; echo fine; exit 0'
expect "a part of a shell test that was skipped" 0 "1 passed, 0 failed, 1 skipped" "zsh: needs zsh"

script shell_bad 'exit 3'
expect "a shell test that fails" 1 "0 passed, 1 failed" "exit status 3"

program dies 'echo "[ RUN      ] a"; kill -SEGV $$'
expect "dies without a summary" 1 "0 passed, 1 failed" "died without a summary"

program leaves 'exit 0'
expect "exits 0 without a summary" 1 "0 passed, 1 failed" "died without a summary, exit status 0"

program leaks "$passed_3; exit 23"
expect "fails after its summary" 1 "3 passed, 1 failed" "exit status 23 after a summary without failures"

program reports "echo 'SUMMARY'; echo 'x.c:3:1: runtime error: shift'; $passed_3"
expect "a sanitizer's report of a child" 1 "3 passed, 1 failed" "runtime error"

program none 'echo "[  PASSED  ] 0 test(s)."'
expect "a program without a test" 1 "0 passed, 1 failed" "ran no test"

program sleeps "sleep 30; $passed_3"
expect "no end" 1 "0 passed, 1 failed" "no end within 2 s"

program patient "# test-timeout: 9
sleep 3; $passed_3"
expect "its own timeout" 0 "3 passed, 0 failed"

program missing true
rm missing.prog
expect "a program that is not there" 1 "0 passed, 1 failed"

expect "nothing ran" 1 "0 passed, 0 failed" "no test was selected"

rm build/tests.list
"$root/scripts/run-tests" build >out 2>&1 && wrong=$((wrong + 1))
[ "$(tail -n 1 out)" = "0 passed, 1 failed" ] || wrong=$((wrong + 1))

# Selection by patterns, one at a time and alone, and what a program leaves running is ended.
program one "$passed_3"
program two "# test-alone
$passed_3"
script three "sleep 60 & echo \$! >'$work/left'"
"$root/scripts/run-tests" build:'unit/*,-*/one' >out 2>&1
[ "$(tail -n 1 out)" = "3 passed, 0 failed" ] || { cat out; wrong=$((wrong + 1)); }
"$root/scripts/run-tests" build:-lab/* >out 2>&1
[ "$(tail -n 1 out)" = "6 passed, 0 failed" ] || { cat out; wrong=$((wrong + 1)); }
"$root/scripts/run-tests" build >out 2>&1
[ "$(tail -n 1 out)" = "7 passed, 0 failed" ] || { cat out; wrong=$((wrong + 1)); }
left=$(cat left)
case $(cat "/proc/$left/stat" 2>/dev/null) in
  *") Z "* | '') ;;
  *) echo "WRONG: process $left was left running"; kill "$left"; wrong=$((wrong + 1)) ;;
esac

# Who is alone: a program of the lab, unless its head says test-together. "meets": it saw the other one run (each waits for that a while).
rm -f build/tests.list
meeting() { # OWN OTHER
  echo "touch '$work/$1.here'; i=0; while [ \$i -lt 15 ] && ! [ -e '$work/$2.here' ]; do sleep 0.1; i=\$((i + 1)); done
[ -e '$work/$2.here' ] && echo meets >'$work/$1.said'; sleep 0.3; rm -f '$work/$1.here'"
}
script four "$(meeting four five)"
script five "$(meeting five four)"
"$root/scripts/run-tests" build >out 2>&1
cat four.said five.said 2>/dev/null | grep -q meets && { echo "WRONG: two programs of the lab ran together"; wrong=$((wrong + 1)); }
rm -f build/tests.list
script four "# test-together
$(meeting four five)"
script five "# test-together
$(meeting five four)"
"$root/scripts/run-tests" build >out 2>&1
[ "$(cat four.said five.said 2>/dev/null | grep -c meets)" = 2 ] || { echo "WRONG: what says test-together ran alone"; wrong=$((wrong + 1)); }

[ "$wrong" -eq 0 ] || { echo "$wrong wrong"; exit 1; }
echo "all as expected"
