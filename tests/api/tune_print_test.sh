#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 200
#
# What thirl tune writes for a person holds: the rules and settings of --print, put in place in a namespace of their own, silence the findings that they are
# for; so do the lines that the report itself prints; and lines of configuration files are found with file and line.
set -u
build=${THIRL_BUILD_DIR:?}
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
skip() {
  echo "skipped: $*"
  exit 77
}

if [ -z "${THIRL_TEST_INSIDE:-}" ]; then
  for tool in ip nft unshare; do
    command -v "$tool" >/dev/null || skip "needs $tool (Debian: iproute2, nftables, util-linux)"
  done
  [ -x "$build/bin/thirl" ] || skip "needs $build/bin/thirl"
  user=
  [ "$(id -u)" -eq 0 ] && unshare -nm true 2>/dev/null || user=-Ur
  unshare $user -nm true 2>/dev/null || skip "needs root, or user namespaces for everybody"
  THIRL_TEST_INSIDE=1 exec unshare $user -nm bash "$0" "$@"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/thirl-print.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM INT
cd "$work" || exit 1
ip link set dev lo up || skip "cannot set up lo"
mount -t tmpfs none /etc/sysctl.d || skip "cannot mount"
filter='table inet filter { chain input { type filter hook input priority 0; policy drop; ct state established accept; iif lo accept; }; }'
nft "$filter" 2>/dev/null || skip "nft does not work here"
[ -w /proc/sys/net/ipv4/tcp_retries2 ] || skip "/proc/sys cannot be written here"

wrong=0
check() {
  local text=$1
  shift
  if "$@"; then
    echo "ok    $text"
  else
    echo "FAIL  $text: $*"
    tail -n 30 out err | sed 's/^/      /'
    wrong=$((wrong + 1))
  fi
}
tune() {
  timeout 60 "$build/bin/thirl" tune --profile server --window 1 "$@" </dev/null >out 2>err
  code=$?
}
is() { [ "$code" -eq "$1" ]; }
says() { grep -qF -- "$1" out; }

# ---- rules ----

tune --only CT1
check "a tracked port is critical" is 11
fix=$(sed -n "s/^ *fix *nft '\(.*\)'$/\1/p" out)
tune --print --format nft --what-if relay-ports=49152-65535
cp out rules.nft
check "nft takes what is printed" nft -c -f rules.nft
nft -f rules.nft
check "both directions, all ports" [ "$(nft list table inet thirl_notrack | grep -c 'udp .port \(3478\|49152-65535\) notrack')" = 4 ]
tune --only CT1 --what-if relay-ports=49152-65535
check "then the finding is gone" is 0
sed -n 's/^# *\(udp dport .* accept\)$/\1/p' rules.nft >accepts
check "two accepts are named for the way in" [ "$(wc -l <accepts)" = 2 ]
while read -r line; do check "nft takes: $line" nft "insert rule inet filter input $line"; done <accepts
tune --print --format nft
check "and nothing more is printed" says "# nothing to change"
check "the way back is printed" sh -c "$(sed -n 's/^# to undo: \(nft delete table inet thirl_notrack\), .*/\1/p' rules.nft)"
tune --only CT1
check "it leads back" is 11
check "nft takes the line of the report" nft "$fix"
tune --only CT1
check "which helps too" is 0

# ---- settings ----

echo 128 >/proc/sys/net/core/somaxconn
echo 0 >/proc/sys/net/ipv4/tcp_syncookies
echo 32768 33000 >/proc/sys/net/ipv4/ip_local_port_range
tune --only TCP1,TCP3,TCP19
check "three bad settings" is 11
tune --print --format sysctl --only TCP1,TCP3,TCP19
grep -E '^[a-z].* = ' out >settings
check "each has its line" [ "$(wc -l <settings)" = 3 ]
while IFS='=' read -r name value; do
  path=/proc/sys/$(tr . / <<<"${name% }")
  check "the kernel takes $name=$value" sh -c "echo '$value' >$path"
done <settings
tune --only TCP1,TCP3,TCP19
check "then nothing is wrong" is 0

tune --print --format systemd --what-if tcp=100000
check "a drop-in has its section" says "[Service]"
check "and its limit" grep -qxE 'LimitNOFILE=[0-9]+' out

# ---- files ----

printf '# from 2012\nnet.ipv4.ip_local_port_range = 18000 65535\nnet.ipv4.tcp_max_syn_backlog = 65536\nnet.ipv4.tcp_tw_recycle=1\n' >/etc/sysctl.d/60-web.conf
printf 'net/ipv4/tcp_tw_recycle = 0\nnet.netfilter.nf_conntrack_tcp_timeout_established = 600\nnet.ipv4.tcp_syncookies = 0\n' >/etc/sysctl.d/70-web.conf
tune
check "a line is found" says "/etc/sysctl.d/60-web.conf:2: net.ipv4.ip_local_port_range = 18000 65535"
check "one without effect" says "no effect: with SYN cookies on"
check "one that is overridden" says "overridden"
check "with the line that wins" says "/etc/sysctl.d/70-web.conf:1"
tune --json
check "the same in JSON" grep -q '"id":"syn-backlog","verdict":"no effect","file":"/etc/sysctl.d/60-web.conf","line":3' out
tune --quiet
check "--quiet leaves what does no harm" [ "$(grep -c '^      /etc/sysctl.d' out)" = 1 ]
rm /etc/sysctl.d/*
tune
check "without them nothing is said" [ "$(grep -c 'not what they seem' out)" = 0 ]
[ "$wrong" -eq 0 ]
