/* SPDX-License-Identifier: MIT */
/*
 * The screen of a chat: messages, keys and sizes go in, the bytes for the terminal come out.
 *
 *   12:03 peer   a message, broken at spaces              the terminal's own scrollback keeps these
 *   12:04  you ✓ and one of ours; the mark: it was shown there
 *   ── 5x3kq-2a ── direct TCP ── 12 ms ──                  the foot: status,
 *   > what is being typed                                 and the line
 *
 * Pure, and the only writer to the terminal. What arrives goes over the foot, which is then drawn again below: the line never tears. A dumb terminal gets plain
 * lines: no status, no marks, nothing but text, CR and LF.
 *
 *   init -> { message note mark status key resize renew } -> output, consume -> ... -> leave -> output -> fini
 */
#ifndef THIRL_SCREEN_VIEW_H
#define THIRL_SCREEN_VIEW_H

#include "screen/foot.h"
#include "screen/history.h"

enum {
  THIRL_SCREEN_VIEW_TEXT_MAX = 4096, /* bytes of a message */
  THIRL_SCREEN_VIEW_LINES_MAX =
      100, /* of a message, each in as many rows as it needs; where there are more, "..." stands below */
  THIRL_SCREEN_VIEW_MARKS_MAX = 256,    /* messages of ours whose mark may still change */
  THIRL_SCREEN_VIEW_COLUMNS_MIN = 8,    /* a window that is narrower is treated as one of these */
  THIRL_SCREEN_VIEW_COLUMNS_MAX = 1000, /* likewise */
  THIRL_SCREEN_VIEW_HELD_MAX = 64 << 10 /* bytes of output; then is_full */
};

/** What the terminal can do. */
typedef struct thirl_screen_look {
  unsigned columns, rows;
  bool dumb; /* no cursor to move */
  bool color;
  bool ascii; /* it does not read UTF-8 */
} thirl_screen_look;

typedef enum thirl_screen_action {
  THIRL_SCREEN_NOTHING,
  THIRL_SCREEN_SEND,      /* Enter: take the text */
  THIRL_SCREEN_LEAVE,     /* ~. at the beginning of a line, Ctrl-D in an empty one, the end of the input */
  THIRL_SCREEN_HELP,      /* ~? */
  THIRL_SCREEN_STATS,     /* ~s */
  THIRL_SCREEN_INTERRUPT, /* Ctrl-C */
  THIRL_SCREEN_STOP,      /* Ctrl-Z */
  THIRL_SCREEN_QUIT       /* Ctrl-\ */
} thirl_screen_action;

typedef struct thirl_screen_view {
  thirl_screen_place place;
  thirl_screen_pen pen;
  thirl_screen_line line;
  thirl_screen_history history;
  thirl_screen_foot foot;
  bool tilde;                 /* the line is one "~" that was typed: the next key decides */
  bool line_changed, changed; /* since it was drawn; changed: the foot as a whole */
  uint64_t row;               /* rows above the foot so far */
  struct {
    uint32_t number;
    uint64_t row;
  } marks[THIRL_SCREEN_VIEW_MARKS_MAX]; /* oldest first */
  unsigned n_marks;
  uint8_t clean[THIRL_SCREEN_VIEW_TEXT_MAX * 4];
} thirl_screen_view;

void thirl_screen_view_init(thirl_screen_view *v, const thirl_screen_look *look);
void thirl_screen_view_fini(thirl_screen_view *v);

/** A message of the peer: any bytes, up to THIRL_SCREEN_VIEW_TEXT_MAX. clock: "HH:MM". */
void thirl_screen_view_theirs(thirl_screen_view *v, const char *clock, thirl_bytes text);
/** One of ours; the number is for its mark. */
void thirl_screen_view_ours(thirl_screen_view *v, const char *clock, thirl_bytes text, uint32_t number);
/** Ours up to this number were delivered: their marks say so as far as they are still on the screen. */
void thirl_screen_view_mark(thirl_screen_view *v, uint32_t number);
/** Something that we say ourselves. */
void thirl_screen_view_note(thirl_screen_view *v, const char *clock, thirl_screen_style style, const char *text);
/** The parts of the status row, from now on. n is cut to THIRL_SCREEN_STATUS_PARTS. */
void thirl_screen_view_status(thirl_screen_view *v, const thirl_screen_part *parts, unsigned n);
thirl_screen_action thirl_screen_view_key(thirl_screen_view *v, thirl_key key);
/** The line's text, for SEND. Returns how many bytes. */
size_t thirl_screen_view_read(const thirl_screen_view *v, uint8_t out[THIRL_SCREEN_LINE_MAX]);
/** It is said: the line is empty and in the history. Returns how many characters had had no room in it. */
size_t thirl_screen_view_sent(thirl_screen_view *v);
/** The window has another size. */
void thirl_screen_view_resize(thirl_screen_view *v, unsigned columns, unsigned rows);
/** Others have written to the terminal: the foot is drawn from the cursor's row on. */
void thirl_screen_view_renew(thirl_screen_view *v);
/** Takes the foot away, the cursor at the beginning of an empty row. The next change brings it back. */
void thirl_screen_view_leave(thirl_screen_view *v);

/** What is to be written, borrowed until the next call; then say how much of it was. */
thirl_bytes thirl_screen_view_output(thirl_screen_view *v);
/** The same without drawing anything: after leave. */
thirl_bytes thirl_screen_view_rest(thirl_screen_view *v);
void thirl_screen_view_consume(thirl_screen_view *v, size_t n);
/** There is more to be written than a screen can use: no further messages now. */
bool thirl_screen_view_is_full(const thirl_screen_view *v);

#endif
