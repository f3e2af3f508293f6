#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The manual as files: mandoc finds nothing in it, not even of style; man shows it; every command has a page, every variable that is read has its place
# in one, and what is installed lies where it is looked for. What the pages say is tested by tests/lab/manual_test.sh and tests/unit/pages/.
set -u
source=${THIRL_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${THIRL_BUILD_DIR:-$source/build/release}
pages=$build/share/man
command -v mandoc >/dev/null || { echo "skipped: needs mandoc"; exit 77; }
[ -d "$pages" ] || { echo "skipped: there is no $pages"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/thirl-manual.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
wrong=0

# judge WHAT FILE: nothing in it is what we want
judge() {
  if [ -s "$2" ]; then
    echo "FAIL  $1"
    sed 's/^/      /' "$2"
    wrong=$((wrong + 1))
  else
    echo "ok    $1"
  fi
}

# ---- mandoc ----

# Pages of others that ours name: stand-ins, so that every other reference must be to a page of ours.
cp -r "$pages" "$work/man"
for other in ssh.1 sh.1 sysctl.conf.5 ip-netns.8 nft.8 tc.8; do
  printf '.Dd January 1, 2000\n.Dt %s %s\n.Os\n.Sh NAME\n.Nm %s\n.Nd of others\n' "${other%.*}" "${other##*.}" "${other%.*}" >"$work/man/man${other##*.}/$other"
done
command -v makewhatis >/dev/null && makewhatis "$work/man" >/dev/null 2>&1
count=0
for page in "$work"/man/man*/thirl*; do
  (cd "$work/man" && MANPATH=$work/man mandoc -Tlint -Wstyle "${page#"$work"/man/}") >>"$work/lint" 2>&1
  count=$((count + 1))
done
judge "mandoc -Tlint: $count pages" "$work/lint"
printf '.Dd\n.Sh X\n' >"$work/bad.1"
if mandoc -Tlint -Wstyle "$work/bad.1" 2>&1 | grep -q .; then echo "ok    it finds what is wrong"; else echo "FAIL  mandoc finds nothing anywhere"; wrong=$((wrong + 1)); fi

# ---- man, which is another program ----

if command -v man >/dev/null && man --version >/dev/null 2>&1; then
  for page in "$pages"/man*/*; do
    MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -l "$page" 2>>"$work/warnings" | col -bx >"$work/shown"
    grep -q '^NAME' "$work/shown" || echo "$page is not shown" >>"$work/warnings"
    # Examples may be a little wider than a terminal.
    LC_ALL=C.UTF-8 grep -E '^.{108,}' "$work/shown" | sed "s|^|$(basename "$page"): |" >>"$work/warnings"
  done
  # An example that is wider is told by groff as a line that cannot be broken.
  grep -v 'cannot break line\|cannot adjust line' "$work/warnings" >"$work/bad"
  judge "man shows them" "$work/bad"
else
  echo "SKIP: needs man"
fi

# ---- nothing is left out ----

for command in $("$build/bin/thirl" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
  [ -s "$pages/man1/thirl-$command.1" ] || echo "thirl $command has no page"
done >"$work/missing"
for page in thirl.1 thirl-lab-matrix.1 thirld.8 thirld.conf.5; do
  [ -s "$pages/man${page##*.}/$page" ] || echo "there is no $page"
done >>"$work/missing"
judge "every command has a page" "$work/missing"

# Each name in getenv("...") of what is installed, and those that programs in a lab are given.
grep -rhoE '(getenv|read_env)\("[A-Z_]+"\)|"THIRL_[A-Z_]+=?' "$source"/src "$source"/apps/thirl "$source"/apps/thirld "$source"/lab --include='*.c' |
  grep -oE '[A-Z][A-Z_]+' | sort -u | while read -r name; do
  case $name in
    PATH | THIRL_VERSION | THIRL_SOURCE_DIR) continue ;;
  esac
  grep -qE "^\.(It )?Ev \"?$name\"?" "$pages"/man*/* || echo "$name is in no page: put it below \"== environment\""
done >"$work/variables"
judge "every variable has its place" "$work/variables"

# ---- events ----

# Each type of event that a command can write with --json stands in its table.
for type in $(grep -hoE '(status_note|status_object|print_json)\("[a-z-]+"|\[THIRL_EVENT_[A-Z]+\] = "[a-z]+"' "$source"/apps/thirl/*.c |
  sed 's/.*"\([a-z-]*\)".*/\1/' | sort -u); do
  case $type in readable | writable) continue ;; esac # never written
  grep -qE "^\|.*\`$type\`" "$source/docs/events-json.md" || echo "$type is not in docs/events-json.md"
done >"$work/events"
judge "every event has its line" "$work/events"

# ---- what is installed ----

if [ -e "$build/lib/libthirl.so" ] && [ -e "$build/lib/libthirl.a" ] && command -v cmake >/dev/null; then
  DESTDIR=$work/root cmake --install "$build" --prefix /usr >"$work/install.log" 2>&1 || cat "$work/install.log" >>"$work/installed"
  for file in share/man/man1/thirl.1 share/man/man1/thirl-listen.1 share/man/man8/thirld.8 share/man/man5/thirld.conf.5 \
    share/bash-completion/completions/thirl share/zsh/site-functions/_thirl share/fish/vendor_completions.d/thirl.fish; do
    [ -s "$work/root/usr/$file" ] || echo "$file is not installed" >>"$work/installed"
  done
  [ -n "$(find "$work/root/usr/share/doc" -name thirld.conf)" ] || echo "thirld.conf is not installed" >>"$work/installed"
  "$work/root/usr/bin/thirld" --check -c "$(find "$work/root/usr/share/doc" -name thirld.conf)" >/dev/null || echo "the sample is wrong" >>"$work/installed"
  judge "installed where it is looked for" "$work/installed"
else
  echo "SKIP: the library is not built, so nothing is installed"
fi
[ "$wrong" -eq 0 ]
