/* SPDX-License-Identifier: MIT */
#include "lab/matrix/matrix_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lab/process/client.h"
#include "lab/matrix/matrix_json.h"
#include "lab/process/supervisor.h"
#include "io/clock.h"

enum { TEXT_MAX = 4096, PATH_LEN = 512, EXIT_NOT_STARTED = 126, SERVER = 0, LEFT = 1, RIGHT = 2, JUDGE = 3 };

static const char *const side_names[] = {"server", "left", "right", "judge"};

/* One command. */
typedef struct side {
  const char *name;
  pid_t pid; /* 0: not running */
  int end;   /* readable when it has ended; -1 */
  bool was_stopped;
  int exit_code;
} side;

typedef struct trial {
  const thirl_lab_matrix *m;
  const thirl_lab_matrix_pair_options *options;
  thirl_lab_state state;
  side sides[4];
} trial;

/* ---- commands ---- */

static bool redirect(const char *name, const char *suffix, int fd) {
  char path[PATH_LEN];
  snprintf(path, sizeof path, "%s.%s", name, suffix);
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  bool good = file >= 0 && dup2(file, fd) >= 0;
  if (file >= 0) close(file);
  return good;
}

__attribute__((noreturn)) static void become(const trial *t, const side *s, const thirl_lab_client_place *place,
                                             const char *command) {
  thirl_lab_complaint why = {""};
  sigset_t none;
  int nothing = open("/dev/null", O_RDONLY);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  dup2(nothing, STDIN_FILENO);
  bool good = chdir(t->options->directory) == 0 && redirect(s->name, "out", STDOUT_FILENO) &&
              redirect(s->name, "err", STDERR_FILENO);
  if (good && place && thirl_lab_client_go(place, &t->state, &why) != THIRL_OK) {
    fprintf(stderr, "%s\n", why.text);
    good = false;
  }
  setenv("THIRL_MATRIX_SIDE", s->name, 1);
  setenv("THIRL_MATRIX_SERVER", "203.0.113.10", 1);
  setenv("THIRL_MATRIX_DIR", t->options->directory, 1);
  if (good) execl("/bin/sh", "sh", "-c", command, (char *)NULL);
  _exit(EXIT_NOT_STARTED);
}

/* place NULL: outside the network. */
static thirl_error start_at(trial *t, side *s, const thirl_lab_client_place *place, const char *command,
                            thirl_lab_complaint *why) {
  fflush(NULL);
  s->pid = fork();
  if (s->pid == 0) become(t, s, place, command);
  s->end = s->pid > 0 ? (int)syscall(SYS_pidfd_open, s->pid, 0) : -1;
  if (s->end >= 0) return THIRL_OK;
  return thirl_lab_words_complain(why, THIRL_E_IO, "cannot start a command: %s", strerror(errno));
}

static thirl_error start(trial *t, side *s, const char *command, thirl_lab_complaint *why) {
  thirl_lab_client_place place;
  thirl_error e = thirl_lab_client_find(&t->state, s->name, &place, why);
  if (e != THIRL_OK) return e;
  e = start_at(t, s, &place, command, why);
  thirl_lab_client_leave(&place);
  return e;
}

static void note_end(const trial *t, side *s) {
  int status = 0;
  char path[PATH_LEN];
  while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
    ;
  close(s->end);
  s->end = -1;
  s->pid = 0;
  s->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  snprintf(path, sizeof path, "%s/%s.exit", t->options->directory, s->name);
  FILE *f = fopen(path, "we");
  if (!f) return;
  if (s->was_stopped)
    fputs("stopped\n", f);
  else
    fprintf(f, "%d\n", s->exit_code);
  fclose(f);
}

static void stop(const trial *t, side *s) {
  if (s->pid <= 0) return;
  s->was_stopped = true;
  kill(-s->pid, SIGKILL);
  kill(s->pid, SIGKILL);
  note_end(t, s);
}

/* Until the ones from first to last have ended, or until the limit; who is alone gets the grace. */
static void wait_for(const trial *t, side *first, side *last, thirl_time limit) {
  for (;;) {
    struct pollfd fds[2];
    side *of[2];
    nfds_t n = 0;
    for (side *s = first; s <= last; s++)
      if (s->pid > 0) {
        of[n] = s;
        fds[n++] = (struct pollfd){.fd = s->end, .events = POLLIN};
      }
    thirl_time now = thirl_io_clock_now();
    if (n == 0 || now >= limit) return;
    if (poll(fds, n, (int)((limit - now) / THIRL_MS + 1)) <= 0) continue;
    for (nfds_t i = 0; i < n; i++)
      if (fds[i].revents) {
        note_end(t, of[i]);
        limit = THIRL_MIN(limit, thirl_io_clock_now() + THIRL_LAB_MATRIX_PAIR_GRACE_S * THIRL_S);
      }
  }
}

/* ---- verdicts ---- */

/* The end of what a command has written; *n bytes, for free(). NULL: nothing. */
static char *read_output(const trial *t, const side *s, const char *suffix, size_t *n) {
  char path[PATH_LEN];
  snprintf(path, sizeof path, "%s/%s.%s", t->options->directory, s->name, suffix);
  FILE *f = fopen(path, "re");
  char *text = f ? malloc(THIRL_LAB_MATRIX_PAIR_OUTPUT_MAX + 1) : NULL;
  *n = 0;
  if (text) {
    if (fseek(f, -THIRL_LAB_MATRIX_PAIR_OUTPUT_MAX, SEEK_END) != 0) rewind(f);
    *n = fread(text, 1, THIRL_LAB_MATRIX_PAIR_OUTPUT_MAX, f);
    text[*n] = '\0';
  }
  if (f) fclose(f);
  return text;
}

/* "left: exit code 3: the last line of its stderr" */
static void note_failure(const trial *t, const side *s, thirl_lab_matrix_cell *c) {
  size_t n;
  char *text = read_output(t, s, "err", &n);
  while (text && n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
    text[--n] = '\0';
  const char *newline = text ? strrchr(text, '\n') : NULL, *last = newline ? newline + 1 : text;
  snprintf(c->note, sizeof c->note, "%s: exit code %d%s%.100s", s->name, s->exit_code, last && *last ? ": " : "",
           last ? last : "");
  for (char *p = c->note; *p; p++)
    if ((unsigned char)*p < ' ' || (unsigned char)*p > '~') *p = '?';
  free(text);
}

/* PENDING: it has no say. */
static thirl_lab_matrix_cell verdict_of(const trial *t, const side *s) {
  thirl_lab_matrix_cell c = {.path = THIRL_LAB_MATRIX_PENDING};
  size_t n;
  char *text = read_output(t, s, "out", &n);
  bool said = text && thirl_lab_matrix_json_verdict(text, n, &c);
  free(text);
  if (said || s->was_stopped) return c;
  c.path = s->exit_code == 0 ? THIRL_LAB_MATRIX_ANY : THIRL_LAB_MATRIX_NONE;
  if (s->exit_code != 0) note_failure(t, s, &c);
  return c;
}

static void decide(trial *t, thirl_lab_matrix_cell *out) {
  thirl_lab_matrix_cell left = verdict_of(t, &t->sides[LEFT]), right = verdict_of(t, &t->sides[RIGHT]);
  *out = thirl_lab_matrix_join(&left, &right);
  if (out->path != THIRL_LAB_MATRIX_PENDING) return;
  out->path = THIRL_LAB_MATRIX_NONE;
  snprintf(out->note, sizeof out->note, "out of time after %u s", t->options->timeout_s);
}

static thirl_error ask_judge(trial *t, thirl_lab_matrix_cell *out, thirl_lab_complaint *why) {
  side *judge = &t->sides[JUDGE];
  thirl_error e = start_at(t, judge, NULL, t->m->judge, why);
  if (e != THIRL_OK) return e;
  wait_for(t, judge, judge, thirl_io_clock_now() + t->options->timeout_s * THIRL_S);
  stop(t, judge);
  size_t n;
  char *text = read_output(t, judge, "out", &n);
  if (!text || !thirl_lab_matrix_json_verdict(text, n, out)) {
    *out = (thirl_lab_matrix_cell){.path = THIRL_LAB_MATRIX_NONE};
    snprintf(out->note, sizeof out->note, "the judge gave no verdict");
  }
  free(text);
  return THIRL_OK;
}

/* ---- the pair ---- */

static thirl_error run_commands(trial *t, thirl_lab_matrix_cell *out, thirl_lab_complaint *why) {
  const char *const commands[] = {t->m->server, t->m->left, t->m->right};
  thirl_error e = THIRL_OK;
  for (int i = SERVER; i <= RIGHT && e == THIRL_OK; i++)
    if (commands[i][0]) e = start(t, &t->sides[i], commands[i], why);
  if (e == THIRL_OK)
    wait_for(t, &t->sides[LEFT], &t->sides[RIGHT], thirl_io_clock_now() + t->options->timeout_s * THIRL_S);
  for (int i = RIGHT; i >= SERVER; i--)
    stop(t, &t->sides[i]);
  if (e != THIRL_OK) return e;
  if (t->m->judge[0]) return ask_judge(t, out, why);
  decide(t, out);
  return THIRL_OK;
}

static thirl_error start_lab(trial *t, size_t left, size_t right, thirl_lab_complaint *why) {
  char text[TEXT_MAX];
  const thirl_lab_supervisor_options how = {.in_user = t->options->in_user};
  thirl_lab_topology *topology;
  pid_t pid;
  size_t n = thirl_lab_matrix_topology(t->m, left, right, text, sizeof text);
  thirl_error e = thirl_lab_topology_read("matrix", text, n, &topology, why);
  if (e != THIRL_OK) return e;
  e = thirl_lab_state_take(t->options->name, &t->state, why);
  if (e == THIRL_OK) return thirl_lab_supervisor_start(topology, &t->state, &how, &pid, why);
  thirl_lab_topology_free(topology);
  return e;
}

thirl_error thirl_lab_matrix_pair_run(const thirl_lab_matrix *m, size_t left, size_t right,
                                      const thirl_lab_matrix_pair_options *options, thirl_lab_matrix_cell *out,
                                      thirl_lab_complaint *why) {
  trial t = {.m = m, .options = options};
  thirl_time begin = thirl_io_clock_now();
  for (int i = SERVER; i <= JUDGE; i++)
    t.sides[i] = (side){.name = side_names[i], .end = -1};
  *out = (thirl_lab_matrix_cell){.path = THIRL_LAB_MATRIX_PENDING};
  thirl_error e = start_lab(&t, left, right, why);
  if (e != THIRL_OK) return e;
  e = run_commands(&t, out, why);
  thirl_error down = thirl_lab_client_down(&t.state, e == THIRL_OK ? why : NULL);
  out->took_ms = (unsigned)((thirl_io_clock_now() - begin) / THIRL_MS);
  return e == THIRL_OK ? down : e;
}

/* ---- thirl itself ---- */

/* Holds the stream open until both sides know how they are connected. 7 is the writing end of thirl's stdin. */
static const char side_script[] =
    "thirl='%s'\n"
    "side=$THIRL_MATRIX_SIDE other=right\n"
    "[ \"$side\" = left ] || other=left\n"
    "decided() { grep '\"type\":\"path\"' \"$side.events\" 2>/dev/null | grep -e '\"direct\":true' -e '\"error\":' | "
    "tail -n 1; }\n"
    "field() { sed -n \"s/.*\\\"$1\\\":\\\"\\{0,1\\}\\([^\\\",}]*\\).*/\\1/p\" | tail -n 1; }\n"
    "mkfifo \"$side.in\" || exit 1\n"
    "exec 7<>\"$side.in\"\n"
    "if [ \"$side\" = left ]; then\n"
    "  \"$thirl\" listen --server \"$THIRL_MATRIX_SERVER\" --json --ephemeral <left.in 2>left.events >/dev/null 7>&- "
    "&\n"
    "else\n"
    "  until ticket=$(field ticket <left.events) && [ -n \"$ticket\" ]; do [ ! -e left.done ] || exit 1; sleep 0.1; "
    "done\n"
    "  \"$thirl\" connect \"$ticket\" --json --ephemeral <right.in 2>right.events >/dev/null 7>&- &\n"
    "fi 2>/dev/null\n"
    "pid=$!\n"
    "while [ -z \"$(decided)\" ] && kill -0 $pid 2>/dev/null; do sleep 0.1; done\n"
    ": >\"$side.done\"\n"
    "verdict=$(decided)\n"
    "while [ ! -e \"$other.done\" ] && kill -0 $pid 2>/dev/null; do sleep 0.1; done\n"
    "exec 7>&-\n"
    "wait $pid\n"
    "case $verdict in\n"
    "  *'\"direct\":true'*)\n"
    "    how=tcp\n"
    "    case $verdict in *'\"transport\":\"udp\"'*) how=udp ;; esac\n"
    "    us=$(echo \"$verdict\" | field after_us)\n"
    "    echo \"{\\\"path\\\":\\\"$how\\\",\\\"ms\\\":$((${us:-0} / 1000))}\" ;;\n"
    "  ?*) echo \"{\\\"path\\\":\\\"relay\\\",\\\"note\\\":\\\"$(echo \"$verdict\" | field text)\\\"}\" ;;\n"
    "  *) echo \"{\\\"path\\\":\\\"none\\\",\\\"note\\\":\\\"$side: $(field text <\"$side.events\")\\\"}\" ;;\n"
    "esac\n";

thirl_error thirl_lab_matrix_pair_default(const char *thirl, const char *thirld, char **server, char **both) {
  *server = *both = NULL;
  if (asprintf(server, "exec '%s' --listen \"$THIRL_MATRIX_SERVER\"", thirld) < 0) *server = NULL;
  if (asprintf(both, side_script, thirl) < 0) *both = NULL;
  if (*server && *both) return THIRL_OK;
  free(*server);
  free(*both);
  *server = *both = NULL;
  return THIRL_E_NOMEM;
}
