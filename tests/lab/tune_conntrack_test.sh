#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 150
#
# Connection tracking at its limits: a full table, of answered and of unanswered flows, and a NAT without ports. The limit belongs to the host and is read-only
# here, so the table is really filled.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$(dirname "$0")/lib_tune.sh"
lab_start "$@"
command -v conntrack >/dev/null || lab_skip "needs conntrack (Debian: conntrack)"
tune_start

entries_max=1048576 # more than this is not filled: 256 bytes each
max=$(cat /proc/sys/net/netfilter/nf_conntrack_max 2>/dev/null || echo 0)
[ "$max" -gt 0 ] || lab_skip "nf_conntrack_max cannot be read"
[ "$max" -le "$entries_max" ] || lab_skip "the table of this machine holds $max entries: too many to fill"

# entries FIRST BEHIND STATUS: of these numbers, for conntrack -R; STATUS is what it is to have seen of them
entries() {
  seq "$1" $(($2 - 1)) | awk -v status="$3" '{
    printf "-A -s 10.%d.%d.%d -d 192.0.2.1 -p udp --sport 1000 --dport 7 -t 600%s\n", $1 / 65536 % 256, $1 / 256 % 256, $1 % 256, status
  }'
}
fill() {
  entries "$@" | lab_in "$ns" conntrack -R - >/dev/null 2>&1
  [ "$(lab_in "$ns" cat /proc/sys/net/netfilter/nf_conntrack_count)" -ge $(($2 * 9 / 10)) ] # what nobody answers may be thrown out already
}
most=$((max * 8 / 10))
answered=' -u ASSURED,SEEN_REPLY'

# First four fifths of the table, then all of it: new flows are dropped, the log says so, and a program on the machine itself gets EPERM.
state_CT2() {
  fill 0 "$most" "$answered" && tune_more+=("fill_rest CT3 router crit<CT2 CT2" "is_logged CT6 router warn CT2,CT3" ": NAT10 client warn")
}
fill_rest() {
  fill "$most" "$max" "$answered" && provoke blast 203.0.113.1 9 100 200 && await 5 counts drop 10
}
# The log is the machine's, and holds ten lines for five seconds at most: of this namespace there has to be one.
is_logged() {
  local inode
  dmesg >/dev/null 2>&1 || { unable "CT6: the kernel's log cannot be read"; return; }
  inode=$(lab_in "$ns" stat -L -c %i /proc/self/ns/net)
  said() { dmesg | grep -q "table full in netns $inode"; }
  await 20 said
}
# Unanswered flows, and ever more of them: when the kernel tidies up, a twentieth of the table is free again.
state_CT5() { fill 0 "$max" '' && provoke spray 198.51.100 20000 && await 10 counts early_drop 10; }
state_CT4() {
  lab_in "$ns" nft 'flush chain ip nat post; add rule ip nat post oifname "wan" ip protocol udp masquerade to :1000-1019' &&
    lab_spawn "$ns" bash -c 'for i in $(seq 200); do timeout 0.1 "$0" flows 203.0.113.1 9 50; done' "$tune_provoke" 2>/dev/null
  await 5 counts insert_failed 10
}
tune_state CT4 router crit
tune_state CT2 router warn
tune_state CT5 router 'warn<CT2' 'CT2,CT3?' # where eight slots hold nothing that can be thrown out, the new flow is dropped

tune_finish
