#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 180
#
# thirl tune as people and scripts use it: a namespace as it comes is fine for a client, what is broken in it is found under its id, the exit code tells the
# worst, and nothing is changed by looking. What each judge makes of facts is in tests/unit/tune.
set -u
data=$(cd "$(dirname "$0")/../data/tune" && pwd)
. "$(dirname "$0")/lib.sh"
thirl=$build/bin/thirl

# tune NAME ARGUMENT...: stdout in NAME.out, stderr in NAME.log; sets code
tune() {
  local name=$1
  shift
  timeout 60 "$thirl" tune "$@" >"$name.out" 2>"$name.log" </dev/null
  code=$?
}
is() { [ "$code" = "$1" ]; }
says() { grep -qF -- "$2" "$1"; }
is_silent() { [ ! -s "$1" ]; }
# finds FILE ID LEVEL: in the JSON of FILE
finds() { grep -qF "{\"id\":\"$2\",\"level\":\"$3\"" "$1"; }
# above_info FILE: ids of warnings and worse; what the processors are doing meanwhile is the machine's, not the namespace's
above_info() { grep -oE '\{"id":"[A-Z0-9]+","level":"(warn|crit)"' "$1" | grep -vE '"(DV1|DV8|FD3)"'; }

# ---- a namespace as it comes ----
timeout 60 unshare -n "$thirl" tune --profile client --window 1 --json >fresh.out 2>fresh.log </dev/null
check "a fresh namespace has nothing above info for a client" [ -z "$(above_info fresh.out)" ]
check "it is known as a child" says fresh.out '"namespace":"child"'
check "one line" [ "$(wc -l <fresh.out)" = 1 ]
check "what the host hides is unknown for that reason" says fresh.out '{"id":"NB1","title":"the table of neighbours","why":"not-in-namespace"'
check "what thirl nat measures is not claimed" says fresh.out '{"id":"NAT1","title":"mapping and filtering of the NAT outside","why":"measured-elsewhere"'
check "no progress where there is no terminal" is_silent fresh.log

# ---- nothing is changed ----
settings() { find /proc/sys/net -type f -perm -0400 ! -name '*_count' ! -name '*key' -exec grep -H . {} + 2>/dev/null | sort; }
settings >before
tune look --window 1
settings >after
check "looking changes no setting" cmp -s before after
check "a running thirld makes it a server" says look.out 'for a server (guessed; --profile says it)'
check "and is looked into" says look.out '(thirld)'

# ---- what is broken ----
sysctl -qw net.ipv4.tcp_syncookies=0
tune cookies --profile server --only TCP3,TCP4 --window 1 --json
check "no cookies are critical for a server" is 11
check "TCP3" finds cookies.out TCP3 crit
check "TCP4 is a symptom of it" says cookies.out '"cause":"TCP3"'
check "the fix says what it was" says cookies.out '{"key":"net.ipv4.tcp_syncookies","value":"1","was":"0"}'
tune cookies --profile client --only TCP3 --window 1
check "and a warning for a client" is 10
check "with the line that fixes it" says cookies.out "sysctl -w net.ipv4.tcp_syncookies='1'"
check "and the line that undoes it" says cookies.out "sysctl -w net.ipv4.tcp_syncookies='0', and delete the line"
sysctl -qw net.ipv4.tcp_syncookies=1
tune cookies --profile server --only TCP3 --window 1
check "and gone when it is fixed" is 0

sysctl -qw net.core.somaxconn=8
spawn "$build/bin/thirld" --listen 127.0.0.1:5478 2>small.log
wait_for grep -q 'listening on TCP 127.0.0.1:5478' small.log || { cat small.log; exit 1; }
sysctl -qw net.core.somaxconn=4096
tune queue --profile server --pid "$pid" --only TCP1 --window 1 --json
check "a queue that was cut is found at the process" finds queue.out TCP1 warn
check "with its port and its length" says queue.out 'the queue of port 5478 holds 8'
check "under the process's name" says queue.out "\"process\":{\"pid\":$pid,\"name\":\"thirld\""

unshare -n setpriv --pdeathsig KILL sleep 60 &
other=$!
pids+=("$other")
wait_for test "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)"
wait_for grep -qx sleep "/proc/$other/comm"
nsenter -t "$other" -n sysctl -qw net.ipv4.tcp_retries2=3
tune other --profile server --pid "$other" --only TCP14 --window 1 --json
check "a process elsewhere is judged by the settings of its own namespace" finds other.out TCP14 warn
tune ours --profile server --only TCP14 --window 1
check "which are not ours" is 0

tune what_if --profile server --only MEM4 --what-if clients=1e6,tcp=1e9 --window 1 --json
check "a load that was asked about" finds what_if.out MEM4 crit
check "breaks at a number of clients" says what_if.out '"breaks_at_clients":'
check "and is asked for in the table of room" says what_if.out '"asked":1000000000'

# ---- with what thirl nat has found ----
timeout 60 "$thirl" nat --json --udp 127.0.0.1:3478 2>/dev/null | timeout 60 "$thirl" tune --profile client --nat - --only NAT1,NAT2,NAT3 --window 1 --json >nat.out 2>nat.log
check "UDP gets through" says nat.out '{"id":"NAT2","level":"ok"'
check "what was not measured stays unknown" says nat.out '{"id":"NAT3","title":"how long an idle mapping lives outside","why":"measured-elsewhere"'
tune mistake --nat nat.out --window 1
check "a file that is something else" says mistake.log '--nat wants what "thirl nat --json" prints; this is something else: nat.out'
tune mistake --nat nosuch --window 1
check "a file that is not there" says mistake.log 'cannot read nosuch'

# ---- a recorded machine ----
tune recorded --root "$data/trixie-router" --json
check "a recorded router is known as one" says recorded.out '"profile":"router","profile_guessed":true'
check "and is judged" is 11
check "CT3 is explained by CT2" grep -qE '"id":"CT3","level":"crit".*"cause":"CT2"' recorded.out

# ---- words ----
tune quiet --root "$data/trixie-router" --quiet
check "--quiet leaves warnings only" [ "$(grep -cE '^(INFO|OK|unknown|for a)' quiet.out)" = 0 ]
tune all --root "$data/mainline-client" --all
check "nothing to say is no trouble" is 0
check "--all says what is fine" says all.out 'OK    TCP3      SYN cookies'
tune other_profile --root "$data/mainline-client" --profile client --only CT2,TCP3
check "an id for another profile is named as such" says other_profile.out 'not for a client: CT2'
tune mistake --profile clients
check "a profile that is none" is 2
check "is told with the three that are" says mistake.log '--profile wants server, router or client, not clients'
tune mistake --only UDP1,UDP99
check "an id that is none is named" says mistake.log 'UDP99'
check "as a mistake" is 2
tune mistake --what-if pps=40k,stall=5
check "so is a word of --what-if" says mistake.log 'stall=5'
tune mistake --pid 4194304
check "a process that is not there" says mistake.log 'there is no process 4194304'
tune mistake --window 0
check "a window of nothing" is 2
tune mistake --root /nosuch
check "a root that is not there is no healthy machine" is 2
check "and is named" says mistake.log '--root wants a folder with proc in it, not /nosuch'
tune mistake --print --json
check "two reports at once" says mistake.log '--print and --json exclude each other'
tune mistake --watch --only UDP1
check "--watch shows all" says mistake.log 'without --only'
tune help --help
check "help names the exit codes" says help.out '10 something to warn of, 11 something critical'
timeout 60 "$thirl" tune --root "$data/mainline-client" >/dev/full 2>/dev/null
code=$?
check "a full disk is no success" is 1

finish
