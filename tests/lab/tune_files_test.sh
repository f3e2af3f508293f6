#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-together
#
# A file of settings as pages hand it down: `thirl tune` names each line of it that is gone, does nothing or does harm, by its number, and leaves good
# lines alone. The file stands in front of /etc/sysctl.d, for tune alone.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$(dirname "$0")/lib_tune.sh"
lab_start "$@"
tune_start

# line of the file | what is to be said of it; nothing: it is fine
table='net.ipv4.tcp_tw_recycle = 1|tw-recycle
net.ipv4.netfilter.ip_conntrack_tcp_timeout_time_wait=1|ct-time-wait-old
net.netfilter.nf_conntrack_tcp_timeout_time_wait = 1|ct-time-wait
net/ipv4/tcp_fin_timeout = 5|fin-timeout
net.ipv4.tcp_tw_reuse = 3|tw-reuse-range
net.ipv4.tcp_timestamps = 0|timestamps
net.ipv4.ip_conntrack_max = 1000000|ip-conntrack-max
net.netfilter.nf_conntrack_tcp_loose = 0|ct-loose
net.ipv4.ip_local_port_range = 1024 70000|port-range-top
net.ipv4.tcp_syncookies = 0|syncookies-off
net.ipv4.tcp_max_syn_backlog = 8192|syn-backlog
net.ipv4.tcp_abort_on_overflow = 1|abort-on-overflow
net.ipv4.tcp_retries2 = 3|retries2
# net.ipv4.tcp_tw_recycle = 1|
net.ipv4.conf.all.rp_filter = 2|
vm.overcommit_memory = 1|'
ns=client
tune_namespace client client
show /etc/sysctl.d/99-faster.conf "$(cut -d'|' -f1 <<<"$table")"
tune_report client client "$lab_work/client.json"
sed 's/{"id"/\n&/g' "$lab_work/client.json" | sed -n 's/^{"id":"\([a-z0-9-]*\)","verdict":.*99-faster.conf","line":\([0-9]*\),.*/\2|\1/p' | sort -n >"$lab_work/said"
awk -F'|' '$2 != "" { print NR "|" $2 }' <<<"$table" >"$lab_work/expected"
if diff "$lab_work/expected" "$lab_work/said"; then
  echo "ok    $(wc -l <"$lab_work/expected") lines that do no good, of $(wc -l <<<"$table")"
else
  echo "FAIL  the lines of the file: < expected, > said"
  cat "$lab_work/client.json.err"
  exit 1
fi

rm -r "$tune_shown"
show /etc/sysctl.d/99-good.conf 'net.ipv4.ip_forward = 0'
tune_report client client "$lab_work/client.json"
if ! grep -q '"findings"' "$lab_work/client.json" || grep -q '"verdict":"[^"]*","file":"/etc/sysctl.d/99-good' "$lab_work/client.json"; then
  echo "FAIL  of a good file there is something to say:"
  cat "$lab_work/client.json" "$lab_work/client.json.err"
  exit 1
fi
echo "ok    nothing to say of a good file"
