#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 400
#
# thirl send between two port-restricted NATs, 100 ms apart: a large file, during which the direct path is cut for a while; then one during which the
# network of the sender is gone for longer than a session waits, so that the transfer goes on over another session. Then many small files, whose time shows
# that none of them waits for a round trip of its own. SEND_MIB says how large the file is (256).
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$lab_dir/peers.sh"
lab_start "$@"
bytes=$((${SEND_MIB:-256} << 20))

wrong=0
trouble() {
  echo "FAIL  $*"
  for log in "$lab_work"/*.events "$lab_work/thirld.log"; do
    [ -e "$log" ] && tail -n 20 "$log" | sed "s|^|      $(basename "$log"): |"
  done
  wrong=1
}
digest() { sha256sum <"$1" | cut -d' ' -f1; }
are_direct() { [ "$(peers_verdict A) $(peers_verdict B)" = 'direct direct' ]; }
is_relayed() { case $(peers_verdict B) in relayed*) return 0 ;; esac; return 1; }
come() { stat -c %s "$lab_work/in/.large.thirl-part" 2>/dev/null || stat -c %s "$lab_work/in/large" 2>/dev/null || echo 0; }
has_come() { [ "$(come)" -ge "$1" ]; }
begin() {
  rm -rf "$lab_work/in"
  mkdir "$lab_work/in"
  : >"$(peers_log A)"
  : >"$(peers_log B)"
  peers_start A hostA send --server 203.0.113.10 -r "$@" </dev/null >/dev/null
  pid_a=$lab_pid
  peers_start B hostB receive --into "$lab_work/in" "$(peers_ticket A)" </dev/null >/dev/null
  pid_b=$lab_pid
  begun=$SECONDS
}
finish() {
  peers_join "$pid_b" 200 || trouble "receive ended with exit code $?"
  peers_join "$pid_a" 20 || trouble "send ended with exit code $?"
}

lab_server
lab_side A portrestricted
lab_side B portrestricted
lab_join delay=25ms
peers_server
mkdir "$lab_work/many"
head -c "$bytes" /dev/urandom >"$lab_work/large"
for i in $(seq 1000); do echo "$i" >"$lab_work/many/$i"; done

# ---- the direct path is cut ----

begin "$lab_work/large"
lab_wait 60 has_come $((bytes / 4)) || trouble "a quarter of the file did not come in 60 s"
are_direct || trouble "a quarter came, and not over a direct path"
lab_cut A B
lab_wait 20 is_relayed || trouble "the direct path is cut, and the session does not go to the relay"
size=$(come)
lab_wait 20 has_come $((size + (1 << 20))) || trouble "nothing comes through the relay"
lab_mend A
lab_wait 60 are_direct || trouble "not direct again 60 s after the mend"
finish
[ "$(digest "$lab_work/in/large")" = "$(digest "$lab_work/large")" ] || trouble "the file that came is not the one that was sent"
[ "$wrong" -ne 0 ] || echo "ok    $((bytes >> 20)) MiB, with a cut in the middle, in $((SECONDS - begun)) s"

# ---- the whole network of the sender is gone, for longer than a session waits ----

begin "$lab_work/large"
lab_wait 60 has_come $((bytes / 4)) || trouble "a quarter of the file did not come in 60 s"
had=$(come)
lab_in natA nft -f - <<END || trouble "cannot cut"
table ip cut {
  chain in { type filter hook prerouting priority -310; policy accept; iifname wan counter drop; }
  chain out { type filter hook postrouting priority 310; policy accept; oifname wan counter drop; }
}
END
is_broken() { peers_events B broken | grep -q .; }
lab_wait 60 is_broken || trouble "the session does not break"
lab_mend A
finish
[ "$(digest "$lab_work/in/large")" = "$(digest "$lab_work/large")" ] || trouble "the file that came over two sessions is not the one that was sent"
moved=$(peers_events B transfer | peers_field moved_bytes)
[ "$moved" -le $((bytes + (1 << 20))) ] || trouble "$moved bytes moved for a file of $bytes: $had were there at the break"
[ "$wrong" -ne 0 ] || echo "ok    $((bytes >> 20)) MiB over two sessions in $((SECONDS - begun)) s, $moved bytes in all"

# ---- many small files ----

begin "$lab_work/many"
finish
diff -r "$lab_work/many" "$lab_work/in/many" || trouble "the files that came are not those that were sent"
took=$((SECONDS - begun))
[ "$took" -lt 60 ] || trouble "1000 small files took $took s: each waits for a round trip of its own"
[ "$wrong" -ne 0 ] || echo "ok    1000 small files, 100 ms apart, in $took s"
[ "$wrong" -eq 0 ]
