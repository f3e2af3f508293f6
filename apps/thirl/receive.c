/* SPDX-License-Identifier: MIT */
/* thirl receive: files from a peer that runs thirl send. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "courier.h"
#include "parcel/receiver.h"
#include "parcel_files.h"
#include "parcel_words.h"
#include "progress.h"
#include "reach.h"
#include "status.h"

enum {
  SLICE = 4 << 20,         /* bytes that are read or written at one go; then the loop has its turn */
  NAMES_SHOWN = 10,        /* of an offer, beside the hidden ones */
  HIDDEN_SHOWN = 50,       /* beyond that the folders they are in, and beyond that nobody is asked */
  PREPARE_COST = 16 << 10, /* of a SLICE: a look at the disk takes its time too */
  FILES_MAX = THIRL_PARCEL_WANTS_MAX
};

typedef struct open_file {
  bool used;
  uint32_t index;
  parcel_file file;
} open_file;

typedef struct receive_run {
  const arguments *arguments;
  courier *courier;
  int root;
  thirl_parcel_receiver receiver;
  progress progress;
  bool on;    /* receiver is alive */
  bool asked; /* a person is being asked */
  int keys; /* the terminal of stdin, opened anew: the loop makes it non-blocking, which is not for those who share stdin; 0: not yet */
  uv_poll_t keyboard;
  uint8_t accepted[THIRL_SHA256_LEN]; /* the hash of the offer that was accepted */
  bool has_accepted;
  open_file files[FILES_MAX];
  unsigned jobs;     /* commits that are under way */
  unsigned sessions; /* so many began: a commit belongs to one */
  thirl_bytes name;  /* of the file that is coming */
  bool over;
  int code;
  thirl_parcel_tally last; /* of the last session */
} receive_run;

static thirl_parcel_entry entry_of(const receive_run *r, uint32_t index) {
  return thirl_parcel_offer_get(&r->receiver.offer, index);
}

/* ---- the files that are open ---- */

static open_file *find(receive_run *r, bool used, uint32_t index) {
  for (int i = 0; i < FILES_MAX; i++)
    if (r->files[i].used == used && (!used || r->files[i].index == index)) return &r->files[i];
  return NULL;
}

static void drop(receive_run *r, uint32_t index, bool always) {
  open_file *o = find(r, true, index);
  if (!o) return;
  parcel_files_drop(&o->file, always);
  parcel_files_close(&o->file);
  o->used = false;
}

static thirl_parcel_have prepare(receive_run *r, uint32_t index) {
  thirl_parcel_entry e = entry_of(r, index);
  if (e.kind == THIRL_PARCEL_FOLDER) return (thirl_parcel_have){.reason = parcel_files_make(r->root, e.name)};
  open_file *o = find(r, false, 0);
  if (!o) return (thirl_parcel_have){.reason = THIRL_PARCEL_IO}; /* there are as many as the machine has at a time */
  thirl_parcel_have have = parcel_files_look(r->root, &e, r->arguments->overwrite, &o->file);
  o->used = have.reason == THIRL_PARCEL_OK;
  o->index = index;
  return have;
}

/* ---- commits, on other threads: a disk may take its time ---- */

typedef struct job {
  uv_work_t work;
  receive_run *run;
  unsigned session;
  uint32_t index;
  parcel_file file;
  thirl_parcel_entry entry; /* its name is not used */
  bool overwrite;
  thirl_parcel_reason result;
} job;

static void do_job(uv_work_t *w) {
  job *j = w->data;
  j->result = parcel_files_commit(&j->file, &j->entry, j->overwrite);
}

static void on_job_done(uv_work_t *w, int status) {
  job *j = w->data;
  receive_run *r = j->run;
  (void)status;
  parcel_files_close(&j->file);
  r->jobs--;
  if (r->on && j->session == r->sessions) {
    parcel_words_file(entry_of(r, j->index).name, j->result);
    thirl_parcel_receiver_stored(&r->receiver, j->index, j->result);
  }
  free(j);
  if (r->courier) courier_wake(r->courier);
}

static void commit(receive_run *r, uint32_t index) {
  open_file *o = find(r, true, index);
  job *j = o ? calloc(1, sizeof *j) : NULL;
  if (j) {
    *j = (job){.run = r, .session = r->sessions, .index = index, .file = o->file, .entry = entry_of(r, index)};
    j->overwrite = r->arguments->overwrite;
    j->work.data = j;
    o->used = false;
    if (uv_queue_work(courier_loop(r->courier), &j->work, do_job, on_job_done) == 0) {
      r->jobs++;
      return;
    }
    parcel_files_close(&j->file);
    free(j);
  }
  thirl_parcel_receiver_stored(&r->receiver, index, THIRL_PARCEL_IO);
}

/* ---- the question ---- */

/* What programs obey though nobody looks at it: .bashrc, .ssh/authorized_keys. */
typedef struct hidden {
  uint32_t n, tops; /* hidden files and folders, with those in hidden folders; those that are in no other hidden one */
  uint32_t first;   /* its index */
} hidden;

static hidden count_hidden(const receive_run *r) {
  hidden h = {0};
  for (uint32_t i = 0; i < r->receiver.offer.n; i++) {
    thirl_bytes name = entry_of(r, i).name;
    size_t top = thirl_parcel_name_hidden(name);
    if (top == 0) continue;
    if (h.n++ == 0) h.first = i;
    if (top == name.n) h.tops++;
  }
  return h;
}

/* Every hidden name, or of very many the folders that they are in. The files that were told by their names. */
static uint32_t show_hidden(const receive_run *r, const hidden *h) {
  char name[THIRL_PARCEL_SHOWN_MAX], size[PROGRESS_SIZE_MAX];
  uint32_t shown = 0;
  bool all = h->n <= HIDDEN_SHOWN;
  for (uint32_t i = 0, lines = 0; i < r->receiver.offer.n && lines < HIDDEN_SHOWN; i++) {
    thirl_parcel_entry e = entry_of(r, i);
    size_t top = thirl_parcel_name_hidden(e.name);
    if (top == 0 || (!all && top != e.name.n)) continue;
    lines++;
    thirl_parcel_name_clean(e.name, name);
    if (e.kind == THIRL_PARCEL_FOLDER) {
      status_note("offered-folder", "  %s/  (hidden%s)", name, all ? "" : ", with all that is in it");
      continue;
    }
    status_note("offered-file", "  %s  (hidden, %s)", name, progress_size(e.size, size));
    shown++;
  }
  return shown;
}

static void show_offer(const receive_run *r, const hidden *h) {
  const thirl_parcel_offer *o = &r->receiver.offer;
  char count[64], name[THIRL_PARCEL_SHOWN_MAX], size[PROGRESS_SIZE_MAX];
  status_note("offered", "the other side offers %s", parcel_words_count(o, count));
  uint32_t shown = show_hidden(r, h);
  for (uint32_t i = 0, lines = 0; i < o->n && lines < NAMES_SHOWN; i++) {
    thirl_parcel_entry e = entry_of(r, i);
    if (e.kind == THIRL_PARCEL_FOLDER || thirl_parcel_name_hidden(e.name) > 0) continue;
    lines++;
    shown++;
    status_note("offered-file", "  %s  (%s)", thirl_parcel_name_clean(e.name, name), progress_size(e.size, size));
  }
  if (o->files > shown) status_note("offered", "  and %u more", (unsigned)(o->files - shown));
}

/* What would stop it is told before anything comes. OK: nothing is known that would. */
static thirl_parcel_reason foresee(const receive_run *r, uint32_t *index) {
  const thirl_parcel_offer *o = &r->receiver.offer;
  uint64_t needed = o->bytes, there;
  for (uint32_t i = 0; i < o->n; i++) {
    thirl_parcel_entry e = entry_of(r, i);
    thirl_parcel_reason reason = parcel_files_foresee(r->root, &e, r->arguments->overwrite, &there);
    *index = i;
    if (reason != THIRL_PARCEL_OK) return reason;
    needed -= there;
  }
  *index = THIRL_PARCEL_NO_ENTRY;
  return needed > parcel_files_room(r->root) ? THIRL_PARCEL_NO_SPACE : THIRL_PARCEL_OK;
}

static void answer(receive_run *r, bool yes) {
  if (r->asked) (void)uv_poll_stop(&r->keyboard);
  r->asked = false;
  if (!r->on) return;
  if (yes) {
    r->has_accepted = thirl_parcel_offer_hash(&r->receiver.offer, r->accepted) == THIRL_OK;
    thirl_parcel_receiver_accept(&r->receiver, r->arguments->overwrite);
  } else {
    thirl_parcel_receiver_refuse(&r->receiver, THIRL_PARCEL_DECLINED, THIRL_PARCEL_NO_ENTRY);
  }
}

static void on_keyboard(uv_poll_t *p, int status, int events) {
  receive_run *r = p->data;
  char line[256];
  ssize_t n = read(r->keys, line, sizeof line);
  (void)status, (void)events;
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  answer(r, n > 0 && (line[0] == 'y' || line[0] == 'Y'));
  courier_wake(r->courier);
}

static bool open_keyboard(receive_run *r) {
  const char *name = ttyname(STDIN_FILENO);
  if (r->keys > 0) return true;
  r->keys = name ? open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC) : -1;
  r->keyboard.data = r;
  return r->keys >= 0 && uv_poll_init(courier_loop(r->courier), &r->keyboard, r->keys) == 0;
}

static void ask(receive_run *r) {
  uint8_t hash[THIRL_SHA256_LEN];
  uint32_t index;
  bool is_person = !r->arguments->yes && isatty(STDIN_FILENO);
  progress_begin(&r->progress, r->receiver.offer.bytes);
  if (r->has_accepted && thirl_parcel_offer_hash(&r->receiver.offer, hash) == THIRL_OK &&
      memcmp(hash, r->accepted, sizeof hash) == 0) {
    answer(r, true);
    return;
  }
  hidden h = count_hidden(r);
  show_offer(r, &h);
  if (is_person ? h.tops > HIDDEN_SHOWN : h.n > 0 && !r->arguments->into) {
    thirl_parcel_receiver_refuse(&r->receiver, THIRL_PARCEL_HIDDEN, h.first);
    return;
  }
  thirl_parcel_reason reason = foresee(r, &index);
  if (reason != THIRL_PARCEL_OK) {
    thirl_parcel_receiver_refuse(&r->receiver, reason, index);
    return;
  }
  /* Where there is nobody to ask, having given away or used the ticket is the consent. */
  if (!is_person) {
    answer(r, true);
    return;
  }
  if (!open_keyboard(r)) {
    thirl_parcel_receiver_refuse(&r->receiver, THIRL_PARCEL_DECLINED, THIRL_PARCEL_NO_ENTRY);
    return;
  }
  (void)tcflush(r->keys, TCIFLUSH); /* what was typed before was no answer to this */
  fputs("thirl: receive this? [y/N] ", stderr);
  fflush(stderr);
  r->asked = true;
  (void)uv_poll_start(&r->keyboard, UV_READABLE, on_keyboard);
}

/* ---- what the machine wants ---- */

static void finish(receive_run *r, const thirl_parcel_action *a) {
  thirl_bytes name = a->data;
  if (a->index < r->receiver.offer.n) name = entry_of(r, a->index).name;
  if (a->reason == THIRL_PARCEL_OK) r->receiver.tally.passed = r->receiver.offer.bytes;
  r->over = true;
  r->code = parcel_words_end(&r->receiver.offer, &r->progress, &r->receiver.tally, "received", a->reason, name);
}

static void begin_file(receive_run *r, const thirl_parcel_action *a) {
  open_file *o = find(r, true, a->index);
  char name[THIRL_PARCEL_SHOWN_MAX];
  r->name = entry_of(r, a->index).name;
  if (a->again)
    status_note("again", "%s: what is there is the beginning of another file; starting over",
                thirl_parcel_name_clean(r->name, name));
  thirl_parcel_reason reason = o ? parcel_files_begin(&o->file, a->offset) : THIRL_PARCEL_IO;
  if (reason != THIRL_PARCEL_OK) thirl_parcel_receiver_refuse(&r->receiver, reason, a->index);
}

static void write_some(receive_run *r, const thirl_parcel_action *a) {
  const open_file *o = find(r, true, a->index);
  thirl_parcel_reason reason = o ? parcel_files_write(&o->file, a->offset, a->data) : THIRL_PARCEL_IO;
  if (reason != THIRL_PARCEL_OK) thirl_parcel_receiver_refuse(&r->receiver, reason, a->index);
}

static void give(receive_run *r, const thirl_parcel_action *a) {
  static uint8_t buffer[THIRL_PARCEL_READ_MAX];
  const open_file *o = find(r, true, a->index);
  thirl_parcel_receiver_read(&r->receiver,
                             THIRL_BYTES(buffer, o ? parcel_files_read(&o->file, a->offset, buffer, a->n) : 0));
}

static void act(receive_run *r, const thirl_parcel_action *a) {
  thirl_parcel_have have;
  switch (a->kind) {
  case THIRL_PARCEL_DO_ASK:
    ask(r);
    break;
  case THIRL_PARCEL_DO_PREPARE:
    have = prepare(r, a->index);
    if (have.reason != THIRL_PARCEL_OK) parcel_words_file(entry_of(r, a->index).name, have.reason);
    thirl_parcel_receiver_prepared(&r->receiver, have);
    break;
  case THIRL_PARCEL_DO_READ:
    give(r, a);
    break;
  case THIRL_PARCEL_DO_BEGIN:
    begin_file(r, a);
    break;
  case THIRL_PARCEL_DO_WRITE:
    write_some(r, a);
    break;
  case THIRL_PARCEL_DO_COMMIT:
    commit(r, a->index);
    break;
  case THIRL_PARCEL_DO_KEEP:
    parcel_words_file(entry_of(r, a->index).name, THIRL_PARCEL_OK);
    drop(r, a->index, false);
    break;
  case THIRL_PARCEL_DO_DROP:
    parcel_words_file(entry_of(r, a->index).name, a->reason);
    drop(r, a->index, a->reason == THIRL_PARCEL_MISMATCH);
    break;
  case THIRL_PARCEL_TELL_END:
    finish(r, a);
    break;
  default:
    break;
  }
}

/* ---- the cargo ---- */

static bool begin(void *owner) {
  receive_run *r = owner;
  thirl_parcel_receiver_init(&r->receiver);
  r->on = true;
  r->sessions++;
  return true;
}

static void end(void *owner) {
  receive_run *r = owner;
  if (!r->on) return;
  if (r->asked) fputc('\n', stderr);
  answer(r, false);
  for (int i = 0; i < FILES_MAX; i++)
    if (r->files[i].used) drop(r, r->files[i].index, false);
  r->last = r->receiver.tally;
  if (!r->over) {
    progress_add(&r->progress, &r->last);
    r->last.moved = 0;
  }
  thirl_parcel_receiver_fini(&r->receiver);
  r->name = (thirl_bytes){NULL, 0};
  r->on = false;
}

static size_t cost_of(const thirl_parcel_action *a) {
  switch (a->kind) {
  case THIRL_PARCEL_DO_READ:
    return a->n;
  case THIRL_PARCEL_DO_WRITE:
    return a->data.n;
  case THIRL_PARCEL_DO_PREPARE:
    return PREPARE_COST;
  default:
    return 0;
  }
}

static thirl_error work(void *owner, thirl_bytes *in) {
  receive_run *r = owner;
  thirl_parcel_action a;
  if (r->jobs > r->receiver.storing) return THIRL_E_AGAIN; /* of a session before: it holds its file yet */
  for (size_t done = 0; done < SLICE;) {
    thirl_error e = thirl_parcel_receiver_step(&r->receiver, in, &a);
    if (e != THIRL_OK) return e;
    act(r, &a);
    done += cost_of(&a);
  }
  return THIRL_OK;
}

static thirl_buffer *out(void *owner) {
  return &((receive_run *)owner)->receiver.out;
}

static bool is_over(void *owner) {
  return ((receive_run *)owner)->over;
}

static uint64_t made_so_far(void *owner) {
  const receive_run *r = owner;
  return progress_moved(&r->progress, &r->receiver.tally) + r->receiver.tally.reused + r->receiver.tally.stored;
}

static void tick(void *owner) {
  receive_run *r = owner;
  if (r->on && !r->over && r->receiver.tally.passed > 0)
    progress_show(&r->progress, uv_hrtime() / 1000, &r->receiver.tally, r->name);
}

static const courier_cargo cargo = {.begin = begin,
                                    .work = work,
                                    .out = out,
                                    .is_over = is_over,
                                    .end = end,
                                    .tick = tick,
                                    .progress = made_so_far,
                                    .same_role = "the other side receives too: one of us needs \"thirl send\""};

static int run(const arguments *a, receive_run *r) {
  int code;
  r->courier = courier_new(a, reach_ticket(a->ticket), "send --to", "FILE...", &code);
  if (!r->courier) return code;
  code = courier_run(r->courier, &cargo, r);
  progress_end();
  if (!r->over) progress_tell_end(&r->progress, &r->last, "broken");
  courier *c = r->courier;
  r->courier = NULL; /* commits that are under way wake nobody */
  courier_free(c);
  if (r->keys > 0) close(r->keys);
  return r->over && code == EXIT_OK ? r->code : code;
}

int command_receive(const arguments *a) {
  static receive_run r;
  const char *into = a->into ? a->into : ".";
  status_init(a);
  r.arguments = a;
  r.root = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (r.root < 0) {
    char text[THIRL_PARCEL_SHOWN_MAX], sentence[THIRL_PARCEL_SHOWN_MAX + 64];
    thirl_parcel_name_clean(THIRL_BYTES(into, strlen(into)), text);
    snprintf(sentence, sizeof sentence, "%s: %s", text, strerror(errno));
    status_error(THIRL_E_NOT_FOUND, sentence);
    return EXIT_GENERIC;
  }
  int code = run(a, &r);
  close(r.root);
  return code;
}
