/* SPDX-License-Identifier: MIT */
/* The commands of thirl lab and their options, as table.c has those of thirl. */
#include <stddef.h>

#include "lab_command.h"
#include "lab/matrix/matrix.h"

#define PLACE(field) .offset = offsetof(lab_arguments, field)
#define FLAG(row, word, field, text)                                                                                   \
  static const option_row row = {.name = word, .help = text, .kind = OPTION_FLAG, PLACE(field)}
#define TEXT(row, word, stands, field, text)                                                                           \
  static const option_row row = {.name = word, .value = stands, .help = text, .kind = OPTION_TEXT, PLACE(field)}
#define COMMAND(row, word, field, text)                                                                                \
  static const option_row row = {                                                                                      \
      .name = word, .value = "COMMAND", .help = text, .kind = OPTION_TEXT, PLACE(field), .may_be_empty = true}
#define LIST(row, word, stands, field, text)                                                                           \
  static const option_row row = {.name = word, .value = stands, .help = text, .kind = OPTION_LIST, PLACE(field)}
#define NUMBER(row, word, stands, field, lowest, highest, what, text)                                                  \
  static const option_row row = {.name = word,                                                                         \
                                 .value = stands,                                                                      \
                                 .help = text,                                                                         \
                                 .kind = OPTION_NUMBER,                                                                \
                                 PLACE(field),                                                                         \
                                 .least = lowest,                                                                      \
                                 .most = highest,                                                                      \
                                 .wants = what}

TEXT(name, "--name", "NAME", name, "what it is called (default: after the file, or the only one that is up)");
static const option_row engine = {.name = "--engine",
                                  .value = "ENGINE",
                                  .help = "of NATs that do not name one: natbox (default) or netfilter",
                                  .kind = OPTION_CHOICE,
                                  PLACE(engine),
                                  .wants = "natbox netfilter"};
FLAG(in_user, "--user-namespace", in_user, "in a user namespace, even for root");
FLAG(parallel, "--parallel", parallel, "all commands at once, and not one after the other");
NUMBER(timeout, "--timeout", "SECONDS", timeout_s, 1, 1000000, "a number of seconds",
       "how long each command, or the capture, may take (default: for ever)");
FLAG(json, "--json", json, "a report as one JSON object on stdout");
FLAG(help, "--help", help, "this text");

/* ---- matrix ---- */

LIST(nats, "--nats", "LIST", nats,
     "presets and behaviours: fullcone,symmetric,adm/apdf (default: the four classic types)");
LIST(nat, "--nat", "WORDS", nats, "one more, with words of its own: \"mine map=adm tcp.unsolicited=rst\"");
FLAG(all, "--all", all, "the nine behaviours of RFC 4787, 81 pairs");
NUMBER(latency, "--latency", "MS", latency_ms, 0, THIRL_LAB_MATRIX_LATENCY_MAX, "a number of milliseconds",
       "of each access; twice that from one host to the other (default: 25)");
COMMAND(server, "--server", server, "runs on 203.0.113.10 (default: thirld; \"\" is none)");
COMMAND(left, "--left", left, "runs behind the first NAT (default: thirl listen)");
COMMAND(right, "--right", right, "runs behind the second NAT (default: thirl connect)");
COMMAND(judge, "--judge", judge, "runs after each pair, and says what happened");
NUMBER(pair_timeout, "--timeout", "SECONDS", timeout_s, 1, 86400, "a number of seconds", "of each pair (default: 60)");
NUMBER(jobs, "--jobs", "N", jobs, 1, 32, "a number", "pairs at a time (default: as many as there are processors)");
TEXT(results, "--results", "FILE", results, "goes on where this file ends, if it is there");
TEXT(json_file, "--json", "FILE", json_file, "the report, as one JSON object; - for stdout");
TEXT(html, "--html", "FILE", html, "the page; - for stdout");
TEXT(keep, "--keep", "DIRECTORY", keep, "leave what the programs of each pair have written there");
TEXT(title, "--title", "TEXT", title, "of the page");

#define ROWS(name, ...) static const option_row *const name[] = {__VA_ARGS__, &help, NULL}
ROWS(for_up, &name, &engine, &in_user);
ROWS(for_named, &name);
ROWS(for_show, &name, &engine);
ROWS(for_capture, &name, &timeout);
ROWS(for_run, &name, &engine, &in_user, &parallel, &timeout, &json);
ROWS(for_matrix, &nats, &nat, &all, &engine, &latency, &server, &left, &right, &judge, &pair_timeout, &jobs, &results,
     &json_file, &html, &keep, &title, &in_user);
static const option_row *const for_none[] = {&help, NULL};

#define EXITS (EXIT_SET(EXIT_OK) | EXIT_SET(EXIT_GENERIC) | EXIT_SET(EXIT_USAGE))

const command lab_table[] = {
    {.name = "up",
     .synopsis = "[options] FILE | PRESET",
     .summary = "make a network and leave it there",
     .options = for_up,
     .words_least = 1,
     .words_max = 1,
     .exits = EXITS,
     .run_lab = lab_up},
    {.name = "exec",
     .synopsis = "[--name NAME] HOST [--] COMMAND...",
     .summary = "run a command on one of its hosts, in this terminal",
     .options = for_named,
     .words_least = 2,
     .words_max = COMMAND_WORDS_ANY,
     .exit_words = "that of the command; 126 or 127 when it cannot be started; 1 or 2 when there is no such host",
     .run_lab = lab_exec},
    {.name = "set",
     .synopsis = "[--name NAME] LINE...",
     .summary = "change it: \"nat home reboot\", \"link a down\", \"host a move cgn 100.64.0.9\"",
     .options = for_named,
     .words_least = 1,
     .words_max = COMMAND_WORDS_ANY,
     .exits = EXITS,
     .run_lab = lab_set},
    {.name = "show",
     .synopsis = "[options] [FILE | PRESET]",
     .summary = "draw it, or the network of a file",
     .options = for_show,
     .words_max = 1,
     .exits = EXITS,
     .run_lab = lab_show},
    {.name = "stats",
     .synopsis = "[--name NAME]",
     .summary = "what has gone over each link and through each NAT",
     .options = for_named,
     .exits = EXITS,
     .run_lab = lab_stats},
    {.name = "log",
     .synopsis = "[--name NAME]",
     .summary = "what has happened: events, addresses that nobody has, full queues",
     .options = for_named,
     .exits = EXITS,
     .run_lab = lab_log},
    {.name = "capture",
     .synopsis = "[options] NODE [inner] FILE",
     .summary = "write what goes over a link to a pcap file, until Ctrl-C",
     .options = for_capture,
     .words_least = 2,
     .words_max = 3,
     .exits = EXITS,
     .run_lab = lab_capture},
    {.name = "down",
     .synopsis = "[--name NAME]",
     .summary = "end it and everything that runs in it",
     .options = for_named,
     .exits = EXITS,
     .run_lab = lab_down},
    {.name = "run",
     .synopsis = "[options] FILE | PRESET",
     .summary = "up, the run lines of the file, down",
     .options = for_run,
     .words_least = 1,
     .words_max = 1,
     .exits = EXITS | EXIT_SET(EXIT_SIGNAL),
     .run_lab = lab_run},
    {.name = "list",
     .synopsis = "",
     .summary = "the networks that are up",
     .options = for_none,
     .exits = EXITS,
     .run_lab = lab_list},
    {.name = "presets",
     .synopsis = "[PRESET]",
     .summary = "the networks that come with this program, or the text of one",
     .options = for_none,
     .words_max = 1,
     .exits = EXITS,
     .run_lab = lab_presets},
    {.name = "matrix",
     .synopsis = "[options]",
     .summary = "what two programs can do behind every pair of a list of NATs",
     .options = for_matrix,
     .exits = EXITS | EXIT_SET(EXIT_SIGNAL),
     .run_lab = lab_matrix},
    {.name = NULL},
};
