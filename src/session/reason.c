/* SPDX-License-Identifier: MIT */
#include "session/reason.h"

/* Such an end may have its cause in what NATs do. */
static bool may_be_explained(thirl_error saw) {
  return saw == THIRL_E_TIMEOUT || saw == THIRL_E_REFUSED || saw == THIRL_E_UNREACHABLE;
}

thirl_error thirl_session_reason_of(const thirl_session_findings *ours, const thirl_session_findings *theirs) {
  if (!may_be_explained(ours->saw)) return ours->saw;
  bool ours_varies = ours->mapping == THIRL_SESSION_MAPPING_DEPENDENT;
  bool theirs_varies = theirs->mapping == THIRL_SESSION_MAPPING_DEPENDENT;
  if (ours_varies && theirs_varies) return THIRL_E_NAT_BOTH;
  if (ours_varies) return THIRL_E_NAT_OURS;
  if (theirs_varies) return THIRL_E_NAT_THEIRS;
  if (ours->saw != THIRL_E_REFUSED && theirs->saw != THIRL_E_REFUSED) return ours->saw;
  /* Two NATs that map alike for everybody let in whom the inside has called: the refusal came from something else on the way. */
  bool no_nat_is_to_blame =
      ours->mapping == THIRL_SESSION_MAPPING_INDEPENDENT && theirs->mapping == THIRL_SESSION_MAPPING_INDEPENDENT;
  return no_nat_is_to_blame ? THIRL_E_FIREWALL : THIRL_E_REFUSED;
}

bool thirl_session_reason_same(const thirl_session_findings *a, const thirl_session_findings *b) {
  return a->mapping == b->mapping && a->saw == b->saw;
}
