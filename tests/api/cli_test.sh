#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 180
#
# The program thirl as people and scripts use it: pipes, tickets, events, exit codes, and what it does with odd standard streams.
# Every exit code of apps/thirl/exit.h is here but 6: a wrong key needs an impostor, stranger_test.c.
set -u
. "$(dirname "$0")/lib.sh"
thirl=$build/bin/thirl

# listen NAME ARGUMENT...: with NAME.in as input (nothing, if there is none) and NAME.out as output; sets ticket and pid
listen() {
  local name=$1
  shift
  [ -e "$name.in" ] || : >"$name.in"
  spawn "$thirl" listen --server "$public" "$@" <"$name.in" >"$name.out" 2>"$name.log"
  wait_for has_ticket "$name" || echo "FAIL  $name has no ticket: $(cat "$name.log")"
  listen_pid=$pid
}
has_ticket() {
  ticket=$(sed -n 's/^thirl connect //p; s/.*"ticket":"\([^"]*\)".*/\1/p' "$1.log")
  [ -n "$ticket" ]
}
# connect NAME ARGUMENT...: the same, in the foreground; sets code
connect() {
  local name=$1
  shift
  [ -e "$name.in" ] || : >"$name.in"
  timeout 30 "$thirl" connect "$@" <"$name.in" >"$name.out" 2>"$name.log"
  code=$?
}
is() { [ "$code" = "$1" ]; }
says() { grep -qF -- "$2" "$1.log"; }
is_empty() { [ ! -s "$1" ]; }

# ---- a pipe ----

head -c 8388608 /dev/urandom >a.in
head -c 8388608 /dev/urandom >b.in
listen a
connect b "$ticket"
check "connect ends well" is 0
code_of "$listen_pid"
check "listen ends well" is 0
check "8 MiB arrive there, and nothing else is on stdout" cmp a.in b.out
check "8 MiB arrive back" cmp b.in a.out
check "it says who is there" says b "its key is proven"

listen c --ephemeral
{ echo "$ticket"; printf 'what follows the ticket is data\n'; } >d.in
connect d --ephemeral -
code_of "$listen_pid"
check "a ticket on the first line of stdin" [ "$(cat c.out)" = "what follows the ticket is data" ]

listen e --ephemeral
printf 'by environment' >f.in
THIRL_TICKET=$ticket connect f --ephemeral
code_of "$listen_pid"
check "a ticket in THIRL_TICKET" [ "$(cat e.out)" = "by environment" ]

listen e2 --ephemeral
printf 'shouted' >f2.in
connect f2 --ephemeral "$(tr a-z A-Z <<<"$ticket")"
code_of "$listen_pid"
check "a ticket in capitals" [ "$(cat e2.out)" = "shouted" ]

# ---- half-close ----

# The listener's side reads everything before it says anything.
mkfifo g.in g.out
(question=$(cat <g.out) && printf '%s? yes' "$question") >g.in &
listen g --ephemeral
printf 'is it true' >h.in
spawn "$thirl" connect --ephemeral "$ticket" <h.in >h.out 2>h.log
connect_pid=$pid
code_of "$connect_pid"
check "question, end, answer" [ "$code $(cat h.out)" = "0 is it true? yes" ]
code_of "$listen_pid"
check "question, end, answer: the listener" is 0

# ---- direct ----

mkfifo i.in
exec 8<>i.in
listen i --ephemeral --json
spawn "$thirl" connect --ephemeral --json "$ticket" </dev/null >j.out 2>j.log
connect_pid=$pid
check "the path becomes direct" wait_for grep -q '"direct":true' j.log
check "for the listener too" wait_for grep -q '"direct":true' i.log
printf 'directly' >i.in
wait_for grep -q directly j.out
exec 8>&-
code_of "$connect_pid"
check "and ends well" is 0
code_of "$listen_pid"
check "nothing of it went through the relay" grep -q '"direct_bytes":8,.*"relayed_bytes":0,.*"type":"finished"' j.log

# ---- events ----

value='("([^"\\]|\\.)*"|-?[0-9]+|true|false)'
are_objects() { [ -s "$1" ] && ! grep -vE "^\{\"[a-z_]+\":$value(,\"[a-z_]+\":$value)*\}\$" "$1"; }
have_kinds() {
  local kind
  for kind in "${@:2}"; do grep -q "\"type\":\"$kind\"" "$1" || { echo "no $kind in $1"; return 1; }; done
}
times_grow() { sed -n 's/.*"t_us":\([0-9]*\).*/\1/p' "$1" | sort -nc && ! grep -v '"v":1}' "$1"; }
check "--json: one flat object a line (listen)" are_objects i.log
check "--json: one flat object a line (connect)" are_objects j.log
check "--json: all events of a session (listen)" have_kinds i.log ticket registered incoming up path confirmed finished
check "--json: all events of a session (connect)" have_kinds j.log registered up path confirmed finished
check "--json: version and growing times" times_grow i.log
connect k --json no-ticket
check "--json: errors too" are_objects k.log
check "--json: with name and words" grep -q '"error":"E_SYNTAX","t_us":[0-9]*,"text":"this is not a ticket' k.log

listen k2 --ephemeral --quiet
connect k3 --ephemeral --quiet "$ticket"
code_of "$listen_pid"
check "--quiet: the ticket only" [ "$(wc -l <k2.log)" -eq 1 ]
check "--quiet: not a word" is_empty k3.log

# ---- exit codes ----

for arguments in '' 'nonsense' 'connect' 'connect --frob x' 'connect a b' 'connect --timeout=0 x' 'connect --timeout 1s x' 'connect --timeout' \
  'connect --json=yes x' 'connect --direct-only --relay-only x' 'listen extra' 'connect nothing-like-a-ticket' 'listen' 'listen --server host:0'; do
  # shellcheck disable=SC2086
  "$thirl" $arguments </dev/null >l.out 2>l.log
  code=$?
  check "2: thirl $arguments" [ "$code $(wc -c <l.out)" = "2 0" ]
  check "   with a sentence" says l "thirl"
done

for arguments in -h --help help 'help nat' 'nat -h' 'lab -h' 'lab exec -h' 'help lab'; do
  # shellcheck disable=SC2086
  "$thirl" $arguments </dev/null >l.out 2>l.log
  code=$?
  check "0: thirl $arguments" [ "$code $(head -c 13 l.out) $(wc -c <l.log)" = "0 usage: thirl  0" ]
done
"$thirl" help nat >l.out
check "   \"help nat\" is \"nat --help\"" cmp -s l.out <("$thirl" nat --help)

listen m --ephemeral
stale=$ticket
mistyped=${ticket%???}$([ "${ticket: -3:1}" = 0 ] && echo 1 || echo 0)${ticket: -2} # the last one has bits that must be 0
connect m2 --ephemeral "$mistyped"
check "2: a mistyped ticket" is 2
check "   is told from a wrong one" says m2 "mistyped or cut off"
connect m3 --ephemeral "${stale%???}"
check "   and one that lacks its end, too" says m3 "mistyped or cut off"
kill -TERM "$listen_pid"
code_of "$listen_pid"
check "143: listen, SIGTERM" is 143
connect n --ephemeral --timeout 2 "$stale"
check "3: the ticket of somebody who is gone" is 3
spawn "$thirl" listen --server "$public" --ephemeral --timeout 1 </dev/null >n2.out 2>n2.log
code_of "$pid"
check "3: nobody comes" is 3
check "   and it says so" says n2 "nobody came in time"

mkfifo n3.in n4.in
exec 7<>n4.in 9<>n3.in
listen n3 --ephemeral
spawn "$thirl" connect --ephemeral "$ticket" <n4.in >n4.out 2>n4.log
first_connect=$pid
wait_for grep -q 'its key is proven' n3.log
for policy in '' --direct-only --relay-only; do
  begin=$SECONDS
  # shellcheck disable=SC2086
  connect n5 --ephemeral $policy "$ticket"
  check "3: the peer talks to somebody else $policy" is 3
  check "   at once" [ $((SECONDS - begin)) -lt 10 ]
  check "   and it says so" says n5 "the peer is busy"
done
exec 7>&- 9>&-
code_of "$first_connect"
check "   who was undisturbed" [ "$code $(cat n3.out n4.out)" = "0 " ]
code_of "$listen_pid"

# The listener is stopped: the server still has its registration and GO goes out, but nothing comes back, neither directly nor over the relay.
listen n6 --ephemeral
wait_for grep -q registered n6.log
kill -STOP "$listen_pid"
for policy in '' --relay-only; do
  # shellcheck disable=SC2086
  connect n7 --ephemeral --timeout 2 $policy "$ticket"
  check "4: no path that anything comes over $policy" is 4
  check "   and it says so" says n7 "no answer in time"
done
connect n7 --ephemeral --timeout 2 --direct-only "$ticket"
check "4: no path, and none demanded that there could not be" is 4
kill -CONT "$listen_pid"
kill "$listen_pid"

spawn "$thirl" listen --server 127.0.0.1 --ephemeral </dev/null >o.out 2>o.log
wait_for has_ticket o
wait_for grep -q registered o.log
connect o2 --ephemeral --direct-only "$ticket"
check "5: only a relayed path, --direct-only" is 5
kill "$pid"

spawn "$thirl" listen --server 127.0.0.1:9 --ephemeral </dev/null >p.out 2>p.log
wait_for has_ticket p
connect p2 --ephemeral --timeout 1 "$ticket"
check "7: nobody at the server" is 7
check "   and it says where" says p2 "nothing answers at 127.0.0.1:9"
check "   listen goes on trying" kill -0 "$pid"
kill "$pid"
begin=$SECONDS
timeout 20 "$thirl" listen --server -nosuch --ephemeral </dev/null >q.out 2>q.log
code=$?
check "7: no such name" is 7
check "   at once" [ $((SECONDS - begin)) -lt 10 ]
check "   and it says so" says q "there is no host named -nosuch"

# A name server that takes questions and never answers: thirld, which knows no DNS. The C library waits 10 s for it.
echo "nameserver $public" >resolv.conf
spawn "$build/bin/thirld" --listen "$public:53" 2>dns.log
wait_for grep -q 'listening on UDP' dns.log
if unshare -m mount --bind resolv.conf /etc/resolv.conf 2>/dev/null; then
  spawn unshare -m sh -c 'mount --bind resolv.conf /etc/resolv.conf && exec "$@"' - \
    "$thirl" listen --server a.name.example --ephemeral </dev/null >q2.out 2>q2.log
  wait_for has_ticket q2
  begin=$SECONDS
  unshare -m sh -c 'mount --bind resolv.conf /etc/resolv.conf && exec "$@"' - \
    timeout 20 "$thirl" connect --ephemeral --timeout 1 "$ticket" </dev/null >q3.out 2>q3.log
  code=$?
  check "7: no answer about a name" is 7
  check "   and it says so" says q3 "the name a.name.example was not found out yet"
  kill -TERM "$pid"
  code_of "$pid"
  check "143: SIGTERM while a name is looked up" is 143
  check "   neither waits for the name server" [ $((SECONDS - begin)) -lt 8 ]
fi

# ---- a server that moves ----

# The name leads to two addresses where nobody answers and one where the server is; then the server dies, and is found at another address.
ip address add 203.0.113.11/32 dev lo
ip address add 203.0.113.12/32 dev lo
printf '203.0.113.12 moving.example\n203.0.113.99 moving.example\n203.0.113.11 moving.example\n' >hosts
spawn "$build/bin/thirld" --listen 203.0.113.11:3478 2>moving.log
moving_pid=$pid
wait_for grep -q 'listening on UDP' moving.log
with_hosts() { "${@:2:$1}" unshare -m sh -c 'mount --bind hosts /etc/hosts && exec "$@"' - "${@:$1+2}"; }
if unshare -m mount --bind hosts /etc/hosts 2>/dev/null; then
  : >q4.in
  with_hosts 1 spawn "$thirl" listen --server moving.example --ephemeral <q4.in >q4.out 2>q4.log
  listen_pid=$pid
  wait_for has_ticket q4
  check "all addresses of a name are tried" wait_for grep -q registered q4.log
  kill -KILL "$moving_pid"
  wait_for grep -q 'the server at 203.0.113.11:3478 is out of reach' q4.log
  echo '203.0.113.12 moving.example' >hosts
  spawn "$build/bin/thirld" --listen 203.0.113.12:3478 2>moving2.log
  registered_again() { [ "$(grep -c registered q4.log)" = 2 ]; }
  check "and looked up again when the server is gone" wait_for registered_again
  printf 'to the new address' >q5.in
  with_hosts 0 timeout 20 "$thirl" connect --ephemeral --timeout 10 "$ticket" <q5.in >q5.out 2>q5.log
  check "   where the ticket works as before" [ $? -eq 0 ]
  code_of "$listen_pid"
  check "   to the last byte" [ "$code $(cat q4.out)" = "0 to the new address" ]
fi

"$thirl" key --identity "$work/new.pem" >r.out 2>r.log
check "thirl key: one line" [ "$? $(wc -l <r.out)" = "0 1" ]
check "thirl key: again the same" [ "$("$thirl" key --identity "$work/new.pem")" = "$(cat r.out)" ]
check "thirl key: a file for its owner only" [ "$(stat -c %a new.pem)" = 600 ]
chmod 644 new.pem
"$thirl" key --identity "$work/new.pem" >r2.out 2>r2.log
check "1: a key that others may read" [ $? -eq 1 ]
check "   and it says what to do" says r2 "chmod 600"
(unset HOME; "$thirl" key >r3.out 2>r3.log)
check "1: no HOME" [ $? -eq 1 ]
check "   and it says so" says r3 "neither HOME nor XDG_CONFIG_HOME"
check "thirl version" [ "$("$thirl" version --json | cut -c1-20)" = '{"v":1,"version":"0.' ]
check "thirl --help" [ "$("$thirl" --help | head -n 1)" = "usage: thirl COMMAND [options]" ]
check "thirl connect --help" [ "$("$thirl" connect --help | head -n 1)" = "usage: thirl connect [options] TICKET | -" ]

# ---- signals ----

# The peer of a pipe that stays open; sets listen_pid and connect_pid
stay_connected() {
  rm -f s.log t.log
  listen s --ephemeral --json <&9
  spawn "$thirl" connect --ephemeral --json "$ticket" <&9 >t.out 2>t.log
  connect_pid=$pid
  wait_for grep -q '"type":"up"' t.log
  wait_for grep -q '"type":"up"' s.log
}
rm -f s.in
mkfifo s.in
exec 9<>s.in
stay_connected
! grep -qa thirl1 "/proc/$connect_pid/cmdline"
check "the ticket is gone from the command line" [ $? -eq 0 ]
kill -INT "$connect_pid"
code_of "$connect_pid"
check "130: connect, SIGINT" is 130
code_of "$listen_pid"
check "8: its peer, at once" is 8
check "   and it says so" says s '"E_PEER_CLOSED"'
stay_connected
kill -TERM "$listen_pid"
code_of "$listen_pid"
check "143: listen, SIGTERM, connected" is 143
code_of "$connect_pid"
check "8: its peer, at once" is 8
spawn "$thirl" listen --server "$public" --ephemeral <&9 >u.out 2>u.log
wait_for has_ticket u
kill -INT "$pid"
code_of "$pid"
check "130: listen, SIGINT, waiting" is 130
rm -f u2.log
(trap '' INT; exec setpriv --pdeathsig KILL "$thirl" listen --server "$public" --ephemeral </dev/null >u2.out 2>u2.log) &
listen_pid=$!
pids+=("$listen_pid")
wait_for has_ticket u2
kill -INT "$listen_pid"
printf 'unimpressed' >u3.in
connect u3 --ephemeral "$ticket"
code_of "$listen_pid"
check "SIGINT stays ignored where it was" [ "$code $(cat u2.out)" = "0 unimpressed" ]
exec 9>&-

# ---- odd standard streams ----

listen v --ephemeral
timeout 30 "$thirl" connect --ephemeral "$ticket" </dev/null >w.out 2>w.log
check "stdin is /dev/null" [ $? -eq 0 ]
code_of "$listen_pid"
listen v2 --ephemeral
timeout 30 "$thirl" connect --ephemeral "$ticket" <&- >w2.out 2>w2.log
check "stdin is closed" [ $? -eq 0 ]
code_of "$listen_pid"
check "stdin is closed: the listener" is 0
printf 'data that nobody can have' >v3.in
listen v3 --ephemeral
timeout 30 "$thirl" connect --ephemeral "$ticket" </dev/null >&- 2>w3.log
check "8: stdout is closed, and data comes" [ $? -eq 8 ]
check "   and it says so" says w3 "the output cannot be written"
code_of "$listen_pid"
check "8: its peer" is 8
listen v4 --ephemeral
timeout 30 "$thirl" connect --ephemeral "$ticket" </dev/null >/dev/full 2>w4.log
code=$?
code_of "$listen_pid" # nothing was to be written
check "a full disk costs nothing without data" says w4 "done"
printf 'more than fits' >v5.in
listen v5 --ephemeral
timeout 30 "$thirl" connect --ephemeral "$ticket" </dev/null >/dev/full 2>w5.log
check "8: a full disk" [ $? -eq 8 ]
code_of "$listen_pid"
ln a.in v6.in
listen v6 --ephemeral
timeout 30 "$thirl" connect --ephemeral "$ticket" </dev/null 2>w6.log | head -c 10 >w6.out
codes=("${PIPESTATUS[@]}")
check "8: a reader that has enough" [ "${codes[0]}" = 8 ]
check "   has what it wanted" [ "$(head -c 10 a.in | cksum)" = "$(cksum <w6.out)" ]
check "   and it says so" says w6 "nobody reads the output any more"
code_of "$listen_pid"
check "8: its peer" is 8
listen v7 --ephemeral
printf 'late' | timeout 30 "$thirl" connect --ephemeral "$ticket" >w7.out 2>&-
check "stderr is closed" [ "${PIPESTATUS[1]}" -eq 0 ]
code_of "$listen_pid"
check "stderr is closed: the data is there" [ "$(cat v7.out)" = late ]

# ---- one user, two terminals ----

printf 'to myself' >y.in
listen x
connect y --timeout 10 "$ticket"
check "the same key on both sides" is 0
code_of "$listen_pid"
check "   arrives" [ "$(cat x.out)" = "to myself" ]

# Two listen and two dial, all with the same key and at the same time; each ticket leads to the one that printed it.
printf 'for the first' >z1.in
printf 'for the second' >z2.in
mkfifo y1.in y2.in
exec 7<>y1.in 9<>y2.in
listen y1
first=$ticket first_pid=$listen_pid
listen y2
second=$ticket second_pid=$listen_pid
wait_for grep -q registered y1.log && wait_for grep -q registered y2.log
connect_and_stay() { spawn "$thirl" connect --timeout 10 "$2" <"$1.in" >"$1.out" 2>"$1.log"; }
connect_and_stay z1 "$first"
first_connect=$pid
connect_and_stay z2 "$second"
second_connect=$pid
wait_for grep -q 'for the first' y1.out
wait_for grep -q 'for the second' y2.out
exec 7>&- 9>&-
codes=
for p in "$first_pid" "$second_pid" "$first_connect" "$second_connect"; do code_of "$p" && codes+=$code; done
check "one key in four terminals at a time" [ "$codes" = 0000 ]
check "   each ticket leads to its own" [ "$(cat y1.out), $(cat y2.out)" = "for the first, for the second" ]
check "   and nobody was thrown out" [ "$(cat y1.log y2.log | grep -c 'out of reach')" -eq 0 ]

# Whoever finds our port is told of thirty times a minute, and not each time he knocks.
mkfifo vv.in
exec 7<>vv.in
listen vv
stranger_port() { port=$(sed -n "s/.*the server sees us as $public:\([0-9]*\)$/\1/p" vv.log) && [ -n "$port" ]; }
wait_for stranger_port
for _ in $(seq 100); do
  { printf '%064d' 0 >&5; exec 5>&-; } 5<>"/dev/tcp/$public/$port" 2>/dev/null
done
wait_for grep -q stranger vv.log
thirty() { [ "$(grep -c 'a stranger at' vv.log)" -eq 30 ]; }
check "a hundred strangers are thirty lines" wait_for thirty
exec 7>&-
kill "$listen_pid"

check "the server is still there" kill -0 "$server_pid"
finish
