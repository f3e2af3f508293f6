# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# To be sourced after lab/topology.sh by the tests of `thirl tune`: bad states of a kernel, each in a network namespace of its own, and whether tune finds
# them, and nothing else.
#
#     tune_start                           after lab_start
#     tune_state ID PROFILE LEVEL [ALSO]   in a healthy namespace calls state_ID (state_ID_WORD for ID.WORD), which makes one thing bad; then tune has to say
#                                          ID at LEVEL ("warn<TCP3": and that TCP3 is its cause), and of warn and crit nothing beside it but the ids of ALSO
#                                          (commas; "ID?" may be said or not, "*" any)
#     tune_finish                          waits for all; the exit code of the script
#
# A namespace has one uplink, wan: 203.0.113.10, 2001:db8::10, default routes; what is sent there is lost. In state_ID, all of which run in subshells at the
# same time, these are at hand:
#
#     $ns                                  the name of the namespace, for lab_in and lab_spawn
#     put KEY VALUE...                     sets a sysctl, written with slashes, in the namespace
#     counts NAME [N]                      has the counter of /proc/net/{netstat,snmp,snmp6} or the column of conntrack -S come to N (1)?
#     await SECONDS COMMAND...             as lab_wait; fails the state
#     tune_args+=(...)                     more arguments of tune
#     tune_demand+=,KEY=NUMBER             more of what the server is for
#     tune_enter=(...)                     how tune gets into the namespace, instead of lab_in
#     show PATH TEXT                       tune, in a mount namespace of its own, finds TEXT instead of what the kernel says in PATH, below /proc/sys too
#     tune_more+=("FUNCTION ID PROFILE LEVEL [ALSO]")   calls FUNCTION (or ":") afterwards and asks again, here
#     unable WHY...                        this machine cannot be brought into the state: it is counted as skipped

tune_thirl=$THIRL_BUILD_DIR/bin/thirl
tune_provoke=$THIRL_BUILD_DIR/bin/provoke
tune_at_once=${TUNE_AT_ONCE:-8}
tune_window=${TUNE_WINDOW:-1}
tune_states=() # ID PROFILE LEVEL, in order
tune_running=0
tune_enter=()
# What the server of these tests is for: as much as any machine serves whose host was left as it is.
tune_demand=clients=10000,tcp=1000,pps=1000,stall-ms=50
# What the whole machine shares, and others can move meanwhile: never counted as found too much.
tune_shared=' CT6 DV1 DV3 DV8 FD3 MEM2 MEM3 NB1 NB2 '

tune_start() {
  [ -x "$tune_thirl" ] && [ -x "$tune_provoke" ] || lab_die "there is no $tune_thirl or $tune_provoke: make build, or set THIRL_BUILD_DIR"
  lab_namespace sky
}

# ---- a healthy namespace ----

put() {
  lab_in "$ns" sh -c 'for key; do
      case $key in */*) path=/proc/sys/$key ;; *) echo "$key" >"$path" || exit 1 ;; esac
    done' put "$@"
}

# tune_namespace NAME PROFILE
tune_namespace() {
  local ns=$1
  lab_namespace "$ns"
  ip link add name wan netns "$lab_prefix-$ns" type veth peer name "p$ns" netns "$lab_prefix-sky" &&
    lab_in sky ip link set dev "p$ns" up || lab_die "cannot lay a cable"
  put net/ipv6/conf/all/disable_ipv6 0 net/ipv6/conf/default/disable_ipv6 0 net/ipv6/conf/all/accept_dad 0 net/ipv6/conf/default/accept_dad 0 &&
    lab_in "$ns" ip -batch - <<END || lab_die "cannot set up $ns"
link set dev lo up
link set dev wan up
address add 203.0.113.10/24 dev wan
route add default via 203.0.113.1
neighbour add 203.0.113.1 lladdr 02:00:00:00:00:01 dev wan nud permanent
address add 2001:db8::10/64 dev wan nodad
route add default via 2001:db8::1 dev wan
neighbour add 2001:db8::1 lladdr 02:00:00:00:00:01 dev wan nud permanent
END
  put net/ipv4/tcp_mtu_probing 1 net/ipv4/conf/all/rp_filter 2
  case $2 in
    server)
      put net/core/somaxconn 65535 net/ipv4/ip_local_port_range '16384 49151' net/ipv4/ip_local_reserved_ports 49152-65535 \
        net/ipv4/tcp_migrate_req 1 net/ipv4/tcp_slow_start_after_idle 0 net/ipv4/tcp_notsent_lowat 131072
      ;;
    router)
      put net/ipv4/ip_forward 1
      lab_in "$ns" nft 'table ip nat { chain post { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }; }' &&
        put net/netfilter/nf_conntrack_udp_timeout 120 net/netfilter/nf_conntrack_udp_timeout_stream 300
      ;;
  esac || lab_die "cannot make $ns a healthy $2"
}

# ---- what a state uses ----

await() { lab_wait "$@" || { echo "this did not come: ${*:2}"; return 1; }; }

unable() {
  echo "skipped: $*"
  return 77
}

tune_shown=''
show() {
  tune_shown=$lab_work/$ns.shown
  mkdir -p "$tune_shown$(dirname "$1")" && printf '%s\n' "$2" >"$tune_shown$1"
}

# Puts the files below $1 in front of those of the system and runs the rest. Where a file or its folder is not there at all, such as settings of the host in a
# namespace, a folder stands in front of the next one above: a copy if it is one of settings, otherwise an empty one.
tune_in_front() {
  local root=$1 path folder fronts=' '
  shift
  while read -r path; do
    if [ ! -e "$path" ]; then
      folder=${path%/*}
      until [ -d "$folder" ]; do folder=${folder%/*}; done
      case $fronts in
        *" $folder "*) ;;
        *)
          mkdir -p "$root.front$folder"
          case $folder in /proc/sys/*) cp -r "$folder/." "$root.front$folder/" 2>/dev/null ;; esac
          mount --bind "$root.front$folder" "$folder" || return
          ;;
      esac
      mkdir -p "${path%/*}" && : >"$path" || return
      fronts+="$folder ${path%/*} "
    fi
    mount --bind "$root$path" "$path" || return
  done < <(cd "$root" && find . -type f | cut -c 2-)
  exec "$@"
}

# tune_counter NAME: of the namespace that we are in
tune_counter() {
  case $1 in
    drop | early_drop | insert_failed) conntrack -S 2>/dev/null | tr ' ' '\n' | awk -F= -v n="$1" '$1 == n { s += $2 } END { print s + 0 }' ;;
    *)
      cat /proc/net/netstat /proc/net/snmp /proc/net/snmp6 | awk -v wanted="$1" '
        $1 == wanted { sum += $2; next }
        NF > 2 && $1 == head { for (i = 2; i <= NF; i++) if (name[i] == wanted) sum += $i; head = ""; next }
        NF > 2 { head = $1; split($0, name) }
        END { print sum + 0 }'
      ;;
  esac
}

counts() { [ "$(lab_in "$ns" bash -c "$(declare -f tune_counter)"'; tune_counter "$1"' counts "$1")" -ge "${2:-1}" ]; }

provoke() { lab_spawn "$ns" "$tune_provoke" "$@" 2>>"$tune_log.provoke"; }
is_ready() { grep -q ready "$tune_log.provoke"; }
# As provoke, and waits until it says that it is ready
provoked() {
  : >"$tune_log.provoke"
  provoke "$@"
  await 10 is_ready
}

# ---- trying a state ----

# tune_levels: "ID level cause" of each finding of the report on stdin; without a cause "-"
tune_levels() {
  sed 's/{"id"/\n&/g' | awk -F'"' '/^{"id":"[A-Z]+[0-9]+","level":/ {
    cause = "-"
    for (i = 9; i + 2 <= NF; i++) if ($i == "cause" && $(i + 1) == ":") cause = $(i + 2)
    print $4, $8, cause
  }'
}

# tune_report NAME PROFILE FILE ARGUMENT...: asks tune in the namespace NAME
tune_report() {
  local name=$1 profile=$2 file=$3
  shift 3
  [ "$profile" != server ] || set -- --what-if "$tune_demand" "$@"
  set -- timeout 60 "$tune_thirl" tune --profile "$profile" --json --window "$tune_window" "$@"
  [ -z "$tune_shown" ] || set -- unshare -m bash -c "$(declare -f tune_in_front)"'; tune_in_front "$@"' show "$tune_shown" "$@"
  if [ ${#tune_enter[@]} -gt 0 ]; then set -- "${tune_enter[@]}" "$@"; else set -- lab_in "$name" "$@"; fi
  "$@" >"$file" 2>"$file.err"
}

# tune_judge ID LEVEL ALSO FILE: does the report say so? Prints what is wrong.
tune_judge() {
  local id=$1 level=$2 also=,$3, word said cause found wanted status=0
  local -
  set -f
  [ -s "$4" ] || { echo "tune says nothing"; return 1; }
  found=$(tune_levels <"$4")
  said=$(awk -v id="$id" '$1 == id { print $2 "<" $3 }' <<<"$found")
  case $level in *'<'*) ;; *) said=${said%%<*} ;; esac
  [ "$said" = "$level" ] || { echo "$id should be $level and is ${said:-not there}"; status=1; }
  while read -r word said cause; do
    case $said in warn | crit) ;; *) continue ;; esac
    [ "$word" != "$id" ] || continue
    case $tune_shared in *" $word "*) continue ;; esac
    case $also in *",$word,"* | *",$word?,"* | *',*,'*) ;; *) echo "$word is $said, too"; status=1 ;; esac
  done <<<"$found"
  for wanted in ${3//,/ }; do
    case $wanted in *'?' | '*') continue ;; esac
    grep -qE "^$wanted (warn|crit) " <<<"$found" || { echo "$wanted is expected with it"; status=1; }
  done
  return $status
}

# tune_ask STATE PROFILE LEVEL ALSO: tune is asked once in $ns
tune_ask() {
  local state=$1
  tune_report "$ns" "$2" "$lab_work/$ns.json" ${tune_args[@]+"${tune_args[@]}"}
  tune_judge "${state%%.*}" "$3" "$4" "$lab_work/$ns.json" && return
  sed 's/^/tune: /' "$lab_work/$ns.json.err"
  return 1
}

# In a subshell of its own: what it says is in $tune_log, its exit code is 0, 77 or another. Of what comes after the state itself, a line "also ..." each.
tune_try() {
  local state=$1 profile=$2 level=$3 also=$4 ns=$5 tune_log=$lab_work/$5.log tune_args=() tune_more=() status more call
  lab_pids=()
  trap 'kill -KILL ${lab_pids[@]+"${lab_pids[@]}"} 2>/dev/null' EXIT
  trap 'exit 143' TERM INT
  exec >"$tune_log" 2>&1
  "state_${state/./_}"
  status=$?
  [ "$status" -ne 77 ] || exit 77
  [ "$status" -eq 0 ] || { echo "cannot provoke $state"; exit 1; }
  tune_ask "$state" "$profile" "$level" "$also"
  status=$?
  for more in ${tune_more[@]+"${tune_more[@]}"}; do
    read -r call state profile level also <<<"$more"
    "$call"
    case $? in
      0) tune_ask "$state" "$profile" "$level" "$also" ;;
      77) continue ;;
      *) false ;;
    esac
    if [ $? -eq 0 ]; then
      echo "also $state $profile $level"
    else
      echo "not $state"
      status=1
    fi
  done
  exit $status
}

tune_state() {
  local state=$1 ns
  ns=$(tr . - <<<"$1")
  tune_namespace "$ns" "$2"
  if [ "$tune_running" -ge "$tune_at_once" ]; then
    wait -n
    tune_running=$((tune_running - 1))
  fi
  (
    tune_try "$1" "$2" "$3" "${4:-}" "$ns"
    exit $?
  ) &
  tune_states+=("$1 $2 $3 $ns $!")
  tune_running=$((tune_running + 1))
}

tune_finish() {
  local state profile level ns pid wrong=0 right=0 skipped=0
  for state in "${tune_states[@]}"; do
    read -r state profile level ns pid <<<"$state"
    wait "$pid"
    case $? in
      0)
        while read -r state profile level; do
          printf 'ok    %-14s %-6s %s\n' "$state" "$profile" "$level"
          right=$((right + 1))
        done < <(echo "$state $profile $level" && sed -n 's/^also //p' "$lab_work/$ns.log")
        grep '^skipped:' "$lab_work/$ns.log" && skipped=$((skipped + 1))
        ;;
      77) printf 'skip  %-14s %s\n' "$state" "$(tail -n 1 "$lab_work/$ns.log")" && skipped=$((skipped + 1)) ;;
      *)
        printf 'FAIL  %-14s %-6s %s\n' "$state" "$profile" "$level"
        sed 's/^/        /' "$lab_work/$ns.log" 2>/dev/null
        wrong=$((wrong + 1))
        ;;
    esac
  done
  echo "$right states found, $wrong not, $skipped skipped"
  [ "$wrong" -eq 0 ] && [ "$right" -gt 0 ]
}
