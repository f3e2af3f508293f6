/* SPDX-License-Identifier: MIT */
/* thirl send: files to a peer that runs thirl receive. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "courier.h"
#include "parcel/sender.h"
#include "parcel_list.h"
#include "parcel_words.h"
#include "progress.h"
#include "reach.h"
#include "status.h"

enum { SLICE = 4 << 20 }; /* bytes that are read at one go; then the loop has its turn */

typedef struct send_run {
  parcel_list list;
  courier *courier;
  thirl_parcel_sender sender;
  progress progress;
  bool on; /* sender is alive */
  int fd;  /* of the file that is being sent; -1: none */
  thirl_bytes name;
  bool over;
  thirl_parcel_tally last; /* of the last session */
  int code;
} send_run;

static void close_file(send_run *r) {
  if (r->fd >= 0) close(r->fd);
  r->fd = -1;
}

static bool begin(void *owner) {
  send_run *r = owner;
  char count[64];
  r->on = true;
  status_note("offered", "offering %s", parcel_words_count(&r->list.offer, count));
  return thirl_parcel_sender_init(&r->sender, &r->list.offer) == THIRL_OK;
}

static void end(void *owner) {
  send_run *r = owner;
  close_file(r);
  if (!r->on) return;
  r->last = r->sender.tally;
  if (!r->over) {
    progress_add(&r->progress, &r->last);
    r->last.moved = 0;
  }
  thirl_parcel_sender_fini(&r->sender);
  r->on = false;
}

static size_t give(send_run *r, const thirl_parcel_action *a) {
  static uint8_t buffer[THIRL_PARCEL_READ_MAX];
  ssize_t n = pread(r->fd, buffer, a->n, (off_t)a->offset);
  thirl_parcel_sender_read(&r->sender, THIRL_BYTES(buffer, n > 0 ? (size_t)n : 0),
                           n < 0 ? THIRL_PARCEL_UNREADABLE : THIRL_PARCEL_OK);
  return n > 0 ? (size_t)n : 0;
}

static void finish(send_run *r, const thirl_parcel_action *a) {
  thirl_bytes name = {NULL, 0};
  if (a->index < r->list.offer.n) name = thirl_parcel_offer_get(&r->list.offer, a->index).name;
  if (a->reason == THIRL_PARCEL_OK) r->sender.tally.passed = r->list.offer.bytes;
  r->over = true;
  r->code = parcel_words_end(&r->list.offer, &r->progress, &r->sender.tally, "sent", a->reason, name);
}

/* Returns bytes that were read. */
static size_t act(send_run *r, const thirl_parcel_action *a) {
  switch (a->kind) {
  case THIRL_PARCEL_DO_OPEN: {
    thirl_parcel_reason reason = parcel_list_open(&r->list, a->index, &r->fd);
    r->name = thirl_parcel_offer_get(&r->list.offer, a->index).name;
    thirl_parcel_sender_opened(&r->sender, reason);
    break;
  }
  case THIRL_PARCEL_DO_READ:
    return give(r, a);
  case THIRL_PARCEL_DO_CHECK: {
    thirl_parcel_reason reason = parcel_list_check_file(&r->list, a->index, r->fd);
    close_file(r);
    thirl_parcel_sender_checked(&r->sender, reason);
    break;
  }
  case THIRL_PARCEL_TELL_STORED:
    parcel_words_file(thirl_parcel_offer_get(&r->list.offer, a->index).name, a->reason);
    break;
  case THIRL_PARCEL_TELL_END:
    finish(r, a);
    break;
  default:
    break;
  }
  return 0;
}

static thirl_error work(void *owner, thirl_bytes *in) {
  send_run *r = owner;
  thirl_parcel_action a;
  for (size_t done = 0; done < SLICE;) {
    thirl_error e = thirl_parcel_sender_step(&r->sender, in, &a);
    if (e != THIRL_OK) return e;
    if (a.kind == THIRL_PARCEL_DO_OPEN) close_file(r); /* of one that failed */
    done += act(r, &a);
  }
  return THIRL_OK;
}

static thirl_buffer *out(void *owner) {
  return &((send_run *)owner)->sender.out;
}

static bool is_over(void *owner) {
  return ((send_run *)owner)->over;
}

static uint64_t made_so_far(void *owner) {
  const send_run *r = owner;
  return progress_moved(&r->progress, &r->sender.tally) + r->sender.tally.reused + r->sender.tally.stored;
}

static void tick(void *owner) {
  send_run *r = owner;
  if (r->on && !r->over && r->sender.tally.passed > 0)
    progress_show(&r->progress, uv_hrtime() / 1000, &r->sender.tally, r->name);
}

static const courier_cargo cargo = {.begin = begin,
                                    .work = work,
                                    .out = out,
                                    .is_over = is_over,
                                    .end = end,
                                    .tick = tick,
                                    .progress = made_so_far,
                                    .same_role = "the other side sends too: one of us needs \"thirl receive\""};

static int run(const arguments *a, send_run *r) {
  int code = EXIT_OK;
  const char *ticket = a->to ? reach_ticket(a->to) : NULL; /* not the environment's: who names files may mean to wait */
  if (a->to && !ticket) {
    status_error(THIRL_E_INVALID, "no ticket: --to wants one, or \"-\" and the first line of stdin");
    return EXIT_USAGE;
  }
  progress_begin(&r->progress, r->list.offer.bytes);
  r->courier = courier_new(a, ticket, "receive", "", &code);
  if (!r->courier) return code;
  code = courier_run(r->courier, &cargo, r);
  progress_end();
  if (!r->over) progress_tell_end(&r->progress, &r->last, "broken");
  courier_free(r->courier);
  return r->over && code == EXIT_OK ? r->code : code;
}

int command_send(const arguments *a) {
  static send_run r;
  status_init(a);
  r.fd = -1;
  r.list.recursive = a->recursive;
  int code = EXIT_OK;
  for (unsigned i = 0; code == EXIT_OK && i < a->n_words; i++)
    code = parcel_list_add(&r.list, a->words[i]);
  if (code == EXIT_OK) code = parcel_list_check(&r.list);
  if (code == EXIT_OK) code = run(a, &r);
  if (code == EXIT_OK && r.list.missing > 0) {
    char sentence[96];
    snprintf(sentence, sizeof sentence, "%u of what was to be sent could not be read, and %s left out", r.list.missing,
             r.list.missing == 1 ? "was" : "were");
    status_error(THIRL_E_INVALID, sentence);
    code = EXIT_GENERIC;
  }
  parcel_list_fini(&r.list);
  return code;
}
