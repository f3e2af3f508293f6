#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 600
#
# thirl send and thirl receive on loopback: what gets across, what is never touched, and how a broken transfer goes on.
set -u
. "$(dirname "$0")/lib.sh"
thirl=$build/bin/thirl

is() { [ "$code" = "$1" ]; }
says() { grep -qF -- "$2" "$1.log"; }
has_ticket() {
  ticket=$(sed -n 's/^thirl receive \(thirl1[^ ]*\)$/\1/p; s/^thirl send --to \(thirl1[^ ]*\) FILE\.\.\.$/\1/p; s/.*"ticket":"\([^"]*\)".*/\1/p' "$1.log")
  [ -n "$ticket" ]
}
# listens NAME COMMAND ARGUMENT...: in the background; sets ticket and the process of NAME, which is $pid
listens() {
  local name=$1 command=$2
  shift 2
  spawn "$thirl" "$command" --ephemeral --server "$public" "$@" </dev/null >"$name.out" 2>"$name.log"
  wait_for has_ticket "$name" || echo "FAIL  $name has no ticket: $(cat "$name.log")"
}
# dials NAME COMMAND ARGUMENT...: until it ends; sets code
dials() {
  local name=$1 command=$2
  shift 2
  timeout 100 "$thirl" "$command" --ephemeral "$@" </dev/null >"$name.out" 2>"$name.log"
  code=$?
}
# get FILE...: all of them to a new folder called in, with the words of $flags for the receiver; sets code and sender_code
flags=
get() {
  mkdir -p in
  listens s send -r "$@"
  local sender=$pid
  # shellcheck disable=SC2086
  dials r receive --into in $flags "$ticket"
  local mine=$code
  code_of "$sender"
  sender_code=$code code=$mine
}
both_are() { [ "$code $sender_code" = "$1 $1" ]; }
fresh() { rm -rf in; }
# field NAME WORD: a number of the last object "transfer"
field() { grep '"type":"transfer"' "$1.log" | tail -n 1 | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"; }
digest() { sha256sum <"$1" | cut -d' ' -f1; }
nothing_left() { [ -z "$(find "${1:-in}" -name '*.thirl-part')" ]; }

# ---- what gets across ----

mkdir -p tree/deep/er tree/nothing
head -c 20000000 /dev/urandom >large
: >empty
for i in $(seq 300); do echo "$i" >"tree/deep/$i"; done
echo x >tree/$'new\nline'
echo x >tree/$'\xff\xfe invalid'
echo x >'tree/deep/er/ä €'
echo x >"tree/$(printf 'n%.0s' $(seq 255))"
printf '#!/bin/sh\n' >tree/program
chmod 4755 tree/program
chmod 400 empty
touch -d '2001-02-03 04:05:06.789' empty
ln -s /etc/passwd tree/link
mkfifo tree/fifo

get large empty tree
check "files and folders get across" both_are 0
same_trees() { diff -r --no-dereference -x link -x fifo tree in/tree && cmp large in/large && cmp empty in/empty; }
check "and are equal, whatever their names" same_trees
check "links are left out, and that is said" says s 'tree/link: symbolic links are not sent'
check "so are pipes" says s 'tree/fifo: neither a file nor a folder'
not_there() { [ ! -e in/tree/link ] && [ ! -L in/tree/link ] && [ ! -e in/tree/fifo ]; }
check "and they are not there" not_there
modes() { [ "$(stat -c %a in/tree/program in/empty in/large | tr '\n' ' ')" = '700 400 600 ' ]; }
check "the user's mode bits are kept, and no others" modes
times() { [ "$(stat -c %Y in/empty)" = "$(stat -c %Y empty)" ] && [ "$(stat -c %y in/empty)" = "$(stat -c %y empty)" ]; }
check "so is the time" times
check "nothing unfinished is left" nothing_left

get large empty tree
check "once more, it is all there already" both_are 0
check "and that is said" says r 'were there already'

fresh
get $'tree/new\nline'
check "a name cannot steer the terminal" says r '  new?line  (2 B)'

# the other way round: the receiver has the ticket made, --to and $THIRL_TICKET
fresh
mkdir in
listens r receive --into in
receiver=$pid
echo "$ticket" | timeout 100 "$thirl" send --ephemeral --to - large 2>s.log
check "a sender may have the ticket, on stdin" test $? = 0
code_of "$receiver"
check "and who listened for files gets them" cmp large in/large
fresh
mkdir in
listens s send large
sender=$pid
THIRL_TICKET=$ticket dials r receive --into in --json
check "a ticket in the environment" cmp large in/large
code_of "$sender"
check "with --json the end is an object" test "$(field r moved_bytes) $(field r stored)" = "20000000 1"

# ---- what is there already ----

fresh
mkdir in
echo mine >in/empty
get large empty
check "a file that is there is not replaced" both_are 1
check "that is said" says r 'empty: a file of that name is there already; --overwrite would replace it'
check "on both sides" says s 'empty: a file of that name is there already'
untouched() { [ "$(cat in/empty)" = mine ] && [ ! -e in/large ]; }
check "and before anything is written" untouched
head -c 20000000 /dev/zero >in/large
rm -f in/empty
get large
check "of the same size neither" both_are 1
is_zero() { cmp -s -n 20000000 in/large /dev/zero; }
check "and it is untouched" is_zero
flags=--overwrite
get large
flags=
check "with --overwrite it is replaced" both_are 0
check "by what was sent" cmp large in/large

# ---- traps in the folder ----

fresh
mkdir in outside
ln -s "$work/outside" in/tree
get tree
check "a link in the place of a folder is not followed" both_are 1
check "and called that" says r 'a symbolic link is in the way'
check "nothing is written behind it" test -z "$(ls outside)"
fresh
mkdir in
echo keep >victim
ln -s ../victim in/large
ln -s ../victim in/.empty.thirl-part
get large
check "a link in the place of a file is not followed" both_are 1
flags=--overwrite
get large
check "not with --overwrite either" both_are 1
flags=
get empty
check "nor one in the place of an unfinished file" both_are 1
check "what it leads to is untouched" test "$(cat victim)" = keep
fresh
mkdir -p in/large
get large
check "a folder in the place of a file stays" both_are 1

# ---- hidden files ----

mkdir -p lure/.ssh
for i in $(seq 12); do echo x >"lure/$i"; done
echo x >lure/.bashrc
echo x >lure/.ssh/authorized_keys
fresh
get lure
check "hidden files come into a folder that was named" both_are 0
check "and are always told" says r '  lure/.bashrc  (hidden, 2 B)'
check "with what is in hidden folders" says r '  lure/.ssh/authorized_keys  (hidden, 2 B)'
check "and how many folders there are" says r 'offers 14 files, 2 folders, 28 B'
fresh
mkdir in
listens s send -r lure
sender=$pid
cd in || exit 1
dials ../r receive "$ticket"
cd .. || exit 1
check "they do not come to where one happens to be" is 1
check "and what to do is said" says r 'lure/.bashrc: hidden files that nobody was shown; the receiver takes them with --yes --into DIR'
check "nothing is written" test -z "$(ls -A in)"
code_of "$sender"
check "the sender is told" says s 'not sent: lure/.bashrc: hidden files that nobody was shown'

# ---- what may not be read, or written ----

# Root may all; so may nobody here.
printf '#!/bin/sh\nexec setpriv --bounding-set=-dac_override,-dac_read_search "%s" "$@"\n' "$thirl" >weak
chmod +x weak
strong=$thirl
thirl=$work/weak
mkdir -p locked/closed
echo x >locked/secret
echo x >locked/open
chmod 0 locked/secret locked/closed
fresh
get locked
check "what cannot be read makes the sender end with 1" test "$code $sender_code" = '0 1'
check "and is counted" says s '2 of what was to be sent could not be read, and were left out'
check "and named" says s 'left out: locked/secret: Permission denied'
check "the rest comes" cmp locked/open in/locked/open
chmod 700 locked/closed
fresh
mkdir in
head -c 1000000 large >in/.large.thirl-part
chmod 400 in/.large.thirl-part
get large
check "an unfinished file that may not be written is gone on with" both_are 0
check "to its end" cmp large in/large
thirl=$strong

# ---- a broken transfer ----

head -c 300000000 /dev/urandom >huge
sum=$(digest huge)
# break_off PROCESS: when a part of huge has come
has_part() { [ "$(stat -c %s in/.huge.thirl-part 2>/dev/null || echo 0)" -gt 20000000 ]; }
# part_of WHO: a transfer of which one side is killed with -9 in the middle; the other is ended too
part_of() {
  fresh
  mkdir in
  listens s send huge
  sender=$pid
  spawn "$thirl" receive --ephemeral --into in "$ticket" </dev/null 2>r.log
  receiver=$pid
  wait_for has_part
  local victim=$sender
  [ "$1" = sender ] || victim=$receiver
  kill -KILL "$victim"
  wait "$victim" 2>/dev/null # or bash would say so
}
for victim in sender receiver; do
  part_of $victim
  [ $victim = sender ] && kill -INT "$receiver"
  [ $victim = receiver ] && kill -INT "$sender"
  code_of "$([ $victim = sender ] && echo "$receiver" || echo "$sender")"
  check "with the $victim killed the other ends by a signal" is 130
  had=$(stat -c %s in/.huge.thirl-part)
  check "and nothing is in place" test ! -e in/huge
  flags=--json
  get huge
  flags=
  check "the same two commands go on after a killed $victim" both_are 0
  check "with an equal digest" test "$(digest in/huge)" = "$sum"
  fewer() { [ "$(field r moved_bytes)" -le $((300000000 - had)) ] && [ "$(field r reused_bytes)" -ge "$had" ]; }
  check "and only what is missing moves ($had were there)" fewer
  check "with nothing unfinished left" nothing_left
done

part_of receiver
dials r receive --into in --json "$ticket"
check "a sender that listens takes a receiver that comes again" is 0
check "and goes on" test "$(digest in/huge) $(field r stored)" = "$sum 1"
code_of "$sender"
check "and ends well" is 0

fresh
mkdir in
listens s send huge
sender=$pid
spawn "$thirl" receive --ephemeral --into in "$ticket" </dev/null 2>r.log
receiver=$pid
wait_for has_part
kill -INT "$sender"
code_of "$receiver"
check "who is left by a listener that was stopped is interrupted" is 8
check "and told what to do" says r 'the other side has stopped; the same two commands go on from here'

part_of sender
kill -INT "$receiver"
code_of "$receiver"
cp huge other
printf 'changed' | dd of=other conv=notrunc status=none
mv huge huge.was && mv other huge
get huge
check "a file that changed since" both_are 0
check "is begun anew" cmp huge in/huge
check "and that is said" says r 'huge: what is there is the beginning of another file; starting over'
mv huge.was huge

# ---- a disk that is full ----

mkdir small
if unshare -m mount -t tmpfs none small 2>/dev/null; then
  listens s send large
  sender=$pid
  timeout 100 unshare -m bash -c "mount -t tmpfs -o size=10m none small && '$thirl' receive --ephemeral --into small '$ticket'" </dev/null >r.out 2>r.log
  check "a disk without room is told before anything comes" test $? = 1
  check "as that" says r "there is no room on the receiver's disk"
  code_of "$sender"
  check "on both sides" says s "there is no room on the receiver's disk"
  listens s send large
  sender=$pid
  # 30 MB: enough at the offer; then somebody else takes it
  timeout 100 unshare -m bash -c "mount -t tmpfs -o size=30m none small && { head -c 28000000 /dev/zero >small/taken & } &&
    '$thirl' receive --ephemeral --into small '$ticket'; code=\$?; ls -A small; exit \$code" </dev/null >r.out 2>r.log
  check "a disk that gets full meanwhile too" test $? = 1
  check "as that" says r "there is no room on the receiver's disk"
  code_of "$sender"
fi

# ---- wrong pairs, mistakes ----

spawn "$thirl" listen --ephemeral --server "$public" </dev/null >p.out 2>p.log
has_connect_ticket() { ticket=$(sed -n 's/^thirl connect //p' "$1.log") && [ -n "$ticket" ]; }
wait_for has_connect_ticket p
dials r receive --into in "$ticket"
check "a pipe at the other side is noticed" is 1
check "and called that" says r 'the other side neither sends nor receives files'
listens s send large
sender=$pid
echo | timeout 60 "$thirl" connect --ephemeral "$ticket" >c.out 2>c.log
code_of "$sender"
check "so is one that comes" says s 'the other side neither sends nor receives files'
spawn "$thirl" listen --ephemeral --server "$public" --allow-forward localhost:1 </dev/null 2>f.log
has_forward_ticket() { ticket=$(sed -n 's/^thirl forward .* //p' f.log) && [ -n "$ticket" ]; }
wait_for has_forward_ticket
dials s send --to "$ticket" large
check "a forwarder is no receiver" is 1
check "and that is said" says s 'the other side neither sends nor receives files'
listens s send large
sender=$pid
dials t send --to "$ticket" large
check "two senders have nothing to say to each other" is 1
check "and hear why" says t 'the other side sends too: one of us needs "thirl receive"'
code_of "$sender"
check "both of them" says s 'the other side sends too'

dials s send
check "nothing to send is a mistake" is 2
dials s send nowhere
check "a file that is not there is named" says s 'nowhere: No such file or directory'
dials s send tree
check "a folder needs -r" says s 'tree: this is a folder; -r sends it'
dials s send tree/fifo
check "a pipe is not sent" says s 'tree/fifo: neither a file nor a folder'
mkdir twin
cp large twin/large
dials s send large twin/large
check "two of one name are a mistake" says s 'would have this name at the receiver'
dials r receive --into nowhere
check "a folder that is not there is named" says r 'nowhere: No such file or directory'

# ---- peers that hold on ----

listens s send --timeout 3 large
sender=$pid
sleep 100 | timeout 60 "$thirl" connect --ephemeral "$ticket" >c.out 2>c.log &
quiet=$!
pids+=("$quiet")
code_of "$sender"
check "a peer that says nothing does not hold the sender for ever" is 3
check "and that is said" says s 'the other side said nothing in time'

# ---- a person at a terminal ----

if command -v script >/dev/null; then # Debian: bsdutils
  fresh
  mkdir in
  # person ANSWER: a receiver on a terminal of 40 columns, which gets the answer when it has asked
  person() {
    rm -f screen.log
    listens s send huge
    { wait_for grep -qs 'y/N' screen.log && echo "$1"; sleep 5; } |
      TERM=xterm timeout 60 script -qefc "stty cols 40; exec '$thirl' receive --ephemeral --into in '$ticket'" screen.log >/dev/null
    code=$?
  }
  person n
  check "a person is asked, and may say no" is 1
  check "what it is" grep -q 'huge  (286.1 MiB)' screen.log
  check "the sender is told" wait_for says s 'not sent: the receiver does not want it'
  check "nothing is written" test -z "$(ls -A in)"
  person y
  check "or yes" is 0
  check "then it comes" test "$(digest in/huge)" = "$sum"
  bar() { tr '\r' '\n' <screen.log | sed 's/\x1b\[K//' | grep -E '^ *[0-9]+% .*B/s .* left'; }
  has_bar() { [ "$(bar | wc -l)" -ge 1 ] && [ "$(bar | awk '{ if (length($0) > 39) print }' | wc -l)" -eq 0 ]; }
  check "with a bar that fits" has_bar
  fresh
  mkdir in
  rm -f screen.log
  listens s send huge
  # The first word is there long before the question, the second one behind it.
  { echo y; wait_for grep -qs 'y/N' screen.log && sleep 1 && echo n; sleep 3; } |
    TERM=xterm timeout 60 script -qefc "exec '$thirl' receive --ephemeral --into in '$ticket'" typed.log >screen.log
  check "what was typed before the question is no answer to it" grep -q 'the receiver does not want it' screen.log
  check "and nothing is written" test -z "$(ls -A in)"
  mkdir void
  rm -f screen.log
  listens s send -r void
  sender=$pid
  # All is there, the sender has not heard it yet, and the person does not wait for that.
  {
    wait_for grep -qs 'y/N' screen.log
    kill -STOP "$sender"
    echo y
    wait_for grep -qs 'received: 0 files, 1 folder' screen.log
    printf '\003'
    sleep 3
  } | TERM=xterm timeout 60 script -qefc "exec '$thirl' receive --ephemeral --into in '$ticket'" typed.log >screen.log
  code=$?
  kill -CONT "$sender"
  check "Ctrl-C behind the last word takes nothing back" is 0
  check "and all is there" test -d in/void
  not_stopped() { ! grep -q 'stopped' screen.log; }
  check "and it is not called stopped" not_stopped
fi

# ---- more than 4 GiB, mostly of nothing: only where it is asked for, THIRL_TEST_LARGE=1 ----

fresh
mkdir in
truncate -s 4300M sparse
if [ "$(df -P . | awk 'NR==2 { print $4 }')" -gt 6000000 ] && [ "${THIRL_TEST_LARGE:-}" = 1 ]; then
  get sparse
  check "a file beyond 4 GiB" both_are 0
  check "is whole" cmp sparse in/sparse
fi

finish
