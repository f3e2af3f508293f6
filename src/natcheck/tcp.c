/* SPDX-License-Identifier: MIT */
#include "natcheck/tcp.h"
void thirl_natcheck_tcp_init(thirl_natcheck_tcp *t, thirl_natcheck_report *report, const thirl_secrets *secrets,
                             thirl_net_id first_id) {
  (void)t, (void)report, (void)secrets, (void)first_id;
}
void thirl_natcheck_tcp_fini(thirl_natcheck_tcp *t) {
  (void)t;
}
void thirl_natcheck_tcp_start(thirl_natcheck_tcp *t, thirl_time now) {
  (void)now;
  t->step = THIRL_NATCHECK_TCP_OVER;
}
void thirl_natcheck_tcp_stop(thirl_natcheck_tcp *t) {
  t->step = THIRL_NATCHECK_TCP_OVER;
}
bool thirl_natcheck_tcp_input(thirl_natcheck_tcp *t, thirl_time now, const thirl_net_event *ev) {
  (void)t, (void)now, (void)ev;
  return false;
}
bool thirl_natcheck_tcp_poll(thirl_natcheck_tcp *t, thirl_time now, thirl_net_action *out) {
  (void)t, (void)now, (void)out;
  return false;
}
size_t thirl_natcheck_tcp_pull(thirl_natcheck_tcp *t, thirl_net_id id, uint8_t *buf, size_t cap) {
  (void)t, (void)id, (void)buf, (void)cap;
  return 0;
}
thirl_time thirl_natcheck_tcp_deadline(const thirl_natcheck_tcp *t) {
  (void)t;
  return THIRL_NEVER;
}
