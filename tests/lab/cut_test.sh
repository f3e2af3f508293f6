#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 240
#
# A stream of 256 MiB between two NATs, 100 ms apart, while something is taken away. First the direct path: a firewall drops everything between the two
# public addresses after 64 MiB, for 15 s; the stream goes on through the relay, then directly again. Then the server: thirld is killed with -9 and
# started again 5 s later, and the stream does not notice. All bytes arrive, each time.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$lab_dir/peers.sh"
lab_start "$@"

bytes=$((256 << 20)) cut_at=$((64 << 20))

trouble() {
  echo "FAIL  $*"
  sed 's/^/      A: /' "$(peers_log A)"
  sed 's/^/      B: /' "$(peers_log B)"
  sed 's/^/      thirld: /' "$lab_work/thirld.log"
  exit 1
}

arrived() { stat -c %s "$lab_work/out"; }
has_arrived() { [ "$(arrived)" -ge "$1" ]; }
are_direct() { [ "$(peers_verdict A) $(peers_verdict B)" = 'direct direct' ]; }
is_relayed() { case $(peers_verdict A) in relayed*) case $(peers_verdict B) in relayed*) return 0 ;; esac ;; esac; return 1; }
paths() { peers_events "$1" path | grep -c .; }
registrations() { peers_events "$1" registered | grep -c .; }
are_registered_again() { [ "$(registrations A)" -ge 2 ] && [ "$(registrations B)" -ge 2 ]; }
seconds() { awk -v us="$((${EPOCHREALTIME/[.,]/} - $1))" 'BEGIN { printf "%.1f s", us / 1e6 }'; }

# pour: what B sends; with the word "held" the last quarter waits until the server knows both again
pour() {
  head -c $((bytes / 4 * 3)) "$lab_work/data"
  [ "${1:-}" != held ] || lab_wait 60 are_registered_again
  tail -c "+$((bytes / 4 * 3 + 1))" "$lab_work/data"
}

# begin [held]: a transfer of $lab_work/data from B to A, up to its first 64 MiB, on the direct path
begin() {
  : >"$lab_work/out"
  : >"$(peers_log A)"
  : >"$(peers_log B)"
  peers_start A hostA listen --server 203.0.113.10 </dev/null >"$lab_work/out"
  pid_a=$lab_pid
  pour "$@" >"$lab_work/in" &
  peers_start B hostB connect "$(peers_ticket A)" <"$lab_work/in" >"$lab_work/back"
  pid_b=$lab_pid
  begun=${EPOCHREALTIME/[.,]/}
  lab_wait 30 has_arrived "$cut_at" || trouble "only $(arrived) bytes arrived in 30 s"
  are_direct || trouble "64 MiB arrived, and not over a direct path"
  echo "      64 MiB after $(seconds "$begun")"
}

# finish: all of it must come, and both programs end well
finish() {
  peers_join "$pid_b" 120 || trouble "connect ended with exit code $? and $(arrived) bytes"
  peers_join "$pid_a" 20 || trouble "listen ended with exit code $?"
  cmp "$lab_work/data" "$lab_work/out" || trouble "what arrived is not what was sent"
  [ ! -s "$lab_work/back" ] || trouble "B got bytes that nobody sent"
  echo "      256 MiB after $(seconds "$begun"): $(peers_events A finished | peers_field direct_bytes) bytes direct," \
    "$(peers_events A finished | peers_field relayed_bytes) relayed"
}

lab_server
lab_side A portrestricted
lab_side B restricted
lab_join delay=25ms
peers_server
head -c "$bytes" /dev/urandom >"$lab_work/data"
mkfifo "$lab_work/in"

begin
lab_cut A B
moment=${EPOCHREALTIME/[.,]/}
lab_wait 15 is_relayed || trouble "the direct path is cut for 15 s, and they have not both gone to the relay"
echo "      relayed $(seconds "$moment") after the cut, because of $(peers_verdict A | cut -d' ' -f2) and $(peers_verdict B | cut -d' ' -f2)"
size=$(arrived)
lab_wait 10 has_arrived $((size + (1 << 20))) || trouble "nothing arrives through the relay"
while [ $((${EPOCHREALTIME/[.,]/} - moment)) -lt 15000000 ]; do sleep 0.1; done
are_direct && trouble "direct through a cut"
[ "$(arrived)" -lt "$bytes" ] || trouble "all had arrived before the end of the cut: nothing left to show"
lab_mend A
moment=${EPOCHREALTIME/[.,]/}
lab_wait 60 are_direct || trouble "not direct again 60 s after the mend"
echo "      direct again $(seconds "$moment") after the mend"
finish
echo "ok    the direct path cut and mended"

begin held
paths_a=$(paths A) paths_b=$(paths B)
kill -KILL "$peers_server_pid"
wait "$peers_server_pid" 2>/dev/null
moment=${EPOCHREALTIME/[.,]/}
sleep 5
[ "$(arrived)" -gt $((cut_at + (8 << 20))) ] || trouble "the stream stands still without the server"
peers_server
lab_wait 60 are_registered_again || trouble "not both registered again 60 s after the server is back"
echo "      registered again $(seconds "$moment") after the kill"
finish
for name in A B; do
  [ "$(peers_events "$name" unregistered | grep -c .)" -ge 1 ] || trouble "$name has not seen that the server was gone"
done
[ "$(paths A) $(paths B)" = "$paths_a $paths_b" ] || trouble "the death of the server changed the path of the stream"
echo "ok    the server killed and started again"
