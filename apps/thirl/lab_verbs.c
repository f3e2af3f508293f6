/* SPDX-License-Identifier: MIT */
/* What each command of thirl lab does. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab_command.h"
#include "lab/process/client.h"
#include "lab/text/preset.h"
#include "lab/process/run.h"
#include "lab/text/show.h"
#include "lab/process/supervisor.h"
#include "lab/text/topology.h"

enum { TEXT_MAX = 1 << 20, EXIT_NOT_STARTED = 126, EXIT_NOT_FOUND = 127 };

/* ---- complaints ---- */

static int complain(int code, const char *sentence) {
  fprintf(stderr, "thirl lab: %s\n", sentence);
  return code;
}

static int fail(thirl_error e, const thirl_lab_complaint *why) {
  return complain(thirl_error_class_of(e) == THIRL_CLASS_USAGE && e != THIRL_E_UNSUPPORTED ? EXIT_USAGE : EXIT_GENERIC,
                  why->text[0] ? why->text : thirl_error_text(e));
}

/* ---- texts ---- */

/* The whole of it, for free(); NULL with *why. */
static char *read_file(const char *path, size_t *len, thirl_lab_complaint *why) {
  FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
  char *text = f ? malloc(TEXT_MAX) : NULL;
  if (!text) {
    thirl_lab_words_complain(why, THIRL_E_NOT_FOUND, "%.150s: %s", path, strerror(errno));
    if (f && f != stdin) fclose(f);
    return NULL;
  }
  *len = fread(text, 1, TEXT_MAX, f);
  bool bad = ferror(f) != 0, too_long = *len == TEXT_MAX;
  int error = errno;
  if (f != stdin) fclose(f);
  if (!bad && !too_long) return text;
  free(text);
  thirl_lab_words_complain(why, THIRL_E_IO, "%.150s: %s", path, too_long ? "longer than 1 MiB" : strerror(error));
  return NULL;
}

static bool is_file(const char *what) {
  struct stat st;
  return strcmp(what, "-") == 0 || strchr(what, '/') || (stat(what, &st) == 0 && !S_ISDIR(st.st_mode));
}

/* A file, or else a preset. */
static thirl_error read_topology(const lab_arguments *a, const char *what, thirl_lab_topology **out,
                                 thirl_lab_complaint *why) {
  const thirl_lab_preset *preset = is_file(what) ? NULL : thirl_lab_preset_find(what);
  size_t len = preset ? strlen(preset->text) : 0;
  char *text = NULL;
  *out = NULL;
  if (!preset && !is_file(what))
    return thirl_lab_words_complain(why, THIRL_E_INVALID,
                                    "there is no file and no preset \"%.60s\"; \"thirl lab presets\" lists them", what);
  if (!preset && !(text = read_file(what, &len, why))) return THIRL_E_NOT_FOUND;
  thirl_error e = thirl_lab_topology_read(what, preset ? preset->text : text, len, out, why);
  free(text);
  if (e != THIRL_OK || !a->engine) return e;
  thirl_lab_topology_set_engine(*out, strcmp(a->engine, "netfilter") == 0 ? THIRL_LAB_NETFILTER : THIRL_LAB_NATBOX);
  return THIRL_OK;
}

/* ---- which lab ---- */

/* "labs/home.lab" is called home, and stdin lab. */
static void name_of_file(const char *path, char out[THIRL_LAB_STATE_NAME_MAX + 1]) {
  const char *slash = strrchr(path, '/');
  size_t n = 0;
  for (const char *c = slash ? slash + 1 : path; *c && *c != '.' && n < THIRL_LAB_STATE_NAME_MAX; c++) {
    bool fits = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
    if (fits || n > 0) out[n++] = fits ? *c : '-';
  }
  out[n] = '\0';
  if (n == 0) snprintf(out, THIRL_LAB_STATE_NAME_MAX + 1, "lab");
}

/* The one that is said, or the only one there is. */
static thirl_error find_lab(const lab_arguments *a, thirl_lab_state *out, thirl_lab_complaint *why) {
  static char names[THIRL_LAB_STATE_LABS_MAX][THIRL_LAB_STATE_NAME_MAX + 1];
  const char *inside = getenv("THIRL_LAB");
  if (a->name) return thirl_lab_state_find(a->name, out, why);
  if (inside && *inside) return thirl_lab_state_find(inside, out, why);
  size_t n = thirl_lab_state_list(names, THIRL_LAB_STATE_LABS_MAX);
  if (n == 1) return thirl_lab_state_find(names[0], out, why);
  if (n == 0) return thirl_lab_words_complain(why, THIRL_E_NOT_FOUND, "no lab is up: thirl lab up FILE");
  return thirl_lab_words_complain(why, THIRL_E_INVALID, "%zu labs are up: say --name %s, or another", n, names[0]);
}

/* ---- commands ---- */

static thirl_error start(const lab_arguments *a, bool stays, thirl_lab_state *state, thirl_lab_complaint *why) {
  thirl_lab_topology *t;
  char name[THIRL_LAB_STATE_NAME_MAX + 1];
  const thirl_lab_supervisor_options options = {.in_user = a->in_user, .stays = stays};
  pid_t pid;
  name_of_file(a->words[0], name);
  thirl_error e = read_topology(a, a->words[0], &t, why);
  if (e != THIRL_OK) return e;
  e = thirl_lab_state_take(a->name ? a->name : name, state, why);
  if (e == THIRL_OK) return thirl_lab_supervisor_start(t, state, &options, &pid, why);
  thirl_lab_topology_free(t);
  return e;
}

int lab_up(const lab_arguments *a) {
  thirl_lab_state state;
  thirl_lab_complaint why = {""};
  thirl_error e = start(a, true, &state, &why);
  if (e != THIRL_OK) return fail(e, &why);
  printf("%s is up\n", state.name);
  return EXIT_OK;
}

int lab_down(const lab_arguments *a) {
  thirl_lab_state state;
  thirl_lab_complaint why = {""};
  thirl_error e = find_lab(a, &state, &why);
  if (e == THIRL_OK) e = thirl_lab_client_down(&state, &why);
  return e == THIRL_OK ? EXIT_OK : fail(e, &why);
}

int lab_exec(const lab_arguments *a) {
  thirl_lab_state state;
  thirl_lab_client_place place;
  thirl_lab_complaint why = {""};
  char **argv = a->words + 1;
  if (strcmp(*argv, "--") == 0) argv++;
  if (!*argv) return complain(EXIT_USAGE, "exec wants a command");
  thirl_error e = find_lab(a, &state, &why);
  if (e == THIRL_OK) e = thirl_lab_client_find(&state, a->words[0], &place, &why);
  if (e == THIRL_OK) e = thirl_lab_client_go(&place, &state, &why);
  if (e != THIRL_OK) return fail(e, &why);
  thirl_lab_client_leave(&place);
  execvp(*argv, argv);
  int error = errno;
  fprintf(stderr, "thirl lab: %s: %s\n", *argv, strerror(error));
  return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_STARTED;
}

/* What the lab has to say to one word. */
static int print_answer(const lab_arguments *a, const char *word) {
  static thirl_lab_control_packet answer;
  thirl_lab_state state;
  thirl_lab_complaint why = {""};
  thirl_error e = find_lab(a, &state, &why);
  if (e == THIRL_OK) e = thirl_lab_client_ask(&state, word, -1, STDOUT_FILENO, &answer, &why);
  return e == THIRL_OK ? EXIT_OK : fail(e, &why);
}

int lab_show(const lab_arguments *a) {
  thirl_lab_topology *t;
  thirl_lab_complaint why = {""};
  if (a->n_words == 0) return print_answer(a, "show");
  thirl_error e = read_topology(a, a->words[0], &t, &why);
  if (e != THIRL_OK) return fail(e, &why);
  char *text = thirl_lab_show_draw(t);
  thirl_lab_topology_free(t);
  if (!text) return complain(EXIT_GENERIC, "out of memory");
  fputs(text, stdout);
  free(text);
  return EXIT_OK;
}

int lab_stats(const lab_arguments *a) {
  return print_answer(a, "stats");
}

int lab_log(const lab_arguments *a) {
  thirl_lab_state state;
  thirl_lab_complaint why = {""};
  size_t len = 0;
  thirl_error e = find_lab(a, &state, &why);
  char *text = e == THIRL_OK ? read_file(state.log, &len, &why) : NULL;
  if (!text) return fail(e == THIRL_OK ? THIRL_E_NOT_FOUND : e, &why);
  fwrite(text, 1, len, stdout);
  free(text);
  return EXIT_OK;
}

/* The words as one line. E_LIMIT: it is too long. */
static thirl_error join(const lab_arguments *a, const char *before, char *out, size_t size) {
  size_t n = (size_t)snprintf(out, size, "%s", before);
  for (int i = 0; i < a->n_words && n < size; i++)
    n += (size_t)snprintf(out + n, size - n, " %s", a->words[i]);
  return n < size ? THIRL_OK : THIRL_E_LIMIT;
}

int lab_set(const lab_arguments *a) {
  static thirl_lab_control_packet answer;
  char line[THIRL_LAB_LINE_MAX];
  thirl_lab_state state;
  thirl_lab_complaint why = {""};
  if (join(a, "set", line, sizeof line) != THIRL_OK) return complain(EXIT_USAGE, "too many words");
  thirl_error e = find_lab(a, &state, &why);
  if (e == THIRL_OK) e = thirl_lab_client_ask(&state, line, -1, -1, &answer, &why);
  return e == THIRL_OK ? EXIT_OK : fail(e, &why);
}

int lab_list(const lab_arguments *a) {
  static char names[THIRL_LAB_STATE_LABS_MAX][THIRL_LAB_STATE_NAME_MAX + 1];
  static thirl_lab_control_packet answer;
  size_t n = thirl_lab_state_list(names, THIRL_LAB_STATE_LABS_MAX);
  (void)a;
  for (size_t i = 0; i < n; i++) {
    thirl_lab_state state;
    long pid = 0;
    unsigned long hosts = 0, nats = 0, seconds = 0;
    if (thirl_lab_state_find(names[i], &state, NULL) != THIRL_OK) continue;
    if (thirl_lab_client_ask(&state, "status", -1, -1, &answer, NULL) != THIRL_OK) continue;
    if (sscanf(answer.text, "%ld %lu %lu %lu", &pid, &hosts, &nats, &seconds) != 4) continue;
    printf("%-*s  process %ld, hosts %lu, NATs %lu, up for %lu s\n", THIRL_LAB_STATE_NAME_MAX, names[i], pid, hosts,
           nats, seconds);
  }
  return EXIT_OK;
}

int lab_presets(const lab_arguments *a) {
  const thirl_lab_preset *p;
  if (a->n_words == 1) {
    p = thirl_lab_preset_find(a->words[0]);
    if (!p) return complain(EXIT_USAGE, "there is no such preset");
    fputs(p->text, stdout);
    return EXIT_OK;
  }
  for (size_t i = 0; (p = thirl_lab_preset_get(i)); i++)
    printf("%-16s %s\n", p->name, p->sentence);
  return EXIT_OK;
}

int lab_run(const lab_arguments *a) {
  thirl_lab_topology *t;
  thirl_lab_state state;
  thirl_lab_complaint why = {""}, then = {""};
  const thirl_lab_run_options options = {.parallel = a->parallel, .json = a->json, .timeout_s = a->timeout_s};
  int code = EXIT_GENERIC;
  if (strcmp(a->words[0], "-") == 0) return complain(EXIT_USAGE, "run reads its file twice: it cannot be stdin");
  thirl_error e = read_topology(a, a->words[0], &t, &why);
  if (e != THIRL_OK) return fail(e, &why);
  e = t->n_runs > 0 ? start(a, false, &state, &why)
                    : thirl_lab_words_complain(&why, THIRL_E_INVALID, "%.60s has no run line", a->words[0]);
  if (e == THIRL_OK) {
    e = thirl_lab_run_all(t, &state, &options, &code, &why);
    thirl_error end = thirl_lab_client_down(&state, &then);
    if (e == THIRL_OK && code < EXIT_SIGNAL && end != THIRL_OK) {
      e = end;
      why = then;
    }
  }
  thirl_lab_topology_free(t);
  return e == THIRL_OK ? code : fail(e, &why);
}

/* Until a signal comes, or the time is over; the lab writes, we wait. */
static void wait_for_signal(unsigned timeout_s) {
  sigset_t set;
  struct timespec limit = {.tv_sec = timeout_s};
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  if (timeout_s)
    sigtimedwait(&set, NULL, &limit);
  else
    sigwaitinfo(&set, NULL);
}

int lab_capture(const lab_arguments *a) {
  static thirl_lab_control_packet answer;
  thirl_lab_state state;
  thirl_lab_complaint why = {""};
  char line[THIRL_LAB_LINE_MAX];
  sigset_t set;
  lab_arguments what = *a;
  int conn = -1, file;
  what.n_words--;
  if (join(&what, "capture", line, sizeof line) != THIRL_OK) return complain(EXIT_USAGE, "too many words");
  thirl_error e = find_lab(a, &state, &why);
  if (e != THIRL_OK) return fail(e, &why);
  const char *path = a->words[a->n_words - 1];
  file = strcmp(path, "-") == 0 ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) {
    thirl_lab_words_complain(&why, THIRL_E_IO, "%.150s: %s", path, strerror(errno));
    return fail(THIRL_E_IO, &why);
  }
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, NULL);
  if (thirl_lab_control_connect(state.control, &conn) != 0 ||
      !thirl_lab_control_send(conn, THIRL_LAB_CONTROL_REQUEST, line, strlen(line), &file, 1) ||
      thirl_lab_control_receive(conn, &answer) != THIRL_OK)
    e = thirl_lab_words_complain(&why, THIRL_E_NOT_FOUND, "there is no lab called %s", state.name);
  else if (answer.kind != THIRL_LAB_CONTROL_TEXT)
    e = thirl_lab_words_complain(&why, THIRL_E_INVALID, "%s", answer.text);
  close(file);
  if (e == THIRL_OK) {
    wait_for_signal(a->timeout_s);
    shutdown(conn, SHUT_WR);
    thirl_lab_control_receive(conn, &answer);
  }
  if (conn >= 0) close(conn);
  return e == THIRL_OK ? EXIT_OK : fail(e, &why);
}
