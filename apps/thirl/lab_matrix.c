/* SPDX-License-Identifier: MIT */
/* thirl lab matrix: every pair of a list of NATs, several at a time, with what is left to do; the table, JSON and a page. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab_command.h"
#include "lab/matrix/matrix_html.h"
#include "lab/matrix/matrix_json.h"
#include "lab/matrix/matrix_pair.h"
#include "lab/matrix/matrix_text.h"
#include "io/clock.h"

enum { JOBS_MAX = 32, PATH_LEN = 512, TIMEOUT_S = 60, LINE_MAX_LEN = 256 };

/** What is left of the command line when the matrix is known. */
typedef struct settings {
  const char *keep; /* a directory */
  unsigned jobs, timeout_s;
  bool in_user;
  char temporary[PATH_LEN]; /* kept, until the end */
} settings;

/** A pair under way, in a process of its own, which sends an answer when it has ended. */
typedef struct job {
  pid_t pid; /* 0: none */
  int pipe;
  size_t cell;
} job;

typedef struct answer {
  thirl_error error;
  thirl_lab_matrix_cell cell;
  thirl_lab_complaint why;
} answer;

typedef struct progress {
  size_t done, total; /* in this run */
  thirl_time begin;
  bool on_terminal;
} progress;

static thirl_lab_matrix matrix;
static volatile sig_atomic_t caught;

static void on_signal(int number) {
  caught = number;
}

static int complain(int code, const char *what, const char *more) {
  fprintf(stderr, "thirl lab matrix: %s%s%s\n", what, more ? ": " : "", more ? more : "");
  return code;
}

/* For a return statement. */
static bool fail(const char *what, const char *more) {
  complain(0, what, more);
  return false;
}

/* ---- one pair, in a process of its own ---- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where) {
  (void)st, (void)type, (void)where;
  remove(path);
  return 0;
}

/* Its name in the file system: "eim/eif" and "adm/adf" make "eim-eif_adm-adf". */
static void name_pair(size_t cell, char *out, size_t size) {
  snprintf(out, size, "%s_%s", matrix.nats[cell / matrix.n].name, matrix.nats[cell % matrix.n].name);
  for (char *c = out; *c; c++)
    if (*c == '/' || *c == '.') *c = '-';
}

/* Empty, below the directory of all pairs. */
static bool make_directory(const settings *a, size_t cell, char *path) {
  char name[2 * THIRL_LAB_MATRIX_NAME_MAX + 8];
  name_pair(cell, name, sizeof name);
  snprintf(path, PATH_LEN, "%s/%s", a->keep, name);
  nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  return mkdir(path, 0777) == 0;
}

static void try_pair(const settings *a, size_t cell, unsigned number, answer *out) {
  char path[PATH_LEN], name[THIRL_LAB_MATRIX_NAME_MAX + 1];
  *out = (answer){.error = THIRL_OK};
  snprintf(name, sizeof name, "matrix-%d-%u", (int)getppid(), number);
  if (!make_directory(a, cell, path)) {
    out->error = thirl_lab_words_complain(&out->why, THIRL_E_IO, "%.150s: %s", path, strerror(errno));
    return;
  }
  const thirl_lab_matrix_pair_options options = {
      .directory = path, .name = name, .timeout_s = a->timeout_s, .in_user = a->in_user};
  out->error = thirl_lab_matrix_pair_run(&matrix, cell / matrix.n, cell % matrix.n, &options, &out->cell, &out->why);
  if (a->keep == a->temporary) nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static bool start_job(const settings *a, job *j, size_t cell, unsigned number) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return false;
  fflush(NULL);
  *j = (job){.pid = fork(), .pipe = ends[0], .cell = cell};
  if (j->pid == 0) {
    static answer result;
    signal(SIGINT, SIG_IGN); /* the parent ends us, and then the lab is taken down by what it has lost */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    try_pair(a, cell, number, &result);
    _exit(write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
  }
  close(ends[1]);
  return j->pid > 0;
}

/* ---- how far it is ---- */

static void format_time(thirl_time t, char *out, size_t size) {
  unsigned s = (unsigned)((t + THIRL_S - 1) / THIRL_S);
  if (s >= 60)
    snprintf(out, size, "%u min %u s", s / 60, s % 60);
  else
    snprintf(out, size, "%u s", s);
}

static void show_pair(size_t cell) {
  const thirl_lab_matrix_cell *c = &matrix.cells[cell];
  fprintf(stderr, "%s x %s: %s", matrix.nats[cell / matrix.n].name, matrix.nats[cell % matrix.n].name,
          thirl_lab_matrix_text_label(c->path));
  if (c->ms) fprintf(stderr, ", %u ms", c->ms);
  if (c->note[0]) fprintf(stderr, " (%s)", c->note);
  fputc('\n', stderr);
}

/* A terminal gets one line that changes, anybody else a line for each pair. */
static void show_progress(const progress *p, size_t cell) {
  char left[48], bar[32];
  thirl_time passed = thirl_io_clock_now() - p->begin;
  size_t filled = p->total ? p->done * (sizeof bar - 1) / p->total : 0;
  memset(bar, '.', sizeof bar - 1);
  memset(bar, '#', filled);
  bar[sizeof bar - 1] = '\0';
  format_time(p->done ? passed * (p->total - p->done) / p->done : 0, left, sizeof left);
  if (p->on_terminal) {
    fprintf(stderr, "\r\033[K[%s] %zu of %zu, %s left", bar, p->done, p->total, p->done ? left : "?");
    return;
  }
  if (cell == SIZE_MAX) return;
  fprintf(stderr, "%zu of %zu, %s left; ", p->done, p->total, left);
  show_pair(cell);
}

/* ---- all pairs ---- */

/* false: the lab could not be made; it was told why. */
static bool take_answer(job *j, FILE *results, progress *p) {
  static answer got;
  size_t n = 0;
  ssize_t more;
  while (n < sizeof got && (more = read(j->pipe, (char *)&got + n, sizeof got - n)) != 0) {
    if (more < 0 && errno != EINTR) break;
    if (more > 0) n += (size_t)more;
  }
  close(j->pipe);
  while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  j->pid = 0;
  if (n < sizeof got) return fail("a process that tried a pair has ended early", NULL);
  if (got.error != THIRL_OK) {
    if (p->on_terminal) fputc('\n', stderr);
    return fail(got.why.text[0] ? got.why.text : thirl_error_text(got.error), NULL);
  }
  matrix.cells[j->cell] = got.cell;
  p->done++;
  if (results && !thirl_lab_matrix_json_write_cell(&matrix, j->cell / matrix.n, j->cell % matrix.n, results))
    return fail("cannot write the file of results", strerror(errno));
  show_progress(p, j->cell);
  return true;
}

static size_t next_pending(size_t from) {
  while (from < matrix.n * matrix.n && matrix.cells[from].path != THIRL_LAB_MATRIX_PENDING)
    from++;
  return from;
}

static void stop_jobs(job *jobs) {
  for (size_t i = 0; i < JOBS_MAX; i++) {
    if (jobs[i].pid <= 0) continue;
    kill(jobs[i].pid, SIGKILL);
    waitpid(jobs[i].pid, NULL, 0);
    close(jobs[i].pipe);
  }
}

static bool run_all(const settings *a, FILE *results) {
  job jobs[JOBS_MAX] = {{0}};
  progress p = {.total = thirl_lab_matrix_count(&matrix, THIRL_LAB_MATRIX_PENDING),
                .begin = thirl_io_clock_now(),
                .on_terminal = isatty(STDERR_FILENO) != 0};
  size_t next = next_pending(0);
  bool good = true;
  show_progress(&p, SIZE_MAX);
  while (good && !caught && p.done < p.total) {
    struct pollfd fds[JOBS_MAX];
    for (unsigned i = 0; i < a->jobs; i++) {
      if (jobs[i].pid == 0 && next < matrix.n * matrix.n) {
        if (!start_job(a, &jobs[i], next, i)) return fail("cannot start a process", strerror(errno));
        next = next_pending(next + 1);
      }
      fds[i] = (struct pollfd){.fd = jobs[i].pid > 0 ? jobs[i].pipe : -1, .events = POLLIN};
    }
    if (poll(fds, a->jobs, -1) < 0) continue; /* a signal */
    for (unsigned i = 0; i < a->jobs && good; i++)
      if (fds[i].revents) good = take_answer(&jobs[i], results, &p);
  }
  if (p.on_terminal) fputc('\n', stderr);
  stop_jobs(jobs);
  return good;
}

/* ---- files ---- */

/* Reads what is there already, and goes on behind it. NULL: *code says why it ends. */
static FILE *open_results(const char *path, int *code) {
  thirl_lab_complaint why = {""};
  FILE *f = fopen(path, "re");
  thirl_error e = f ? thirl_lab_matrix_json_read(&matrix, f, &why) : THIRL_OK;
  bool is_new = !f || (fseek(f, 0, SEEK_END) == 0 && ftell(f) == 0);
  bool torn = f && !is_new && fseek(f, -1, SEEK_END) == 0 && fgetc(f) != '\n';
  if (f) fclose(f);
  *code = EXIT_USAGE;
  if (e != THIRL_OK && !is_new) {
    complain(0, path, why.text);
    return NULL;
  }
  f = fopen(path, "ae");
  if (!f || (torn && fputc('\n', f) == EOF) || (is_new && !thirl_lab_matrix_json_write_head(&matrix, f))) {
    *code = complain(EXIT_GENERIC, path, strerror(errno));
    return NULL;
  }
  return f;
}

static bool write_file(const char *path, bool html) {
  FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
  bool good = f != NULL;
  if (good && html) thirl_lab_matrix_html_write(&matrix, f);
  if (good && !html) good = thirl_lab_matrix_json_report(&matrix, f);
  if (good) good = !ferror(f) && fflush(f) == 0;
  if (f && f != stdout) good = fclose(f) == 0 && good;
  if (!good) complain(0, path, strerror(errno));
  return good;
}

static int show_results(const lab_arguments *a) {
  char summary[LINE_MAX_LEN];
  bool good = true,
       to_stdout = (a->json_file && strcmp(a->json_file, "-") == 0) || (a->html && strcmp(a->html, "-") == 0);
  FILE *text = to_stdout ? stderr : stdout;
  thirl_lab_matrix_text_write(&matrix, isatty(fileno(text)) != 0, text);
  fprintf(text, "%s\n", thirl_lab_matrix_text_summary(&matrix, summary, sizeof summary));
  if (a->json_file) good = write_file(a->json_file, false);
  if (a->html) good = write_file(a->html, true) && good;
  return good ? EXIT_OK : EXIT_GENERIC;
}

/* ---- what is tried ---- */

static thirl_error add_list(const char *list, thirl_lab_complaint *why) {
  thirl_error e = THIRL_OK;
  while (*list && e == THIRL_OK) {
    char name[THIRL_LAB_MATRIX_NAME_MAX + 2];
    size_t n = strcspn(list, ",");
    snprintf(name, sizeof name, "%.*s", (int)THIRL_MIN(n, sizeof name - 1), list);
    e = strchr(name, ' ') ? thirl_lab_words_complain(why, THIRL_E_SYNTAX, "a list has no blanks: use --nat")
                          : thirl_lab_matrix_add(&matrix, name, why);
    list += n + (list[n] == ',');
  }
  return e;
}

/* "mine map=adm" is one NAT, everything else a list. False: told why. */
static bool add_nats(const lab_arguments *a) {
  for (unsigned i = 0; i < a->nats.n; i++) {
    thirl_lab_complaint why = {""};
    const char *text = a->nats.at[i];
    bool is_one = text[strcspn(text, " ,")] == ' ';
    thirl_error e = is_one ? thirl_lab_matrix_add(&matrix, text, &why) : add_list(text, &why);
    if (e != THIRL_OK) return fail(is_one ? "--nat" : "--nats", why.text);
  }
  return true;
}

static unsigned count_processors(void) {
  cpu_set_t set;
  int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return (unsigned)THIRL_MIN(THIRL_MAX(n, 1), JOBS_MAX);
}

/* The programs beside this one. */
static bool find_programs(char *thirl, char *thirld) {
  ssize_t n = readlink("/proc/self/exe", thirl, PATH_LEN - 2);
  if (n <= 0 || memchr(thirl, '\'', (size_t)n)) return false;
  thirl[n] = '\0';
  snprintf(thirld, PATH_LEN + 1, "%sd", thirl);
  return true;
}

/* What the command line says, and the rest by default. False: told why. */
static bool fill_matrix(const lab_arguments *a) {
  static char thirl[PATH_LEN], thirld[PATH_LEN + 1];
  thirl_lab_complaint why = {""};
  thirl_error e = THIRL_OK;
  char *server, *side;
  matrix.latency_ms = a->latency_ms;
  matrix.engine = a->engine ? a->engine : "natbox";
  matrix.server = a->server;
  matrix.left = a->left;
  matrix.right = a->right;
  matrix.judge = a->judge ? a->judge : "";
  if (!add_nats(a)) return false;
  if (a->all) e = thirl_lab_matrix_add_all(&matrix, &why);
  if (e == THIRL_OK && matrix.n == 0) e = add_list("fullcone,restricted,portrestricted,symmetric", &why);
  if (e != THIRL_OK) return fail(why.text, NULL);
  if ((matrix.left == NULL) != (matrix.right == NULL)) return fail("--left and --right belong together", NULL);
  matrix.title = a->title ? a->title : matrix.left ? "Two programs behind NATs" : "thirl behind NATs";
  if (matrix.left) {
    if (!matrix.server) matrix.server = "";
    return true;
  }
  if (!find_programs(thirl, thirld) || thirl_lab_matrix_pair_default(thirl, thirld, &server, &side) != THIRL_OK)
    return fail("cannot find thirl and thirld", NULL);
  if (!matrix.server) matrix.server = server;
  matrix.left = matrix.right = side;
  return true;
}

/* Where the pairs leave their files. */
static bool open_directory(settings *a) {
  const char *where = getenv("TMPDIR");
  if (a->keep) return mkdir(a->keep, 0777) == 0 || errno == EEXIST || fail(a->keep, strerror(errno));
  snprintf(a->temporary, sizeof a->temporary, "%s/thirl-matrix-XXXXXX", where && *where ? where : "/tmp");
  a->keep = a->temporary;
  return mkdtemp(a->temporary) || fail(a->temporary, strerror(errno));
}

int lab_matrix(const lab_arguments *said) {
  settings a = {.keep = said->keep,
                .jobs = said->jobs ? said->jobs : count_processors(),
                .timeout_s = said->timeout_s ? said->timeout_s : TIMEOUT_S,
                .in_user = said->in_user};
  int code = EXIT_OK;
  if (!fill_matrix(said)) return EXIT_USAGE;
  FILE *results = said->results ? open_results(said->results, &code) : NULL;
  if (said->results && !results) return code;
  const struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
  bool good = open_directory(&a) && run_all(&a, results);
  if (a.temporary[0]) nftw(a.temporary, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  if (results) fclose(results);
  if (good || thirl_lab_matrix_count(&matrix, THIRL_LAB_MATRIX_PENDING) < matrix.n * matrix.n)
    code = show_results(said);
  return caught ? EXIT_SIGNAL + (int)caught : good ? code : EXIT_GENERIC;
}
