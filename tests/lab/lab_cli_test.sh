#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 240
#
# thirl lab from outside: what a person types, what it says, and that nothing is left of a lab however it ends. As root, in a user namespace, and as
# nobody, where the system allows it.
set -u
build=${THIRL_BUILD_DIR:-$(cd "$(dirname "$0")/../.." && pwd)/build/release}
PATH=/usr/bin:/bin:/usr/sbin:/sbin # where nobody may look, too
for tool in ip nft ping setpriv unshare; do
  command -v "$tool" >/dev/null || { echo "skipped: needs $tool"; exit 77; }
done
[ -x "$build/bin/thirl" ] || { echo "skipped: there is no $build/bin/thirl"; exit 77; }

# Everybody may look in here: nobody is one of those who do.
work=$(mktemp -d /tmp/lab-cli.XXXXXX) || exit 1 # not in TMPDIR, which may be for its owner only
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -m 777 "$work/out.d"
cp "$build/bin/thirl" "$work/thirl" && chmod 755 "$work/thirl"
cd "$work" || exit 1
failures=0
as=() # who does it
options=()

fail() {
  echo "FAIL ($mode) $*"
  failures=$((failures + 1))
}

lab() { "${as[@]}" env THIRL_LAB_DIR="$state" "$work/thirl" lab "$@"; }

# wait_for SECONDS COMMAND...
wait_for() {
  local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
  shift
  until "$@"; do
    [ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
    sleep 0.02
  done
}

# is WHAT EXPECTED ACTUAL
is() {
  [ "$2" = "$3" ] || { fail "$1"; printf 'expected: %s\nactual:   %s\n' "$2" "$3"; }
}

supervisor() { lab list | sed -n 's/.*process \([0-9]*\),.*/\1/p'; }

# What there is of a lab: processes that carry its mark, those whose numbers are in $pids, and its name. (Not those of its namespaces: the numbers of
# namespaces are given to others at once.)
mark='' pids=''
remains() {
  local p
  [ -z "$mark" ] || grep -lzx "THIRL_LAB_MARK=$mark" /proc/[0-9]*/environ 2>/dev/null
  for p in $pids; do
    [ -z "$(readlink "/proc/$p/ns/net")" ] || echo "process $p" # a zombie has none
  done
  ls -A "$state" 2>/dev/null
}
nothing_remains() { [ -z "$(remains)" ]; }
leaves_nothing() {
  wait_for 5 nothing_remains || { fail "$1: something is left"; remains; }
}

note_processes() {
  mark=$(lab exec server printenv THIRL_LAB_MARK)
  pids=$(supervisor)
  pids="$pids $(pgrep -P "$pids" | tr '\n' ' ')"
}

cat >two.lab <<'END'
seed 3
net  inet 203.0.113.0/24
host server inet 203.0.113.10 203.0.113.11
nat  home inet 203.0.113.1 lan 192.168.1.0/24 preset=portrestricted
nat  cgn  inet 203.0.113.2 lan 100.64.0.0/16 preset=symmetric
host a home 192.168.1.10
host b cgn 100.64.0.9
link server latency=1ms
END

cat >run.lab <<'END'
net  inet 203.0.113.0/24
host server inet 203.0.113.10
nat  home inet 203.0.113.1 lan 192.168.1.0/24
nat  cgn  inet 203.0.113.2 lan 100.64.0.0/16
host a home 192.168.1.10
at 1s  host a move cgn 100.64.0.9
run a -- echo one; echo two >&2; ping -q -c 1 -W 5 203.0.113.10 >/dev/null && echo reached
run server -- echo $THIRL_LAB_HOST; exit 3
run a -- until ip -4 address show dev eth0 2>/dev/null | grep -q 100.64.0.9/16; do sleep 0.02; done; ping -q -c 1 -W 5 203.0.113.10 >/dev/null && echo moved
END

up_and_down() {
  local engine
  for engine in natbox netfilter; do
    is "up ($engine)" "two is up" "$(lab up two.lab --engine "$engine" "${options[@]}" 2>&1)"
    note_processes
    lab exec a -- ping -q -c 1 -W 5 203.0.113.10 >/dev/null || fail "no ping through $engine"
    lab exec server -- ping -q -c 1 -W 1 192.168.1.10 >/dev/null && fail "ping into $engine"
    lab set link a down || fail "set link a down ($engine)"
    lab exec a -- ping -q -c 1 -W 1 203.0.113.10 >/dev/null && fail "ping through a link that is down ($engine)"
    lab set link a up || fail "set link a up ($engine)"
    lab set nat home renumber 203.0.113.77 || fail "renumber ($engine)"
    lab exec a -- ping -q -c 1 -W 5 203.0.113.11 >/dev/null || fail "no ping after renumbering ($engine)"
    lab set host a move inet 203.0.113.50 || fail "move ($engine)"
    lab exec a -- ping -q -c 1 -W 5 203.0.113.10 >/dev/null || fail "no ping after moving ($engine)"
    lab exec server -- ping -q -c 1 -W 5 203.0.113.50 >/dev/null || fail "no ping to where a has moved ($engine)"
    [ "$engine" = natbox ] && note='NAT:' || note='NAT, netfilter:'
    is "show ($engine)" "inet 203.0.113.0/24
├─ server 203.0.113.10 203.0.113.11
│     link: latency=1ms
├─ [home] 203.0.113.77 -> 192.168.1.1/24
│     $note preset=portrestricted
├─ [cgn] 203.0.113.2 -> 100.64.0.1/16
│  │  $note preset=symmetric
│  └─ b 100.64.0.9
└─ a 203.0.113.50" "$(lab show)"
    lab down || fail "down ($engine)"
    nothing_remains || { fail "down ($engine): something is left"; remains; }
  done
}

said_in_log() { lab log | grep -q "$1"; }

exec_is_transparent() {
  lab up two.lab "${options[@]}" >/dev/null || { fail "up"; return; }
  note_processes
  lab exec a sh -c 'exit 7'
  is "exit code" 7 "$?"
  lab exec a -- sh -c 'kill -TERM $$'
  is "signal" 143 "$?"
  is "stdin and stdout" "x y" "$(printf 'x y' | lab exec a -- cat)"
  is "environment" "two a" "$(lab exec a -- sh -c 'echo $THIRL_LAB $THIRL_LAB_HOST')"
  is "addresses" "192.168.1.10/24" "$(lab exec a -- ip -4 -br address show dev eth0 | awk '{print $3}')"
  lab exec a -- no-such-program 2>/dev/null
  is "a program that is not there" 127 "$?"
  is "a NAT of natbox" "thirl lab: home is a NAT inside of natbox: nothing can run there" "$(lab exec home true 2>&1)"
  is "a host that is not there" "thirl lab: there is no host called \"z\"" "$(lab exec z true 2>&1)"
  is "the same name" "thirl lab: a lab called two is up already: thirl lab down, or up with another --name" \
    "$(lab up two.lab 2>&1)"
  is "a bad line" "thirl lab: there is no host and no NAT called \"z\"" "$(lab set link z down 2>&1)"
  is "second lab" "other is up" "$(lab up two.lab --name other "${options[@]}" 2>&1)"
  is "two labs" "thirl lab: 2 labs are up: say --name other, or another" "$(lab exec a true 2>&1)"
  lab down --name other || fail "down --name other"
  lab capture --timeout 1 a out.d/a.pcap & # ends by itself
  local capture=$!
  wait_for 5 test -s out.d/a.pcap || fail "no header in the capture"
  lab exec a -- ping -q -c 2 -i 0.2 -W 5 203.0.113.10 >/dev/null
  wait "$capture" || fail "capture"
  # 24 bytes of header, and at least two requests and two answers of 16 + 98
  [ "$(stat -c %s out.d/a.pcap)" -ge $((24 + 4 * 114)) ] || fail "a capture of $(stat -c %s out.d/a.pcap) bytes"
  rm -f out.d/a.pcap
  is "stats" "  IPv4  1 mappings, 1 flows, 2 packets out, 2 in" "$(lab stats | sed -n '/^home$/,/^home inner$/s/^  IPv4/&/p')"
  lab exec a -- ping -q -c 1 -W 1 203.0.113.99 >/dev/null && fail "ping to nobody"
  wait_for 5 said_in_log 'nobody answers for 203.0.113.99 on the net of' || { fail "log"; lab log; }
  lab down || fail "down"
  nothing_remains || { fail "down: something is left"; remains; }
  is "nothing up" "thirl lab: no lab is up: thirl lab up FILE" "$(lab exec a true 2>&1)"
}

# The supervisor is killed while processes run, one of them in a session and with an environment of its own.
killed() {
  lab up two.lab "${options[@]}" >/dev/null || { fail "up"; return; }
  note_processes
  lab exec a -- sleep 1000 &
  pids="$pids $!"
  pids="$pids $(lab exec b -- sh -c 'env -i setsid sleep 1000 >/dev/null 2>&1 & echo $!')"
  [ "$(remains | grep -c '^process')" -eq 4 ] || fail "nothing to kill"
  kill -KILL "$(supervisor)"
  leaves_nothing "kill -9"
  wait
}

# With its guard, and then the next start.
killed_twice() {
  lab up two.lab "${options[@]}" >/dev/null || { fail "up"; return; }
  note_processes
  local killed=$pids first first_mark=$mark
  first=$(lab exec b -- sh -c 'setsid sleep 1000 >/dev/null 2>&1 & echo $!')
  # shellcheck disable=SC2086
  kill -STOP $killed # so that neither sees the other go
  # shellcheck disable=SC2086
  kill -KILL $killed
  pids=$first
  remains | grep -q "process $first" || fail "nothing is left to be found"
  is "up again" "two is up" "$(lab up two.lab "${options[@]}" 2>&1)"
  remains | grep -q "process $first" && fail "the next start leaves a process of the last one"
  note_processes
  lab down || fail "down"
  nothing_remains || { fail "down: something is left"; remains; }
  mark=$first_mark
  nothing_remains || { fail "the next start: something is left"; remains; }
}

# Ctrl-C while it is being set up: ip hangs.
interrupted_up() {
  mkdir -p slow
  printf '#!/bin/sh\ntouch %s/slow/begun\nexec sleep 100\n' "$work" >slow/ip
  chmod 755 slow/ip
  chmod 777 slow
  mark='' pids=''
  (trap - INT; PATH=$work/slow:$PATH exec "${as[@]}" env THIRL_LAB_DIR="$state" "$work/thirl" lab up two.lab "${options[@]}") >/dev/null 2>&1 &
  local up=$!
  wait_for 5 test -e slow/begun || fail "ip was not begun"
  kill -TERM "$up"
  wait "$up" 2>/dev/null
  leaves_nothing "a signal during up"
  rm -rf slow
}

runs() {
  local out
  out=$(lab run run.lab "${options[@]}" 2>&1)
  is "exit code of run" 1 "$?"
  is "output of run" "a| one
a| two
a| reached
server| server
a| moved
ok     0   a: echo one; echo two >&2; ping -q -c 1 -W 5 203.0.113.10 >/dev/null && echo reached
bad    3   server: echo \$THIRL_LAB_HOST; exit 3
ok     0   a: until ip -4 address show dev eth0 2>/dev/null | grep -q 100.64.0.9/16; do sleep 0.02; done; ping -q -c 1 -W 5 203.0.113.10 >/dev/null && echo moved" \
    "$(sed 's/   *[0-9.]* s  /   /' <<<"$out")"
  leaves_nothing run
  sed -i '/^run/d' run.lab
  printf 'run a -- sleep 1000\nrun server -- sleep 1000 & echo begun\n' >>run.lab
  lab run --parallel --timeout 1 run.lab "${options[@]}" >out 2>&1
  is "exit code of a command that is late" 1 "$?"
  grep -q '^bad  124 .*a: sleep 1000  (out of time)$' out || { fail "out of time"; cat out; }
  leaves_nothing "run --timeout"
  lab run --json --timeout 1 run.lab "${options[@]}" >out 2>&1
  sed -i 's/"seconds":[0-9.]*/"seconds":S/g' out
  is "json" '{"version":1,"lab":"run","runs":[{"host":"a","line":7,"command":"sleep 1000","exit":124,"seconds":S,"output":"","cut":false},{"host":"server","line":8,"command":"sleep 1000 & echo begun","exit":0,"seconds":S,"output":"begun\n","cut":false}]}' "$(cat out)"
  leaves_nothing "run --json"
}

# signal EXPECTED: of a run whose commands would go on for long
interrupted_run() {
  rm -f out
  : >out
  "${as[@]}" env THIRL_LAB_DIR="$state" "$work/thirl" lab run --parallel run.lab "${options[@]}" >out 2>&1 &
  local run=$! code
  wait_for 10 grep -q begun out || fail "run has not begun"
  mark=''
  pids=$(supervisor)
  pids="$pids $(pgrep -P "$pids" | tr '\n' ' ')"
  kill "-$1" "$run"
  wait "$run" 2>/dev/null
  code=$?
  is "exit code after SIG$1" "$2" "$code"
  leaves_nothing "SIG$1 to run"
}

# refused CODE SENTENCE COMMAND...
refused() {
  local code=$1 sentence=$2 out
  shift 2
  out=$(lab "$@" 2>&1)
  is "exit code of $*" "$code" "$?"
  is "words of $*" "thirl lab: $sentence" "$out"
  leaves_nothing "$*"
}

bad_input() {
  mark='' pids=''
  printf 'net inet 203.0.113.0/24\nnat a b 10.1.0.2 lan 10.0.0.0/24\nnat b a 10.0.0.2 lan 10.1.0.0/24\n' >bad.lab
  refused 2 'bad.lab:2: a loop: a behind b behind a' up bad.lab
  printf 'net inet 203.0.113.0/24\nhost a inet 203.0.113.1\nlink b latency=1ms\n' >bad.lab
  refused 2 'bad.lab:3: there is no host and no NAT called "b"' up bad.lab
  printf 'net inet 203.0.113.0/24\nhost a lan 203.0.113.1\n' >bad.lab
  refused 2 'bad.lab:2: there is no net called "lan"' run bad.lab
  printf 'net inet 203.0.113.0/24\nhosts a inet 203.0.113.1\n' >bad.lab
  refused 2 'bad.lab:2: a line cannot begin with "hosts": net, host, nat, link, at, run, seed, engine' show bad.lab
  printf 'net inet 203.0.113.0/24\nhost a inet 203.0.113.1\nhost b inet 203.0.113.1\n' >bad.lab
  refused 2 'bad.lab:3: 203.0.113.1 on inet belongs to a already' up bad.lab
  printf 'net inet 203.0.113.0/24\nhost a inet 203.0.113.1\n' >bad.lab
  refused 2 'bad.lab has no run line' run bad.lab
  refused 1 './none.lab: No such file or directory' up ./none.lab
  refused 2 'there is no file and no preset "nowhere"; "thirl lab presets" lists them' up nowhere
  # What the kernel cannot do, and a nft that fails.
  printf 'net inet 203.0.113.0/24\nnat n inet 203.0.113.1 lan 10.0.0.0/24 recipe=none engine=netfilter\nhost a n 10.0.0.2\n' >bad.lab
  refused 2 'n: there is no recipe called none' up bad.lab "${options[@]}"
  mkdir -p fake
  printf '#!/bin/sh\ncat >/dev/null\necho "Error: Could not process rule: No such file or directory" >&2\nexit 1\n' >fake/nft
  chmod -R 755 fake
  local before=$PATH
  PATH=$work/fake:$PATH
  refused 1 'home: nft failed: Error: Could not process rule: No such file or directory (does the kernel have nf_tables and nf_nat?)' \
    up --engine netfilter two.lab "${options[@]}"
  printf '#!/bin/sh\ncat >/dev/null\necho "RTNETLINK answers: Operation not supported" >&2\nexit 1\n' >fake/ip
  chmod 755 fake/ip
  refused 1 'the kernel has no veth interfaces (module veth)' up two.lab "${options[@]}"
  PATH=$before
  rm -rf fake
}

presets() {
  local preset
  for preset in $(lab presets | awk '{print $1}'); do
    is "preset $preset" "$preset is up" "$(lab up "$preset" "${options[@]}" 2>&1)"
    lab down || fail "down of $preset"
  done
  mark='' pids=''
  leaves_nothing presets
}

# ---- as root only ----

without_programs() {
  mode=root as=() options=() mark='' pids='' state=$work/state.none
  local words
  words=$(unshare -m sh -c "mount -t tmpfs none /usr/sbin && exec env THIRL_LAB_DIR=$state $work/thirl lab up --engine netfilter two.lab" 2>&1)
  if [ -x /usr/bin/ip ]; then
    is "without nft" "thirl lab: home: there is no program called nft (Debian: nftables)" "$words"
    leaves_nothing "without nft"
  fi
  unshare -Ur true 2>/dev/null || return # the system allows none, as in a chroot: nothing to take away
  words=$(unshare -Ur sh -c "echo 0 >/proc/sys/user/max_user_namespaces
    exec setpriv --bounding-set=-all --inh-caps=-all env THIRL_LAB_DIR=$state $work/thirl lab up two.lab" 2>&1)
  is "without namespaces" "thirl lab: this needs root, or user namespaces for everybody (user.max_user_namespaces is 0)" "$words"
  leaves_nothing "without namespaces"
}

everything() {
  echo "as $mode"
  state=$work/state.$mode
  cp run.lab keep.lab
  up_and_down
  exec_is_transparent
  killed
  killed_twice
  interrupted_up
  runs
  interrupted_run TERM 143
  interrupted_run INT 130
  interrupted_run KILL 137
  bad_input
  presets
  cp keep.lab run.lab
}

tried=0
if [ "$(id -u)" -eq 0 ] && unshare -n true 2>/dev/null; then
  mode=root
  everything
  without_programs
  tried=$((tried + 1))
fi
if unshare -Urn true 2>/dev/null; then
  mode=user options=(--user-namespace) as=()
  everything
  tried=$((tried + 1))
fi
if [ "$(id -u)" -eq 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Urn true 2>/dev/null; then
  mkdir -p "$work/state.nobody" && chown 65534:65534 "$work/state.nobody"
  mode=nobody options=() as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  everything
  tried=$((tried + 1))
else
  echo "SKIP: not as nobody: the system does not allow it"
fi
[ "$tried" -gt 0 ] || { echo "skipped: needs root, or user namespaces for everybody"; exit 77; }
echo "$tried ways, $failures failures"
[ "$failures" -eq 0 ]
