/* SPDX-License-Identifier: MIT */
#include "tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/rand.h"
#include "door.h"
#include "hush.h"
#include "io/secrets.h"
#include "outlet.h"
#include "status.h"
#include "trunk.h"

/* A port that somebody listens at: here for -L (door, no stream), there for -R (stream, no door), here for the peer's -R (both). */
typedef struct way {
  struct tunnel *owner;
  door *door;
  uint32_t stream;
  spec_forward f;
  bool ours, used, bound; /* bound: the peer has said so */
} way;

struct tunnel {
  uv_loop_t *loop;
  trunk *trunk;
  thirl_mux *mux; /* the trunk's */
  const tunnel_rules *rules;
  thirl_map outlets; /* stream -> outlet */
  way ways[TUNNEL_WAYS_MAX + TUNNEL_BINDS_MAX];
};

/* Is there to be a line about what the peer does? Coming again begins no new count. */
static bool may_tell(const tunnel *t) {
  static hush of_all;
  unsigned missed;
  if (!hush_allows(&of_all, uv_now(t->loop), &missed)) return false;
  if (missed) status_note("forward", "%u lines about what peers do were not printed", missed);
  return true;
}

thirl_error tunnel_result(const tunnel *t, const char **why) {
  return trunk_result(t->trunk, why);
}

static void on_mux_event(const thirl_mux_event *ev, void *owner);

static const char no_tunnel[] =
    "the other side forwards nothing: one of us needs \"thirl listen --allow-forward HOST:PORT\", the "
    "other \"thirl forward\"";

tunnel *tunnel_new(uv_loop_t *loop, thirl_context *context, thirl_session_handle session, bool dialed,
                   const tunnel_rules *rules) {
  thirl_secrets secrets = thirl_io_secrets();
  tunnel *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->loop = loop;
  t->rules = rules;
  thirl_map_init(&t->outlets, sizeof(uint32_t), thirl_secrets_u64(&secrets));
  t->trunk = trunk_new(context, session, dialed, no_tunnel, on_mux_event, t);
  if (t->trunk) {
    t->mux = trunk_mux(t->trunk);
    return t;
  }
  free(t);
  return NULL;
}

static void close_way(way *w) {
  door_close(w->door);
  memset(w, 0, sizeof *w);
}

void tunnel_free(tunnel *t) {
  if (!t) return;
  trunk_end(t->trunk, THIRL_E_STATE, ""); /* what is broken now is not told */
  for (size_t i = 0; i < TUNNEL_WAYS_MAX + TUNNEL_BINDS_MAX; i++)
    close_way(&t->ways[i]);
  size_t at = 0;
  for (outlet *o; (o = thirl_map_next(&t->outlets, &at)); at = 0)
    outlet_break(o); /* takes itself out */
  thirl_map_fini(&t->outlets);
  trunk_free(t->trunk);
  free(t);
}

/* ---- ways ---- */

static way *new_way(tunnel *t, bool ours) {
  size_t n = 0;
  way *free_one = NULL;
  for (size_t i = 0; i < TUNNEL_WAYS_MAX + TUNNEL_BINDS_MAX; i++) {
    way *w = &t->ways[i];
    if (w->used && w->ours == ours) n++;
    if (!w->used) free_one = w;
  }
  if (n >= (ours ? (size_t)TUNNEL_WAYS_MAX : (size_t)TUNNEL_BINDS_MAX)) return NULL;
  *free_one = (way){.owner = t, .ours = ours, .used = true};
  return free_one;
}

static way *find_way(tunnel *t, uint32_t stream) {
  for (size_t i = 0; i < TUNNEL_WAYS_MAX + TUNNEL_BINDS_MAX; i++)
    if (t->ways[i].used && t->ways[i].stream == stream && stream) return &t->ways[i];
  return NULL;
}

/* Is there anything left of what we wanted? */
static bool has_ways(const tunnel *t) {
  for (size_t i = 0; i < TUNNEL_WAYS_MAX + TUNNEL_BINDS_MAX; i++)
    if (t->ways[i].used && t->ways[i].ours) return true;
  return false;
}

/* ---- connections ---- */

static void on_touched(outlet *o, void *owner) {
  tunnel *t = owner;
  if (o->closed) (void)thirl_map_remove(&t->outlets, &o->stream);
  tunnel_wake(t);
}

/* NULL: it is gone, and the stream was seen to. */
static void keep(tunnel *t, outlet *o, uint32_t stream) {
  if (!o) {
    thirl_mux_reset(t->mux, stream, THIRL_E_LIMIT);
  } else if (thirl_map_put(&t->outlets, &stream, o) != THIRL_OK) {
    thirl_mux_reset(t->mux, stream, THIRL_E_LIMIT);
    outlet_break(o);
  }
}

static void on_arrival(door *d, int fd, void *owner) {
  way *w = owner;
  tunnel *t = w->owner;
  char label[SPEC_TEXT_MAX + 8], end_text[SPEC_TEXT_MAX];
  uint32_t stream;
  (void)d;
  if (w->ours)
    snprintf(label, sizeof label, "tcp %s", spec_write_end(&w->f.there, end_text));
  else
    snprintf(label, sizeof label, "from %u", (unsigned)w->stream);
  if (thirl_mux_open(t->mux, THIRL_BYTES(label, strlen(label)), &stream) != THIRL_OK) {
    close(fd); /* as many as there can be */
    return;
  }
  keep(t, outlet_adopt(t->loop, t->mux, stream, fd, on_touched, t), stream);
  tunnel_wake(t);
}

static void connect_to(tunnel *t, uint32_t stream, const spec_end *to) {
  outlet *o = outlet_connect(t->loop, t->mux, stream, to, on_touched, t);
  if (o)
    keep(t, o, stream);
  else
    (void)thirl_mux_refuse(t->mux, stream, THIRL_E_NOMEM);
}

/* ---- what we want ---- */

thirl_error tunnel_open_here(tunnel *t, spec_forward *f) {
  way *w = new_way(t, true);
  if (!w) return THIRL_E_LIMIT;
  w->f = *f;
  thirl_error e = door_open(t->loop, &w->f.here, on_arrival, w, &w->door);
  f->here.port = w->f.here.port;
  if (e != THIRL_OK) close_way(w);
  return e;
}

thirl_error tunnel_open_there(tunnel *t, const spec_forward *f) {
  char label[SPEC_TEXT_MAX + 8], text[SPEC_TEXT_MAX];
  way *w = new_way(t, true);
  if (!w) return THIRL_E_LIMIT;
  w->f = *f;
  snprintf(label, sizeof label, "bind %s", spec_write_end(&f->here, text));
  thirl_error e = thirl_mux_open(t->mux, THIRL_BYTES(label, strlen(label)), &w->stream);
  if (e != THIRL_OK) close_way(w);
  return e;
}

/* ---- what the peer wants ---- */

static bool is_allowed(const spec_end *rules, unsigned n, const spec_end *asked) {
  for (unsigned i = 0; i < n; i++)
    if (spec_allows(&rules[i], asked)) return true;
  return false;
}

static thirl_error do_bind(tunnel *t, uint32_t stream, const char *text) {
  char said[SPEC_TEXT_MAX];
  spec_end at;
  size_t done;
  thirl_error e = spec_read_end(text, true, true, &at);
  if (e != THIRL_OK) return e;
  if (!is_allowed(t->rules->bind, t->rules->n_bind, &at)) return THIRL_E_PERMISSION;
  way *w = new_way(t, false);
  if (!w) return THIRL_E_LIMIT;
  w->stream = stream;
  w->f.here = at;
  e = door_open(t->loop, &w->f.here, on_arrival, w, &w->door);
  if (e != THIRL_OK) {
    close_way(w);
    return e;
  }
  (void)thirl_mux_accept(t->mux, stream);
  snprintf(said, sizeof said, "bound %u\n", w->f.here.port);
  (void)thirl_mux_write(t->mux, stream, THIRL_BYTES(said, strlen(said)), &done);
  if (may_tell(t)) status_note("forward", "the peer listens here at %s", spec_write_end(&w->f.here, said));
  return THIRL_OK;
}

static thirl_error do_connect(tunnel *t, uint32_t stream, const char *text) {
  spec_end to;
  thirl_error e = spec_read_end(text, false, false, &to);
  if (e != THIRL_OK) return e;
  if (!is_allowed(t->rules->connect, t->rules->n_connect, &to)) {
    if (may_tell(t)) status_note("forward", "the peer asked for %s, which --allow-forward does not name", text);
    return THIRL_E_PERMISSION;
  }
  connect_to(t, stream, &to);
  return THIRL_OK;
}

static thirl_error do_arrival(tunnel *t, uint32_t stream, const char *text) {
  char *rest;
  unsigned long number = strtoul(text, &rest, 10);
  const way *w = *rest == '\0' && number <= UINT32_MAX ? find_way(t, (uint32_t)number) : NULL;
  if (!w || !w->ours) return THIRL_E_PERMISSION;
  connect_to(t, stream, &w->f.there);
  return THIRL_OK;
}

static void on_asked(tunnel *t, const thirl_mux_event *ev) {
  char label[THIRL_MUX_LABEL_MAX + 1];
  thirl_error e = THIRL_E_UNSUPPORTED;
  memcpy(label, ev->label.p, ev->label.n);
  label[ev->label.n] = '\0';
  if (strncmp(label, "tcp ", 4) == 0)
    e = do_connect(t, ev->stream, label + 4);
  else if (strncmp(label, "bind ", 5) == 0)
    e = do_bind(t, ev->stream, label + 5);
  else if (strncmp(label, "from ", 5) == 0)
    e = do_arrival(t, ev->stream, label + 5);
  if (e != THIRL_OK) (void)thirl_mux_refuse(t->mux, ev->stream, e);
}

/* ---- a way's own stream ---- */

static void drop_way(tunnel *t, way *w) {
  bool ours = w->ours;
  thirl_mux_reset(t->mux, w->stream, THIRL_E_RESET);
  close_way(w);
  if (ours && !has_ways(t)) trunk_end(t->trunk, THIRL_E_REFUSED, "nothing is left to forward");
}

static void on_way_refused(tunnel *t, way *w, thirl_error e) {
  char text[SPEC_TEXT_MAX];
  const char *at = spec_write_end(&w->f.here, text);
  if (e == THIRL_E_PERMISSION)
    status_note("forward", "the peer does not let us listen at %s: its --allow-bind does not name it", at);
  else
    status_note("forward", "the peer does not listen at %s: %s", at, thirl_error_text(e));
  drop_way(t, w);
}

/* The peer says where it listens; the end of the stream is the end of that. */
static void on_way_readable(tunnel *t, way *w) {
  thirl_bytes b;
  char here[SPEC_TEXT_MAX], there[SPEC_TEXT_MAX];
  unsigned port;
  thirl_error e;
  while ((e = thirl_mux_peek(t->mux, w->stream, &b)) == THIRL_OK) {
    char line[32] = "";
    memcpy(line, b.p, b.n < sizeof line - 1 ? b.n : sizeof line - 1);
    thirl_mux_consume(t->mux, w->stream, b.n);
    if (!w->ours || w->bound || sscanf(line, "bound %u", &port) != 1 || port > UINT16_MAX) continue;
    w->bound = true;
    w->f.here.port = (uint16_t)port;
    status_note("forward", "the peer listens at %s for us, to %s", spec_write_end(&w->f.here, here),
                spec_write_end(&w->f.there, there));
  }
  if (e == THIRL_E_EOF) drop_way(t, w);
}

/* ---- events of the mux ---- */

static void on_mux_event(const thirl_mux_event *ev, void *owner) {
  tunnel *t = owner;
  outlet *o = thirl_map_get(&t->outlets, &ev->stream);
  way *w = find_way(t, ev->stream);
  switch (ev->kind) {
  case THIRL_MUX_ASKED:
    on_asked(t, ev);
    break;
  case THIRL_MUX_ACCEPTED:
    break;
  case THIRL_MUX_REFUSED:
    if (w)
      on_way_refused(t, w, ev->error);
    else if (may_tell(t))
      status_note("forward", "the peer refuses a connection: %s%s", thirl_error_text(ev->error),
                  ev->error == THIRL_E_PERMISSION ? "; does its --allow-forward name what -L asks for?" : "");
    if (o) outlet_break(o);
    break;
  case THIRL_MUX_READABLE:
  case THIRL_MUX_WRITABLE:
    if (o) outlet_wake(o);
    if (w) on_way_readable(t, w);
    break;
  case THIRL_MUX_BROKEN:
    if (o) outlet_break(o);
    if (w) drop_way(t, w);
    break;
  }
}

/* ---- the session ---- */

void tunnel_wake(tunnel *t) {
  trunk_wake(t->trunk);
}
