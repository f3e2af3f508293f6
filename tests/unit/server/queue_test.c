/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/rand.h"
#include "server/queue.h"
#include "support/server_rig.h"

static void gives_back_what_was_put(void **state) {
  (void)state;
  thirl_server_queue q = {.n = 0};
  thirl_dice d;
  uint64_t in = 0, out = 0;
  uint8_t buf[20000];
  thirl_dice_seed(&d, 5);
  for (int i = 0; i < 3000; i++) {
    size_t n = (size_t)thirl_dice_below(&d, thirl_dice_below(&d, 3) ? 300 : sizeof buf);
    if (thirl_dice_below(&d, 2)) {
      for (size_t k = 0; k < n; k++)
        buf[k] = rig_pattern(1, in + k);
      assert_int_equal(thirl_server_queue_append(&q, THIRL_BYTES(buf, n)), THIRL_OK);
      in += n;
    } else {
      n = THIRL_MIN(n, q.n);
      thirl_server_queue_take(&q, buf, n);
      for (size_t k = 0; k < n; k++)
        assert_int_equal(buf[k], rig_pattern(1, out + k));
      out += n;
    }
    assert_int_equal(q.n, in - out);
    assert_true((q.first == NULL) == (q.n == 0));
  }
  thirl_server_queue_clear(&q);
  assert_null(q.first);
  assert_int_equal(q.n, 0);
  thirl_server_queue_clear(&q);
}

static void takes_and_gives_nothing(void **state) {
  (void)state;
  thirl_server_queue q = {.n = 0};
  assert_int_equal(thirl_server_queue_append(&q, THIRL_BYTES(NULL, 0)), THIRL_OK);
  assert_null(q.first);
  thirl_server_queue_take(&q, NULL, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(gives_back_what_was_put),
                                     cmocka_unit_test(takes_and_gives_nothing)};
  return cmocka_run_group_tests_name("server/queue", tests, NULL, NULL);
}
