/* SPDX-License-Identifier: MIT */
#include "io/clock.h"

#include <uv.h>

thirl_time thirl_io_clock_now(void) {
  return uv_hrtime() / 1000;
}
