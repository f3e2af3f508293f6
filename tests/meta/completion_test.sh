#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Completion in bash (without the package bash-completion), zsh and fish, as somebody sees it who presses the tabulator key.
set -u
build=${THIRL_BUILD_DIR:-$(cd "$(dirname "$0")/../.." && pwd)/build/release}
share=$build/share
for file in bash-completion/completions/thirl zsh/site-functions/_thirl fish/vendor_completions.d/thirl.fish; do
  [ -s "$share/$file" ] || { echo "skipped: there is no $share/$file"; exit 77; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/thirl-completion.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
export PATH=$build/bin:$PATH HOME=$work/home THIRL_LAB_DIR=$work/labs LC_ALL=C.UTF-8 TERM=dumb
mkdir -m 700 "$work/home" "$work/labs"
unset XDG_CONFIG_HOME XDG_DATA_HOME
mkdir "$work/here" "$work/here/a directory" && cd "$work/here" || exit 1
: >key.pem
: >'a file.lab'
wrong=0

# is WHAT EXPECTED ACTUAL
is() {
  if [ "$2" = "$3" ]; then
    echo "ok    $1"
  else
    echo "FAIL  $1"
    printf '      expected: %q\n      actual:   %q\n' "$2" "$3"
    wrong=$((wrong + 1))
  fi
}

# ---- bash: the function ----

# in_bash WORD...: what the last word may become, in one line, sorted
in_bash() {
  bash --norc --noprofile -c '
    set -u
    source "$1" || exit 1
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
    _thirl
    printf "%s\n" "${COMPREPLY[@]-}"' - "$share/bash-completion/completions/thirl" thirl "$@" 2>&1 | sort -u | paste -sd' '
}
commands=$(thirl help | sed -n 's/^  \([a-z]*\) .*/\1/p')
is "bash: every command" "$(printf '%s\n' $commands help | sort | paste -sd' ')" "$(in_bash '')"
is "bash: those that begin so" "listen" "$(in_bash li)"
is "bash: of lab" "$(thirl lab help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort | paste -sd' ')" "$(in_bash lab '')"
is "bash: help" "nat" "$(in_bash help n)"
for command in $commands; do
  [ "$command" != lab ] || continue
  is "bash: the options of $command" "$(thirl "$command" --help | sed -n 's/^  \(-h, \)*\(--*[A-Za-z0-9-]*\).*/\2/p' | sort | paste -sd' ')" \
    "$(in_bash "$command" -)"
done
is "bash: files for --identity" "key.pem" "$(in_bash listen --identity k)"
is "bash: behind =" "key.pem" "$(in_bash listen --identity = k)"
is "bash: behind = alone" "natbox netfilter" "$(in_bash lab up --engine =)"
is "bash: where = does not break words" "--engine=netfilter" "$(in_bash lab up --engine=netf)"
is "bash: nothing for a number" "" "$(in_bash listen --timeout '')"
is "bash: behind a value" "--ephemeral" "$(in_bash listen --timeout 5 --eph)"
is "bash: presets" "port-restricted" "$(in_bash lab up po)"
is "bash: files too" "a file.lab" "$(in_bash lab run 'a f')"
is "bash: no second word" "" "$(in_bash lab up home po)"
is "bash: a directory" "a directory" "$(in_bash lab matrix --keep a)"
is "bash: a command on a host" "setpriv" "$(in_bash lab exec a -- setpri)"
is "bash: one word of a few" "router" "$(in_bash tune --profile ro)"
is "bash: findings" "UDP1 UDP2 UDP3 UDP4 UDP5 UDP6 UDP7 UDP8" "$(in_bash tune --only UDP)"
is "bash: one more of them" "CT2,UDP1" "$(in_bash tune --only CT2,UDP1)"
is "bash: no such command" "" "$(in_bash nothing -)"

# ---- a terminal ----

# A key at a time would be too slow to wait for: all of it at once, and then what comes.
if ! command -v script >/dev/null; then
  echo "SKIP: bash at a terminal: needs script (Debian: bsdutils)"
else
  printf 'source %q\nthirl lis\t--he\t\nexit\n' "$share/bash-completion/completions/thirl" |
    timeout 20 script -qec 'bash --norc --noprofile -i' /dev/null >"$work/bash" 2>&1
  is "bash: at a terminal" "usage: thirl listen [options]" "$(tr -d '\r' <"$work/bash" | grep '^usage')"
fi

# ---- with a lab ----

if thirl lab up home >/dev/null 2>&1 && thirl lab up symmetric --name other >/dev/null 2>&1; then
  is "bash: labs that are up" "home other" "$(in_bash lab down --name '')"
  thirl lab down --name other
  is "bash: its hosts" "a a2 b server" "$(in_bash lab exec '')"
  [ -z "$(command -v fish)" ] ||
    is "fish: its hosts" "a a2 b server" \
      "$(fish -N -c 'source $argv[1]; complete -C "thirl lab exec "' "$share/fish/vendor_completions.d/thirl.fish" | sort | paste -sd' ')"
  thirl lab down
else
  echo "SKIP: no lab can be made here"
fi

# ---- zsh ----

# in_zsh TEXT: types it and the tabulator key, prints the line as it is then
in_zsh() {
  # shellcheck disable=SC2016
  zsh -f -c '
    zmodload zsh/zpty
    zpty z zsh -f -i
    zpty -w z "PS1=; PS2=; unsetopt zle_bracketed_paste; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D; zstyle \":completion:*\" list-prompt \"\""
    zpty -w z "show() { zle -I; print -r -- \"<\$BUFFER>\"; BUFFER=; }; zle -N show; bindkey \"^X\" show; setopt no_auto_menu no_beep; print ready"
    zpty -r z out "*ready*ready*"
    zpty -w -n z "$2"$'"'\t'"'
    sleep 0.5
    zpty -w -n z $'"'\\030'"'
    zpty -r z out "*<thirl*>*"
    zpty -d z
    print -r -- "${${out##*<}%%>*}"' - "$share/zsh/site-functions" "$1" 2>&1
}
if ! command -v zsh >/dev/null; then
  echo "SKIP: zsh: needs zsh"
else
  zsh -n "$share/zsh/site-functions/_thirl"
  is "zsh: it is a script" 0 $?
  is "zsh: a command" "thirl listen " "$(in_zsh 'thirl lis')"
  is "zsh: a command of lab" "thirl lab capture " "$(in_zsh 'thirl lab ca')"
  is "zsh: an option" "thirl listen --ephemeral " "$(in_zsh 'thirl listen --eph')"
  is "zsh: an option with a value" "thirl connect --identity=" "$(in_zsh 'thirl connect --id')"
  is "zsh: a file" "thirl key --identity key.pem " "$(in_zsh 'thirl key --identity k')"
  is "zsh: a choice" "thirl lab up --engine netfilter " "$(in_zsh 'thirl lab up --engine netf')"
  is "zsh: a preset" "thirl lab up port-restricted " "$(in_zsh 'thirl lab up port')"
  is "zsh: a finding" "thirl tune --only CT2,NAT10," "$(in_zsh 'thirl tune --only CT2,NAT10')"
  is "zsh: help" "thirl help connect " "$(in_zsh 'thirl help co')"
fi

# ---- fish ----

# in_fish TEXT: what its last word may become
in_fish() {
  # shellcheck disable=SC2016
  fish -N -c 'source $argv[1]; complete -C "$argv[2]"' "$share/fish/vendor_completions.d/thirl.fish" "$1" 2>&1 | cut -f1 | sort | paste -sd' '
}
if ! command -v fish >/dev/null; then
  echo "SKIP: fish: needs fish"
else
  fish -n "$share/fish/vendor_completions.d/thirl.fish"
  is "fish: it is a script" 0 $?
  is "fish: every command" "$(printf '%s\n' $commands help | sort | paste -sd' ')" "$(in_fish 'thirl ')"
  is "fish: those that begin so" "listen" "$(in_fish 'thirl li')"
  is "fish: of lab" "$(in_bash lab '')" "$(in_fish 'thirl lab ')"
  is "fish: options" "--direct-only" "$(in_fish 'thirl connect --di')"
  is "fish: a file" "key.pem" "$(in_fish 'thirl key --identity k')"
  is "fish: nothing for a number" "" "$(in_fish 'thirl listen --timeout ')"
  is "fish: a choice" "natbox netfilter" "$(in_fish 'thirl lab up --engine ')"
  is "fish: presets" "port-restricted" "$(in_fish 'thirl lab up port')"
  is "fish: no second word" "" "$(in_fish 'thirl lab up home port')"
  is "fish: a command on a host" "setpriv" "$(in_fish 'thirl lab exec --name x a setpri')"
  is "fish: one word of a few" "router" "$(in_fish 'thirl tune --profile ro')"
  is "fish: findings" "MEM1 MEM2 MEM3 MEM4 MEM5" "$(in_fish 'thirl tune --only MEM')"
  is "fish: help" "connect" "$(in_fish 'thirl help co')"
fi
[ "$wrong" -eq 0 ]
