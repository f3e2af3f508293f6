#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 240
#
# thirl chat on loopback: as a pipe with every kind of stdin, on a terminal (tmux) that is given back as it was found however the chat ends, and what is said
# to those who want something else than a chat.
set -u
. "$(dirname "$0")/lib.sh"
thirl=$build/bin/thirl
command -v tmux >/dev/null || skip "needs tmux"
socket=$work/tmux.socket
tm() { tmux -S "$socket" -f /dev/null "$@"; }
end_terminals() {
  tm kill-server 2>/dev/null
  end_all
}
trap end_terminals EXIT

is() { [ "$code" = "$1" ]; }
says() { grep -qF -- "$2" "$1.log"; }
has() { [ "$(cat "$1.out")" = "$2" ]; }
has_ticket() {
  ticket=$(sed -n 's/^thirl chat //p' "$1.log")
  [ -n "$ticket" ]
}
# wait_as NAME ARGUMENT...: a side without a ticket; its stdin and stdout are those of the call
wait_as() {
  local name=$1
  shift
  spawn "$thirl" chat --ephemeral --server "$public" "$@" 2>"$name.log"
  wait_for has_ticket "$name" || echo "FAIL  $name has no ticket: $(cat "$name.log")"
}
# call_as NAME ARGUMENT...: a side with one
call_as() {
  local name=$1
  shift
  spawn "$thirl" chat --ephemeral "$@" 2>"$name.log"
}

# ---- lines in, lines out ----

printf 'one\n\nthree \xe2\x82\xac\nno end' >a.in
printf 'back\n' >b.in
wait_as a <a.in >a.out
a=$pid
call_as b "$ticket" <b.in >b.out
b=$pid
code_of "$a"
check "two pipes that both end: the one that waited is done" is 0
code_of "$b"
check "and so is the other" is 0
check "every line arrives, an empty one and one without an end too" has b "$(printf 'one\n\nthree \xe2\x82\xac\nno end')"
check "in both directions, and nothing else is on stdout" has a back

mkfifo c.in
exec 7<>c.in # opens without waiting for the other end
wait_as c <c.in >c.out
call_as d "$ticket" </dev/null >d.out
d=$pid
printf 'a \033[31mred\033[0m\ttab\r\n\xff\xc2\x9b2J\n' >&7
shown=$(printf 'a ^[[31mred^[[0m\ttab^M\n\xef\xbf\xbd<U+009B>2J')
check "nothing of the peer is obeyed by whoever shows the output" wait_for has d "$shown"
head -c 10000 /dev/zero | tr '\0' x >&7
echo >&7
long_is_there() { [ "$(tail -n +3 d.out | tr -d '\n' | wc -c)" = 10000 ]; }
check "a line of 10000 bytes comes in pieces" wait_for long_is_there
check "/dev/null as input ends nothing" kill -0 "$d"
exec 7>&-
code_of "$d"
check "when the other side ends too, it is over" is 0

# ---- as many lines as one likes, into a reader that is slow ----

seq 20000 >e.in
wait_as e <e.in >e.out
e=$pid
mkfifo f.out
(sleep 1 && cat) <f.out >f.got &
reader=$!
call_as f "$ticket" </dev/null >f.out
f=$pid
code_of "$e"
check "20000 lines are said" is 0
code_of "$f"
check "and heard" is 0
wait "$reader"
check "each once and in order" cmp -s e.in f.got

# More than the pipe takes, less than stops the peer: all is said, the peer is gone, and the reader has not begun.
yes 'a line of about one hundred bytes, so that a thousand of them are more than a pipe holds, and not two' | head -n 1000 >v.in
mkfifo w.out
# held_by_reader: opens w.out, and leaves $w with more heard than was written
held_by_reader() {
  wait_as v <v.in >v.out
  v=$pid
  exec 7<>w.out
  call_as w "$ticket" </dev/null >w.out
  w=$pid
  code_of "$v"
  check "a thousand lines are said to a reader that sleeps" is 0
  sleep 3
  check "who has not written them all is still there" kill -0 "$w"
}
held_by_reader
(exec 7>&- && exec cat) <w.out >w.got &
reader=$!
exec 7>&-
code_of "$w"
check "and ends well when the reader has them" is 0
wait "$reader"
check "whole" cmp -s v.in w.got
held_by_reader
kill -INT "$w"
code_of "$w"
check "SIGINT ends the waiting" is 130
check "and that something is lost is said" says w 'the end of what was heard is lost'
exec 7>&-

# ---- stdin closed, stdout gone ----

wait_as g <&- >g.out
g=$pid
printf 'x\n' | timeout 30 "$thirl" chat --ephemeral "$ticket" >h.out 2>h.log
code=$?
check "a closed stdin is an input at its end" is 0
code_of "$g"
check "for both" is 0
check "and the other's line has arrived" has g x

yes line | head -n 100000 >i.in
wait_as i <i.in >/dev/null
i=$pid
timeout 30 "$thirl" chat --ephemeral "$ticket" </dev/null 2>j.log | head -n 1 >j.out
code=${PIPESTATUS[0]}
check "a reader that goes away is an error" test "$code" = 1
check "and said so" says j 'standard output cannot be written'
kill "$i"

timeout 30 "$thirl" chat --ephemeral --server 203.0.113.77 "$ticket" </dev/null 2>k.log >k.out
code=$?
check "a server beside a ticket is a mistake" is 2
check "and said so" says k 'a ticket names its server'

# ---- signals, the peer's end ----

mkfifo k.in l.in
exec 8<>k.in 9<>l.in
wait_as k <k.in >k.out
k=$pid
call_as l "$ticket" <l.in >l.out
l=$pid
echo hello >&9
check "what is said is heard" wait_for has k hello
kill -INT "$l"
code_of "$l"
check "SIGINT is 130" is 130
code_of "$k"
check "and for the peer a goodbye" is 0
check "which is said" says k 'the peer has left'

wait_as m <k.in >m.out
m=$pid
kill -TERM "$m"
code_of "$m"
check "SIGTERM while nobody is there is 143" is 143

wait_as n --keep <k.in >n.out
n=$pid
printf 'first\n' >in.1 && printf 'second\n' >in.2
for i in 1 2; do
  call_as "o$i" "$ticket" <"in.$i" >"o$i.out"
  o=$pid
  check "--keep: peer $i is heard" wait_for eval 'grep -qx "$(cat in.$i)" n.out'
  kill -TERM "$o"
  code_of "$o"
  is_waiting() { [ "$(grep -c 'waiting for the next' n.log)" = "$i" ]; }
  check "and the next one is waited for" wait_for is_waiting
done
kill -TERM "$n"
code_of "$n"

# ---- mistakes ----

# try ARGUMENT...: sets code
try() {
  timeout 30 "$thirl" "$@" </dev/null >try.out 2>try.log
  code=$?
}
try chat --ephemeral nonsense
check "nonsense is no ticket" is 2
try chat --ephemeral --keep "$ticket"
check "--keep with a ticket is a mistake" is 2
check "and said so" says try 'without a ticket'
try chat --ephemeral --server "$public" --timeout 1
check "nobody comes in time" is 3
check "and that is said" says try 'nobody came in time'
echo "$ticket" | timeout 30 "$thirl" chat --ephemeral --timeout 1 - >try.out 2>try.log
code=$?
check "a ticket on stdin, of somebody who is gone" is 3
THIRL_TICKET=$ticket try chat --ephemeral --timeout 1
check "a ticket in the environment" is 3

spawn "$thirl" listen --ephemeral --server "$public" <k.in >p.out 2>p.log
wait_for eval 'ticket=$(sed -n "s/^thirl connect //p" p.log); [ -n "$ticket" ]'
call_as q "$ticket" <l.in >q.out
q=$pid
sleep 0.2
echo "I am no chat" >&8
code_of "$q"
check "a pipe at the other side is noticed" is 1
check "and called that" says q 'the other side does not chat'
spawn "$thirl" listen --ephemeral --server "$public" --allow-forward localhost:9 </dev/null >r.out 2>r.log
wait_for eval 'ticket=$(sed -n "s/^thirl forward .* //p" r.log); [ -n "$ticket" ]'
try chat --ephemeral "$ticket"
check "and so is one that forwards" says try 'the other side does not chat'
wait_as x --timeout 4 <k.in >x.out
x=$pid
spawn "$thirl" connect --ephemeral "$ticket" <l.in >y.out 2>y.log
code_of "$x"
check "who comes and says nothing is not waited for without end" is 1
check "and that is said" says x 'the other side is there, but does not chat'
wait_as x --keep --timeout 4 <k.in >x.out
x=$pid
spawn "$thirl" connect --ephemeral "$ticket" <l.in >y.out 2>y.log
check "--keep: the next is waited for instead" wait_for says x 'waiting for the next'
kill "$x"
spawn "$thirl" listen --ephemeral --server "$public" <k.in >z.out 2>z.log
wait_for eval 'ticket=$(sed -n "s/^thirl connect //p" z.log); [ -n "$ticket" ]'
try chat --ephemeral --timeout 3 "$ticket"
check "nor who is called and says nothing" is 1
check "which is said too" says try 'the other side is there, but does not chat'
wait_as s <l.in >s.out
s=$pid
try forward --ephemeral -R 8000:localhost:9 "$ticket"
check "who wants to forward is refused" wait_for says s 'wants something else than a chat'
kill "$s"

# ---- a terminal ----

LC_ALL=C.UTF-8 tm new-session -d -s t -x 100 -y 20 "PS1='\$ ' bash --norc --noprofile"
screen() { tm capture-pane -pt t; }
shows() { screen | grep -qF -- "$1"; }
lacks() { ! shows "$1"; }
keys() { tm send-keys -t t "$@"; }
state_of_terminal() {
  rm -f "$1"
  keys "stty -a >$1; echo done-\$?" Enter
  wait_for test -s "$1" && wait_for shows 'done-0'
}
# chat_in_terminal ENVIRONMENT [OPTION]: the listener in tmux, the caller a pipe with stdin on descriptor 9 and stdout in u.out
chat_in_terminal() {
  rm -f t.log
  keys "clear; $1 $thirl chat ${2:-} --ephemeral --server $public 2>t.log" Enter
  wait_for has_ticket t || echo "FAIL  no ticket in the terminal"
  check "the screen waits" wait_for shows '~. leaves, ~? helps'
  call_as u "$ticket" <l.in >u.out
  caller=$pid
  check "and says who came" wait_for shows 'its key is proven'
}
# What is typed before the shell is back is the chat's.
is_back() { ! pgrep -P "$(tm list-panes -t t -F '#{pane_pid}')" thirl >/dev/null; }
exit_code_is() {
  wait_for is_back
  keys 'echo code-$?-' Enter
  wait_for shows "code-$1-"
}
given_back() {
  state_of_terminal after
  cmp -s before after
}

check "the terminal is looked at" state_of_terminal before
chat_in_terminal ''
keys 'half '
wait_for shows '> half'
echo 'arrives while typing' >&9
check "a message arrives while something is typed" wait_for shows 'peer   arrives while typing'
check "and the line is whole" shows '> half'
keys 'typed' Enter
check "it goes on and is sent" wait_for has u 'half typed'
check "and its delivery is seen" wait_for shows 'you ✓ half typed'
keys '~.'
check "~. leaves: exit 0" exit_code_is 0
check "the terminal is as before" given_back
code_of "$caller"
check "the peer ends with 0" is 0

chat_in_terminal ''
keys C-c
check "Ctrl-C: exit 130" exit_code_is 130
check "the terminal is as before" given_back
code_of "$caller"
check "the peer ends with 0" is 0

chat_in_terminal ''
kill -TERM "$(tm list-panes -t t -F '#{pane_pid}' | xargs -I{} pgrep -P {} thirl)"
check "SIGTERM: exit 143" exit_code_is 143
check "the terminal is as before" given_back
code_of "$caller"

chat_in_terminal ''
keys 'kept '
keys C-z
check "Ctrl-Z: the shell is there" wait_for shows 'Stopped'
check "with its terminal" given_back
check "and no foot is left" lacks '> kept'
echo 'said meanwhile' >&9
keys 'clear; fg' Enter
check "and after fg what came meanwhile" wait_for shows 'peer   said meanwhile'
check "and the line" shows '> kept'
keys C-d # not in a line that is not empty
keys 'line' Enter
check "which goes on" wait_for eval 'grep -qx "kept line" u.out'
kill -TERM "$caller"
check "the peer leaves: exit 0" exit_code_is 0
check "and that was said" shows 'the peer has left'
check "the terminal is as before" given_back

chat_in_terminal 'env TERM=dumb NO_COLOR=1'
keys 'half'
echo 'plain' >&9
check "a dumb terminal: messages are lines" wait_for shows 'peer   plain'
keys ' typed' Enter
check "and what is typed is whole" wait_for eval 'grep -qx "half typed" u.out'
keys C-d
check "Ctrl-D in an empty line leaves: exit 0" exit_code_is 0
check "the terminal is as before" given_back
code_of "$caller"

chat_in_terminal '' --keep
kill -TERM "$caller"
check "--keep: the peer leaves, and the next is waited for" wait_for shows 'waiting for the next'
call_as u "$ticket" <l.in >u.out
caller=$pid
there_again() { [ "$(screen | grep -c 'its key is proven')" = 2 ]; }
check "who is there then" wait_for there_again
keys '~.'
check "~. ends it all the same: exit 0" exit_code_is 0
code_of "$caller"

chat_in_terminal ''
tm kill-server
code_of "$caller"
check "the window is closed: for the peer a goodbye" is 0

finish
