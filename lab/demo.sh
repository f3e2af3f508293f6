#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# make demo: two machines behind NATs meet, talk through the relay at once, and move to a direct TCP connection, while a file goes from one to the other.
# Everything is real but the internet: the kernel's NAT, thirld, two thirl processes. Nothing is left behind, whatever happens.
#
#   lab/demo.sh [NAT_A [NAT_B]]      fullcone, restricted, portrestricted (A), symmetric or what lab_words of topology.sh takes; B is restricted
#
# Environment: THIRL_BUILD_DIR (build/release); DEMO_MIB (64), the size of the file. Exit code 0: everything that the last lines claim was checked.
set -u
. "$(dirname "$0")/topology.sh"
. "$lab_dir/peers.sh"
lab_start "$@"

nat_a=${1:-portrestricted} nat_b=${2:-restricted} mib=${DEMO_MIB:-64}
cable_ms=25 round_trip_us=100000
bytes=$((mib * 1048576))

bold='' dim='' green='' red='' plain=''
if [ -t 1 ]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi

now_us() { echo "${EPOCHREALTIME/[.,]/}"; }

# line US NAME TEXT: one line of the timeline; US is a time of the wall clock
line() { printf '%s%7.3f s%s  %-7s %s\n' "$dim" "$(awk -v us="$(($1 - start))" 'BEGIN { print us / 1e6 }')" "$plain" "$2" "$3"; }

# narrate NAME BEGIN EVENT: what an event means, as "US|NAME|TEXT"
narrate() {
  local name=$1 event=$3 text='' address after
  address=$(peers_field address <<<"$event")
  after=$(peers_field after_us <<<"$event")
  case $event in
    *'"type":"ticket"'*) text='has made a ticket, and waits' ;;
    *'"type":"registered"'*) text="is registered; the server sees it as $address" ;;
    *'"type":"unregistered"'*) text="has lost the server: $(peers_field error <<<"$event")" ;;
    *'"type":"incoming"'*) text='hears that somebody with the ticket wants to come in' ;;
    *'"type":"confirmed"'*) text="${bold}has a direct TCP connection$plain to $address, $(round_trips "$after") after it began to punch" ;;
    *'"type":"up"'*) text="has proof of the other's key: the stream is usable, through the relay" ;;
    *'"type":"path"'*'"direct":true'* | *'"direct":true'*'"type":"path"'*)
      text="${bold}moves the stream over$plain to the direct connection, its key proven there too ($(round_trips "$after"))" ;;
    *'"error":'*'"type":"path"'*) text="is on the relay, because: $(peers_field error <<<"$event")" ;;
    *'"type":"stranger"'*) text="meets a stranger at $address" ;;
    *'"type":"error"'*) text="${red}fails:$plain $(peers_field text <<<"$event")" ;;
    *'"type":"finished"'*) text='has everything, both ways' ;;
    *) return ;;
  esac
  echo "$(($2 + $(peers_field t_us <<<"$event")))|host $name|$text"
}

round_trips() { awk -v us="${1:-0}" -v round="$round_trip_us" 'BEGIN { printf "%.2f round trips", us / round }'; }

# tell: the events that have come since the last time, in the order in which they happened
tell() {
  local event us name text
  {
    while IFS= read -r event <&5; do narrate A "$begin_a" "$event"; done
    while IFS= read -r event <&6; do narrate B "$begin_b" "$event"; done
    if [ -s "$lab_work/first" ] && [ ! -e "$lab_work/first.told" ]; then
      : >"$lab_work/first.told"
      echo "$(cat "$lab_work/first")|host A|${bold}the first bytes of the file are here$plain, through the relay"
    fi
  } | sort -t'|' -k1,1n | while IFS='|' read -r us name text; do
    line "$us" "$name" "$text"
  done
}

fail() {
  echo
  echo "${red}The demo failed:$plain $*"
  echo "host A said:"; sed 's/^/  /' "$(peers_log A)"
  echo "host B said:"; sed 's/^/  /' "$(peers_log B)"
  echo "the server said:"; sed 's/^/  /' "$lab_work/thirld.log"
  exit 1
}

# count NAME KEY: from its last event, 0 if it has none
count() {
  local value
  value=$(peers_events "$1" finished | peers_field "$2")
  echo "${value:-0}"
}

cat <<END
${bold}thirl: two machines behind NATs, $((2 * cable_ms)) ms apart$plain (a round trip takes 100 ms)

   host A               NAT A                                     NAT B              host B
   192.168.1.10 ------- 203.0.113.1 ====== the internet ====== 203.0.113.2 ------- 192.168.2.10
                        $(printf '%-14s' "$nat_a")        |            $nat_b
                                         203.0.113.10 thirld

END

start=$(now_us)
lab_server
lab_side A "$nat_a"
lab_side B "$nat_b"
lab_join delay=${cable_ms}ms --stats
peers_server
head -c "$bytes" /dev/urandom >"$lab_work/file" || fail "no room for the file"
: >"$(peers_log A)" && : >"$(peers_log B)"
exec 5<"$(peers_log A)" 6<"$(peers_log B)"
mkfifo "$lab_work/out"

# What comes out of A: the first byte's time, the file, the last byte's time.
{
  head -c 1 >"$lab_work/copy" && now_us >"$lab_work/first"
  cat >>"$lab_work/copy"
  now_us >"$lab_work/last"
} <"$lab_work/out" &
receiver=$!

start=$(now_us)
begin_a=$start
echo "   \$ thirl listen --server 203.0.113.10 >copy          ${dim}on host A$plain"
echo "   \$ thirl connect TICKET <file                        ${dim}on host B; $mib MiB of random bytes$plain"
echo
peers_start A hostA listen --server 203.0.113.10 --timeout 20 </dev/null >"$lab_work/out"
pid_a=$lab_pid
ticket=$(peers_ticket A)
lab_wait 5 peers_events A registered >/dev/null
tell
begin_b=$(now_us)
peers_start B hostB connect "$ticket" <"$lab_work/file" >"$lab_work/back"
pid_b=$lab_pid

end=$((begin_b + 60000000 + bytes))
while ! peers_is_gone "$pid_a" || ! peers_is_gone "$pid_b"; do
  [ "$(now_us)" -lt "$end" ] || fail "no end in sight"
  sleep 0.05
  tell
done
tell
wait "$pid_a" || fail "listen ended with exit code $?"
wait "$pid_b" || fail "connect ended with exit code $?"
wait "$receiver"
kill "$lab_wan_pid" && wait "$lab_wan_pid"

# ---- does it hold? ----

read -r digest_sent _ < <(sha256sum "$lab_work/file")
read -r digest_got _ < <(sha256sum "$lab_work/copy")
first=$(cat "$lab_work/first") last=$(cat "$lab_work/last")
direct=$(count A direct_bytes) relayed=$(count A relayed_bytes)
confirmed=$(peers_events A confirmed | head -n 1 | peers_field after_us)
own_drops=$(awk '/ (up|down): / { for (i = 1; i < NF; i++) if ($(i + 1) ~ /^dropped/) n += $i } END { print n + 0 }' "$lab_work/wan.log")

echo
awk -v us=$((last - first)) -v bytes="$bytes" -v mib="$mib" \
  'BEGIN { printf "   %d MiB in %.2f s: %.1f MB/s\n", mib, us / 1e6, bytes / us }'
echo "   sha256 sent     $digest_sent"
echo "   sha256 received $digest_got"
awk -v d="$direct" -v r="$relayed" 'BEGIN { printf "   %d bytes direct, %d bytes relayed (%.1f %%)\n", d, r, 100 * r / (d + r) }'
[ -z "$confirmed" ] || echo "   the direct connection stood $(round_trips "$confirmed") after the punch began"
echo

[ "$digest_sent" = "$digest_got" ] || fail "the file that came is not the file that was sent"
[ ! -s "$lab_work/back" ] || fail "host B got bytes that nobody sent"
[ "$((direct + relayed))" -ge "$bytes" ] || fail "fewer bytes counted than moved"
[ "$own_drops" -eq 0 ] || fail "the internet of the lab dropped $own_drops packets"
case "$nat_a $nat_b" in
  'symmetric symmetric' | 'portrestricted symmetric' | 'symmetric portrestricted')
    [ "$direct" -eq 0 ] || fail "a direct path that cannot be"
    echo "${green}All of it through the relay$plain, as it must be between these NATs, and byte for byte the same."
    ;;
  *)
    [ "$(peers_verdict A) $(peers_verdict B)" = 'direct direct' ] || fail "A is $(peers_verdict A), B is $(peers_verdict B)"
    [ "$direct" -gt "$relayed" ] || fail "most of it was relayed"
    [ "$relayed" -gt 0 ] || fail "nothing went through the relay while there was no other way"
    echo "${green}Relay first, then direct, and byte for byte the same.$plain"
    ;;
esac
