#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The lint itself: a small tree that it accepts, then one offence of each kind, which it must refuse by name.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v clang >/dev/null || { echo "needs clang"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/thirl-meta.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
licence='/* SPDX-License-Identifier: MIT */'
wrong=0

# file NAME LINE...: a source of the tree
file() {
  local name=$1
  shift
  mkdir -p "$(dirname "$work/tree/$name")"
  printf '%s\n' "$licence" "$@" >"$work/tree/$name"
}

# header NAME LINE...: with a guard
header() {
  local name=$1 guard
  guard=THIRL_$(tr 'a-z/.' 'A-Z__' <<<"${1#src/}")
  shift
  file "$name" "#ifndef $guard" "#define $guard" "$@" "#endif"
}

plant_good_tree() {
  rm -rf "$work/tree"
  mkdir -p "$work/tree"
  cp -r "$root/scripts" "$root/cmake" "$root/.clang-format" "$work/tree"
  header include/thirl/error.h '/* public */' 'int thirl_error_code(void);'
  header include/thirl/dial.h '#include "thirl/error.h"' 'int thirl_connect(void);'
  file src/base/error.c '#include "thirl/error.h"' 'int thirl_error_code(void) {' '  return 1;' '}'
  header src/base/addr.h 'int thirl_addr_get(void);'
  file src/base/addr.c '#include "base/addr.h"' '#include "thirl/error.h"' 'int thirl_addr_get(void) {' \
    '  return thirl_error_code();' '}'
  header src/ice/pair.h 'int thirl_ice_pair_add(void);'
  file src/ice/pair.c '#include "ice/pair.h"' '#include "base/addr.h"' 'int thirl_ice_pair_add(void) {' \
    '  return thirl_addr_get();' '}'
  header src/ice/ice.h 'int thirl_ice_input(void);'
  file src/ice/ice.c '#include "ice/ice.h"' '#include "ice/pair.h"' 'int thirl_ice_input(void) {' \
    '  return thirl_ice_pair_add();' '}'
  header src/meet/meet.h 'int thirl_meet_input(void);'
  file src/meet/meet.c '#include "meet/meet.h"' 'int thirl_meet_input(void) {' '  return 2;' '}'
  header src/io/loop.h 'int thirl_io_loop_run(void);'
  file src/io/loop.c '#include "io/loop.h"' '#include "ice/ice.h"' 'int thirl_io_loop_run(void) {' \
    '  return thirl_ice_input();' '}'
  file src/api/dial.c '#include "thirl/dial.h"' '#include "io/loop.h"' 'int thirl_connect(void) {' \
    '  return thirl_io_loop_run();' '}'
}

compile() {
  local source
  rm -rf "$work/objects"
  (cd "$work/tree" && find src lab -name '*.c' 2>/dev/null) | while IFS= read -r source; do
    mkdir -p "$work/objects/x.dir/$(dirname "$source")"
    gcc -w -c -I"$work/tree/include" -I"$work/tree/src" -I"$work/tree" "$work/tree/$source" -o "$work/objects/x.dir/$source.o" || echo "$source"
  done
}

# layers WHAT STATUS WORDS: compiles the tree and looks at it
layers() {
  local status
  compile
  "$work/tree/scripts/check-layers" "$work/objects" >"$work/out" 2>&1
  status=$?
  judge "$1" "$status" "$2" "$3"
}

# lint WHAT STATUS WORDS CHECK
lint() {
  local status
  (cd "$work/tree" && GIT_CEILING_DIRECTORIES=$work GIT_DIR=$work/none scripts/lint "$4") >"$work/out" 2>&1
  status=$?
  judge "$1" "$status" "$2" "$3"
}

judge() {
  if [ "$2" -ne "$3" ] || ! grep -qF -- "$4" "$work/out"; then
    echo "WRONG: $1: expected status $3 and '$4', got status $2 and:"
    sed 's/^/    /' "$work/out"
    wrong=$((wrong + 1))
  else
    echo "right: $1"
  fi
}

plant_good_tree
layers "a good tree" 0 ", 0 wrong"

file src/base/addr.c '#include "base/addr.h"' '#include "ice/ice.h"' 'int thirl_addr_get(void) {' '  return 1;' '}'
layers "an upward include" 1 "upward: src/base/addr (base) knows src/ice/ice (ice): src/base/addr.c includes ice/ice.h"

plant_good_tree
file src/base/addr.c '#include "base/addr.h"' 'int thirl_ice_input(void);' 'int thirl_addr_get(void) {' \
  '  return thirl_ice_input();' '}'
layers "an upward symbol behind a prototype of its own" 1 \
  "upward: src/base/addr (base) knows src/ice/ice (ice): symbol thirl_ice_input"

plant_good_tree
file src/meet/meet.c '#include "meet/meet.h"' '#include "ice/ice.h"' 'int thirl_meet_input(void) {' \
  '  return thirl_ice_input();' '}'
layers "a folder of the same level" 1 "sideways: src/meet/meet (meet) knows src/ice/ice (ice)"

plant_good_tree
file src/ice/pair.c '#include "ice/pair.h"' '#include "ice/ice.h"' 'int thirl_ice_pair_add(void) {' \
  '  return thirl_ice_input();' '}'
layers "two files that call each other" 1 "cycle: 2 files know each other:"

plant_good_tree
header src/ice/list.h '#include "ice/ice.h"' 'int thirl_ice_list_add(void);'
file src/ice/list.c '#include "ice/list.h"' 'int thirl_ice_list_add(void) {' '  return thirl_ice_input();' '}'
file src/ice/pair.c '#include "ice/pair.h"' '#include "ice/list.h"' 'int thirl_ice_pair_add(void) {' \
  '  return thirl_ice_list_add();' '}'
layers "a circle of three files" 1 "cycle: 3 files know each other:"

plant_good_tree
file src/ice/pair.c 'int thirl_ice_list_add(void);' 'int thirl_ice_list_add(void) {' '  return 3;' '}' \
  'int thirl_ice_pair_add(void);' 'int thirl_ice_pair_add(void) {' '  return 3;' '}'
layers "a name of another file" 1 "name: thirl_ice_list_add does not tell that it lives in src/ice/pair.c"

plant_good_tree
file src/ice/ice.c 'int thirl_ice_input(void);' 'int thirl_ice_input(void) {' '  return 3;' '}' \
  'int thirl_ice_pair_remove(void);' 'int thirl_ice_pair_remove(void) {' '  return 3;' '}'
layers "the main object that takes a name of a file" 1 "name: thirl_ice_pair_remove does not tell"

plant_good_tree
file src/base/addr.c '#include "base/addr.h"' 'int thirl_addr_get(void) {' '  return 1;' '}' 'int counter = 1;'
layers "a symbol without any prefix" 1 "name: counter does not tell that it lives in src/base/addr.c"

plant_good_tree
file src/api/dial.c '#include "thirl/dial.h"' 'int thirl_connect(void) {' '  return 1;' '}' 'int thirl_hidden(void) {' \
  '  return 1;' '}'
layers "a name of the api that no public header declares" 1 "name: thirl_hidden does not tell"

plant_good_tree
file src/base/addr.c '#include "base/addr.h"' '#include "thirl/dial.h"' 'int thirl_addr_get(void) {' '  return 1;' '}'
layers "a public header that belongs to the api" 1 "upward: src/base/addr (base) knows src/api/dial (api)"

plant_good_tree
file lab/frame/wire.c '#include "lab/text/words.h"' 'int thirl_lab_wire_get(void);' 'int thirl_lab_wire_get(void) {' \
  '  return thirl_lab_words_read();' '}'
header lab/text/words.h 'int thirl_lab_words_read(void);'
file lab/text/words.c '#include "lab/text/words.h"' 'int thirl_lab_words_read(void) {' '  return 1;' '}'
layers "a room of the lab that knows a higher one" 1 "upward: lab/frame/wire (lab/frame) knows lab/text/words (lab/text)"

plant_good_tree
file lab/text/words.c 'int thirl_lab_wire_get(void);' 'int thirl_lab_wire_get(void) {' '  return 1;' '}'
layers "a name of the lab that does not tell its file" 1 "name: thirl_lab_wire_get does not tell that it lives in lab/text/words.c"

plant_good_tree
file src/newfolder/x.c '#include "base/addr.h"' 'int thirl_newfolder_x(void) {' '  return thirl_addr_get();' '}'
layers "a folder without a level" 1 "folder src/newfolder has no level"

plant_good_tree
compile
file src/ice/late.c '/* came after the build */'
"$work/tree/scripts/check-layers" "$work/objects" >"$work/out" 2>&1
judge "a source that was not built" $? 1 "stale: src/ice/late.c has no object"

plant_good_tree
lint "headers that compile alone" 0 "nothing found" headers
header src/ice/pair.h 'size_t thirl_ice_pair_count(void);'
lint "a header that needs another before it" 1 "src/ice/pair.h does not compile alone with clang" headers
grep -qF "src/ice/pair.h does not compile alone with gcc" "$work/out" || { echo "WRONG: gcc took it"; wrong=$((wrong + 1)); }

plant_good_tree
lint "licence lines" 0 "nothing found" spdx
sed -i 1d "$work/tree/src/ice/ice.c"
lint "a source without its licence line" 1 "no licence line: src/ice/ice.c" spdx

plant_good_tree
lint "shell scripts" 0 "nothing found" shell
printf '#!/bin/sh\n# SPDX-License-Identifier: MIT\nif true; then\n' >"$work/tree/scripts/broken"
lint "a shell script that does not parse" 1 "scripts/broken does not parse" shell

if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
  plant_good_tree
  file src/meet/meet.c '#include "meet/meet.h"' 'int thirl_meet_input(void) { return   2; }'
  lint "white space" 1 "run clang-format -i src/meet/meet.c" format
fi

[ "$wrong" -eq 0 ] || { echo "$wrong wrong"; exit 1; }
echo "all as expected"
