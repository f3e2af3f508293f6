#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 400
#
# thirl forward between two port-restricted NATs, 100 ms apart, with programs of others at both ends: a large file by curl from nginx, during which the
# direct path is cut for 10 s; 200 requests at once beside a connection that nobody reads; ssh to sshd. Every digest is equal.
# FORWARD_MIB says how large the file is (256).
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$lab_dir/peers.sh"
lab_start "$@"
export PATH=$PATH:/usr/sbin
for tool in nginx curl ssh sshd ssh-keygen; do
  command -v "$tool" >/dev/null || lab_skip "needs $tool (Debian: nginx-light, curl, openssh-client, openssh-server)"
done
bytes=$((${FORWARD_MIB:-256} << 20))

wrong=0
trouble() {
  echo "FAIL  $*"
  for log in "$lab_work"/*.events "$lab_work/thirld.log" "$lab_work/sshd.log"; do
    [ -e "$log" ] && tail -n 20 "$log" | sed "s|^|      $(basename "$log"): |"
  done
  wrong=1
}
digest() { sha256sum <"$1" | cut -d' ' -f1; }

# ---- the machine behind NAT A: nginx, sshd, thirl listen ----

mkdir "$lab_work/www"
chmod 755 "$lab_work"
head -c "$bytes" /dev/urandom >"$lab_work/www/large"
head -c 200000 "$lab_work/www/large" >"$lab_work/www/small"
cat >"$lab_work/nginx.conf" <<END
daemon off;
master_process off;
user root;
pid $lab_work/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $lab_work/t1; proxy_temp_path $lab_work/t2; fastcgi_temp_path $lab_work/t3; uwsgi_temp_path $lab_work/t4; scgi_temp_path $lab_work/t5;
  server { listen 127.0.0.1:8000 backlog=512; root $lab_work/www; }
}
END
ssh-keygen -q -t ed25519 -N '' -f "$lab_work/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$lab_work/user_key"
cat >"$lab_work/sshd.conf" <<END
ListenAddress 127.0.0.1:2222
HostKey $lab_work/host_key
AuthorizedKeysFile $lab_work/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
END

lab_server
lab_side A portrestricted
lab_side B portrestricted
lab_join delay=25ms
peers_server
lab_spawn hostA nginx -p "$lab_work" -c "$lab_work/nginx.conf" 2>"$lab_work/nginx.events"
mkdir -p /run/sshd 2>/dev/null
lab_spawn hostA "$(command -v sshd)" -D -e -f "$lab_work/sshd.conf" 2>"$lab_work/sshd.log"
listens() { lab_in hostA bash -c "exec 3<>/dev/tcp/127.0.0.1/$1" 2>/dev/null; }
lab_wait 10 listens 8000 || trouble "nginx does not start"
peers_start A hostA listen --server 203.0.113.10 --allow-forward localhost:8000 --allow-forward 127.0.0.1:2222 </dev/null >/dev/null
peers_start B hostB forward -L 8001:localhost:8000 -L 8022:127.0.0.1:2222 "$(peers_ticket A)" </dev/null >/dev/null
are_direct() { [ "$(peers_verdict A) $(peers_verdict B)" = 'direct direct' ]; }
is_relayed() { case $(peers_verdict B) in relayed*) return 0 ;; esac; return 1; }
lab_wait 20 are_direct || trouble "no direct path"

# ---- a large file, and a cut in the middle ----

begun=$SECONDS
lab_in hostB curl -s -S --max-time 300 -o "$lab_work/got" http://127.0.0.1:8001/large &
curl_pid=$!
has_got() { [ -e "$lab_work/got" ] && [ "$(stat -c %s "$lab_work/got")" -ge "$1" ]; }
lab_wait 60 has_got $((bytes / 4)) || trouble "a quarter of the file did not come in 60 s"
lab_cut A B
lab_wait 20 is_relayed || trouble "the direct path is cut, and the session does not go to the relay"
size=$(stat -c %s "$lab_work/got")
lab_wait 20 has_got $((size + (1 << 20))) || trouble "nothing comes through the relay"
lab_mend A
lab_wait 60 are_direct || trouble "not direct again 60 s after the mend"
wait "$curl_pid" || trouble "curl ended with $?"
[ "$(digest "$lab_work/got")" = "$(digest "$lab_work/www/large")" ] || trouble "the file that came is not the one that was sent"
[ "$wrong" -ne 0 ] || echo "ok    $((bytes >> 20)) MiB by curl, with a cut in the middle, in $((SECONDS - begun)) s"

# ---- 200 at once, one stalled ----

lab_in hostB bash -c '
  exec 5<>/dev/tcp/127.0.0.1/8001
  printf "GET /large HTTP/1.1\r\nHost: x\r\n\r\n" >&5 # and nobody reads it
  for i in $(seq 200); do curl -s -S --max-time 120 -o "$0/many.$i" http://127.0.0.1:8001/small & done
  wait' "$lab_work"
expected=$(digest "$lab_work/www/small")
good=0
for i in $(seq 200); do
  [ "$(digest "$lab_work/many.$i")" = "$expected" ] && good=$((good + 1))
done
[ "$good" -eq 200 ] && echo "ok    200 requests at once beside a connection that nobody reads" || trouble "of 200 answers $good are whole"

# ---- ssh ----

ssh_to() {
  lab_in hostB ssh -F none -p 8022 -i "$lab_work/user_key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o LogLevel=ERROR -o ConnectTimeout=30 "$(id -un)@127.0.0.1" "$@"
}
answer=$(ssh_to sha256sum <"$lab_work/www/small" | cut -d' ' -f1)
[ "$answer" = "$expected" ] && echo "ok    ssh through the forwarded port" || trouble "ssh says \"$answer\", not $expected"
[ "$wrong" -eq 0 ]
