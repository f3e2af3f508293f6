#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 600
# test-together
#
# Every example of the manual does what it says. They come from <build>/share/examples.tsv, as apps/pages/examples.h has it. "here" and "there" are two
# hosts behind port-restricted NATs, "server" has 203.0.113.10 and 203.0.113.11 and runs thirld, if the example does not start it itself; a web server
# listens on here's localhost:8080; "file" and "question" are files, "folder" has two. The examples of thirl-lab(1) and thirl-lab-matrix(1) run on this machine.
#
# A ticket stands for any, and so does a peer id and a number that is not part of an address; blanks do not count. "..." is any number of lines, or the
# rest of one.
#
#     manual_test.sh [PAGE]
set -u
build=${THIRL_BUILD_DIR:-$(cd "$(dirname "$0")/../.." && pwd)/build/release}
examples=$build/share/examples.tsv
export PATH=$build/bin:$PATH:/usr/sbin:/sbin LC_ALL=C.UTF-8
unset THIRL_SERVER THIRL_TICKET XDG_CONFIG_HOME
[ -s "$examples" ] || { echo "skipped: there is no $examples"; exit 77; }
for tool in ping nginx curl gzip; do
  command -v "$tool" >/dev/null || { echo "skipped: needs $tool (Debian: iputils-ping, nginx-light, curl, gzip)"; exit 77; }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/thirl-manual.XXXXXX") || exit 1
export THIRL_LAB_DIR=$work/labs
mkdir -m 700 "$work/labs"
end_labs() {
  local name rest
  thirl lab list 2>/dev/null | while read -r name rest; do thirl lab down --name "$name"; done
}
trap 'end_labs; rm -rf "$work"' EXIT
trap 'exit 143' TERM INT

if ! thirl lab up port-restricted >/dev/null 2>"$work/why"; then
  echo "skipped: $(cat "$work/why")"
  exit 77
fi
thirl lab down

wait_for() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.05
  done
}

# ---- what an example says, and what was said ----

normal() { # numbers that are no address, tickets, peer ids, blanks
  sed -E 's/thirl1[0-9a-z]{20,}/TICKET/g; s/([0-9a-z]{5}-){6}[0-9a-z]{5}/ID/g' "$1" | awk '{
    out = ""
    while (match($0, /[0-9]+(\.[0-9]+\.[0-9]+\.[0-9]+)?/)) {
      token = substr($0, RSTART, RLENGTH)
      out = out substr($0, 1, RSTART - 1) (token ~ /\./ ? token : "N")
      $0 = substr($0, RSTART + RLENGTH)
    }
    $0 = out $0
    gsub(/[ \t\r]+/, " ")
    sub(/^ /, "")
    sub(/ $/, "")
    print
  }'
}

says() { # PATTERN OUTPUT: files
  normal "$1" >"$1.normal"
  normal "$2" >"$2.normal"
  awk '
    function line_fits(p, o,   n) {
      n = length(p)
      if (n > 3 && substr(p, n - 2) == "...") return index(o, substr(p, 1, n - 3)) == 1
      return p == o
    }
    function fits(i, j) {
      if (i > patterns) return j > outputs
      if (pattern[i] == "...") {
        for (; j <= outputs + 1; j++) if (fits(i + 1, j)) return 1
        return 0
      }
      return j <= outputs && line_fits(pattern[i], output[j]) && fits(i + 1, j + 1)
    }
    FILENAME == ARGV[1] { pattern[++patterns] = $0; next }
    { output[++outputs] = $0 }
    END { exit !fits(1, 1) }' "$1.normal" "$2.normal"
}

# The comparison itself: what differs in a word, lacks a line or has one too many does not fit.
compare() { # FITS PATTERN OUTPUT
  local is=no
  printf '%b' "$2" >"$work/pattern" && printf '%b' "$3" >"$work/output"
  says "$work/pattern" "$work/output" && is=yes
  [ "$is" = "$1" ] || { echo "FAIL  the comparison: \"$2\" and \"$3\", $is"; exit 1; }
}
compare yes 'a 12 ms, 1.2.3.4:5\n...\nz\n' 'a  7 ms,   1.2.3.4:99 \nb\nc\nz\n'
compare yes 'begins wi...\n...\n' 'begins with this\n'
compare no 'a 1.2.3.4\n' 'a 1.2.3.5\n'
compare no 'a\n' 'a\nb\n'
compare no 'a\nb\n' 'a\n'
compare no '...\nz\n' 'a\nz\ny\n'
compare no 'word\n' 'ward\n'

# ---- one example ----

wrong=0 count=0 page='' what='' number=''
commands=() places=() pids=()

# begin: a directory and, but for the pages of lab, a network of its own
begin() {
  cd "$work" || exit 1
  rm -rf "$work/x"
  mkdir "$work/x" && cd "$work/x" || exit 1
  seq 20000 >file
  echo ping >question
  mkdir folder
  echo one >folder/one
  echo two >folder/two
  case $page in thirl-lab*) return ;; esac
  thirl lab up port-restricted >/dev/null || return 1
  case " ${places[*]} " in
    *" server "*) ;;
    *)
      thirl lab exec server -- thirld --listen 203.0.113.10 --alternate 203.0.113.11 >../thirld.log 2>&1 &
      disown # the lab ends it
      wait_for 10 grep -q 'listening on UDP 203.0.113.11:3479' ../thirld.log || return 1
      ;;
  esac
  case ${commands[*]} in *:8080*) ;; *) return 0 ;; esac
  cat >../nginx.conf <<END
daemon off;
master_process off;
pid $work/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3; uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
  server { listen 127.0.0.1:8080; location / { return 200 "hello from behind the NAT\n"; } }
}
END
  [ "$(id -u)" -ne 0 ] || sed -i '1i user root;' ../nginx.conf
  thirl lab exec a -- nginx -p "$work" -c "$work/nginx.conf" 2>../nginx.log &
  disown
  wait_for 10 thirl lab exec a -- bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080' 2>/dev/null
}

# run I: in the background; what it prints is in I.out
run() {
  local command=${commands[$1]//TICKET/${ticket:-TICKET}} place=${places[$1]} host=a
  case $place in there) host=b ;; server) host=server ;; esac
  mkdir -p "../home.$host"
  : >"../$1.out"
  case $page in
    thirl-lab*) bash -c "$command" >"../$1.out" 2>&1 </dev/null & ;;
    *) HOME=$work/home.$host thirl lab exec "$host" -- bash -c "$command" >"../$1.out" 2>&1 </dev/null & ;;
  esac
  pids[$1]=$!
}
has_ended() { ! kill -0 "${pids[$1]}" 2>/dev/null; }
is_said() { says "../$1.says" "../$1.out"; }
has_ticket() {
  local found
  found=$(grep -ohE 'thirl1[0-9a-z]{20,}' "../$1.out" | tail -n 1)
  [ -z "$found" ] || ticket=$found
  [ -n "$found" ]
}
# It has ended; or, of one at a place, which may go on for long, it has told the ticket that the next one needs, or said everything.
goes_on() {
  has_ended "$1" && { has_ticket "$1"; return 0; }
  [ -n "${places[$1]}" ] && [ -s "../$1.says" ] || return 1
  if grep -q TICKET "../$1.says"; then
    has_ticket "$1"
  else
    is_said "$1"
  fi
}
# It does not only say what it should: whoever ends has done what it was to do.
is_good() {
  local code=0
  is_said "$1" || return 1
  if has_ended "$1"; then
    wait "${pids[$1]}"
    code=$?
  fi
  [ "$code" -eq 0 ]
}

trouble() {
  echo "FAIL  $page $number, $what: $*"
  for i in "${!commands[@]}"; do
    echo "      ${places[$i]}\$ ${commands[$i]}"
    [ ! -e "../$i.out" ] || sed 's/^/          /' "../$i.out" | head -n 40
  done
  wrong=$((wrong + 1))
}

try() {
  [ ${#commands[@]} -gt 0 ] || return 0
  ticket='' pids=()
  count=$((count + 1))
  if ! begin; then
    trouble "the network cannot be made"
  else
    for i in "${!commands[@]}"; do
      run "$i"
      wait_for 40 goes_on "$i" || break
    done
    local bad=
    for i in "${!pids[@]}"; do wait_for 20 is_good "$i" || bad="$bad $((i + 1))"; done
    if [ -n "$bad" ] || [ ${#pids[@]} -ne ${#commands[@]} ]; then
      trouble "not what the manual says: command$bad"
    else
      echo "ok    $page $number, $what"
    fi
  fi
  for i in "${!pids[@]}"; do has_ended "$i" || disown "${pids[$i]}"; done
  cd "$work" && end_labs
  rm -f ./*.out ./*.says ./*.normal
}

while IFS=$'\t' read -r of n kind text <&3; do
  [ "$of" = "${1:-$of}" ] || continue
  if [ "$of $n" != "$page $number" ]; then
    try
    page=$of number=$n what='' commands=() places=()
  fi
  case $kind in
    what) what=$text ;;
    run*)
      places+=("${kind#run}")
      places[${#places[@]} - 1]=${places[${#places[@]} - 1]# }
      commands+=("$text")
      : >"$work/$((${#commands[@]} - 1)).says"
      ;;
    says)
      [ ${#commands[@]} -gt 0 ] || { echo "FAIL  $of $n: \"$text\" stands before any command"; wrong=$((wrong + 1)); continue; }
      printf '%s\n' "$text" >>"$work/$((${#commands[@]} - 1)).says"
      ;;
  esac
done 3<"$examples"
try
echo "$count examples, $wrong wrong"
[ "$wrong" -eq 0 ] && [ "$count" -gt 0 ]
