/* SPDX-License-Identifier: MIT */
#include "tune/watch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"

void thirl_tune_watch_init(thirl_tune_watch *w) {
  *w = (thirl_tune_watch){0};
}

/* ---- halves of a row ---- */

static void set_use(thirl_tune_watch_row *r, thirl_tune_number used, thirl_tune_number limit) {
  if (used.why != THIRL_TUNE_WHY_READ || limit.why != THIRL_TUNE_WHY_READ) {
    if (!r->has_lost) r->why = used.why != THIRL_TUNE_WHY_READ ? used.why : limit.why;
    return;
  }
  if (limit.v <= 0 || limit.v >= THIRL_TUNE_UNLIMITED || used.v < 0) {
    if (!r->has_lost) r->why = THIRL_TUNE_WHY_NO_SUCH;
    return;
  }
  r->why = THIRL_TUNE_WHY_READ;
  r->has_use = true;
  r->used = used.v;
  r->limit = limit.v;
  r->permille = used.v >= limit.v ? 1000 : (unsigned)(used.v * 1000 / limit.v);
}

static thirl_tune_number number(int64_t v) {
  return (thirl_tune_number){.v = v, .why = THIRL_TUNE_WHY_READ};
}

/* What a counter rose by, since the look before and since the first. 0 when it is not known or began anew. */
static void add_lost(thirl_tune_watch *w, thirl_tune_wall wall, const thirl_tune_facts *f, thirl_tune_counter c) {
  thirl_tune_watch_row *r = &w->row[wall];
  const thirl_tune_number *n = &f->counter[c];
  if (n->why != THIRL_TUNE_WHY_READ) {
    if (!r->has_use && !r->has_lost) r->why = n->why;
    return;
  }
  r->why = THIRL_TUNE_WHY_READ;
  r->has_lost = true;
  if (w->n_looks == 0) return;
  if (n->v > w->last[c]) r->lost += n->v - w->last[c];
  if (n->v > w->first[c]) r->lost_all += n->v - w->first[c];
}

static int64_t rise(const thirl_tune_watch *w, const thirl_tune_facts *f, thirl_tune_counter c) {
  const thirl_tune_number *n = &f->counter[c];
  return w->n_looks && n->why == THIRL_TUNE_WHY_READ && n->v > w->last[c] ? n->v - w->last[c] : 0;
}

static void set_detail(thirl_tune_watch_row *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void set_detail(thirl_tune_watch_row *r, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(r->detail, sizeof r->detail, format, ap);
  va_end(ap);
}

/* ---- the walls ---- */

static void look_at_conntrack(thirl_tune_watch *w, const thirl_tune_facts *f) {
  thirl_tune_watch_row *r = &w->row[THIRL_TUNE_WALL_CONNTRACK];
  add_lost(w, THIRL_TUNE_WALL_CONNTRACK, f, THIRL_TUNE_COUNTER_CT_DROP);
  set_use(r, f->sysctl[THIRL_TUNE_SYSCTL_CT_COUNT], f->sysctl[THIRL_TUNE_SYSCTL_CT_MAX]);
  int64_t drop = rise(w, f, THIRL_TUNE_COUNTER_CT_DROP), early = rise(w, f, THIRL_TUNE_COUNTER_CT_EARLY_DROP),
          failed = rise(w, f, THIRL_TUNE_COUNTER_CT_INSERT_FAILED);
  if (drop || early || failed)
    set_detail(r, "drop %" PRId64 ", early_drop %" PRId64 ", insert_failed %" PRId64 "%s", drop, early, failed,
               drop && failed ? ": no port left for NAT"
               : drop         ? ": the table is full"
                              : "");
}

static void look_at_listeners(thirl_tune_watch *w, const thirl_tune_facts *f) {
  thirl_tune_watch_row *r = &w->row[THIRL_TUNE_WALL_LISTEN];
  const thirl_tune_listener *worst = NULL;
  add_lost(w, THIRL_TUNE_WALL_LISTEN, f, THIRL_TUNE_COUNTER_LISTEN_DROPS);
  for (uint32_t i = 0; i < f->sockets.n_listeners; i++) {
    const thirl_tune_listener *l = &f->sockets.listener[i];
    if (l->backlog.why != THIRL_TUNE_WHY_READ || l->backlog.v <= 0) continue;
    if (!worst || l->waiting * worst->backlog.v > worst->waiting * l->backlog.v) worst = l;
  }
  if (!worst) return;
  set_use(r, number(worst->waiting), worst->backlog);
  set_detail(r, "port %u", worst->port);
}

/* The kernel writes an address as numbers of 32 bits, and these as this machine has them in memory. */
static thirl_addr address_of(const thirl_tune_tuple *t) {
  uint8_t ip[16];
  for (size_t i = 0; i < sizeof ip; i += 4) {
    uint32_t v = thirl_bytes_get_u32(t->remote + i);
    memcpy(ip + i, &v, sizeof v);
  }
  return t->is_v6 ? thirl_addr_v6(ip, t->remote_port) : thirl_addr_v4(ip[0], ip[1], ip[2], ip[3], t->remote_port);
}

/* Ports of this machine that are held by TIME_WAIT for one port of one address. */
static void look_at_ports(thirl_tune_watch *w, const thirl_tune_facts *f) {
  thirl_tune_watch_row *r = &w->row[THIRL_TUNE_WALL_PORTS];
  const thirl_tune_tuple *most = NULL;
  thirl_tune_number first = f->sysctl[THIRL_TUNE_SYSCTL_PORT_FIRST], last = f->sysctl[THIRL_TUNE_SYSCTL_PORT_LAST];
  char text[THIRL_ADDR_TEXT_MAX];
  if (last.why == THIRL_TUNE_WHY_READ && first.why == THIRL_TUNE_WHY_READ) last.v = last.v - first.v + 1;
  for (uint32_t i = 0; i < f->sockets.n_tuples; i++)
    if (!most || f->sockets.tuple[i].n > most->n) most = &f->sockets.tuple[i];
  thirl_tune_number used = {.v = most ? most->n : 0, .why = f->sockets.tcp_why};
  set_use(r, used, last);
  if (!most || !r->has_use) return;
  thirl_addr a = address_of(most);
  set_detail(r, "to %s%s", thirl_addr_format(&a, text), f->sockets.tuples_are_lower_bounds ? ", at least" : "");
}

static void look_at_counters(thirl_tune_watch *w, const thirl_tune_facts *f) {
  thirl_tune_watch_row *r = &w->row[THIRL_TUNE_WALL_UDP];
  add_lost(w, THIRL_TUNE_WALL_UDP, f, THIRL_TUNE_COUNTER_UDP_RCVBUF_ERRORS);
  add_lost(w, THIRL_TUNE_WALL_UDP, f, THIRL_TUNE_COUNTER_UDP_SNDBUF_ERRORS);
  if (r->lost)
    set_detail(r, "receive %" PRId64 ", send %" PRId64 " of %" PRId64 " in",
               rise(w, f, THIRL_TUNE_COUNTER_UDP_RCVBUF_ERRORS), rise(w, f, THIRL_TUNE_COUNTER_UDP_SNDBUF_ERRORS),
               rise(w, f, THIRL_TUNE_COUNTER_UDP_IN));
  r = &w->row[THIRL_TUNE_WALL_SOFTNET];
  add_lost(w, THIRL_TUNE_WALL_SOFTNET, f, THIRL_TUNE_COUNTER_SOFTNET_DROPPED);
  int64_t squeezed = rise(w, f, THIRL_TUNE_COUNTER_SOFTNET_SQUEEZED);
  if (squeezed) set_detail(r, "squeezed %" PRId64, squeezed);
}

static void look_at_tables(thirl_tune_watch *w, const thirl_tune_facts *f) {
  add_lost(w, THIRL_TUNE_WALL_NEIGHBOURS, f, THIRL_TUNE_COUNTER_ARP_TABLE_FULLS);
  set_use(&w->row[THIRL_TUNE_WALL_NEIGHBOURS], f->gauge[THIRL_TUNE_GAUGE_NEIGHBOURS],
          f->sysctl[THIRL_TUNE_SYSCTL_NEIGH_THRESH3]);
  add_lost(w, THIRL_TUNE_WALL_TIME_WAITS, f, THIRL_TUNE_COUNTER_TIME_WAIT_OVERFLOW);
  set_use(&w->row[THIRL_TUNE_WALL_TIME_WAITS], f->gauge[THIRL_TUNE_GAUGE_TCP_TIME_WAITS],
          f->sysctl[THIRL_TUNE_SYSCTL_TCP_MAX_TW_BUCKETS]);
}

static void look_at_files(thirl_tune_watch *w, const thirl_tune_facts *f) {
  thirl_tune_watch_row *r = &w->row[THIRL_TUNE_WALL_PROCESS_FILES];
  if (f->process.why == THIRL_TUNE_WHY_READ) {
    set_use(r, f->process.files_open, f->process.nofile_soft);
    set_detail(r, "%s, process %" PRId64, f->process.name, f->process.pid);
  } else
    r->why = f->process.why;
  set_use(&w->row[THIRL_TUNE_WALL_FILES], f->sysctl[THIRL_TUNE_SYSCTL_FILES_USED],
          f->sysctl[THIRL_TUNE_SYSCTL_FILES_MAX]);
}

static void look_at_memory(thirl_tune_watch *w, const thirl_tune_facts *f) {
  add_lost(w, THIRL_TUNE_WALL_TCP_MEMORY, f, THIRL_TUNE_COUNTER_ABORT_ON_MEMORY);
  set_use(&w->row[THIRL_TUNE_WALL_TCP_MEMORY], f->gauge[THIRL_TUNE_GAUGE_TCP_PAGES],
          f->sysctl[THIRL_TUNE_SYSCTL_TCP_MEM_MAX]);
  add_lost(w, THIRL_TUNE_WALL_UDP_MEMORY, f, THIRL_TUNE_COUNTER_UDP_MEM_ERRORS);
  set_use(&w->row[THIRL_TUNE_WALL_UDP_MEMORY], f->gauge[THIRL_TUNE_GAUGE_UDP_PAGES],
          f->sysctl[THIRL_TUNE_SYSCTL_UDP_MEM_MAX]);
  add_lost(w, THIRL_TUNE_WALL_CGROUP, f, THIRL_TUNE_COUNTER_CGROUP_OOM);
  add_lost(w, THIRL_TUNE_WALL_CGROUP, f, THIRL_TUNE_COUNTER_CGROUP_FAILCNT);
  set_use(&w->row[THIRL_TUNE_WALL_CGROUP], f->gauge[THIRL_TUNE_GAUGE_CGROUP_CURRENT],
          f->gauge[THIRL_TUNE_GAUGE_CGROUP_MAX]);
}

/* ---- rates ---- */

static unsigned n_kept(const thirl_tune_watch *w) {
  return THIRL_MIN(w->n_looks, (unsigned)THIRL_TUNE_WATCH_LOOKS);
}

/* The oldest look that is kept and knew this wall; NULL: none. */
static bool find_oldest(const thirl_tune_watch *w, unsigned wall, thirl_time *at, int64_t *used) {
  for (unsigned back = n_kept(w); back-- > 0;) {
    unsigned slot = (w->n_looks - 1 - back) % THIRL_TUNE_WATCH_LOOKS;
    if (w->look[slot].used[wall] < 0) continue;
    *at = w->look[slot].at;
    *used = w->look[slot].used[wall];
    return true;
  }
  return false;
}

static int64_t per_second(int64_t n, thirl_time span) {
  return span ? (int64_t)((double)n * (double)THIRL_S / (double)span + (n < 0 ? -0.5 : 0.5)) : 0;
}

static void set_rate(thirl_tune_watch *w, unsigned wall) {
  thirl_tune_watch_row *r = &w->row[wall];
  thirl_time at;
  int64_t used;
  if (!r->has_use || !find_oldest(w, wall, &at, &used) || at >= w->now) return;
  r->rate_milli = per_second((r->used - used) * 1000, w->now - at);
  if (r->rate_milli <= 0) return;
  r->full_s = r->used >= r->limit ? 0 : (int64_t)((double)(r->limit - r->used) * 1000 / (double)r->rate_milli);
  r->fills = r->full_s <= THIRL_TUNE_WATCH_EVER_S;
}

static void keep_look(thirl_tune_watch *w, const thirl_tune_facts *f) {
  unsigned slot = w->n_looks % THIRL_TUNE_WATCH_LOOKS;
  w->look[slot].at = w->now;
  for (unsigned i = 0; i < THIRL_TUNE_WALL_COUNT; i++)
    w->look[slot].used[i] = w->row[i].has_use ? w->row[i].used : -1;
  for (unsigned c = 0; c < THIRL_TUNE_COUNTER_COUNT; c++) {
    w->last[c] = f->counter[c].v;
    if (w->n_looks == 0) w->first[c] = f->counter[c].v;
  }
  w->n_looks++;
}

/* ---- the nearest ---- */

/* Is a nearer than b? */
static bool is_nearer(const thirl_tune_watch_row *a, const thirl_tune_watch_row *b) {
  bool a_soon = a->fills && a->full_s <= THIRL_TUNE_WATCH_SOON_S,
       b_soon = b->fills && b->full_s <= THIRL_TUNE_WATCH_SOON_S;
  if ((a->lost > 0) != (b->lost > 0)) return a->lost > 0;
  if (a->lost > 0 && a->lost != b->lost) return a->lost > b->lost;
  if (a_soon != b_soon) return a_soon;
  if (a_soon && a->full_s != b->full_s) return a->full_s < b->full_s;
  return a->permille > b->permille;
}

static void find_nearest(thirl_tune_watch *w) {
  w->has_nearest = false;
  for (unsigned i = 0; i < THIRL_TUNE_WALL_COUNT; i++) {
    const thirl_tune_watch_row *r = &w->row[i];
    if (r->why != THIRL_TUNE_WHY_READ || (!r->has_use && r->lost == 0)) continue;
    if (w->has_nearest && !is_nearer(r, &w->row[w->nearest])) continue;
    w->has_nearest = true;
    w->nearest = (thirl_tune_wall)i;
  }
}

void thirl_tune_watch_input(thirl_tune_watch *w, thirl_time now, const thirl_tune_facts *f) {
  thirl_time span = w->n_looks ? now - w->now : 0;
  if (w->n_looks == 0) w->began = now;
  w->now = now;
  memset(w->row, 0, sizeof w->row);
  look_at_conntrack(w, f);
  look_at_listeners(w, f);
  look_at_ports(w, f);
  look_at_counters(w, f);
  look_at_tables(w, f);
  look_at_files(w, f);
  look_at_memory(w, f);
  for (unsigned i = 0; i < THIRL_TUNE_WALL_COUNT; i++) {
    set_rate(w, i);
    w->row[i].lost_per_s = per_second(w->row[i].lost, span);
  }
  find_nearest(w);
  keep_look(w, f);
}

/* ---- words ---- */

const char *thirl_tune_watch_title(thirl_tune_wall w) {
  static const char *const titles[] = {
#define TITLE(name, title, unit) title,
      THIRL_TUNE_WALLS(TITLE)
#undef TITLE
  };
  return (unsigned)w < THIRL_TUNE_WALL_COUNT ? titles[w] : "unknown";
}

const char *thirl_tune_watch_unit(thirl_tune_wall w) {
  static const char *const units[] = {
#define UNIT(name, title, unit) unit,
      THIRL_TUNE_WALLS(UNIT)
#undef UNIT
  };
  return (unsigned)w < THIRL_TUNE_WALL_COUNT ? units[w] : "";
}

const char *thirl_tune_watch_span(int64_t seconds, char out[THIRL_TUNE_WATCH_WORD_MAX]) {
  static const struct {
    int64_t below, seconds;
    const char *unit;
  } units[] = {{120, 1, "s"}, {7200, 60, "min"}, {172800, 3600, "h"}, {INT64_C(365) * 86400, 86400, "d"}};
  if (seconds < 0) seconds = 0;
  snprintf(out, THIRL_TUNE_WATCH_WORD_MAX, "years");
  for (unsigned i = 0; i < sizeof units / sizeof *units; i++)
    if (seconds < units[i].below) {
      snprintf(out, THIRL_TUNE_WATCH_WORD_MAX, "%" PRId64 " %s", seconds / units[i].seconds, units[i].unit);
      break;
    }
  return out;
}

const char *thirl_tune_watch_amount(int64_t n, char out[THIRL_TUNE_WATCH_WORD_MAX]) {
  static const char units[] = "kMGTPE";
  double v = (double)n / 1000;
  unsigned i = 0;
  if (n < 1000000) {
    snprintf(out, THIRL_TUNE_WATCH_WORD_MAX, "%" PRId64, n);
    return out;
  }
  for (; v >= 999.5 && i < sizeof units - 2; i++)
    v /= 1000;
  snprintf(out, THIRL_TUNE_WATCH_WORD_MAX, v < 9.95 ? "%.1f%c" : "%.0f%c", v, units[i]);
  return out;
}
