/* SPDX-License-Identifier: MIT */
#include "io/pump.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/end.h"

enum { BUDGET = 1024 * 1024 }; /* per direction and turn of the loop */

struct thirl_io_pump {
  thirl_io_pump_config config;
  thirl_io_end input, output;
  bool has_input, has_output; /* their direction goes on */
  bool closing;
  int handles; /* of libuv, not gone yet */
  void (*done)(void *ctx);
  void *done_ctx;
};

static void maybe_free(thirl_io_pump *p) {
  if (!p->closing || p->handles) return;
  void (*done)(void *) = p->done;
  void *ctx = p->done_ctx;
  free(p);
  if (done) done(ctx);
}

static void on_gone(thirl_io_end *end) {
  thirl_io_pump *p = end->ctx;
  p->handles--;
  maybe_free(p);
}

static void tell(thirl_io_pump *p, thirl_io_pump_event event, thirl_error e) {
  if (p->config.event) p->config.event(p->config.ctx, event, e);
}

/* ---- input ---- */

static void end_input(thirl_io_pump *p, thirl_error e) {
  p->has_input = false;
  thirl_io_end_close(&p->input);
  if (e == THIRL_E_EOF) {
    p->config.stream.finish(p->config.stream.self);
    tell(p, THIRL_IO_PUMP_INPUT_ENDED, THIRL_OK);
  } else {
    tell(p, THIRL_IO_PUMP_INPUT_FAILED, e);
  }
}

static void watch_input(thirl_io_pump *p) {
  size_t room = 0;
  if (!p->has_input) return;
  bool can = p->config.stream.space(p->config.stream.self, &room) && room;
  thirl_io_end_watch(&p->input, can ? UV_READABLE : 0);
}

/* True when the stream was touched. */
static bool read_input(thirl_io_pump *p) {
  const thirl_io_pump_stream *s = &p->config.stream;
  size_t budget = BUDGET, got;
  while (p->has_input && budget) {
    size_t room = 0;
    uint8_t *to = s->space(s->self, &room);
    if (!to || !room) break;
    if (room > budget) room = budget;
    thirl_error e = thirl_io_end_read(&p->input, to, room, &got);
    if (e == THIRL_E_AGAIN) break;
    if (e != THIRL_OK) {
      end_input(p, e);
      return true;
    }
    s->commit(s->self, got);
    budget -= got;
    if (got < room && !p->input.always_ready) break; /* a pipe or a socket gives what it has */
  }
  return budget != BUDGET;
}

static void on_input(thirl_io_end *end, bool broken) {
  thirl_io_pump *p = end->ctx;
  (void)broken;
  bool touched = read_input(p);
  if (p->closing) return;
  watch_input(p);
  if (touched) p->config.touched(p->config.ctx);
}

/* ---- output ---- */

static void end_output(thirl_io_pump *p, thirl_error e) {
  p->has_output = false;
  if (e == THIRL_OK && p->output.is_socket) (void)shutdown(p->output.fd, SHUT_WR);
  thirl_io_end_close(&p->output);
  tell(p, e == THIRL_OK ? THIRL_IO_PUMP_OUTPUT_ENDED : THIRL_IO_PUMP_OUTPUT_FAILED, e);
}

/* True when the stream was touched. */
static bool write_output(thirl_io_pump *p) {
  const thirl_io_pump_stream *s = &p->config.stream;
  size_t budget = BUDGET, put;
  bool full = false;
  while (p->has_output && budget && !full) {
    thirl_bytes in = s->peek(s->self);
    if (!in.n) break;
    if (in.n > budget) in.n = budget;
    thirl_error e = thirl_io_end_write(&p->output, in, &put);
    if (e != THIRL_OK && e != THIRL_E_AGAIN) {
      end_output(p, e);
      return budget != BUDGET;
    }
    full = e == THIRL_E_AGAIN;
    if (put) s->consume(s->self, put);
    budget -= put;
  }
  if (!p->has_output) return budget != BUDGET;
  if (s->is_ended(s->self))
    end_output(p, THIRL_OK);
  else
    thirl_io_end_watch(&p->output, full || !budget ? UV_WRITABLE : UV_PRIORITIZED);
  return budget != BUDGET;
}

static void on_output(thirl_io_end *end, bool broken) {
  thirl_io_pump *p = end->ctx;
  const thirl_io_pump_stream *s = &p->config.stream;
  bool touched = false;
  if (broken && !s->peek(s->self).n && !s->is_ended(s->self))
    end_output(p, THIRL_E_RESET); /* nothing waits that a write could fail with */
  else
    touched = write_output(p);
  if (touched && !p->closing) p->config.touched(p->config.ctx);
}

/* ---- life ---- */

bool thirl_io_pump_kick(thirl_io_pump *p) {
  if (p->closing) return false;
  bool touched = p->has_output && write_output(p);
  if (!p->closing) watch_input(p);
  return touched;
}

bool thirl_io_pump_is_done(const thirl_io_pump *p) {
  return !p->has_input && !p->has_output;
}

static thirl_error open_end(thirl_io_pump *p, uv_loop_t *loop, thirl_io_end *end, bool for_writing) {
  thirl_error e = thirl_io_end_open(end, loop, for_writing);
  if (e != THIRL_OK) return e;
  end->ctx = p;
  end->gone = on_gone;
  end->ready = for_writing ? on_output : on_input;
  p->handles++;
  return THIRL_OK;
}

thirl_error thirl_io_pump_new(uv_loop_t *loop, const thirl_io_pump_config *config, int input, int output,
                              thirl_io_pump **out) {
  bool one = input >= 0 && input == output;
  *out = NULL;
  if (one) output = fcntl(output, F_DUPFD_CLOEXEC, 3); /* epoll wants two descriptors */
  if (one && output < 0) return THIRL_E_INVALID;
  thirl_io_pump *p = calloc(1, sizeof *p);
  if (!p) {
    if (one) close(output);
    return THIRL_E_NOMEM;
  }
  p->config = *config;
  p->has_input = input >= 0;
  p->has_output = output >= 0;
  thirl_io_end_init(&p->input, input);
  thirl_io_end_init(&p->output, output);
  thirl_error e = p->has_output ? open_end(p, loop, &p->output, true) : THIRL_OK;
  if (e == THIRL_OK && p->has_input) e = open_end(p, loop, &p->input, false);
  if (e != THIRL_OK) {
    p->closing = true; /* it is freed when libuv has let go of the output, the only end that can be open here */
    if (p->handles)
      thirl_io_end_release(&p->output);
    else
      free(p);
    if (one) close(output);
    return e;
  }
  thirl_io_end_watch(&p->output, p->has_output ? UV_PRIORITIZED : 0);
  watch_input(p);
  *out = p;
  return THIRL_OK;
}

void thirl_io_pump_close(thirl_io_pump *p, void (*done)(void *ctx), void *ctx) {
  if (p->closing) return;
  p->closing = true;
  p->done = done;
  p->done_ctx = ctx;
  p->has_input = p->has_output = false;
  thirl_io_end_close(&p->input);
  thirl_io_end_close(&p->output);
  maybe_free(p);
}
