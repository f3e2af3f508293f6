# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# To be sourced: what `thirl nat --json` says, in words that a test can compare.
#
#     nat_report_field NAME <FILE       the first value of that name
#     nat_report_get udp|tcp FILE NAME  the same in the half of one protocol
#     nat_report_words udp|tcp FILE     "mapping filtering model"
#     nat_report_long MAPPING/FILTERING the first two of them for a behaviour such as eim/apdf

nat_report_field() { sed -n "s/.*[{,]\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }

nat_report_get() {
  local half
  if [ "$1" = udp ]; then
    half=$(sed -n 's/^{.*"udp":{\(.*\)},"tcp":{.*/,\1/p' "$2")
  else
    half=$(sed -n 's/^{.*},"tcp":{\(.*\)},"servers":.*/,\1/p' "$2")
  fi
  nat_report_field "$3" <<<"$half"
}

nat_report_words() {
  echo "$(nat_report_get "$1" "$2" mapping) $(nat_report_get "$1" "$2" filtering) $(nat_report_get "$1" "$2" model)"
}

nat_report_long() {
  local word words=
  for word in "${1%/*}" "${1#*/}"; do
    case $word in
      ei[mf]) words+=' endpoint-independent' ;;
      ad[mf]) words+=' address-dependent' ;;
      *) words+=' address-and-port-dependent' ;;
    esac
  done
  echo "${words# }"
}
