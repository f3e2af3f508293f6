# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# To be sourced: what the STUN clients of other people say about a NAT, and what they should say of a behaviour.
#
#     stun_words_seen ADDRESS COMMAND...     three lines: coturn's mapping, coturn's filtering, what `stun` says. COMMAND runs a program on the host
#                                            that has ADDRESS; the server is 203.0.113.10
#     stun_words_coturn MAPPING FILTERING    "Endpoint Independent Mapping, Address Dependent Filtering" for eim adf
#     stun_words_classic MAPPING FILTERING preserves|random     what `stun` says

# The last words of coturn's client, without "NAT with" and "!".
stun_words_verdict() { # -m|-f PORT ADDRESS COMMAND...
  local test=$1 port=$2 address=$3
  shift 3
  "$@" turnutils_natdiscovery "$test" -L "$address" -l "$port" 203.0.113.10 2>&1 |
    sed -n 's/^NAT with \(.*\)!$/\1/p' | tail -n 1
}

stun_words_seen() {
  local address=$1
  shift
  stun_words_verdict -m 6000 "$address" "$@"
  stun_words_verdict -f 6001 "$address" "$@"
  "$@" stun 203.0.113.10 2>/dev/null | sed -n 's/^Primary: //p' | sed 's/[ \t]*$//'
}

declare -A stun_words_long=([eim]='Endpoint Independent Mapping' [adm]='Address Dependent Mapping' [apdm]='Address and Port Dependent Mapping'
  [eif]='Endpoint Independent Filtering' [adf]='Address Dependent Filtering' [apdf]='Address and Port Dependent Filtering')
declare -A stun_words_filter=([eif]='Independent Filter' [adf]='Address Dependent Filter' [apdf]='Port Dependent Filter')

stun_words_coturn() { echo "${stun_words_long[$1]}, ${stun_words_long[$2]}"; }

# RFC 3489 has words for the filters of cones, and none for those of the others.
stun_words_classic() {
  local ports='random port'
  [ "$3" != preserves ] || ports='preserves ports'
  if [ "$1" = eim ]; then
    echo "Independent Mapping, ${stun_words_filter[$2]}, $ports, no hairpin"
  else
    echo "Dependent Mapping, $ports, no hairpin"
  fi
}
