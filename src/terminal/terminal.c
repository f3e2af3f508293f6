/* SPDX-License-Identifier: MIT */
#include "thirl/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "terminal/keep.h"
#include "terminal/keys.h"

enum { READ_MAX = 4096, COLUMNS_UNKNOWN = 80, ROWS_UNKNOWN = 24 };

_Static_assert((int)THIRL_TERMINAL_MAX == (int)THIRL_TERMINAL_KEEP_MAX, "as many as can be given back");

#define PASTE_ON  "\033[?2004h"
#define PASTE_OFF "\033[?2004l"

struct thirl_terminal {
  int in, out, epoll;
  int told; /* becomes readable when the window changed; also for an input that epoll cannot watch and that is always ready */
  unsigned slot;
  bool interactive, always_ready, ended;
  thirl_terminal_keys keys;
  uint8_t buffer[READ_MAX];
  thirl_bytes unread;
};

static thirl_time now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (thirl_time)t.tv_sec * THIRL_S + (thirl_time)t.tv_nsec / 1000;
}

/* ---- taking and giving back ---- */

/* No echo, no lines, no translation; output stays as it is, and so do the signals unless they are to be keys. */
static struct termios raw_of(struct termios t, bool signals_as_keys) {
  t.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON | ISTRIP | BRKINT | PARMRK);
  t.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
  if (signals_as_keys) t.c_lflag &= ~(tcflag_t)ISIG;
  t.c_cc[VMIN] = 1;
  t.c_cc[VTIME] = 0;
  return t;
}

static thirl_error watch_input(thirl_terminal *t) {
  struct epoll_event told = {.events = EPOLLIN}, input = {.events = EPOLLIN};
  t->epoll = epoll_create1(EPOLL_CLOEXEC);
  t->told = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (t->epoll < 0 || t->told < 0) return THIRL_E_IO;
  if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->told, &told) != 0) return THIRL_E_IO;
  if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->in, &input) == 0) return THIRL_OK;
  if (errno != EPERM) return THIRL_E_IO;
  t->always_ready = true; /* a file, /dev/null */
  return eventfd_write(t->told, 1) == 0 ? THIRL_OK : THIRL_E_IO;
}

thirl_error thirl_terminal_open(const thirl_terminal_options *options, thirl_terminal **out) {
  *out = NULL;
  if (fcntl(options->in, F_GETFD) < 0 || fcntl(options->out, F_GETFD) < 0) return THIRL_E_INVALID;
  thirl_terminal *t = calloc(1, sizeof *t);
  if (!t) return THIRL_E_NOMEM;
  t->in = options->in;
  t->out = options->out;
  t->slot = THIRL_TERMINAL_MAX;
  t->epoll = t->told = -1;
  thirl_terminal_keys_init(&t->keys);
  thirl_error e = watch_input(t);
  struct termios found;
  if (e == THIRL_OK && tcgetattr(t->in, &found) == 0) {
    bool paste = options->bracketed_paste && isatty(t->out);
    thirl_terminal_keep_wish w = {.in = t->in,
                                  .out = t->out,
                                  .tell = t->told,
                                  .found = found,
                                  .raw = raw_of(found, options->signals_as_keys),
                                  .hello = paste ? PASTE_ON : "",
                                  .goodbye = paste ? PASTE_OFF : ""};
    e = thirl_terminal_keep_take(&w, &t->slot);
    t->interactive = e == THIRL_OK;
  }
  if (e != THIRL_OK) {
    thirl_terminal_close(t);
    return e;
  }
  *out = t;
  return THIRL_OK;
}

void thirl_terminal_close(thirl_terminal *t) {
  if (!t) return;
  if (t->interactive) thirl_terminal_keep_release(t->slot);
  if (t->epoll >= 0) close(t->epoll);
  if (t->told >= 0) close(t->told);
  thirl_bytes_wipe(t->buffer, sizeof t->buffer); /* may have been a password */
  free(t);
}

/* ---- the handle ---- */

bool thirl_terminal_is_interactive(const thirl_terminal *t) {
  return t->interactive;
}

int thirl_terminal_fd(const thirl_terminal *t) {
  return t->epoll;
}

int thirl_terminal_timeout(const thirl_terminal *t) {
  thirl_time due = thirl_terminal_keys_deadline(&t->keys), now = now_us();
  if (t->unread.n > 0) return 0;
  if (due == THIRL_NEVER) return -1;
  return due <= now ? 0 : (int)((due - now + THIRL_MS - 1) / THIRL_MS);
}

/* OK: there is something new, or the end. */
static thirl_error read_more(thirl_terminal *t) {
  struct pollfd p = {.fd = t->in, .events = POLLIN};
  if (!t->always_ready && poll(&p, 1, 0) <= 0) return THIRL_E_AGAIN;
  ssize_t n = read(t->in, t->buffer, sizeof t->buffer);
  if (n > 0) {
    t->unread = THIRL_BYTES(t->buffer, (size_t)n);
    return THIRL_OK;
  }
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return THIRL_E_AGAIN;
  if (n < 0 && errno != EIO) return THIRL_E_IO; /* EIO: the other end of the terminal is gone */
  t->ended = true;
  thirl_terminal_keys_end(&t->keys);
  return THIRL_OK;
}

thirl_error thirl_terminal_read(thirl_terminal *t, thirl_key *key) {
  eventfd_t times;
  if (t->interactive && eventfd_read(t->told, &times) == 0) {
    *key = THIRL_KEY_RESIZED;
    return THIRL_OK;
  }
  for (;;) {
    if (thirl_terminal_keys_next(&t->keys, now_us(), &t->unread, key)) return THIRL_OK;
    if (thirl_terminal_keys_tick(&t->keys, now_us(), key)) return THIRL_OK;
    if (t->ended) {
      *key = THIRL_KEY_END_OF_INPUT;
      return THIRL_OK;
    }
    thirl_error e = read_more(t);
    if (e != THIRL_OK) return e;
  }
}

thirl_error thirl_terminal_wait(thirl_terminal *t, int timeout_ms, thirl_key *key) {
  thirl_time end = timeout_ms < 0 ? THIRL_NEVER : thirl_time_after(now_us(), (thirl_time)timeout_ms * THIRL_MS);
  for (;;) {
    thirl_error e = thirl_terminal_read(t, key);
    thirl_time now = now_us();
    if (e != THIRL_E_AGAIN || now >= end) return e;
    int ms = thirl_terminal_timeout(t);
    if (end != THIRL_NEVER) {
      int left = (int)((end - now + THIRL_MS - 1) / THIRL_MS);
      ms = ms < 0 ? left : THIRL_MIN(ms, left);
    }
    struct pollfd p = {.fd = t->epoll, .events = POLLIN};
    if (poll(&p, 1, ms) < 0 && errno != EINTR) return THIRL_E_IO;
  }
}

static thirl_error write_all(int fd, const void *bytes, size_t n) {
  const uint8_t *p = bytes;
  while (n > 0) {
    ssize_t w = write(fd, p, n);
    if (w > 0) {
      p += w;
      n -= (size_t)w;
    } else if (w < 0 && errno == EAGAIN) {
      struct pollfd out = {.fd = fd, .events = POLLOUT};
      if (poll(&out, 1, -1) < 0 && errno != EINTR) return THIRL_E_IO;
    } else if (w == 0 || errno != EINTR) {
      return THIRL_E_IO;
    }
  }
  return THIRL_OK;
}

thirl_error thirl_terminal_write(thirl_terminal *t, const void *bytes, size_t n) {
  return write_all(t->out, bytes, n);
}

void thirl_terminal_size(const thirl_terminal *t, unsigned *columns, unsigned *rows) {
  struct winsize w;
  bool known = ioctl(t->out, TIOCGWINSZ, &w) == 0 || ioctl(t->in, TIOCGWINSZ, &w) == 0;
  *columns = known && w.ws_col > 0 ? w.ws_col : COLUMNS_UNKNOWN;
  *rows = known && w.ws_row > 0 ? w.ws_row : ROWS_UNKNOWN;
}

/* ---- the calls of conio.h ---- */

static thirl_terminal *standard;
static bool is_hit;
static thirl_key hit;

static thirl_terminal *get_standard(void) {
  if (!standard) {
    thirl_terminal_options o = {.in = STDIN_FILENO, .out = STDOUT_FILENO};
    (void)thirl_terminal_open(&o, &standard);
  }
  return standard;
}

/* The next key that is one. */
static bool get_key(int timeout_ms, thirl_key *key) {
  thirl_terminal *t = get_standard();
  *key = THIRL_KEY_END_OF_INPUT;
  if (!t) return true;
  for (;;) {
    thirl_error e = timeout_ms == 0 ? thirl_terminal_read(t, key) : thirl_terminal_wait(t, timeout_ms, key);
    if (e == THIRL_E_AGAIN) return false;
    if (e != THIRL_OK) *key = THIRL_KEY_END_OF_INPUT;
    if (*key != THIRL_KEY_RESIZED) return true;
  }
}

bool thirl_terminal_kbhit(void) {
  if (!is_hit) is_hit = get_key(0, &hit);
  return is_hit;
}

thirl_key thirl_terminal_getch(void) {
  thirl_key key = hit;
  if (!is_hit) (void)get_key(-1, &key);
  is_hit = false;
  return key;
}

thirl_key thirl_terminal_getche(void) {
  thirl_key key = thirl_terminal_getch();
  if (key == '\r')
    (void)write_all(STDOUT_FILENO, "\r\n", 2);
  else if (thirl_keys_is_character(key))
    (void)thirl_terminal_putch(key);
  return key;
}

thirl_key thirl_terminal_putch(thirl_key character) {
  uint32_t c = (uint32_t)character;
  uint8_t b[4];
  size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  if (c >= THIRL_KEY_SPECIAL || (c >= 0xd800 && c <= 0xdfff)) return THIRL_KEY_END_OF_INPUT;
  static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = n - 1; i > 0; i--, c >>= 6)
    b[i] = (uint8_t)(0x80 | (c & 0x3f));
  b[0] = (uint8_t)(first[n] | c);
  return write_all(STDOUT_FILENO, b, n) == THIRL_OK ? character : THIRL_KEY_END_OF_INPUT;
}
