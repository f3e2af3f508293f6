/* SPDX-License-Identifier: MIT */
#include "tune_screen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
  WORD = THIRL_TUNE_WATCH_WORD_MAX,
  TITLE_WIDTH = 18,
  BAR_WIDTH = 10,
  LINE_BYTES = 400,
  WIDE = 80,
  BUSY = 900,
  FULL = 990
};

static void put(thirl_buffer *out, const char *text) {
  (void)thirl_buffer_append(out, THIRL_BYTES(text, strlen(text))); /* what no longer fits is not shown */
}

/* ---- words for a row ---- */

static void say_when(const thirl_tune_watch_row *r, char out[WORD + 16]) {
  char span[WORD];
  out[0] = '\0';
  if (r->has_use && r->fills) snprintf(out, WORD + 16, "full in %s", thirl_tune_watch_span(r->full_s, span));
  if (r->has_use && r->used >= r->limit) snprintf(out, WORD + 16, "full");
}

static void say_lost(const thirl_tune_watch_row *r, char out[WORD + 16]) {
  char amount[WORD];
  out[0] = '\0';
  if (r->lost > 0)
    snprintf(out, WORD + 16, "LOST %s/s", thirl_tune_watch_amount(r->lost_per_s ? r->lost_per_s : 1, amount));
  else if (r->lost_all > 0)
    snprintf(out, WORD + 16, "lost %s", thirl_tune_watch_amount(r->lost_all, amount));
  else if (r->has_lost && !r->has_use)
    snprintf(out, WORD + 16, "lost 0");
}

static void draw_bar(unsigned permille, char out[BAR_WIDTH + 3]) {
  unsigned filled = (permille * BAR_WIDTH + 500) / 1000;
  out[0] = '[';
  for (unsigned i = 0; i < BAR_WIDTH; i++)
    out[1 + i] = i < filled ? '#' : '.';
  out[BAR_WIDTH + 1] = ']';
  out[BAR_WIDTH + 2] = '\0';
}

/* ---- the screen ---- */

typedef struct canvas {
  const tune_screen *screen;
  thirl_buffer *out;
  unsigned line;
} canvas;

/* One line, cut at the width; colour: of an escape sequence, or NULL. The last line ends without a step to the next, or the screen would move. */
static void draw_line(canvas *c, const char *colour, const char *text) {
  unsigned width = c->screen->columns < TUNE_SCREEN_COLUMNS_MAX ? c->screen->columns : TUNE_SCREEN_COLUMNS_MAX;
  char cut[TUNE_SCREEN_COLUMNS_MAX + 1];
  if (c->line >= c->screen->rows) return;
  if (c->line++) put(c->out, "\n");
  snprintf(cut, (size_t)width + 1, "%s", text);
  size_t n = strlen(cut);
  while (n && cut[n - 1] == ' ')
    cut[--n] = '\0';
  if (colour && c->screen->colour) put(c->out, colour);
  put(c->out, cut);
  if (colour && c->screen->colour) put(c->out, "\033[0m");
  put(c->out, "\033[K");
}

static const char *colour_of(const thirl_tune_watch_row *r) {
  if (r->lost > 0 || (r->has_use && r->permille >= FULL)) return "\033[31m";
  if (r->lost_all > 0 || (r->has_use && r->permille >= BUSY)) return "\033[33m";
  return NULL;
}

static void draw_narrow(canvas *c, const thirl_tune_watch_row *r, const char *title) {
  char line[LINE_BYTES], when[WORD + 16], lost[WORD + 16], use[WORD] = "";
  say_when(r, when);
  say_lost(r, lost);
  if (r->has_use) snprintf(use, sizeof use, "%u.%u%%", r->permille / 10, r->permille % 10);
  snprintf(line, sizeof line, "%-*s%6s  %s", TITLE_WIDTH, title, use, lost[0] ? lost : when);
  draw_line(c, colour_of(r), line);
}

static void draw_wide(canvas *c, const thirl_tune_watch_row *r, const char *title) {
  char line[LINE_BYTES], when[WORD + 16], lost[WORD + 16],
      bar[BAR_WIDTH + 3] = "", use[WORD] = "", of[2 * WORD + 1] = "", used[WORD], limit[WORD];
  say_when(r, when);
  say_lost(r, lost);
  if (r->has_use) {
    draw_bar(r->permille, bar);
    snprintf(use, sizeof use, "%u.%u%%", r->permille / 10, r->permille % 10);
    snprintf(of, sizeof of, "%s/%s", thirl_tune_watch_amount(r->used, used), thirl_tune_watch_amount(r->limit, limit));
  }
  snprintf(line, sizeof line, "%-*s%-*s%7s %13s  %-16s%s", TITLE_WIDTH, title, BAR_WIDTH + 2, bar, use, of, when, lost);
  draw_line(c, colour_of(r), line);
}

static void draw_nearest(canvas *c, const thirl_tune_watch *w) {
  char line[LINE_BYTES], when[WORD + 16], lost[WORD + 16], use[WORD + 8] = "";
  if (!w->has_nearest) {
    draw_line(c, NULL, "no wall in sight");
    return;
  }
  const thirl_tune_watch_row *r = &w->row[w->nearest];
  say_when(r, when);
  say_lost(r, lost);
  if (r->has_use) snprintf(use, sizeof use, " %u.%u%%", r->permille / 10, r->permille % 10);
  snprintf(line, sizeof line, "nearest: %s%s%s%s", thirl_tune_watch_title(w->nearest), use,
           lost[0] || when[0] ? ", " : "", lost[0] ? lost : when);
  draw_line(c, "\033[1m", line);
}

static void draw_rows(canvas *c, const thirl_tune_watch *w) {
  char line[LINE_BYTES];
  for (unsigned i = 0; i < THIRL_TUNE_WALL_COUNT; i++) {
    const thirl_tune_watch_row *r = &w->row[i];
    const char *title = thirl_tune_watch_title((thirl_tune_wall)i);
    if (r->why != THIRL_TUNE_WHY_READ) continue;
    if (c->screen->columns >= WIDE)
      draw_wide(c, r, title);
    else
      draw_narrow(c, r, title);
    if (!r->detail[0]) continue;
    snprintf(line, sizeof line, "  %s", r->detail);
    draw_line(c, NULL, line);
  }
}

void tune_screen_draw(const thirl_tune_watch *w, const tune_screen *s, thirl_buffer *out) {
  char line[LINE_BYTES], span[WORD];
  canvas c = {.screen = s, .out = out};
  put(out, "\033[H");
  snprintf(line, sizeof line, "thirl tune: %s so far; q quits",
           thirl_tune_watch_span((int64_t)((w->now - w->began) / THIRL_S), span));
  draw_line(&c, NULL, line);
  draw_nearest(&c, w);
  draw_rows(&c, w);
  put(out, "\033[J");
}

/* ---- lines ---- */

void tune_screen_print(const thirl_tune_watch *w, thirl_buffer *out) {
  char line[LINE_BYTES], when[WORD + 16];
  double since = (double)(w->now - w->began) / (double)THIRL_S;
  for (unsigned i = 0; i < THIRL_TUNE_WALL_COUNT; i++) {
    const thirl_tune_watch_row *r = &w->row[i];
    bool is_nearest = w->has_nearest && w->nearest == (thirl_tune_wall)i;
    if (r->why != THIRL_TUNE_WHY_READ) continue;
    int n = snprintf(line, sizeof line, "%.1f %s %s:", since, is_nearest ? "*" : "-",
                     thirl_tune_watch_title((thirl_tune_wall)i));
    say_when(r, when);
    if (r->has_use)
      n += snprintf(line + n, sizeof line - (size_t)n, " %" PRId64 " of %" PRId64 " %s, %u.%u %%, %+.1f/s%s%s", r->used,
                    r->limit, thirl_tune_watch_unit((thirl_tune_wall)i), r->permille / 10, r->permille % 10,
                    (double)r->rate_milli / 1000, when[0] ? ", " : "", when);
    if (r->has_lost)
      n += snprintf(line + n, sizeof line - (size_t)n, "%s lost %" PRId64 " (%" PRId64 " so far)",
                    r->has_use ? "," : "", r->lost, r->lost_all);
    snprintf(line + n, sizeof line - (size_t)n, "%s%s%s\n", r->detail[0] ? " (" : "", r->detail,
             r->detail[0] ? ")" : "");
    put(out, line);
  }
}
