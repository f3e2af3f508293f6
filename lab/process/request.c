/* SPDX-License-Identifier: MIT */
#include "lab/process/request.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>

#include "lab/process/control.h"
#include "lab/text/show.h"
#include "lab/internet/stats.h"
#include "io/clock.h"

enum { LAST_WORDS_MS = 200 }; /* a pipe that takes nothing for so long gets no more at the end of its capture */

void thirl_lab_request_client_init(thirl_lab_request_client *c, int fd) {
  *c = (thirl_lab_request_client){.fd = fd, .file = -1};
}

/* ---- answers ---- */

static void say(const thirl_lab_request_client *c, char kind, const char *text) {
  thirl_lab_control_send(c->fd, kind, text, strlen(text), NULL, 0);
}

/* ---- captures ---- */

/* Can so much be written without waiting? Files can, and a pipe that says so takes PIPE_BUF bytes: whoever does not read must not stop the lab. */
static size_t room_in(int file, size_t n, int patience_ms) {
  struct stat st;
  struct pollfd p = {.fd = file, .events = POLLOUT};
  if (fstat(file, &st) == 0 && S_ISREG(st.st_mode)) return n;
  return poll(&p, 1, patience_ms) == 1 ? THIRL_MIN(n, (size_t)PIPE_BUF) : 0;
}

static bool flush(thirl_lab_request_client *c, thirl_lab_running *lab, int patience_ms) {
  if (c->fd < 0 || c->file < 0) return false;
  thirl_bytes b = thirl_lab_engine_capture_take(lab->engine, c->at, NULL);
  while (b.n > 0) {
    size_t room = room_in(c->file, b.n, patience_ms);
    if (room == 0) {
      thirl_lab_engine_capture_give_back(lab->engine, c->at, b.n);
      return true;
    }
    ssize_t n = write(c->file, b.p, room);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false; /* a full disk: the rest is lost */
    b.p += n;
    b.n -= (size_t)n;
  }
  return false;
}

bool thirl_lab_request_flush(thirl_lab_request_client *c, thirl_lab_running *lab) {
  return flush(c, lab, 0);
}

static void end_capture(thirl_lab_request_client *c, thirl_lab_running *lab) {
  if (c->file < 0) return;
  (void)flush(c, lab, LAST_WORDS_MS);
  thirl_lab_engine_capture_stop(lab->engine, c->at);
  close(c->file);
  c->file = -1;
}

void thirl_lab_request_client_fini(thirl_lab_request_client *c, thirl_lab_running *lab) {
  if (c->fd < 0) return;
  end_capture(c, lab);
  close(c->fd);
  c->fd = -1;
}

static thirl_time epoch(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (thirl_time)t.tv_sec * THIRL_S + (thirl_time)t.tv_nsec / 1000 - thirl_io_clock_now();
}

static thirl_error begin_capture(thirl_lab_request_client *c, thirl_lab_running *lab, const char *what, int *file,
                                 thirl_lab_complaint *why) {
  thirl_lab_words words;
  thirl_error e = thirl_lab_words_split(what, strlen(what), &words, why);
  if (e != THIRL_OK) return e;
  bool inner = words.n == 2 && strcmp(words.word[1], "inner") == 0;
  if (words.n == 0 || words.n > 2 || (words.n == 2 && !inner) || *file < 0)
    return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "capture wants NODE [inner] and a file");
  size_t node = thirl_lab_model_find_node(lab->t, words.word[0]);
  if (node == SIZE_MAX || (inner && lab->t->nodes[node].kind != THIRL_LAB_NAT))
    return thirl_lab_words_complain(why, THIRL_E_INVALID, "there is no %s called \"%.40s\"",
                                    inner ? "NAT" : "host or NAT", words.word[0]);
  thirl_lab_engine_port at = {.node = node, .inner = inner};
  e = thirl_lab_engine_capture(lab->engine, at, epoch(), 0);
  if (e == THIRL_E_IN_USE)
    return thirl_lab_words_complain(why, e, "this link of %s is being captured already", words.word[0]);
  if (e != THIRL_OK) return thirl_lab_words_complain(why, e, "%s", thirl_error_text(e));
  c->at = at;
  c->file = *file;
  *file = -1;
  (void)thirl_lab_request_flush(c, lab);
  return THIRL_OK;
}

/* ---- the others ---- */

static thirl_error give_namespaces(const thirl_lab_request_client *c, const thirl_lab_running *lab, const char *mark,
                                   const char *name, thirl_lab_complaint *why) {
  size_t node = thirl_lab_model_find_node(lab->t, name);
  char text[80];
  if (node == SIZE_MAX)
    return thirl_lab_words_complain(why, THIRL_E_INVALID, "there is no host called \"%.40s\"", name);
  if (lab->wiring.nodes[node] < 0)
    return thirl_lab_words_complain(why, THIRL_E_INVALID, "%s is a NAT inside of natbox: nothing can run there", name);
  int fds[] = {lab->spaces.user, lab->wiring.nodes[node]};
  snprintf(text, sizeof text, "%s", mark);
  thirl_lab_control_send(c->fd, THIRL_LAB_CONTROL_DONE, text, strlen(text), fds, 2);
  return THIRL_OK;
}

/* text is freed; NULL: there was no memory for it. */
static void give_text(const thirl_lab_request_client *c, char *text) {
  size_t n = text ? strlen(text) : 0;
  for (size_t at = 0; at < n; at += THIRL_LAB_CONTROL_PACKET_MAX / 2)
    thirl_lab_control_send(c->fd, THIRL_LAB_CONTROL_TEXT, text + at,
                           THIRL_MIN(n - at, (size_t)THIRL_LAB_CONTROL_PACKET_MAX / 2), NULL, 0);
  say(c, text ? THIRL_LAB_CONTROL_DONE : THIRL_LAB_CONTROL_COMPLAINT, text ? "" : "out of memory");
  free(text);
}

static void tell_status(const thirl_lab_request_client *c, const thirl_lab_running *lab) {
  char text[96];
  size_t nats = 0;
  for (size_t i = 0; i < lab->t->n_nodes; i++)
    nats += lab->t->nodes[i].kind == THIRL_LAB_NAT;
  snprintf(text, sizeof text, "%ld %zu %zu %" PRIu64, (long)getpid(), lab->t->n_nodes - nats, nats,
           (thirl_io_clock_now() - lab->started) / THIRL_S);
  say(c, THIRL_LAB_CONTROL_DONE, text);
}

/* ---- what is asked ---- */

/* What follows the first word, or NULL: the request has another. */
static const char *behind(const char *request, const char *word) {
  size_t n = strlen(word);
  if (strncmp(request, word, n) != 0 || (request[n] && request[n] != ' ')) return NULL;
  return request + n + (request[n] == ' ');
}

static thirl_lab_request_outcome answer(thirl_lab_request_client *c, thirl_lab_running *lab, const char *mark,
                                        thirl_lab_control_packet *p) {
  thirl_lab_complaint why = {""};
  const char *rest;
  thirl_error e = THIRL_OK;
  if ((rest = behind(p->text, "exec"))) {
    e = give_namespaces(c, lab, mark, rest, &why);
  } else if ((rest = behind(p->text, "set"))) {
    e = thirl_lab_running_set(lab, rest, &why);
    if (e == THIRL_OK) say(c, THIRL_LAB_CONTROL_DONE, "");
  } else if ((rest = behind(p->text, "capture"))) {
    e = begin_capture(c, lab, rest, &p->fds[0], &why);
    if (e == THIRL_OK) say(c, THIRL_LAB_CONTROL_TEXT, "");
  } else if (behind(p->text, "show")) {
    give_text(c, thirl_lab_show_draw(lab->t));
  } else if (behind(p->text, "stats")) {
    give_text(c, thirl_lab_stats_write(lab->engine, lab->t, thirl_io_clock_now()));
  } else if (behind(p->text, "status")) {
    tell_status(c, lab);
  } else if (behind(p->text, "down")) {
    thirl_lab_control_send(c->fd, THIRL_LAB_CONTROL_DONE, "", 0, &lab->guard.lifeline, 1);
    return THIRL_LAB_REQUEST_DOWN;
  } else
    e = thirl_lab_words_complain(&why, THIRL_E_SYNTAX, "this lab does not know what \"%.40s\" is", p->text);
  if (e != THIRL_OK) say(c, THIRL_LAB_CONTROL_COMPLAINT, why.text);
  return THIRL_LAB_REQUEST_GOES_ON;
}

thirl_lab_request_outcome thirl_lab_request_serve(thirl_lab_request_client *c, thirl_lab_running *lab,
                                                  const char *mark) {
  static thirl_lab_control_packet p;
  thirl_error e = thirl_lab_control_receive(c->fd, &p);
  if (e == THIRL_E_AGAIN) return THIRL_LAB_REQUEST_GOES_ON;
  thirl_lab_request_outcome outcome = THIRL_LAB_REQUEST_ENDS;
  if (e == THIRL_OK && p.kind == THIRL_LAB_CONTROL_REQUEST) outcome = answer(c, lab, mark, &p);
  if (e == THIRL_E_EOF && c->file >= 0) {
    end_capture(c, lab);
    say(c, THIRL_LAB_CONTROL_DONE, ""); /* it has only stopped to speak */
  }
  for (size_t i = 0; i < THIRL_LAB_CONTROL_FDS_MAX; i++)
    if (p.fds[i] >= 0) close(p.fds[i]);
  return outcome;
}
