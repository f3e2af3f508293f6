/* SPDX-License-Identifier: MIT */
/* Descriptors and memory. */
#include "tune/judges.h"
#include "tune/short.h"

static const int64_t sockets_most = (int64_t)1 << 40; /* more than any machine has: the product fits */

enum {
  CAP_SYS_RESOURCE_BIT = 24,
  TCP_BYTES = 3994, /* 3.9 KB: socket, inode, file, dentry, epoll entry; measured on the server's side */
  UDP_BYTES = 3789  /* 3.7 KB */
};

/* ---- descriptors ---- */

/* thirld raises its soft limit itself, up to the hard one: without a process to look at, the hard limit is what counts. */
static void fd1(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_process *p = &c->after->process;
  bool there = has_subject(c);
  int64_t may, need = thirl_tune_demand_files(&c->demand);
  if (!know(f, there ? p->nofile_soft : p->nofile_hard, &may)) return;
  bool few = may < need, tight = (double)may < 1.25 * (double)need;
  bool full = there && p->files_open.why == THIRL_TUNE_WHY_READ && above(p->files_open.v, may, 95);
  say(f,
      few || full ? CRIT
      : tight     ? WARN
                  : OK,
      full ? NOW : LATER, "%s may open %" PRId64 " files", there ? p->name : "a program started from here", may);
  if (full) add(f, ", and has %" PRId64 " open", p->files_open.v);
  if (f->level == OK) return;
  expect(f, "%" PRId64 " for what it shall serve", need);
  if (c->demand.tcp > 0) f->breaks_at = may > 64 + 2 * c->demand.relays ? may - 64 - 2 * c->demand.relays : 1;
  if (there) thirl_tune_verdict_line(f, "prlimit --pid %" PRId64 " --nofile=%" PRId64 ":%" PRId64, p->pid, need, need);
}

static void fd2(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t most, need = thirl_tune_demand_files(&c->demand);
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_NR_OPEN, &most)) return;
  say(f, most < need ? CRIT : OK, LATER, "fs.nr_open is %" PRId64, most);
  if (most >= need) return;
  expect(f, "%" PRId64 " or more", need);
  if (need > 2097152) set_to(f, "fs.nr_open", "%" PRId64, need);
}

static void fd3(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t used, most;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_FILES_USED, &used) || !sysctl(c, f, THIRL_TUNE_SYSCTL_FILES_MAX, &most)) return;
  bool bad = above(used, most, 80);
  say(f, above(used, most, 95) ? CRIT : bad ? WARN : OK, NOW, "%" PRId64 " of %" PRId64 " open files", used, most);
  if (!bad) return;
  expect(f, "at most 80 %%");
  set_to(f, "fs.file-max", "%" PRId64, most > INT64_MAX / 2 ? INT64_MAX : 2 * most);
}

static void fd4(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_process *p = &c->after->process;
  int64_t hard, caps, need = thirl_tune_demand_files(&c->demand);
  if (!know(f, p->nofile_hard, &hard) || !know(f, p->cap_effective, &caps)) return;
  bool may = caps >> CAP_SYS_RESOURCE_BIT & 1;
  const char *who = has_subject(c) ? p->name : "a program started from here";
  if (hard >= need || may) {
    say(f, OK, SETTING, "%s has a hard limit of %" PRId64 "%s", who, hard, may ? " and may raise it" : "");
    return;
  }
  say(f, CRIT, LATER, "%s has a hard limit of %" PRId64 " and no CAP_SYS_RESOURCE to raise it", who, hard);
  expect(f, "%" PRId64, need);
}

static void fd5(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_process *p = &c->after->process;
  if (!has_subject(c)) {
    unknown(f, p->why);
    return;
  }
  if (c->after->limits_d_why != THIRL_TUNE_WHY_READ) {
    unknown(f, c->after->limits_d_why);
    return;
  }
  if (c->after->limits_d_sets_nofile && p->unit[0])
    say(f, INFO, SETTING, "limits.d sets nofile, and %s is %s", p->name, p->unit);
  else
    say(f, OK, SETTING, "limits.d %s",
        c->after->limits_d_sets_nofile ? "sets nofile, and this is no service" : "sets no nofile");
}

/* ---- memory ---- */

static void mem1(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t most, used;
  if (!know(f, c->after->gauge[THIRL_TUNE_GAUGE_CGROUP_MAX], &most)) return;
  if (!know(f, c->after->gauge[THIRL_TUNE_GAUGE_CGROUP_CURRENT], &used)) return;
  int64_t killed = risen(c, THIRL_TUNE_COUNTER_CGROUP_OOM);
  int64_t hit = risen(c, THIRL_TUNE_COUNTER_CGROUP_FAILCNT);
  if (killed > 0 || hit > 0) {
    say(f, CRIT, NOW, "the limit of %" PRId64 " MB was hit %" PRId64 " times, and %" PRId64 " processes were killed",
        most >> 20, hit, killed);
    return;
  }
  if (most >= THIRL_TUNE_UNLIMITED) {
    say(f, OK, SETTING, "no limit of the control group");
    return;
  }
  bool bad = above(used, most, 90);
  say(f, bad ? WARN : OK, bad ? NOW : SETTING, "%" PRId64 " of %" PRId64 " MB used", used >> 20, most >> 20);
  if (bad) expect(f, "at most 90 %%");
}

static void mem2(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t pages, pressure, most;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_MEM_PRESSURE, &pressure)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_MEM_MAX, &most)) return;
  if (!know(f, c->after->gauge[THIRL_TUNE_GAUGE_TCP_PAGES], &pages)) return;
  bool end = above(pages, most, 90), bad = end || pages > pressure;
  say(f,
      end   ? CRIT
      : bad ? WARN
            : OK,
      NOW, "%" PRId64 " pages in TCP sockets; pressure begins at %" PRId64 ", the end is %" PRId64, pages, pressure,
      most);
  if (!bad) return;
  expect(f, "less than %" PRId64 " pages", pressure);
  set_to(f, "net.ipv4.tcp_mem", "%" PRId64 " %" PRId64 " %" PRId64, pressure / 2 * 3, 2 * pressure, 2 * most);
}

static void mem3(const thirl_tune_case *c, thirl_tune_finding *f) {
  thirl_tune_number most = c->after->sysctl[THIRL_TUNE_SYSCTL_UDP_MEM_MAX];
  int64_t lost, pages;
  if (!rise(c, f, THIRL_TUNE_COUNTER_UDP_MEM_ERRORS, &lost)) return;
  if (!know(f, c->after->gauge[THIRL_TUNE_GAUGE_UDP_PAGES], &pages)) return;
  say(f, lost > 0 ? CRIT : OK, NOW,
      "%" PRId64 " datagrams dropped for want of memory; %" PRId64 " pages in UDP sockets", lost, pages);
  if (most.why != THIRL_TUNE_WHY_READ) {
    add(f, " (udp_mem is not shown here)");
    return;
  }
  if (lost == 0 && above(pages, most.v, 90)) f->level = WARN;
  if (f->level == OK) return;
  expect(f, "at most 90 %% of %" PRId64 " pages", most.v);
  set_to(f, "net.ipv4.udp_mem", "%" PRId64 " %" PRId64 " %" PRId64, most.v, most.v / 3 * 4, 2 * most.v);
}

static void mem4(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_number *gauge = c->after->gauge;
  int64_t most, total, tcp, udp;
  if (!know(f, gauge[THIRL_TUNE_GAUGE_TCP_INUSE], &tcp)) return;
  if (!know(f, gauge[THIRL_TUNE_GAUGE_UDP_INUSE], &udp)) return;
  if (!know(f, gauge[THIRL_TUNE_GAUGE_MEMORY_TOTAL], &total)) return;
  thirl_tune_number limit = gauge[THIRL_TUNE_GAUGE_CGROUP_MAX];
  most = limit.why == THIRL_TUNE_WHY_READ && limit.v < total ? limit.v : total;
  tcp += gauge[THIRL_TUNE_GAUGE_TCP_ORPHANS].why == THIRL_TUNE_WHY_READ ? gauge[THIRL_TUNE_GAUGE_TCP_ORPHANS].v : 0;
  if (c->demand.tcp > tcp) tcp = c->demand.tcp;
  if (c->demand.relays > udp) udp = c->demand.relays;
  if (tcp > sockets_most) tcp = sockets_most;
  if (udp > sockets_most) udp = sockets_most;
  int64_t need = tcp * TCP_BYTES + udp * UDP_BYTES;
  say(f,
      need > most             ? CRIT
      : above(need, most, 50) ? WARN
                              : OK,
      LATER,
      "%" PRId64 " TCP connections and %" PRId64 " UDP sockets take %" PRId64 " MB of the kernel's memory, of %" PRId64
      " MB",
      tcp, udp, need >> 20, most >> 20);
  if (f->level == OK) return;
  expect(f, "at most half of the memory");
  int64_t left = most - udp * UDP_BYTES;
  if (tcp > 0) f->breaks_at = left > TCP_BYTES ? left / TCP_BYTES : 1;
}

static void mem5(const thirl_tune_case *c, thirl_tune_finding *f) {
  thirl_tune_number most = c->after->sysctl[THIRL_TUNE_SYSCTL_TCP_MAX_ORPHANS],
                    orphans = c->after->gauge[THIRL_TUNE_GAUGE_TCP_ORPHANS];
  int64_t aborted, pressures;
  if (!rise(c, f, THIRL_TUNE_COUNTER_ABORT_ON_MEMORY, &aborted)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_MEMORY_PRESSURES, &pressures)) return;
  say(f, aborted > 0 || pressures > 0 ? WARN : OK, NOW,
      "%" PRId64 " connections given up for want of memory, %" PRId64 " times under pressure", aborted, pressures);
  if (most.why != THIRL_TUNE_WHY_READ || orphans.why != THIRL_TUNE_WHY_READ) return;
  if (!above(orphans.v, most.v, 75)) return;
  f->level = WARN;
  add(f, "; %" PRId64 " of at most %" PRId64 " connections without a program", orphans.v, most.v);
}

thirl_tune_judge *const thirl_tune_judge_memory[] = {fd1, fd2, fd3, fd4, fd5, mem1, mem2, mem3, mem4, mem5};
