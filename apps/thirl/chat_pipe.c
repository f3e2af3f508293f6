/* SPDX-License-Identifier: MIT */
/* Lines in, lines out: each line of stdin is a text, each text of the peer is a line of stdout (or several), as clean as on a screen. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "chat/frame.h"
#include "chat_front.h"
#include "screen/clean.h"
#include "spout.h"
#include "status.h"

enum { INPUT_MAX = 65536 };

typedef struct chat_pipe {
  chat_front front;
  chat_wishes wishes;
  watch watch;
  bool ended, waits; /* waits: the peer takes no more for now */
  spout out;
  uint8_t in[INPUT_MAX];
  size_t at, n_in; /* in[at..at+n_in) is not said yet */
  uint8_t clean[THIRL_CHAT_TEXT_MAX * THIRL_SCREEN_CLEAN_GROWTH + 1];
} chat_pipe;

/* ---- in ---- */

/* The next line that is whole, or a piece of one that is too long for a text, not within a character. False: there is none. */
static bool next_line(const chat_pipe *p, thirl_bytes *line, size_t *used) {
  const uint8_t *in = p->in + p->at;
  const uint8_t *end = p->n_in ? memchr(in, '\n', THIRL_MIN(p->n_in, (size_t)THIRL_CHAT_TEXT_MAX + 1)) : NULL;
  size_t n = end ? (size_t)(end - in) : p->n_in;
  if (!end && n <= THIRL_CHAT_TEXT_MAX && (!p->ended || n == 0)) return false;
  if (!end && n > THIRL_CHAT_TEXT_MAX) {
    n = THIRL_CHAT_TEXT_MAX;
    for (size_t i = 0; i < 3 && (in[n] & 0xc0) == 0x80; i++)
      n--;
  }
  *line = THIRL_BYTES(in, n);
  *used = n + (end != NULL);
  return true;
}

static void say_lines(chat_pipe *p) {
  thirl_bytes line;
  size_t used;
  uint32_t number;
  p->waits = false;
  while (!p->waits && next_line(p, &line, &used)) {
    thirl_error e = p->wishes.say(line, &number, p->wishes.owner);
    p->waits = e != THIRL_OK;
    if (e != THIRL_OK) break;
    p->at += used;
    p->n_in -= used;
  }
  if (p->ended && p->n_in == 0) p->wishes.end(p->wishes.owner);
  watch_set(&p->watch, !p->ended && !p->waits);
}

static void on_input(void *owner) {
  chat_pipe *p = owner;
  memmove(p->in, p->in + p->at, p->n_in);
  p->at = 0;
  ssize_t n = read(STDIN_FILENO, p->in + p->n_in, sizeof p->in - p->n_in);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n > 0) p->n_in += (size_t)n;
  if (n <= 0) p->ended = true;
  say_lines(p);
}

/* ---- out ---- */

/* A tab does no harm in a line of text, and means something there. */
static void put_clean(chat_pipe *p, thirl_bytes text) {
  size_t n = 0;
  while (text.n > 0) {
    const uint8_t *tab = memchr(text.p, '\t', text.n);
    size_t piece = tab ? (size_t)(tab - text.p) : text.n;
    n += thirl_screen_clean(THIRL_BYTES(text.p, piece), false, p->clean + n);
    if (tab) p->clean[n++] = '\t';
    piece += tab != NULL;
    text.p += piece, text.n -= piece;
  }
  p->clean[n++] = '\n';
  spout_put(&p->out, THIRL_BYTES(p->clean, n));
}

static void on_room(void *owner) {
  chat_pipe *p = owner;
  if (p->out.error != THIRL_OK)
    p->wishes.fail(p->out.error, "standard output cannot be written", p->wishes.owner);
  else
    p->wishes.room(p->wishes.owner);
}

static void heard(chat_front *f, thirl_bytes text) {
  chat_pipe *p = (chat_pipe *)f;
  put_clean(p, text);
  if (p->out.error != THIRL_OK) on_room(p);
}

static void room(chat_front *f) {
  say_lines((chat_pipe *)f);
}

static void delivered(chat_front *f, uint32_t number) {
  (void)number;
  room(f);
}

static void note(chat_front *f, chat_tone tone, const char *text) {
  (void)f, (void)tone;
  status_note("chat", "%s", text);
}

static void state(chat_front *f, const chat_state *s) {
  (void)f, (void)s;
}

static bool is_full(chat_front *f) {
  return spout_is_full(&((chat_pipe *)f)->out);
}

static bool holds(chat_front *f) {
  return ((chat_pipe *)f)->out.held.n > 0;
}

/* Nobody hears a signal here: who wants to wait has waited before. */
static bool pipe_close(chat_front *f) {
  chat_pipe *p = (chat_pipe *)f;
  watch_fini(&p->watch);
  return spout_fini(&p->out, 0);
}

thirl_error chat_pipe_open(uv_loop_t *loop, const chat_wishes *wishes, chat_front **out) {
  chat_pipe *p = calloc(1, sizeof *p);
  *out = NULL;
  if (!p) return THIRL_E_NOMEM;
  p->front = (chat_front){heard, delivered, room, note, state, is_full, holds, pipe_close, false};
  p->wishes = *wishes;
  *out = &p->front;
  if (!watch_init(&p->watch, loop, STDIN_FILENO, false, on_input, p) ||
      !spout_init(&p->out, loop, STDOUT_FILENO, on_room, p))
    return THIRL_E_IO; /* the loop has handles of ours by now */
  p->waits = true;     /* until somebody is there */
  return THIRL_OK;
}
