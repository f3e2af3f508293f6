/* SPDX-License-Identifier: MIT */
/*
 * A chat's peer and keyboard. The first byte chooses the terminal; the rest are bytes of the stream, keys and sizes in turn. Whatever comes: the terminal gets nothing but what
 * src/screen/pen.h lists and characters that do no harm (support/cells.h looks at each), the foot is below all messages with the cursor in it, and what is kept is bounded.
 */
#include <stdlib.h>
#include <string.h>

#include "chat/chat.h"
#include "screen/view.h"
#include "support/cells.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEMAND(condition)                                                                                              \
  do {                                                                                                                 \
    if (!(condition)) abort();                                                                                         \
  } while (0)

typedef struct desk {
  thirl_chat chat;
  thirl_screen_view view;
  cells t;
  bool broken;
} desk;

static void look(desk *d) {
  thirl_bytes b = thirl_screen_view_output(&d->view);
  DEMAND(b.n <= THIRL_SCREEN_PEN_MAX);
  cells_write(&d->t, b.p, b.n);
  thirl_screen_view_consume(&d->view, b.n);
  DEMAND(d->t.bad == 0 && d->t.n_held == 0);
  const char *line = cells_row(&d->t, d->t.y);
  DEMAND(d->t.columns < THIRL_SCREEN_VIEW_COLUMNS_MIN || *line == '>' || *line == '<' ||
         memcmp(line, "\xe2\x80\xb9", 3) == 0);
  for (unsigned y = d->t.y + 1; y < d->t.rows; y++)
    DEMAND(*cells_row(&d->t, y) == '\0');
}

static void hear(desk *d, thirl_time now, thirl_bytes in) {
  thirl_chat_event ev;
  while (!d->broken && in.n > 0) {
    size_t before = in.n;
    thirl_error e = thirl_chat_input(&d->chat, now, &in);
    DEMAND(e == THIRL_OK || e == THIRL_E_PROTOCOL);
    d->broken = e != THIRL_OK;
    bool any = false;
    while (thirl_chat_poll(&d->chat, &ev)) {
      any = true;
      if (ev.kind == THIRL_CHAT_SAID) thirl_screen_view_theirs(&d->view, "12:03", ev.text);
      if (ev.kind == THIRL_CHAT_DELIVERED) thirl_screen_view_mark(&d->view, ev.number);
    }
    if (in.n == before && !any) break; /* paced */
  }
  thirl_bytes out = thirl_chat_output(&d->chat, now);
  DEMAND(out.n <= THIRL_CHAT_HELD_MAX + 64);
  thirl_chat_consume(&d->chat, out.n / 2);
}

/* A text of the peer that is well framed, so that not every input has to find out how. */
static void hear_text(desk *d, thirl_time now, thirl_bytes text) {
  uint8_t frame[THIRL_CHAT_FRAME_MAX];
  if (text.n > THIRL_CHAT_TEXT_MAX) text.n = THIRL_CHAT_TEXT_MAX;
  if (d->chat.n_frame) return;
  thirl_chat_frame_write(frame, THIRL_CHAT_TEXT, THIRL_CHAT_NUMBER_LEN + text.n);
  thirl_bytes_put_u32(frame + THIRL_CHAT_HEADER_LEN, d->chat.heard + 1);
  if (text.n) memcpy(frame + THIRL_CHAT_HEADER_LEN + THIRL_CHAT_NUMBER_LEN, text.p, text.n);
  hear(d, now, THIRL_BYTES(frame, THIRL_CHAT_HEADER_LEN + THIRL_CHAT_NUMBER_LEN + text.n));
}

static void press(desk *d, thirl_bytes keys) {
  static const thirl_key special[] = {THIRL_KEY_LEFT,
                                      THIRL_KEY_RIGHT,
                                      THIRL_KEY_HOME,
                                      THIRL_KEY_END,
                                      THIRL_KEY_BACKSPACE,
                                      THIRL_KEY_DELETE,
                                      THIRL_KEY_UP,
                                      THIRL_KEY_DOWN,
                                      0x65e5,
                                      0x301,
                                      0x1f44d,
                                      0x202e,
                                      THIRL_KEY_PASTE_END,
                                      THIRL_KEY_PASTE_BEGIN,
                                      THIRL_KEY_UNKNOWN,
                                      'b' | THIRL_KEY_ALT};
  uint8_t text[THIRL_SCREEN_LINE_MAX];
  uint32_t number;
  for (; keys.n > 0; keys.p++, keys.n--) {
    thirl_key key = keys.p[0] >= 0xf0 ? special[keys.p[0] - 0xf0] : keys.p[0];
    if (thirl_screen_view_key(&d->view, key) != THIRL_SCREEN_SEND) continue;
    thirl_bytes b = {text, thirl_screen_view_read(&d->view, text)};
    DEMAND(b.n <= THIRL_CHAT_TEXT_MAX);
    if (thirl_chat_say(&d->chat, b, &number) != THIRL_OK) continue;
    thirl_screen_view_ours(&d->view, "12:04", b, number);
    (void)thirl_screen_view_sent(&d->view);
  }
}

static void resize(desk *d, uint8_t columns, uint8_t rows) {
  unsigned x = THIRL_SCREEN_VIEW_COLUMNS_MIN + columns % 120, y = 1 + rows % 30;
  cells_resize(&d->t, x, y);
  thirl_screen_view_resize(&d->view, x, y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static desk d;
  thirl_time now = 1000;
  if (size < 3) return 0;
  thirl_screen_look what = {.columns = THIRL_SCREEN_VIEW_COLUMNS_MIN + data[1] % 120, .rows = 1 + data[2] % 30};
  what.dumb = data[0] & 1;
  what.color = data[0] & 2;
  what.ascii = data[0] & 4;
  memset(&d, 0, sizeof d);
  thirl_chat_init(&d.chat, data[0] & 8, now);
  thirl_screen_view_init(&d.view, &what);
  cells_init(&d.t, what.columns, what.rows, what.dumb);
  for (size_t at = 3; at < size;) {
    size_t n = 1 + (data[at] >> 2) * 3U;
    uint8_t kind = data[at++] & 3;
    thirl_bytes b = {data + at, THIRL_MIN(n, size - at)};
    at += b.n;
    now += 5 * THIRL_MS;
    if (kind == 0) hear(&d, now, b);
    if (kind == 1) hear_text(&d, now, b);
    if (kind == 2) press(&d, b);
    if (kind == 3 && b.n > 1 && !what.dumb) resize(&d, b.p[0], b.p[1]);
    look(&d);
  }
  thirl_chat_fini(&d.chat);
  thirl_screen_view_fini(&d.view);
  return 0;
}
