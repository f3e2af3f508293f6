# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Real programs in the lab, to be sourced after lab/topology.sh: thirld on the server, thirl on the hosts, and what their JSON events say.
#
#     peers_server                             thirld in the namespace server; peers_server_pid
#     peers_start NAME HOST COMMAND [OPTION]   thirl COMMAND --json on HOST; lab_pid; its stdin and stdout are those of the call, events in peers_log
#     peers_ticket NAME                        waits for the ticket and prints it
#     peers_log NAME                           the file of the events of NAME
#     peers_events NAME TYPE                   its events of a type, one a line
#     peers_field KEY                          the value of a key in each line of stdin
#     peers_verdict NAME                       "direct", "relayed REASON", or nothing yet: what its last event of type path says
#
# Events are single lines of compact JSON with sorted keys and without escapes, so that sed reads them.

peers_bin=$THIRL_BUILD_DIR/bin

peers_log() { echo "$lab_work/$1.events"; }

peers_listens() { grep -q 'listening on TCP' "$lab_work/thirld.log"; }

peers_server() {
  : >"$lab_work/thirld.log"
  lab_spawn server "$peers_bin/thirld" --listen 203.0.113.10 --listen 203.0.113.10:3479 >>"$lab_work/thirld.log" 2>&1 </dev/null
  peers_server_pid=$lab_pid
  lab_wait 5 peers_listens || lab_die "thirld does not start: $(cat "$lab_work/thirld.log")"
}

peers_start() {
  local name=$1 host=$2
  shift 2
  lab_spawn "$host" "$peers_bin/thirl" "$@" --json --ephemeral 2>"$lab_work/$name.events"
}

peers_has_ticket() { grep -q '"type":"ticket"' "$lab_work/$1.events"; }

peers_ticket() {
  lab_wait 5 peers_has_ticket "$1" || lab_die "$1 makes no ticket: $(cat "$lab_work/$1.events")"
  peers_events "$1" ticket | peers_field ticket
}

peers_events() { grep "\"type\":\"$2\"" "$lab_work/$1.events"; }

peers_field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }

peers_verdict() {
  local last
  last=$(peers_events "$1" path | tail -n 1)
  case $last in
    *'"direct":true'*) echo direct ;;
    *'"error":'*) echo "relayed $(peers_field error <<<"$last")" ;;
  esac
}

peers_have_verdict() { [ -n "$(peers_verdict "$1")" ] && [ -n "$(peers_verdict "$2")" ]; }

# peers_join PID: its exit code; 124 after so many seconds, and then it is ended
peers_join() {
  if ! lab_wait "$2" peers_is_gone "$1"; then
    kill "$1" 2>/dev/null
    return 124
  fi
  wait "$1"
}

peers_is_gone() { ! kill -0 "$1" 2>/dev/null; }
