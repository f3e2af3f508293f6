/* SPDX-License-Identifier: MIT */
/*
 * thirl-pages: writes what is made of the tables of the programs and of docs/man/: the manual, completion for shells, the sample of thirld.conf, and the
 * examples of the manual for the test that runs them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/thirld/config_sample.h"
#include "complete.h"
#include "examples.h"
#include "mdoc.h"
#include "pages.h"

enum { PATH_LEN = 1024 };

static const char *root, *target;

/* A file below the target, whose directories are made. */
static FILE *create(const char *name) {
  char path[PATH_LEN];
  snprintf(path, sizeof path, "%s/%s", target, name);
  for (char *c = path + strlen(target); (c = strchr(c + 1, '/'));) {
    *c = '\0';
    mkdir(path, 0777);
    *c = '/';
  }
  FILE *f = fopen(path, "we");
  if (!f) fprintf(stderr, "thirl-pages: %s: %s\n", path, strerror(errno));
  return f;
}

static bool finish(FILE *f) {
  bool bad = ferror(f) != 0;
  return fclose(f) == 0 && !bad;
}

/* A page that is not written yet is one of the tables alone: the tests complain, the build goes on. */
static bool write_page(const page *p, FILE *examples) {
  static prose words;
  char path[PATH_LEN], complaint[256], name[80];
  pages_path(p, root, path, sizeof path);
  bool is_there = prose_read(path, &words, complaint);
  snprintf(name, sizeof name, "man/man%s/%s.%s", p->section, p->name, p->section);
  FILE *f = create(name);
  if (!f) return false;
  bool good = mdoc_write(p, &words, f);
  if (is_there) examples_write(p, &words, examples);
  prose_free(&words);
  return finish(f) && good;
}

static bool write_file(const char *name, void (*write)(FILE *to)) {
  FILE *f = create(name);
  if (f) write(f);
  return f && finish(f);
}

int main(int argc, char **argv) {
  page p;
  bool good = true;
  if (argc != 3) {
    fputs("usage: thirl-pages SOURCE TARGET\n", stderr);
    return 2;
  }
  root = argv[1];
  target = argv[2];
  FILE *examples = create("examples.tsv");
  if (!examples) return 1;
  for (size_t i = 0; pages_get(i, &p); i++)
    good &= write_page(&p, examples);
  good &= finish(examples);
  good &= write_file("thirld.conf", config_sample_write);
  good &= write_file("bash-completion/completions/thirl", complete_bash);
  good &= write_file("zsh/site-functions/_thirl", complete_zsh);
  good &= write_file("fish/vendor_completions.d/thirl.fish", complete_fish);
  return good ? 0 : 1;
}
