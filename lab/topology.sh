# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The lab's network, to be sourced by a bash script: hosts behind NATs, a server, and the internet between them, as network namespaces.
#
#     lab_start "$@"                       first of all; may run the script anew in a user namespace
#     lab_server                           namespace server: 203.0.113.10 and .11
#     lab_side A portrestricted            namespace natA: 203.0.113.1 and 192.168.1.1; namespace hostA: 192.168.1.10
#     lab_side B symmetric                 the second side: 203.0.113.2, 192.168.2.1, 192.168.2.10; and so on
#     lab_join delay=25ms                  the internet: our wan process with these terms for each cable, or without terms a bridge
#     lab_in hostA COMMAND...              runs it there
#     lab_spawn hostA COMMAND...           runs it there in the background; lab_pid is its process
#
# The namespaces are called thirl-PID-NAME. They vanish with the script, whatever ends it; what a killed script has left is removed by the next one.
# As root the namespaces are the machine's; otherwise, or with LAB_USER=1, they live in a user namespace. Where that is not allowed the script ends
# with 77 and says why.
#
# Needs bash, ip, nft, setpriv, unshare and nsenter; in THIRL_BUILD_DIR (build/release) bin/natrules, and for terms bin/wan.

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export THIRL_BUILD_DIR=${THIRL_BUILD_DIR:-$lab_dir/../build/release}
lab_prefix=thirl-$$
lab_names=()     # namespaces, without the prefix
lab_public=()    # those on the public network
lab_sides=()     # A B ...
lab_pids=()      # what runs in the background
lab_pid=0        # the last of them
declare -A lab_address=() # of each on the public network, its first
declare -A lab_lan=()     # of each side, "192.168.1"
declare -A lab_kind=()    # of each side, its NAT
lab_work=''

lab_skip() {
  echo "skipped: $*"
  exit 77
}

lab_die() {
  echo "lab: $*" >&2
  exit 1
}

# ---- beginning and end ----

lab_can_make_namespaces() { unshare -nm true 2>/dev/null; }

lab_start() {
  local tool
  for tool in ip nft setpriv unshare nsenter; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || lab_skip "needs $tool (Debian: iproute2, nftables, util-linux)"
  done
  export PATH=$PATH:/usr/sbin:/sbin
  if [ -z "${LAB_INSIDE:-}" ]; then
    if [ "$(id -u)" -ne 0 ] || [ -n "${LAB_USER:-}" ] || ! lab_can_make_namespaces; then
      unshare -Urnm true 2>/dev/null || lab_skip "needs root, or user namespaces for everybody (user.max_user_namespaces, apparmor)"
      LAB_INSIDE=1 exec unshare -Urnm bash "$0" "$@"
    fi
    mkdir -p /run/netns 2>/dev/null
  else
    # Our own /run/netns; where there is none and none may be made, our own /run.
    if [ -d /run/netns ]; then
      mount -t tmpfs tmpfs /run/netns
    else
      mount -t tmpfs tmpfs /run && mkdir /run/netns
    fi || lab_skip "cannot mount a directory for the names of namespaces"
  fi
  lab_work=$(mktemp -d "${TMPDIR:-/tmp}/thirl-lab-$$.XXXXXX") || exit 1
  trap lab_stop EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  lab_sweep
}

# Ends what runs in a namespace and removes it. $1: its full name.
lab_remove() {
  local pids
  pids=$(ip netns pids "$1" 2>/dev/null)
  # shellcheck disable=SC2086
  [ -z "$pids" ] || kill -KILL $pids 2>/dev/null
  ip netns del "$1" 2>/dev/null
}

# lab_is_left PATH PID: something of ours, whose process is dead
lab_is_left() {
  case $2 in '' | *[!0-9]*) return 1 ;; esac
  [ -e "$1" ] && [ ! -d "/proc/$2" ]
}

lab_sweep() {
  local path pid
  for path in /run/netns/thirl-*-*; do
    pid=${path#/run/netns/thirl-}
    lab_is_left "$path" "${pid%%-*}" && lab_remove "${path##*/}"
  done
  for path in "${TMPDIR:-/tmp}"/thirl-lab-*.??????; do
    pid=${path##*/thirl-lab-}
    lab_is_left "$path" "${pid%%.*}" && [ -O "$path" ] && rm -rf "$path"
  done
}

lab_nothing_runs() { ! kill -0 ${lab_pids[@]+"${lab_pids[@]}"} 2>/dev/null; }

lab_stop() {
  local status=$? name
  trap '' INT TERM HUP
  exec 2>/dev/null # bash would report each of them as terminated
  kill -TERM ${lab_pids[@]+"${lab_pids[@]}"}
  lab_wait 1 lab_nothing_runs
  for name in ${lab_names[@]+"${lab_names[@]}"}; do
    lab_remove "$lab_prefix-$name"
  done
  [ -z "$lab_work" ] || rm -rf "$lab_work"
  exit "$status"
}

# ---- running something ----

lab_in() {
  local name=$1
  shift
  nsenter --net="/run/netns/$lab_prefix-$name" -- "$@"
}

# Redirections of the call are those of the program. It ends with this script, even when that is killed. Not for a subshell.
lab_spawn() {
  local name=$1
  shift
  setpriv --pdeathsig KILL nsenter --net="/run/netns/$lab_prefix-$name" -- "$@" <&0 &
  lab_pid=$!
  lab_pids+=("$lab_pid")
}

# lab_wait SECONDS COMMAND...: until the command succeeds; 1: it did not
lab_wait() {
  local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
  shift
  until "$@"; do
    [ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
    sleep 0.02
  done
}

# ---- building ----

lab_namespace() {
  ip netns add "$lab_prefix-$1" || lab_die "cannot make the namespace $lab_prefix-$1"
  lab_names+=("$1")
  lab_in "$1" sh -c '
    set -e
    for name in all default; do
      [ ! -e /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/$name/disable_ipv6
      echo 0 >/proc/sys/net/ipv4/conf/$name/rp_filter
    done
    [ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
    ip link set dev lo up' || lab_skip "cannot write /proc/sys/net in a namespace"
}

# lab_cable NAME INTERFACE OTHER_NAME OTHER_INTERFACE
lab_cable() {
  ip link add name "$2" netns "$lab_prefix-$1" type veth peer name "$4" netns "$lab_prefix-$3" &&
    lab_in "$1" ip link set dev "$2" up &&
    lab_in "$3" ip link set dev "$4" up || lab_die "cannot lay a cable from $1 to $3"
}

# lab_attach NAME ADDRESS...: on the public network, with the interface wan
lab_attach() {
  local name=$1 address
  shift
  [ ${#lab_public[@]} -gt 0 ] || lab_namespace wan
  lab_cable "$name" wan wan "$name"
  for address in "$@"; do
    lab_in "$name" ip address add "$address/24" dev wan || lab_die "cannot give $name the address $address"
  done
  lab_public+=("$name")
  lab_address[$name]=$1
}

lab_server() {
  lab_namespace server
  lab_attach server 203.0.113.10 203.0.113.11
}

# lab_side X NAT [LAN [HOST]]: NAT is what lab_words takes, none is routed; LAN "192.168.1" when it is not to be the next one; HOST 10
lab_side() {
  local side=$1 nat=$2 number=$((${#lab_sides[@]} + 1))
  [ "$number" -lt 10 ] || number=$((number + 10)) # .10 and .11 are the server's
  local lan=${3:-192.168.$number}
  lab_sides+=("$side")
  lab_lan[$side]=$lan
  lab_namespace "nat$side"
  lab_attach "nat$side" "203.0.113.$number"
  lab_in "nat$side" sh -c "
    set -e
    echo 1 >/proc/sys/net/ipv4/ip_forward
    ip link add name lan type bridge
    ip address add $lan.1/24 dev lan
    ip link set dev lan up
    ip route add blackhole default" || lab_die "cannot set up nat$side"
  lab_nat "$side" "$nat"
  lab_host "$side" "host$side" "$lan.${4:-10}"
}

# lab_host SIDE NAME ADDRESS: one more host in a side's LAN
lab_host() {
  local side=$1 name=$2 address=$3
  lab_namespace "$name"
  lab_cable "nat$side" "$name" "$name" lan
  lab_in "nat$side" ip link set dev "$name" master lan &&
    lab_in "$name" sh -c "ip address add $address/24 dev lan && ip route add default via ${lab_lan[$side]}.1" ||
    lab_die "cannot put $name into the LAN of $side"
}

# lab_words NAT: in the words of natbox. One word is a preset; five without '=' are MAPPING FILTERING ALLOCATION UNSOLICITED HAIRPIN, as in
# "eim adf preserve drop 0" with hairpin 0 or 1; anything else is such words already, as in "preset=symmetric udp.map=adm".
lab_words() {
  case "$*" in *=*) echo "$*"; return ;; esac
  case $# in
    1) echo "preset=$1" ;;
    5)
      local hairpin=off unsolicited=$4
      [ "$5" = 0 ] || hairpin=external
      [ "$4" != none ] || unsolicited=local
      echo "map=$1 filter=$2 alloc=$3 unsolicited=$unsolicited hairpin=$hairpin"
      ;;
    *) lab_die "a NAT is one word or five, or has '=' in it, not '$*'" ;;
  esac
}

# lab_nat SIDE NAT: also later; established connections go on as the kernel's table says
lab_nat() {
  local side=$1 words name value program=$THIRL_BUILD_DIR/bin/natrules
  lab_kind[$side]=$2
  [ -x "$program" ] || lab_die "there is no $program: make build, or set THIRL_BUILD_DIR"
  # shellcheck disable=SC2086
  words=$(lab_words $2)
  # shellcheck disable=SC2086
  "$program" --sysctls $words | while read -r name value; do
    echo "${name#-} ${value}" | tr . /
  done | lab_in "nat$side" sh -c 'while read -r name value; do [ ! -e "/proc/sys/$name" ] || echo "$value" >"/proc/sys/$name"; done'
  # shellcheck disable=SC2086
  "$program" --external "${lab_address[nat$side]}" $words >"$lab_work/rules" && lab_in "nat$side" nft -f "$lab_work/rules" ||
    lab_die "the kernel cannot be the NAT '$2'"
}

# lab_join [TERM...]: the internet, when everybody is attached. --seed N and --stats go to wan as well; what it says is in $lab_work/wan.log.
lab_join() {
  local name side other
  for side in ${lab_sides[@]+"${lab_sides[@]}"}; do
    [ "${lab_kind[$side]}" = none ] || continue
    for other in "${lab_public[@]}"; do
      [ "$other" = "nat$side" ] || lab_in "$other" ip route add "${lab_lan[$side]}.0/24" via "${lab_address[nat$side]}"
    done
  done
  if [ $# -gt 0 ]; then
    lab_join_wan "$@"
    return
  fi
  lab_in wan sh -c 'ip link add name internet type bridge && ip link set dev internet up' || lab_die "cannot make a bridge"
  for name in "${lab_public[@]}"; do
    lab_in wan ip link set dev "$name" master internet
  done
}

lab_join_wan() {
  local name prefixes terms='' program=$THIRL_BUILD_DIR/bin/wan
  local -a arguments=() cables=()
  [ -x "$program" ] || lab_die "there is no $program: make build, or set THIRL_BUILD_DIR"
  while [ $# -gt 0 ]; do
    case $1 in
      --seed) arguments+=("$1" "$2"); shift ;;
      --*) arguments+=("$1") ;;
      *) terms+=:$1 ;;
    esac
    shift
  done
  for name in "${lab_public[@]}"; do
    prefixes=$(lab_in "$name" ip -o -4 address show dev wan | awk '{ sub("/.*", "", $4); printf "%s%s", comma, $4; comma = "," }')
    [ "${lab_kind[${name#nat}]-}" = none ] && prefixes+=,${lab_lan[${name#nat}]}.0/24
    cables+=("$name:$prefixes$terms")
  done
  mkfifo "$lab_work/wan.stdin" || exit 1
  lab_spawn wan "$program" ${arguments[@]+"${arguments[@]}"} "${cables[@]}" \
    <>"$lab_work/wan.stdin" >"$lab_work/wan.ready" 2>"$lab_work/wan.log"
  lab_wan_pid=$lab_pid
  lab_wait 5 grep -q ready "$lab_work/wan.ready" || lab_die "wan does not start: $(cat "$lab_work/wan.log")"
}

# ---- accidents ----

# Nothing passes between the public addresses of two sides any more, either way.
lab_cut() {
  lab_in "nat$1" nft -f - <<END || lab_die "cannot cut"
table ip cut {
  chain in {
    type filter hook prerouting priority -310; policy accept;
    iifname wan ip saddr ${lab_address[nat$2]} counter drop
  }
  chain out {
    type filter hook postrouting priority 310; policy accept;
    oifname wan ip daddr ${lab_address[nat$2]} counter drop
  }
}
END
}

lab_mend() {
  lab_in "nat$1" nft delete table ip cut
}
