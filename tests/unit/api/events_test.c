/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/events.h"

static thirl_event event(thirl_event_kind kind, thirl_session_handle session) {
  return (thirl_event){.kind = kind, .session = session};
}

static void push(thirl_api_events *q, thirl_event_kind kind, thirl_session_handle session) {
  thirl_event ev = event(kind, session);
  thirl_api_events_push(q, &ev, "");
}

static void assert_next(thirl_api_events *q, thirl_event_kind kind, thirl_session_handle session) {
  const thirl_api_event *e = thirl_api_events_take(q);
  assert_non_null(e);
  assert_int_equal(e->of.kind, kind);
  assert_int_equal(e->of.session, session);
}

static void test_oldest_first_with_its_words(void **state) {
  (void)state;
  thirl_api_events q;
  char endless[2 * THIRL_API_EVENTS_WORDS];
  memset(endless, 'w', sizeof endless - 1);
  endless[sizeof endless - 1] = '\0';
  assert_int_equal(thirl_api_events_init(&q), THIRL_OK);
  assert_null(thirl_api_events_take(&q));
  thirl_event up = event(THIRL_EVENT_UP, 1), failed = event(THIRL_EVENT_FAILED, 1);
  thirl_api_events_push(&q, &up, "first");
  thirl_api_events_push(&q, &failed, endless);
  const thirl_api_event *e = thirl_api_events_take(&q);
  assert_int_equal(e->of.kind, THIRL_EVENT_UP);
  assert_string_equal(e->words, "first");
  e = thirl_api_events_take(&q);
  assert_int_equal(e->of.kind, THIRL_EVENT_FAILED);
  assert_int_equal(strlen(e->words), THIRL_API_EVENTS_WORDS - 1);
  assert_null(thirl_api_events_take(&q));
  thirl_api_events_fini(&q);
}

/* It grows while the oldest stands anywhere in the ring. */
static void test_order_through_growing(void **state) {
  (void)state;
  thirl_api_events q;
  thirl_session_handle in = 0, out = 0;
  assert_int_equal(thirl_api_events_init(&q), THIRL_OK);
  for (int round = 0; round < 300; round++) {
    for (int i = 0; i < 3; i++)
      push(&q, THIRL_EVENT_UP, ++in);
    assert_next(&q, THIRL_EVENT_UP, ++out);
  }
  while (out < in)
    assert_next(&q, THIRL_EVENT_UP, ++out);
  assert_null(thirl_api_events_take(&q));
  assert_int_equal(q.lost, 0);
  thirl_api_events_fini(&q);
}

/* What only informs is forgotten first, the oldest of it in front; what makes or ends a session stays, in its order. */
static void test_overflow(void **state) {
  (void)state;
  thirl_api_events q;
  assert_int_equal(thirl_api_events_init(&q), THIRL_OK);
  push(&q, THIRL_EVENT_UP, 1);
  push(&q, THIRL_EVENT_PATH, 1);
  push(&q, THIRL_EVENT_REGISTERED, 0);
  for (thirl_session_handle s = 2; q.n < THIRL_API_EVENTS_MAX; s++)
    push(&q, THIRL_EVENT_INCOMING, s);
  assert_int_equal(q.lost, 0);
  push(&q, THIRL_EVENT_FAILED, 9001);
  push(&q, THIRL_EVENT_FAILED, 9002);
  assert_int_equal(q.lost, 2);
  assert_int_equal(q.n, THIRL_API_EVENTS_MAX);
  assert_next(&q, THIRL_EVENT_UP, 1);
  assert_next(&q, THIRL_EVENT_INCOMING, 2);
  push(&q, THIRL_EVENT_FAILED, 9003);
  push(&q, THIRL_EVENT_FAILED, 9004);
  push(&q, THIRL_EVENT_FAILED, 9005); /* nothing left that only informs: the oldest goes */
  assert_int_equal(q.lost, 3);
  assert_next(&q, THIRL_EVENT_INCOMING, 4);
  const thirl_api_event *e, *last = NULL;
  size_t left = q.n;
  for (; (e = thirl_api_events_take(&q)) != NULL; left--)
    last = e;
  assert_int_equal(left, 0);
  assert_int_equal(last->of.session, 9005);
  thirl_api_events_fini(&q);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_oldest_first_with_its_words),
      cmocka_unit_test(test_order_through_growing),
      cmocka_unit_test(test_overflow),
  };
  return cmocka_run_group_tests_name("api/events", tests, NULL, NULL);
}
