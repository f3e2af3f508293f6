#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 180
#
# thirl forward: -L and -R to a real web server, many connections over one session, what is allowed and what is not, and how it ends.
set -u
. "$(dirname "$0")/lib.sh"
thirl=$build/bin/thirl
for tool in nginx curl; do
  command -v "$tool" >/dev/null || skip "needs $tool (Debian: nginx-light, curl)"
done

# ---- a web server, and a listener that lets it be reached ----

mkdir www
head -c 3000000 /dev/urandom >www/file
sum=$(sha256sum <www/file)
cat >nginx.conf <<END
daemon off;
master_process off;
pid $work/nginx.pid;
error_log stderr;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3; uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
  server { listen 127.0.0.1:8000; root $work/www; location /slow { limit_rate 1; alias $work/www/file; } }
}
END
chmod 755 "$work"
spawn nginx -p "$work" -c "$work/nginx.conf" -g "user $(id -un);" 2>nginx.log
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
wait_for listens 8000 || { cat nginx.log; exit 1; }

# listen NAME ARGUMENT...
listen() {
  local name=$1
  shift
  spawn "$thirl" listen --ephemeral --server "$public" "$@" </dev/null >"$name.out" 2>"$name.log"
  wait_for has_ticket "$name" || echo "FAIL  $name has no ticket: $(cat "$name.log")"
}
has_ticket() {
  ticket=$(sed -n 's/^thirl \(connect\|forward .*\) //p' "$1.log")
  [ -n "$ticket" ]
}
# forward NAME ARGUMENT...: in the background
forward() {
  local name=$1
  shift
  spawn "$thirl" forward --ephemeral "$@" </dev/null >"$name.out" 2>"$name.log"
}
is() { [ "$code" = "$1" ]; }
says() { grep -qF -- "$2" "$1.log"; }
gets() { [ "$(curl -s -m 60 "http://127.0.0.1:$1/file" | sha256sum)" = "$sum" ]; }
refuses() { ! curl -s -m 60 -o /dev/null "http://127.0.0.1:$1/file"; }

listen l --allow-forward 'localhost:8000' --allow-forward '127.0.0.1:9' --allow-bind 8100
listener=$pid first_ticket=$ticket
forward f -L 8001:localhost:8000 -L 8002:127.0.0.1:8000 -L 8003:127.0.0.1:9 -R 8100:127.0.0.1:8000 -R 8101:127.0.0.1:8000 "$ticket"
forwarder=$pid
check "a port of ours goes to the peer's web server" wait_for gets 8001
check "a port of the peer goes to a web server of ours" wait_for gets 8100
check "what is not named is not reached" refuses 8002
check "and the listener says what was asked for" wait_for says l '127.0.0.1:8000, which --allow-forward does not name'
check "and our side says why" wait_for says f 'permission denied; does its --allow-forward name'
check "a port where nobody listens is refused" refuses 8003
check "and why" wait_for says f 'connection refused'
check "a port that is not named is not opened" wait_for says f 'does not let us listen at localhost:8101'

# ---- many at once, one of them stalled ----

exec 5<>/dev/tcp/127.0.0.1/8001
printf 'GET /file HTTP/1.1\r\nHost: x\r\n\r\n' >&5 # and nobody reads it
many=()
for i in $(seq 100); do
  curl -s -m 120 -o "got.$i" http://127.0.0.1:8001/file &
  many+=($!)
done
wait "${many[@]}"
all_equal() { [ "$(for i in $(seq 100); do sha256sum <"got.$i"; done | sort -u)" = "$sum" ]; }
check "a hundred at once, beside one that nobody reads, are all whole" all_equal
exec 5<&-

# Half-close: what is said before the end arrives, and the answer after it.
half() { [ "$(printf 'GET /file HTTP/1.0\r\n\r\n' | timeout 60 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8001; cat >&3; tail -c 3000000 <&3' | sha256sum)" = "$sum" ]; }
check "the answer to a request comes whole" half

# ---- a peer that asks for what it may not have, again and again ----

for i in $(seq 60); do
  curl -s -m 30 -o /dev/null http://127.0.0.1:8002/file
done
lines() { grep -c "$2" "$1.log"; }
few_lines() { [ "$(lines l 'does not name')" -ge 10 ] && [ "$(lines l 'thirl: the peer')" -le 30 ] && [ "$(lines f 'refuses a connection')" -le 30 ]; }
check "does not fill the listener's terminal" few_lines
check "and those who may come still do" gets 8001
soft_limit() { sed -n 's/^Max open files *\([0-9]*\) .*/\1/p' "/proc/$1/limits"; }
has_descriptors() { [ "$(soft_limit "$listener")" -ge 9216 ] || [ "$(soft_limit "$listener")" -ge "$(ulimit -Hn)" ]; }
check "a listener may have descriptors for every stream of every peer" has_descriptors

# ---- several peers, and the end ----

forward g -L 8005:localhost:8000 "$first_ticket"
second=$pid
check "a second peer is served beside the first" wait_for gets 8005
check "and the first still is" gets 8001
kill -INT "$second"
code_of "$second"
check "SIGINT ends a forwarder" is 130
kill -TERM "$listener"
code_of "$listener"
check "SIGTERM ends a listener" is 143
code_of "$forwarder"
check "and the other side hears of it" is 8

# ---- mistakes ----

# try ARGUMENT...: sets code
try() {
  timeout 30 "$thirl" "$@" </dev/null >try.out 2>try.log
  code=$?
}
try forward -L nonsense "$ticket"
check "nonsense is told from a forward" is 2
check "with an example" says try '8022:localhost:22'
try forward "$ticket"
check "nothing to forward is a mistake" is 2
try forward -U 53:localhost:53 "$ticket"
check "UDP is not there yet, and that is said" says try 'not there yet'
try listen --allow-forward 22
check "a rule needs a host" is 2
try forward -L 8000:localhost:1 "$ticket"
check "a port that is taken is an error" says try 'cannot listen at localhost:8000: the address is in use; take another port'

listen pipe
forward h -L 8006:localhost:8000 "$ticket"
code_of "$pid"
check "a pipe at the other side is noticed" is 1
check "and called that" says h 'the other side forwards nothing'
listen k --allow-forward localhost:8000
echo hello | timeout 30 "$thirl" connect --ephemeral "$ticket" >c.out 2>c.log
check "and a pipe that reaches a forwarder" wait_for says k 'the other side forwards nothing'

finish
