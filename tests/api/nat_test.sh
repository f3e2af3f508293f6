#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 240
#
# thirl nat as people and scripts use it, without a NAT: reports, words on the command line, servers that are not there, signals. What it finds out about NATs
# is shown in tests/lab/natcheck_test.sh.
set -u
. "$(dirname "$0")/lib.sh"
thirl=$build/bin/thirl
ip address add 203.0.113.11/32 dev lo || skip "cannot set up lo"
spawn "$build/bin/thirld" --listen "$public:4478" --alternate 203.0.113.11:4479 2>second.log
wait_for grep -q 'listening on TCP 203.0.113.11:4479' second.log || { cat second.log; exit 1; }

# nat NAME ARGUMENT...: stdout in NAME.out, stderr in NAME.log; sets code
nat() {
  local name=$1
  shift
  timeout 60 "$thirl" nat "$@" >"$name.out" 2>"$name.log" </dev/null
  code=$?
}
is() { [ "$code" = "$1" ]; }
says() { grep -qF -- "$2" "$1"; }
is_silent() { [ ! -s "$1" ]; }

nat full "$public:4478"
check "no NAT, for a person" is 0
check "it says open internet" says full.out 'open internet'
check "it says what that means" says full.out 'you can be reached directly by everybody'
check "no progress where there is no terminal" is_silent full.log

nat json --json --hairpin --port 5000 "$public:4478"
check "no NAT, for a program" is 0
check "UDP" says json.out '"udp":{"reachable":"yes","mapping":"none","filtering":"endpoint-independent","classic":"open internet"'
check "TCP" says json.out '"tcp":{"reachable":"yes","mapping":"none","filtering":"endpoint-independent","classic":"open internet"'
check "the port that was asked for" says json.out '"mapped":"203.0.113.10:5000"'
check "nothing is hidden" says json.out '"hairpin":"yes"'
check "one line" [ "$(wc -l <json.out)" = 1 ]

nat plain --json --server "127.0.0.1:3478"
check "a server with one address" is 0
check "tells no filtering" says plain.out '"filtering":"unknown","filtering_why":"no-alternate-address"'

nat udp --json --udp "$public:4478"
check "UDP alone" says udp.out '"tcp":{"reachable":"unknown","reachable_why":"not-asked"'

nat taken --json --udp --port 4478 "$public:4478"
check "a port that is taken is our own trouble" is 1
check "and is told" says taken.out '"reachable_why":"local-error"'

nat tcp_dead --json --tcp "$public:9"
check "a server that is not there" is 7
check "refuses" says tcp_dead.out '"reachable":"no","reachable_why":"refused"'
nat udp_dead --json --udp "$public:9"
check "a server that says nothing" is 7
check "does not answer" says udp_dead.out '"reachable":"no","reachable_why":"no-answer"'
nat nobody no.such.name.invalid
check "a name that does not exist" is 7
check "is named" says nobody.log 'no.such.name.invalid'
nat nobody --server=-nosuch
check "is told without asking anybody when it is none" says nobody.log 'there is no host named -nosuch'
nat other --ipv6 127.0.0.1
check "an address of the other family is told from that" says other.log '127.0.0.1 has no IPv6 address: leave --ipv6 out'

nat none
check "no server at all" is 2
check "it says where to name one" says none.log THIRL_SERVER
THIRL_SERVER=$public:4478 nat environment --json --tcp
check "a server in THIRL_SERVER" is 0
for words in '--port 0' '--port 65536' '--lifetime' '--lifetime x' '--lifetime=-1' '--timeout 3' 'host:0' '1 2 3 4 5 6 7 8 9'; do
  # shellcheck disable=SC2086
  nat words $words
  check "not with: $words" is 2
  check "nothing on stdout" is_silent words.out
done

timeout 60 "$thirl" nat --udp "$public:4478" >/dev/full 2>disk.log
code=$?
check "a full disk is noticed" is 1

spawn "$thirl" nat --json --udp "$public:9" >signal.out 2>signal.log
sleeper=$pid
has_begun() { ls -l "/proc/$sleeper/fd" 2>/dev/null | grep -q signalfd\\\|eventfd; }
wait_for has_begun
wait_for grep -q Sig "/proc/$sleeper/status"
catches() { [ $((0x$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$sleeper/status") >> 1 & 1)) = 1 ]; }
wait_for catches
kill -INT "$sleeper"
code_of "$sleeper"
check "SIGINT ends it" is 130
check "with what it knows" says signal.out '"reachable_why":"stopped"'
finish
