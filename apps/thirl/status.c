/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "hush.h"

static struct {
  bool json, quiet;
  struct timespec start;
  void (*clear)(void);
} status;

static void clear(void) {
  if (status.clear) status.clear();
}

void status_init(const arguments *a) {
  status.json = a->json;
  status.quiet = a->quiet;
  clock_gettime(CLOCK_MONOTONIC, &status.start);
  setvbuf(stderr, NULL, _IOLBF, 0);
}

static int64_t elapsed_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)(now.tv_sec - status.start.tv_sec) * 1000000 + (now.tv_nsec - status.start.tv_nsec) / 1000;
}

/* JSON is UTF-8; a path or a name need not be. */
static json_t *text_of(const char *bytes) {
  char clean[1024];
  json_t *o = json_string(bytes);
  if (o) return o;
  snprintf(clean, sizeof clean, "%s", bytes);
  for (char *c = clean; *c; c++)
    if (*c & 0x80) *c = '?';
  return json_string(clean);
}

/* Takes the object over. */
static void print_json(const char *type, json_t *o) {
  if (!o) return;
  json_object_set_new(o, "v", json_integer(1));
  json_object_set_new(o, "type", json_string(type));
  json_object_set_new(o, "t_us", json_integer(elapsed_us()));
  char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
  if (text) fprintf(stderr, "%s\n", text);
  free(text);
  json_decref(o);
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
  va_list ap;
  if (status.quiet) return;
  clear();
  va_start(ap, format);
  fputs("thirl: ", stderr);
  vfprintf(stderr, format, ap);
  fputc('\n', stderr);
  va_end(ap);
}

void status_ticket_and(const char *ticket, const char *words, const char *behind) {
  if (status.json) {
    print_json("ticket", json_pack("{s:s}", "ticket", ticket));
    return;
  }
  say("waiting; on the other machine run:");
  fprintf(stderr, "thirl %s %s%s%s\n", words, ticket, *behind ? " " : "", behind);
}

void status_ticket(const char *ticket, const char *words) {
  status_ticket_and(ticket, words, "");
}

void status_note(const char *type, const char *format, ...) {
  char text[1024];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  if (status.json)
    print_json(type, json_pack("{s:o}", "text", text_of(text)));
  else
    say("%s", text);
}

void status_error(thirl_error e, const char *more) {
  bool extra = more && *more;
  if (status.json)
    print_json("error", json_pack("{s:s,s:o}", "error", thirl_error_name(e), "text",
                                  text_of(extra ? more : thirl_error_text(e))));
  else {
    clear();
    fprintf(stderr, "thirl: %s\n", extra ? more : thirl_error_text(e));
  }
}

void status_object(const char *type, json_t *o) {
  if (status.json)
    print_json(type, o);
  else
    json_decref(o);
}

bool status_is_json(void) {
  return status.json;
}

bool status_is_quiet(void) {
  return status.quiet;
}

void status_before_line(void (*clear_it)(void)) {
  status.clear = clear_it;
}

static const char *const kind_names[] = {
    [THIRL_EVENT_REGISTERED] = "registered",
    [THIRL_EVENT_UNREGISTERED] = "unregistered",
    [THIRL_EVENT_INCOMING] = "incoming",
    [THIRL_EVENT_UP] = "up",
    [THIRL_EVENT_PATH] = "path",
    [THIRL_EVENT_CONFIRMED] = "confirmed",
    [THIRL_EVENT_READABLE] = "readable",
    [THIRL_EVENT_WRITABLE] = "writable",
    [THIRL_EVENT_STRANGER] = "stranger",
    [THIRL_EVENT_FINISHED] = "finished",
    [THIRL_EVENT_FAILED] = "failed",
};

static void event_as_json(const thirl_event *ev) {
  json_t *o = json_object();
  if (!o) return;
  if (ev->session) json_object_set_new(o, "session", json_integer(ev->session));
  if (ev->peer[0]) json_object_set_new(o, "peer", json_string(ev->peer));
  if (ev->address[0]) json_object_set_new(o, "address", json_string(ev->address));
  if (ev->error != THIRL_OK) {
    json_object_set_new(o, "error", json_string(thirl_error_name(ev->error)));
    json_object_set_new(o, "text", json_string(thirl_error_text(ev->error)));
  }
  if (ev->kind == THIRL_EVENT_PATH) json_object_set_new(o, "direct", json_boolean(ev->direct));
  if (ev->after_us) json_object_set_new(o, "after_us", json_integer((json_int_t)ev->after_us));
  if (ev->kind == THIRL_EVENT_FINISHED || ev->kind == THIRL_EVENT_FAILED) {
    json_object_set_new(o, "relayed_bytes", json_integer((json_int_t)ev->relayed_bytes));
    json_object_set_new(o, "direct_bytes", json_integer((json_int_t)ev->direct_bytes));
  }
  print_json(kind_names[ev->kind], o);
}

static int path_sentence(const thirl_event *ev, char *out, size_t cap) {
  if (ev->direct)
    return snprintf(out, cap, "direct connection to %s, %.0f ms after the start", ev->address,
                    (double)ev->after_us / 1000);
  if (ev->error == THIRL_OK) return snprintf(out, cap, "connected through the relay; looking for a direct path");
  return snprintf(out, cap, "relayed, because: %s", thirl_error_text(ev->error));
}

bool status_sentence(const thirl_event *ev, char *out, size_t cap) {
  switch (ev->kind) {
  case THIRL_EVENT_REGISTERED:
    return snprintf(out, cap, "registered; the server sees us as %s", ev->address) > 0;
  case THIRL_EVENT_UNREGISTERED:
    return ev->error != THIRL_E_NOT_FOUND && /* that is the end, and said as such */
           snprintf(out, cap, "the server%s%s is out of reach (%s); trying again", ev->address[0] ? " at " : "",
                    ev->address, thirl_error_text(ev->error)) > 0;
  case THIRL_EVENT_UP:
    return snprintf(out, cap, "peer %s is there, its key is proven", ev->peer) > 0;
  case THIRL_EVENT_PATH:
    return path_sentence(ev, out, cap) > 0;
  case THIRL_EVENT_STRANGER:
    return snprintf(out, cap, "a stranger at %s: %s", ev->address[0] ? ev->address : "the door",
                    thirl_error_text(ev->error)) > 0;
  case THIRL_EVENT_FINISHED:
    return snprintf(out, cap, "done: %" PRIu64 " bytes direct, %" PRIu64 " relayed", ev->direct_bytes,
                    ev->relayed_bytes) > 0;
  default:
    return false;
  }
}

/* Anybody who finds our port can be a stranger as often as he likes. */
static bool is_unheard(const thirl_event *ev) {
  static hush strangers;
  unsigned missed;
  if (ev->kind != THIRL_EVENT_STRANGER) return false;
  if (!hush_allows(&strangers, (uint64_t)elapsed_us() / 1000, &missed)) return true;
  if (missed) status_note("stranger", "%u more strangers were not told of", missed);
  return false;
}

void status_event(const thirl_event *ev) {
  char text[STATUS_SENTENCE_MAX];
  if (ev->kind == THIRL_EVENT_READABLE || ev->kind == THIRL_EVENT_WRITABLE || is_unheard(ev)) return;
  if (status.json)
    event_as_json(ev);
  else if (status_sentence(ev, text, sizeof text))
    say("%s", text);
}
