/* SPDX-License-Identifier: MIT */
/*
 * The walls that a machine can run into, and how near each is: "thirl tune --watch". Facts go in, one look after the other; rows come out. Pure.
 *
 * A wall has a use and a limit, or only a counter of what was lost at it, or both. The nearest is the one at which something is being lost; if there is none,
 * the one that is full first at the rate of the last looks, within the hour; if none fills up, the one that is fullest.
 */
#ifndef THIRL_TUNE_WATCH_H
#define THIRL_TUNE_WATCH_H

#include "base/time.h"
#include "tune/facts.h"

/* X(name, title, unit) */
#define THIRL_TUNE_WALLS(X)                                                                                            \
  X(CONNTRACK, "conntrack table", "entries")                                                                           \
  X(LISTEN, "listen queue", "waiting")                                                                                 \
  X(UDP, "UDP buffers", "datagrams")                                                                                   \
  X(SOFTNET, "packet backlog", "packets")                                                                              \
  X(NEIGHBOURS, "neighbour table", "entries")                                                                          \
  X(PORTS, "ports to a place", "in TIME_WAIT")                                                                         \
  X(TIME_WAITS, "TIME_WAIT sockets", "sockets")                                                                        \
  X(PROCESS_FILES, "files of program", "open")                                                                         \
  X(FILES, "files of machine", "open")                                                                                 \
  X(TCP_MEMORY, "memory of TCP", "pages")                                                                              \
  X(UDP_MEMORY, "memory of UDP", "pages")                                                                              \
  X(CGROUP, "memory of group", "bytes")

#define THIRL_TUNE_WALL_ENUM(name, title, unit) THIRL_TUNE_WALL_##name,
typedef enum thirl_tune_wall { THIRL_TUNE_WALLS(THIRL_TUNE_WALL_ENUM) THIRL_TUNE_WALL_COUNT } thirl_tune_wall;

enum {
  THIRL_TUNE_WATCH_LOOKS = 10, /* so many looks make the rate */
  THIRL_TUNE_WATCH_SOON_S = 3600,
  THIRL_TUNE_WATCH_EVER_S = 86400, /* what is full later than this does not fill up: it breathes */
  THIRL_TUNE_WATCH_DETAIL_MAX = 112,
  THIRL_TUNE_WATCH_WORD_MAX = 24
};

typedef struct thirl_tune_watch_row {
  thirl_tune_why why;                       /* READ: at least one of the two halves is known */
  bool has_use, has_lost;                   /* which halves */
  int64_t used, limit;                      /* limit > 0 */
  unsigned permille;                        /* of use, 1000 at most */
  int64_t rate_milli;                       /* how fast the use grows, in 1/1000 a second */
  bool fills;                               /* at this rate it will be full within the day ... */
  int64_t full_s;                           /* ... in so many seconds */
  int64_t lost, lost_per_s;                 /* since the look before */
  int64_t lost_all;                         /* since the first look */
  char detail[THIRL_TUNE_WATCH_DETAIL_MAX]; /* plain ASCII, or empty */
} thirl_tune_watch_row;

typedef struct thirl_tune_watch {
  thirl_tune_watch_row row[THIRL_TUNE_WALL_COUNT];
  bool has_nearest;
  thirl_tune_wall nearest;
  unsigned n_looks;
  thirl_time began, now;
  /* what was seen: a ring for the rates, and the counters of the look before and of the first */
  struct {
    thirl_time at;
    int64_t used[THIRL_TUNE_WALL_COUNT]; /* -1: not known */
  } look[THIRL_TUNE_WATCH_LOOKS];
  int64_t first[THIRL_TUNE_COUNTER_COUNT], last[THIRL_TUNE_COUNTER_COUNT];
} thirl_tune_watch;

void thirl_tune_watch_init(thirl_tune_watch *w);
/** One look. now may not go back. */
void thirl_tune_watch_input(thirl_tune_watch *w, thirl_time now, const thirl_tune_facts *f);
/** "conntrack table", "entries"; never NULL. */
const char *thirl_tune_watch_title(thirl_tune_wall w);
const char *thirl_tune_watch_unit(thirl_tune_wall w);
/** "12 s", "5 min", "3 h". */
const char *thirl_tune_watch_span(int64_t seconds, char out[THIRL_TUNE_WATCH_WORD_MAX]);
/** "131072", "1.5M" and so on: at most six characters when it is not negative. */
const char *thirl_tune_watch_amount(int64_t n, char out[THIRL_TUNE_WATCH_WORD_MAX]);

#endif
