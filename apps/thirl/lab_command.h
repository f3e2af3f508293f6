/* SPDX-License-Identifier: MIT */
/* thirl lab: what its command line said, and its commands. lab_table.c has the table of both. */
#ifndef THIRL_APPS_LAB_H
#define THIRL_APPS_LAB_H

#include "command.h"

enum { LAB_LATENCY_MS = 25 };

/** What the command line said; words are those that are no options. */
typedef struct lab_arguments {
  const char *name, *engine;
  bool in_user, parallel, json, help;
  unsigned timeout_s; /* 0: default */
  char **words;       /* ends with a NULL */
  int n_words;
  /* of matrix */
  const char *results, *json_file, *html, *keep, *server, *left, *right, *judge, *title; /* NULL: default */
  text_list nats;
  unsigned jobs; /* 0: default */
  unsigned latency_ms;
  bool all;
} lab_arguments;

/** Ends with a name that is NULL. */
extern const command lab_table[];

int lab_up(const lab_arguments *a);
int lab_exec(const lab_arguments *a);
int lab_set(const lab_arguments *a);
int lab_show(const lab_arguments *a);
int lab_stats(const lab_arguments *a);
int lab_log(const lab_arguments *a);
int lab_capture(const lab_arguments *a);
int lab_down(const lab_arguments *a);
int lab_run(const lab_arguments *a);
int lab_list(const lab_arguments *a);
int lab_presets(const lab_arguments *a);
int lab_matrix(const lab_arguments *a);

#endif
