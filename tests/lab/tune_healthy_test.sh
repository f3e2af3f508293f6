#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 150
# test-together
#
# `thirl tune` where nothing is wrong: it warns of nothing. In a namespace as the kernel makes it, it says what has to be said. And it only looks: nothing is
# opened for writing, sent or changed, as strace and the settings before and after tell.
set -u
. "${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}/lab/topology.sh"
. "$(dirname "$0")/lib_tune.sh"
lab_start "$@"
tune_start
wrong=0
# verdict TEXT FILE: FILE holds what is wrong
verdict() {
  if [ -s "$2" ]; then
    echo "FAIL  $1"
    sed 's/^/        /' "$2"
    wrong=1
  else
    echo "ok    $1"
  fi
}

# ---- healthy ----

for profile in server router client; do
  tune_namespace "$profile" "$profile"
  tune_report "$profile" "$profile" "$lab_work/$profile.json"
  tune_judge '' '' '' "$lab_work/$profile.json" >"$lab_work/wrong"
  verdict "a healthy $profile, of which is worth knowing: $(tune_levels <"$lab_work/$profile.json" | awk '$2 == "info" { printf " %s", $1 }')" "$lab_work/wrong"
done

# ---- as the kernel makes a namespace ----

# What has to be said of one, at warn or crit: a router does not forward, and forgets UDP mappings early.
expect() { for word; do echo "$word"; done | sort; }
ip netns add "$lab_prefix-plain" && lab_names+=(plain) && lab_in plain ip link set dev lo up
for profile in server router client; do
  tune_report plain "$profile" "$lab_work/plain.json"
  case $profile in
    server) expect ;;
    router) expect CT9 CT12 ;;
    client) expect ;;
  esac >"$lab_work/expected"
  tune_levels <"$lab_work/plain.json" | while read -r id level _; do
    case $tune_shared$level in *" $id "* | *info | *ok | *unknown) ;; *) echo "$id" ;; esac
  done | sort | diff "$lab_work/expected" - >"$lab_work/wrong"
  verdict "a plain namespace as a $profile: $(tr '\n' ' ' <"$lab_work/expected")" "$lab_work/wrong"
done

# ---- it only looks ----

state_of() {
  lab_in "$1" sh -c 'sysctl -a 2>/dev/null | grep "^net\." | grep -v nf_conntrack_count; nft list ruleset 2>/dev/null; ip address; ip route; tc qdisc; ss -tuan'
}

# Calls that could change a file, a setting, an interface or another process.
strace_calls=open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,truncate,ftruncate,chmod,fchmod
strace_calls+=,fchmodat,chown,fchown,lchown,fchownat,mknod,mknodat,mount,umount2,setns,unshare,kill,tkill,ptrace,prlimit64,setrlimit,sethostname,bpf
strace_calls+=,clock_settime,settimeofday,adjtimex,clock_adjtime,socket,sendto,sendmsg,sendmmsg,connect,bind,ioctl

# strace_wrongs <TRACE: the calls that change or tell anything, or could.
strace_wrongs() {
  awk '
    function number(hex,  i, n) {
      for (i = 3; i <= length(hex); i++) n = 16 * n + index("0123456789abcdef", substr(hex, i, 1)) - 1
      return n
    }
    { call = $2; sub(/\(.*/, "", call); result = $NF }
    call ~ /^(---|\+\+\+)/ { next }
    call ~ /^(open|openat|openat2)$/ {
      if ($0 ~ /O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)/ && $0 !~ /"\/dev\/null"/) print
      next
    }
    call == "socket" {
      if ($0 ~ /AF_NETLINK/ && match($0, /NETLINK_[A-Z_]+/)) family[$1 "/" result] = substr($0, RSTART, RLENGTH)
      else if ($0 !~ /AF_INET6?, SOCK_DGRAM/ && $0 !~ /AF_UNIX/) print
      next
    }
    call == "bind" && /AF_NETLINK/ { next }
    call == "connect" && /AF_UNIX/ { next }
    call == "sendto" || call == "sendmsg" {
      # Only questions: a type of NETLINK_ROUTE is one when it leaves 2 by 4, SOCK_DIAG_BY_FAMILY is one with the flags of a dump.
      fd = $2; sub(/^[a-z]+\(/, "", fd); sub(/,.*/, "", fd); kind = family[$1 "/" fd]
      if (!match($0, /nlmsg_type=[^,]*/)) { print; next }
      type = substr($0, RSTART + 11, RLENGTH - 11); sub(/ .*/, "", type)
      code = type ~ /^0x/ ? number(type) : -1
      if (kind == "NETLINK_ROUTE" && ((code >= 0 && code % 4 == 2) || type ~ /^RTM_GET/)) next
      if (kind == "NETLINK_SOCK_DIAG" && /0x300|NLM_F_DUMP/) next
      if (kind == "NETLINK_NETFILTER" && (type ~ /(_GET[A-Z]*|_GET)$/ || type == "0xa10")) next
      print kind ": " $0
      next
    }
    call == "prlimit64" { if ($0 !~ /prlimit64\(0, [A-Z_]+, NULL/) print; next }
    call == "adjtimex" || call == "clock_adjtime" { if ($0 !~ /modes=0,/) print; next }
    call == "ioctl" { if ($0 !~ /TCGETS|SIOCETHTOOL|TIOCGWINSZ|SIOCGIF/) print; next }
    { print }'
}

if ! command -v strace >/dev/null; then
  echo "skip  what tune opens and sends: needs strace (Debian: strace)"
elif ! lab_in server strace -o /dev/null true 2>/dev/null; then
  echo "skip  what tune opens and sends: strace is not allowed here"
else
  # strace_run NAME COMMAND...: its calls are in $lab_work/trace
  strace_run() {
    local name=$1
    shift
    lab_in "$name" strace -f -qq -v -s 64 -e "trace=$strace_calls" -o "$lab_work/trace" "$@"
  }
  # Would we see it?
  for change in 'echo 1 >/proc/sys/net/ipv4/tcp_rfc1337' 'ip link set dev lo mtu 65000' 'nft add table ip seen' 'touch "$0/touched"' 'ip address add 10.9.9.9/32 dev lo'; do
    strace_run plain sh -c "$change" "$lab_work" 2>/dev/null
    [ "$(strace_wrongs <"$lab_work/trace" | wc -l)" -gt 0 ] || echo "not seen: $change"
  done >"$lab_work/wrong"
  verdict "strace shows what changes something" "$lab_work/wrong"
  # Where there are rules of iptables, they are asked for by iptables-save.
  lab_in router iptables -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT 2>/dev/null
  for profile in server router client; do
    for form in --all --json; do
      state_of "$profile" >"$lab_work/before"
      strace_run "$profile" "$tune_thirl" tune --profile "$profile" $form --window 1 >"$lab_work/out" 2>"$lab_work/err"
      state_of "$profile" >"$lab_work/after"
      {
        diff "$lab_work/before" "$lab_work/after"
        [ -s "$lab_work/out" ] || echo "tune says nothing"
        grep -q /proc/net/netstat "$lab_work/trace" || echo "strace saw nothing: $(cat "$lab_work/err")"
        strace_wrongs <"$lab_work/trace"
      } >"$lab_work/wrong"
      verdict "tune $form changes nothing on a $profile: $(grep -c . "$lab_work/trace") calls looked at" "$lab_work/wrong"
    done
  done
fi

[ "$wrong" -eq 0 ]
