/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <jansson.h>

#include "parcel/name.h"
#include "status.h"
#include "looks.h"

enum { BAR_MIN = 10, BAR_MAX = 30, NAME_COLUMNS_MAX = 30 };
static const thirl_time show_every = 100 * THIRL_MS, tell_every = 1 * THIRL_S;

const char *progress_size(uint64_t bytes, char out[PROGRESS_SIZE_MAX]) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double v = (double)bytes;
  size_t i = 0;
  for (; v >= 1024 && i + 1 < sizeof units / sizeof *units; i++)
    v /= 1024;
  snprintf(out, PROGRESS_SIZE_MAX, i == 0 ? "%.0f %s" : "%.1f %s", v, units[i]);
  return out;
}

static void write_left(const progress_view *v, char out[16]) {
  unsigned long long s = v->left_s;
  if (!v->has_left)
    snprintf(out, 16, "--:--");
  else if (s < 3600)
    snprintf(out, 16, "%02llu:%02llu", s / 60, s % 60);
  else
    snprintf(out, 16, "%llu:%02llu:%02llu", s / 3600 % 1000, s / 60 % 60, s % 60);
}

static void write_bar(double share, unsigned width, char out[BAR_MAX + 3]) {
  unsigned full = (unsigned)(share * (width - 2));
  memset(out, ' ', width);
  out[0] = '[';
  memset(out + 1, '#', full);
  out[width - 1] = ']';
  out[width] = '\0';
}

/* The name comes last and is the first to go. What a character's width is, nobody asks: bytes are never fewer. */
const char *progress_line(const progress_view *v, unsigned columns, char out[PROGRESS_LINE_MAX]) {
  char rate[PROGRESS_SIZE_MAX], left[16], bar[BAR_MAX + 3] = "", name[THIRL_PARCEL_SHOWN_MAX];
  double share = v->total ? (double)v->passed / (double)v->total : 1;
  if (share > 1) share = 1;
  if (columns >= PROGRESS_LINE_MAX) columns = PROGRESS_LINE_MAX - 1;
  write_left(v, left);
  int n = snprintf(out, PROGRESS_LINE_MAX, "%3u%% %9s/s %s left", (unsigned)(share * 100),
                   progress_size((uint64_t)v->rate, rate), left);
  unsigned used = (unsigned)n;
  if (used + 1 + BAR_MIN <= columns) {
    unsigned width = columns - used - 1;
    if (width > BAR_MAX) width = BAR_MAX;
    write_bar(share, width, bar);
    n = snprintf(out, PROGRESS_LINE_MAX, "%3u%% %s %9s/s %s left", (unsigned)(share * 100), bar, rate, left);
    used = (unsigned)n;
  }
  thirl_parcel_name_clean(v->name, name);
  if (strlen(name) > 0 && used + 2 + strlen(name) <= columns) {
    memcpy(out + used, "  ", 2);
    strcpy(out + used + 2, name);
  }
  if (strlen(out) > columns) out[columns] = '\0';
  return out;
}

/* ---- on the terminal ---- */

static bool bar_is_drawn;

static void clear(void) {
  if (!bar_is_drawn) return;
  bar_is_drawn = false;
  fputs("\r\x1b[K", stderr);
  fflush(stderr);
}

void progress_end(void) {
  clear();
}

static bool is_drawable(unsigned *columns) {
  struct winsize w;
  if (status_is_json() || status_is_quiet() || !isatty(STDERR_FILENO) || looks_dumb()) return false;
  *columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
  return true;
}

static void draw(const progress_view *v) {
  char line[PROGRESS_LINE_MAX];
  unsigned columns;
  if (!is_drawable(&columns)) return;
  status_before_line(clear);
  fprintf(stderr, "\r%s\x1b[K", progress_line(v, columns - 1, line));
  fflush(stderr);
  bar_is_drawn = true;
}

static json_t *object_of(uint64_t passed, uint64_t total, uint64_t moved) {
  return json_pack("{s:I,s:I,s:I,s:I}", "passed_bytes", (json_int_t)passed, "total_bytes", (json_int_t)total,
                   "moved_bytes", (json_int_t)moved, "reused_bytes", (json_int_t)(passed > moved ? passed - moved : 0));
}

static void tell(const progress_view *v, uint64_t moved) {
  json_t *o = object_of(v->passed, v->total, moved);
  if (!o) return;
  json_object_set_new(o, "bytes_per_s", json_integer((json_int_t)v->rate));
  if (v->has_left) json_object_set_new(o, "left_s", json_integer((json_int_t)v->left_s));
  status_object("progress", o);
}

void progress_tell_end(const progress *p, const thirl_parcel_tally *t, const char *result) {
  json_t *o = status_is_json() ? object_of(t->passed, p->total, progress_moved(p, t)) : NULL;
  if (!o) return;
  json_object_set_new(o, "result", json_string(result));
  json_object_set_new(o, "stored", json_integer(t->stored));
  json_object_set_new(o, "failed", json_integer(t->failed));
  status_object("transfer", o);
}

uint64_t progress_moved(const progress *p, const thirl_parcel_tally *t) {
  return p->moved + t->moved;
}

void progress_begin(progress *p, uint64_t total) {
  p->total = total;
}

void progress_show(progress *p, thirl_time now, const thirl_parcel_tally *t, thirl_bytes name) {
  uint64_t moved = p->moved + t->moved;
  thirl_parcel_progress_input(&p->rate, now, moved);
  progress_view v = {
      .name = name, .passed = t->passed, .total = p->total, .rate = thirl_parcel_progress_rate(&p->rate)};
  v.has_left = thirl_parcel_progress_left(&p->rate, p->total > t->passed ? p->total - t->passed : 0, &v.left_s);
  if (now - p->shown_at >= show_every) {
    p->shown_at = now;
    draw(&v);
  }
  if (now - p->told_at >= tell_every) {
    p->told_at = now;
    if (status_is_json()) tell(&v, moved);
  }
}

void progress_add(progress *p, const thirl_parcel_tally *t) {
  p->moved += t->moved;
}
