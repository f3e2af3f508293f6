/* SPDX-License-Identifier: MIT */
/*
 * Moves bytes between two descriptors and a byte stream, with back-pressure in both directions: what the stream has no room for is not
 * read, what the output does not take stays in the stream. Half-close passes through in each direction by itself.
 *
 *   input  --read-->  space/commit, at its end finish   |stream|   peek/consume  --write-->  output, at the stream's end closed
 */
#ifndef THIRL_IO_PUMP_H
#define THIRL_IO_PUMP_H

#include <uv.h>

#include "base/bytes.h"

/** The stream as the pump sees it. None of these may call the pump. */
typedef struct thirl_io_pump_stream {
  void *self;
  uint8_t *(*space)(void *self, size_t *n); /* where to put bytes that go out; NULL or *n = 0: no room now */
  void (*commit)(void *self, size_t n);
  void (*finish)(void *self);      /* our direction ends here */
  thirl_bytes (*peek)(void *self); /* what has come in, contiguous; empty: nothing now */
  void (*consume)(void *self, size_t n);
  bool (*is_ended)(void *self); /* the peer's direction is complete, and consumed */
} thirl_io_pump_stream;

typedef enum thirl_io_pump_event {
  THIRL_IO_PUMP_INPUT_ENDED,  /* finish was called */
  THIRL_IO_PUMP_INPUT_FAILED, /* error; finish was not called: it would tell the peer that this was all */
  THIRL_IO_PUMP_OUTPUT_ENDED, /* everything was written, and the end passed on */
  THIRL_IO_PUMP_OUTPUT_FAILED /* error: nobody reads any more (E_RESET), no space, ... What comes in stays in the stream */
} thirl_io_pump_event;

typedef struct thirl_io_pump_config {
  thirl_io_pump_stream stream;
  /* The stream was touched by the loop's doing: whoever carries it should look (thirl_io_net_kick). Never from inside kick. */
  void (*touched)(void *ctx);
  void (*event)(void *ctx, thirl_io_pump_event event, thirl_error error); /* may close the pump */
  void *ctx;
} thirl_io_pump_config;

typedef struct thirl_io_pump thirl_io_pump;

/**
 * Begin. The descriptors are taken over (also when they are one and the same) and closed when their direction ends; 0, 1 and 2 are
 * replaced by /dev/null instead. -1 leaves a direction out: it never ends. On failure they still belong to the caller.
 *
 * THIRL_E_NOMEM, THIRL_E_LIMIT, THIRL_E_INVALID (not an open descriptor).
 */
thirl_error thirl_io_pump_new(uv_loop_t *loop, const thirl_io_pump_config *config, int input, int output,
                              thirl_io_pump **out);

/** The stream may have room, bytes or its end now. True when the pump took something from it or put something in. */
bool thirl_io_pump_kick(thirl_io_pump *p);

/** Both directions have ended or failed. */
bool thirl_io_pump_is_done(const thirl_io_pump *p);

/** Close what is open; no callback but done(ctx) follows, when p is freed. A second call does nothing. */
void thirl_io_pump_close(thirl_io_pump *p, void (*done)(void *ctx), void *ctx);

#endif
