/* SPDX-License-Identifier: MIT */
/* A chat on a terminal: keys to the screen's model (screen/view.h), its bytes to the terminal, and the wishes that come of them. */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chat_front.h"
#include "screen/view.h"
#include "spout.h"
#include "thirl/terminal.h"
#include "looks.h"

enum { KEYS_A_TURN = 4096, FLUSH_MS = 1000, LATE_MS = 2000, SILENT_MS = 8000, LATE_DUMB_MS = 5000 };

typedef struct chat_screen {
  chat_front front;
  chat_wishes wishes;
  uv_loop_t *loop;
  thirl_terminal *terminal;
  uv_poll_t keys;
  uv_timer_t timer, paint; /* paint: in the loop's next turn, once for all that has come until then */
  thirl_screen_view view;
  spout out;
  bool dumb, was_full, over;
  uint64_t undelivered_since; /* 0: all is delivered */
  bool told_late;
} chat_screen;

static volatile sig_atomic_t was_stopped;

static void on_continue(int number) {
  (void)number;
  was_stopped = 1;
}

bool chat_screen_is_possible(bool json) {
  return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !(json && isatty(STDERR_FILENO));
}

/* ---- out ---- */

static void show(chat_screen *s) {
  if (s->over) return;
  thirl_bytes b = thirl_screen_view_output(&s->view);
  spout_put(&s->out, b);
  thirl_screen_view_consume(&s->view, b.n);
  s->was_full = spout_is_full(&s->out);
}

static void on_room(void *owner) {
  chat_screen *s = owner;
  if (s->out.error != THIRL_OK) s->wishes.fail(s->out.error, "the terminal cannot be written to", s->wishes.owner);
  if (s->was_full) s->wishes.room(s->wishes.owner);
  s->was_full = false;
}

static const char *now_text(void) {
  static char text[8];
  time_t now = time(NULL);
  struct tm tm;
  if (!localtime_r(&now, &tm) || strftime(text, sizeof text, "%H:%M", &tm) == 0) snprintf(text, sizeof text, "--:--");
  return text;
}

static void put_note(chat_screen *s, chat_tone tone, const char *text) {
  thirl_screen_view_note(&s->view, now_text(), tone == CHAT_WARN ? THIRL_SCREEN_DOUBTFUL : THIRL_SCREEN_DIM, text);
}

/* ---- keys ---- */

static void send_line(chat_screen *s) {
  uint8_t text[THIRL_SCREEN_LINE_MAX];
  char sentence[120];
  uint32_t number;
  thirl_bytes b = {text, thirl_screen_view_read(&s->view, text)};
  thirl_error e = s->wishes.say(b, &number, s->wishes.owner);
  if (e == THIRL_OK) {
    thirl_screen_view_ours(&s->view, now_text(), b, number);
    size_t refused = thirl_screen_view_sent(&s->view);
    snprintf(sentence, sizeof sentence, "the last %zu characters were left out: a message has %d bytes at most",
             refused, THIRL_SCREEN_LINE_MAX);
    if (refused) put_note(s, CHAT_WARN, sentence);
  } else if (e == THIRL_E_AGAIN) {
    put_note(s, CHAT_WARN, "not sent: too many messages wait to be delivered; Enter tries again");
  } else {
    put_note(s, CHAT_WARN, "not sent: nobody is there; Enter tries again");
  }
}

static void help(chat_screen *s) {
  static const char *const lines[] = {
      "at the beginning of a line:",
      "  ~.  leave (Ctrl-D in an empty line does it too)",
      "  ~s  how the connection does",
      "  ~?  this help",
      "  ~~  a tilde",
      "the line is edited as in a shell; Up and Down: what was said",
      "Ctrl-L: a clean screen",
  };
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    put_note(s, CHAT_TELL, lines[i]);
  if (s->dumb) return;
  put_note(s, CHAT_TELL,
           s->view.place.ascii ? "before a message of yours: . on its way, + shown over there"
                               : "before a message of yours: \xc2\xb7 on its way, \xe2\x9c\x93 shown over there");
}

/* The shell has the terminal meanwhile, and the rows below the last message. */
static void give_way(chat_screen *s, int number) {
  thirl_screen_view_leave(&s->view);
  thirl_bytes b = thirl_screen_view_rest(&s->view);
  spout_put(&s->out, b);
  (void)spout_flush(&s->out, FLUSH_MS);
  thirl_screen_view_consume(&s->view, b.n);
  (void)raise(number);
}

static bool screen_close(chat_front *f) {
  chat_screen *s = (chat_screen *)f;
  if (s->over) return true;
  s->over = true;
  thirl_screen_view_leave(&s->view);
  thirl_bytes b = thirl_screen_view_rest(&s->view);
  spout_put(&s->out, b);
  (void)spout_fini(&s->out, FLUSH_MS); /* a terminal that is stopped is its user's */
  (void)uv_poll_stop(&s->keys);
  (void)uv_timer_stop(&s->timer);
  (void)uv_timer_stop(&s->paint);
  thirl_terminal_close(s->terminal);
  thirl_screen_view_fini(&s->view);
  return true;
}

static void act(chat_screen *s, thirl_screen_action action) {
  switch (action) {
  case THIRL_SCREEN_NOTHING:
    break;
  case THIRL_SCREEN_SEND:
    send_line(s);
    break;
  case THIRL_SCREEN_LEAVE:
    s->wishes.leave(s->wishes.owner);
    (void)screen_close(&s->front); /* the goodbye takes its time; what is typed meanwhile is the shell's */
    break;
  case THIRL_SCREEN_HELP:
    help(s);
    break;
  case THIRL_SCREEN_STATS:
    s->wishes.stats(s->wishes.owner);
    break;
  case THIRL_SCREEN_INTERRUPT:
    s->wishes.signal(SIGINT, s->wishes.owner);
    break;
  case THIRL_SCREEN_STOP:
    give_way(s, SIGTSTP);
    break;
  case THIRL_SCREEN_QUIT:
    give_way(s, SIGQUIT);
    break;
  }
}

static void measure(chat_screen *s) {
  unsigned columns, rows;
  thirl_terminal_size(s->terminal, &columns, &rows);
  if (was_stopped) thirl_screen_view_renew(&s->view);
  thirl_screen_view_resize(&s->view, columns, rows);
  was_stopped = 0;
}

static void read_keys(chat_screen *s);

static void on_timer(uv_timer_t *timer) {
  read_keys(timer->data);
}

static void on_keys(uv_poll_t *poll, int status, int events) {
  (void)status, (void)events;
  read_keys(poll->data);
}

static void read_keys(chat_screen *s) {
  thirl_key key;
  for (int i = 0; i < KEYS_A_TURN && !s->over; i++) {
    thirl_error e = thirl_terminal_read(s->terminal, &key);
    if (e == THIRL_E_AGAIN) break;
    if (e != THIRL_OK) key = THIRL_KEY_END_OF_INPUT;
    if (key == THIRL_KEY_RESIZED)
      measure(s);
    else
      act(s, thirl_screen_view_key(&s->view, key));
    if (key == THIRL_KEY_END_OF_INPUT) { /* for ever: nothing to wait for */
      (void)uv_poll_stop(&s->keys);
      break;
    }
  }
  if (s->over) return;
  show(s);
  int ms = thirl_terminal_timeout(s->terminal);
  if (ms >= 0)
    (void)uv_timer_start(&s->timer, on_timer, (uint64_t)ms, 0);
  else
    (void)uv_timer_stop(&s->timer);
}

/* ---- what is told ---- */

static void on_paint(uv_timer_t *timer) {
  show(timer->data);
}

static void heard(chat_front *f, thirl_bytes text) {
  chat_screen *s = (chat_screen *)f;
  if (s->over) return;
  while (text.n > 0 && text.p[text.n - 1] == '\n')
    text.n--;
  thirl_screen_view_theirs(&s->view, now_text(), text);
  if (thirl_screen_view_is_full(&s->view))
    show(s);
  else
    (void)uv_timer_start(&s->paint, on_paint, 0, 0);
}

static void delivered(chat_front *f, uint32_t number) {
  chat_screen *s = (chat_screen *)f;
  if (s->over) return;
  thirl_screen_view_mark(&s->view, number);
  show(s);
}

static void room(chat_front *f) {
  (void)f; /* whoever types presses Enter again */
}

static void note(chat_front *f, chat_tone tone, const char *text) {
  chat_screen *s = (chat_screen *)f;
  if (s->over) return;
  put_note(s, tone, text);
  show(s);
}

static void put_part(thirl_screen_part *parts, unsigned *n, thirl_screen_style style, const char *text) {
  if (!*text || *n == THIRL_SCREEN_STATUS_PARTS) return;
  parts[*n].style = style;
  snprintf(parts[*n].text, sizeof parts[*n].text, "%s", text);
  ++*n;
}

/* A dumb terminal shows no marks: what takes long is said. */
static void tell_late(chat_screen *s, unsigned undelivered, uint64_t since_ms) {
  char text[80];
  if (undelivered && since_ms >= LATE_DUMB_MS && !s->told_late) {
    snprintf(text, sizeof text, "not delivered yet: %u message%s", undelivered, undelivered == 1 ? "" : "s");
    put_note(s, CHAT_WARN, text);
    s->told_late = true;
  } else if (!undelivered && s->told_late) {
    put_note(s, CHAT_TELL, "all is delivered");
    s->told_late = false;
  }
}

static void state(chat_front *f, const chat_state *now) {
  chat_screen *s = (chat_screen *)f;
  thirl_screen_part parts[THIRL_SCREEN_STATUS_PARTS] = {0};
  char text[THIRL_SCREEN_STATUS_TEXT];
  unsigned n = 0;
  uint64_t ms = uv_now(s->loop);
  if (s->over) return;
  if (now->undelivered == 0)
    s->undelivered_since = 0;
  else if (s->undelivered_since == 0)
    s->undelivered_since = ms;
  snprintf(text, sizeof text, now->peer[0] ? "%.8s" : "nobody here yet", now->peer);
  put_part(parts, &n, THIRL_SCREEN_PLAIN, text);
  put_part(parts, &n, now->is_direct ? THIRL_SCREEN_GOOD : THIRL_SCREEN_DOUBTFUL, now->path);
  if (now->silence_ms >= SILENT_MS) {
    snprintf(text, sizeof text, "no answer for %u s", now->silence_ms / 1000);
    put_part(parts, &n, THIRL_SCREEN_DOUBTFUL, text);
  } else if (now->rtt_ms >= 0) {
    snprintf(text, sizeof text, "%ld ms", now->rtt_ms);
    put_part(parts, &n, THIRL_SCREEN_PLAIN, text);
  }
  if (now->undelivered && ms - s->undelivered_since >= LATE_MS) {
    snprintf(text, sizeof text, "%u not delivered", now->undelivered);
    put_part(parts, &n, THIRL_SCREEN_DOUBTFUL, text);
  }
  put_part(parts, &n, THIRL_SCREEN_DIM, now->why[0] ? now->why : now->is_there ? "" : "~. leaves, ~? helps");
  thirl_screen_view_status(&s->view, parts, n);
  if (s->dumb) tell_late(s, now->undelivered, ms - s->undelivered_since);
  show(s);
}

static bool is_full(chat_front *f) {
  chat_screen *s = (chat_screen *)f;
  s->was_full = !s->over && spout_is_full(&s->out);
  return s->was_full;
}

/* Who looks at a screen has seen what it shows; the rest of the last turn is written at close. */
static bool holds(chat_front *f) {
  (void)f;
  return false;
}

/* ---- begin and end ---- */

static thirl_screen_look look_of(const thirl_terminal *t) {
  thirl_screen_look l = {.columns = 80, .rows = 24};
  (void)setlocale(LC_CTYPE, "");
  thirl_terminal_size(t, &l.columns, &l.rows);
  l.dumb = looks_dumb();
  l.color = looks_coloured();
  l.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
  return l;
}

/* The shell's messages are no part of the screen: after a stop it begins anew below them. */
static void watch_for_stops(void) {
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = on_continue;
  sa.sa_flags = SA_RESTART;
  (void)sigaction(SIGCONT, &sa, NULL);
}

thirl_error chat_screen_open(uv_loop_t *loop, const chat_wishes *wishes, chat_front **out) {
  chat_screen *s = calloc(1, sizeof *s);
  thirl_terminal_options o = {.in = STDIN_FILENO, .out = STDOUT_FILENO, .signals_as_keys = true};
  *out = NULL;
  if (!s) return THIRL_E_NOMEM;
  o.bracketed_paste = !looks_dumb();
  watch_for_stops();
  thirl_error e = thirl_terminal_open(&o, &s->terminal);
  if (e != THIRL_OK) {
    free(s);
    return e;
  }
  s->front = (chat_front){heard, delivered, room, note, state, is_full, holds, screen_close, true};
  s->wishes = *wishes;
  *out = &s->front;
  s->loop = loop;
  thirl_screen_look look = look_of(s->terminal);
  s->dumb = look.dumb;
  thirl_screen_view_init(&s->view, &look);
  (void)uv_timer_init(loop, &s->timer);
  (void)uv_timer_init(loop, &s->paint);
  s->timer.data = s->paint.data = s->keys.data = s;
  if (!spout_init(&s->out, loop, STDOUT_FILENO, on_room, s) ||
      uv_poll_init(loop, &s->keys, thirl_terminal_fd(s->terminal)) != 0) {
    (void)screen_close(&s->front);
    return THIRL_E_IO;
  }
  (void)uv_poll_start(&s->keys, UV_READABLE, on_keys);
  if (look.dumb) put_note(s, CHAT_TELL, "~. leaves, ~? helps"); /* elsewhere the status says so */
  if (look.ascii)
    put_note(s, CHAT_WARN,
             "the locale is not UTF-8: characters beyond ASCII are shown as numbers (LC_ALL=C.UTF-8 helps)");
  show(s);
  return THIRL_OK;
}
