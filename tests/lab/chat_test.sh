#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 240
# test-together
#
# thirl chat between two port-restricted NATs, 100 ms apart, on two terminals (tmux): a recorded session, whose screens are compared row by row (times, ids, ports and
# milliseconds aside), a cut of the direct path, and then 10,000 messages at once against a line that is half typed: it stays whole, and memory stays flat.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$lab_dir/peers.sh"
lab_start "$@"
command -v tmux >/dev/null || lab_skip "needs tmux"
growth_max=4096 # KiB that the flood, 800 KB, may add to the resident memory
export LC_ALL=C.UTF-8

wrong=0
trouble() {
  echo "FAIL  $*"
  for name in A B; do
    screen $name | sed "s/^/      $name: /"
  done
  wrong=1
}
tm() { # tm NAME COMMAND...: the terminal of a side
  local name=$1
  shift
  tmux -S "$lab_work/$name.tmux" -f /dev/null "$@"
}
screen() { tm "$1" capture-pane -p -t t; }
keys() {
  local name=$1
  shift
  tm "$name" send-keys -t t "$@"
}
# resize NAME COLUMNS ROWS: tmux takes its time before it tells the program
resize() {
  tm "$1" resize-window -t t -x "$2" -y "$3"
  lab_wait 20 has_size "$1" "$3 $2" || trouble "the window of $1 has no $2 columns"
}
has_size() { [ "$(stty size -F "$(tm "$1" display-message -p -t t '#{pane_tty}')")" = "$2" ]; }
shows() { screen "$1" | grep -qF -- "$2"; }
expect() { lab_wait 20 shows "$1" "$2" || trouble "$1 does not show \"$2\""; }
are_direct() { [ "$(peers_verdict A) $(peers_verdict B)" = 'direct direct' ]; }

# terminal NAME HOST COLUMNS ROWS: a shell
terminal() {
  lab_in "$2" tmux -S "$lab_work/$1.tmux" -f /dev/null new-session -d -s t -x "$3" -y "$4" 'bash --norc --noprofile'
  tm "$1" set-option -g status off
  keys "$1" "PS1='at the shell> '" Enter
}
# chat NAME ARGUMENT...: there
chat() {
  local name=$1
  shift
  : >"$lab_work/$name.events"
  keys "$name" "clear; $peers_bin/thirl chat --ephemeral --json $* 2>$lab_work/$name.events" Enter
}

# What is different each time, in a form that is not.
normal() {
  screen "$1" | sed -E 's/^[0-9]{2}:[0-9]{2} /HH:MM /; s/[a-z0-9]{5}(-[a-z0-9]{5}){6}/PEER/; s/── [a-z0-9]{5}-[a-z0-9]{2} /── PEER /; s/[0-9]+ ms/N ms/g; s/:[0-9]{4,5}/:PORT/; s/ +$//' |
    sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}
# compare NAME WHAT: the screen with stdin
compare() {
  local expected got end=$((SECONDS + 10))
  expected=$(cat)
  while :; do
    got=$(normal "$1")
    [ "$got" = "$expected" ] && break
    if [ $SECONDS -ge $end ]; then
      echo "FAIL  $2: the screen of $1 (>) is not as expected (<)"
      diff <(echo "$expected") <(echo "$got") | sed 's/^/      /'
      wrong=1
      return
    fi
    sleep 0.1
  done
  echo "ok    $2"
}

lab_server
lab_side A portrestricted
lab_side B portrestricted
lab_join delay=25ms
peers_server
terminal A hostA 80 24
terminal B hostB 40 12
chat A --server 203.0.113.10
chat B "$(peers_ticket A)"
lab_wait 20 are_direct || trouble "no direct path"
expect A 'direct TCP'
expect B 'direct TCP'

# ---- a recorded session ----

compare A "A after the meeting" <<'END'
HH:MM      ─ peer PEER: its key is proven
HH:MM      ─ connected through the relay; looking for a direct path
HH:MM      ─ direct connection to 203.0.113.2:PORT, N ms after the start
── PEER ── direct TCP ── N ms ──
>
END
keys A C-l
keys B C-l
keys A 'hello, is anybody there?' Enter
expect A 'you ✓ hello'
keys B 'hallo! 日本語 und ein café 👍' Enter
expect B 'you ✓ hallo!'
keys A 'I am just typ'
expect A '> I am just typ'
keys A Left Left Left
keys B 'a longer one, which has to be broken on both screens since neither is that wide' Enter
expect B 'you ✓ a longer'
keys A 'X'
keys B 'and one more' Enter
expect B 'you ✓ and one more'
compare A "A: what is half typed is whole" <<'END'
HH:MM  you ✓ hello, is anybody there?
HH:MM peer   hallo! 日本語 und ein café 👍
HH:MM peer   a longer one, which has to be broken on both screens since neither
             is that wide
HH:MM peer   and one more
── PEER ── direct TCP ── N ms ──
> I am just Xtyp
END
compare B "B: 40 columns" <<'END'
peer   hello, is anybody there?
 you ✓ hallo! 日本語 und ein café 👍
 you ✓ a longer one, which has to be
       broken on both screens since
       neither is that wide
 you ✓ and one more
── PEER ── direct TCP ── N ms ──
>
END
resize B 30 9
keys A End 'ing' Enter
expect A 'you ✓ I am just Xtyping'
expect B 'I am just'
resize B 60 9
keys B 'wider' Enter
expect B 'you ✓ wider'
compare B "B: narrower and wider again" <<'END'
 you ✓ hallo! 日本語 und ein café 👍
 you ✓ a longer one, which has to be
       broken on both screens since
       neither is that wide
 you ✓ and one more
peer   I am just Xtyping
HH:MM  you ✓ wider
── PEER ── direct TCP ── N ms ──
>
END

# ---- the path changes ----

lab_cut A B
expect A 'relay TCP'
keys A C-l 'through the relay' Enter
expect A 'you ✓ through the relay'
expect B 'peer   through the relay'
lab_mend A
lab_wait 60 are_direct || trouble "not direct again 60 s after the mend"
expect B 'direct TCP'
echo "ok    a cut path: the status says so, and what is said arrives"

keys B '~.'
expect B 'at the shell>'
keys B 'echo "code $?"' Enter
expect B 'code 0'
expect A 'the peer has left'
expect A 'at the shell>'
keys A 'echo "code $?"' Enter
expect A 'code 0'
echo "ok    goodbye"

# ---- a flood ----

chat A --server 203.0.113.10
ticket=$(peers_ticket A)
pid_a=$(pgrep -P "$(tm A list-panes -t t -F '#{pane_pid}')" thirl)
resident() { sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid_a/status"; }
mkfifo "$lab_work/flood"
exec 5<>"$lab_work/flood"
: >"$lab_work/B.events"
lab_spawn hostB "$peers_bin/thirl" chat --ephemeral --json "$ticket" <"$lab_work/flood" >"$lab_work/B.out" 2>"$lab_work/B.events" 5>&-
pid_b=$lab_pid
echo 'it begins' >&5
expect A 'peer   it begins'
keys A 'half typed'
expect A '> half typed'
before=$(resident)
[ -n "$before" ] || trouble "nothing is known of the memory of A"
seq -f 'flood %.0f of 10000, with some words so that it is as long as messages are' 10000 >&5 &
lab_wait 60 shows A 'flood 1' || trouble "the flood does not begin"
# A look may fall into the middle of a drawing; three in a row do not.
last_row_is() { screen A | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' | tail -n 1 | grep -qx "$1"; }
torn=0 looks=0
end=$((SECONDS + 120))
until shows A 'flood 10000 of'; do
  last_row_is '> half typed' || last_row_is '> half typed' || last_row_is '> half typed' || torn=$((torn + 1))
  looks=$((looks + 1))
  [ $SECONDS -lt $end ] || break
done
shows A 'flood 10000 of' || trouble "not all of the flood was shown"
after=$(resident)
[ "$torn" -eq 0 ] || trouble "in $torn of $looks looks during the flood the line was not whole"
[ $((after - before)) -le $growth_max ] || trouble "resident memory grew from $before to $after KiB"
keys A ' and sent' Enter
lab_wait 20 grep -qx 'half typed and sent' "$lab_work/B.out" || trouble "what was typed during the flood did not arrive whole"
[ "$wrong" -ne 0 ] || echo "ok    10000 messages: the line was whole in $looks looks, resident memory $before to $after KiB"
exec 5>&-
keys A C-d
peers_join "$pid_b" 20 || trouble "the pipe ended with $?"
for name in A B; do
  tm $name kill-server
done
[ "$wrong" -eq 0 ]
