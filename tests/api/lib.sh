# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# To be sourced first by a test of the programs. Runs the script anew in a network namespace where nothing but it exists: lo with a second,
# public-looking address (loopback is never probed, so only there a path becomes direct), and a thirld on both. As root or in a user namespace.
#
#     spawn COMMAND...        in the background; its process is $pid; ends with the script
#     wait_for COMMAND...     until the command succeeds, 20 s; 1: it did not
#     code_of PID             waits for it, 30 s, and sets $code to its exit code, "none" if it had to be killed
#     check TEXT COMMAND...   one line of the report
#     finish                  the exit code of the script

build=${THIRL_BUILD_DIR:?}
public=203.0.113.10
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
unset THIRL_SERVER THIRL_TICKET XDG_CONFIG_HOME

skip() {
  echo "skipped: $*"
  exit 77
}

if [ -z "${THIRL_TEST_INSIDE:-}" ]; then
  for tool in ip unshare setpriv; do
    command -v "$tool" >/dev/null || skip "needs $tool (Debian: iproute2, util-linux)"
  done
  for program in thirl thirld; do
    [ -x "$build/bin/$program" ] || skip "needs $build/bin/$program"
  done
  user=
  [ "$(id -u)" -eq 0 ] && unshare -n true 2>/dev/null || user=-Ur
  unshare $user -n true 2>/dev/null || skip "needs root, or user namespaces for everybody"
  THIRL_TEST_INSIDE=1 exec unshare $user -n bash "$0" "$@"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/thirl-api.XXXXXX") || exit 1
cd "$work" || exit 1
export HOME=$work/home
mkdir home
pids=()
end_all() {
  trap '' TERM INT
  exec 2>/dev/null # bash would report each of them as killed
  [ ${#pids[@]} -eq 0 ] || kill -KILL "${pids[@]}"
  cd / && rm -rf "$work"
}
trap end_all EXIT
trap 'exit 143' TERM INT

# Bash starts background processes with SIGINT ignored, which thirl respects: give it back. 7, 8 and 9 are the script's own.
spawn() {
  setpriv --pdeathsig KILL env --default-signal=INT "$@" <&0 7>&- 8>&- 9>&- &
  pid=$!
  pids+=("$pid")
}

wait_for() {
  local end=$((SECONDS + 20))
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.02
  done
}

is_over() { ! kill -0 "$1" 2>/dev/null; }

code_of() {
  local end=$((SECONDS + 30))
  until is_over "$1"; do
    if [ $SECONDS -ge $end ]; then
      kill -KILL "$1"
      wait "$1" 2>/dev/null
      code=none
      return
    fi
    sleep 0.02
  done
  wait "$1"
  code=$?
}

wrong=0
check() {
  local text=$1
  shift
  if "$@"; then
    echo "ok    $text"
  else
    echo "FAIL  $text: $*"
    for log in *.log; do
      echo "      ---- $log"
      tail -n 20 "$log" | sed 's/^/      /'
    done
    wrong=$((wrong + 1))
  fi
}

finish() { [ "$wrong" -eq 0 ]; }

ip link set dev lo up && ip address add "$public/32" dev lo || skip "cannot set up lo"
spawn "$build/bin/thirld" --listen "$public:3478" --listen 127.0.0.1:3478 2>thirld.log
server_pid=$pid
wait_for grep -q 'listening on TCP 127.0.0.1' thirld.log || { cat thirld.log; exit 1; }
