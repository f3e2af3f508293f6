/* SPDX-License-Identifier: MIT */
/* thirl: the command line. Parses, dispatches, and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

typedef struct option_row {
  char letter; /* names it in command.options */
  const char *name, *value, *help;
} option_row;

static const option_row option_table[] = {
    {'s', "--server", "HOST[:PORT]", "the rendezvous server (default: $THIRL_SERVER; port 3478)"},
    {'i', "--identity", "FILE", "the private key (default: $XDG_CONFIG_HOME/thirl/key.pem, made on first use)"},
    {'e', "--ephemeral", NULL, "use a key of its own for this run and keep it nowhere"},
    {'d', "--direct-only", NULL, "no byte through the relay; exit 5 when there is no direct path"},
    {'r', "--relay-only", NULL, "show no address to the peer"},
    {'t', "--timeout", "SECONDS", "how long to wait for the peer (default: 30; listen: for ever)"},
    {'j', "--json", NULL, "events as one JSON object a line on stderr"},
    {'J', "--json", NULL, "the report as one JSON object on stdout (docs/nat-json.md)"},
    {'k', "--json", NULL, "the same as one JSON object on stdout"},
    {'U', "--udp", NULL, "look at UDP only"},
    {'T', "--tcp", NULL, "look at TCP only"},
    {'6', "--ipv6", NULL, "look at IPv6 instead of IPv4"},
    {'p', "--port", "PORT", "the local port whose mapping is looked at (default: any)"},
    {'H', "--hairpin", NULL,
     "also whether two hosts behind the NAT meet at its outer address; some firewalls take it for an attack"},
    {'L', "--lifetime", "SECONDS", "also how long an idle UDP mapping lives, up to so long; takes that time"},
    {'1', "-L", "[BIND:]PORT:HOST:HOSTPORT", "listen here, connect there: HOST:HOSTPORT as the peer sees it"},
    {'2', "-R", "[BIND:]PORT:HOST:HOSTPORT", "listen at the peer, connect from here"},
    {'3', "-U", "[BIND:]PORT:HOST:HOSTPORT", "the same for UDP: not there yet"},
    {'4', "--allow-forward", "HOST:PORT",
     "let \"thirl forward -L\" connect to this, and be no pipe; * for any host or port"},
    {'5', "--allow-bind", "[HOST:]PORT", "let \"thirl forward -R\" listen at this port of ours"},
    {'Q', "--quiet", NULL, "no progress on stderr"},
    {'q', "--quiet", NULL, "say nothing on stderr but the ticket and errors"},
    {'h', "--help", NULL, "this text"},
};

static const command command_table[] = {
    {"listen", "[options]", "make a ticket, wait for one peer, and be a pipe to it", "siedrtjq45h", false, 0,
     command_listen, NULL},
    {"connect", "[options] TICKET | -", "reach the peer of a ticket and be a pipe to it", "iedrtjqh", true, 0,
     command_connect, NULL},
    {"forward", "[options] TICKET | -", "carry TCP connections to and from the peer of a ticket, in ssh's words",
     "123iedrtjqh", true, 0, command_forward, NULL},
    {"key", "[options]", "print the id of this machine's key, making the key on first use", "ikh", false, 0,
     command_key, NULL},
    {"nat", "[options] [SERVER[:PORT]...]", "tell what NAT this machine is behind, and what that means", "sUT6pHLJQh",
     false, ARGUMENTS_WORDS_MAX, command_nat, NULL},
    {.name = "lab",
     .summary = "any network of hosts and NATs on this machine; see \"thirl lab --help\"",
     .run_words = command_lab},
    {"version", "[options]", "print the version", "kh", false, 0, command_version, NULL},
};

enum {
  N_COMMANDS = sizeof command_table / sizeof *command_table,
  N_OPTIONS = sizeof option_table / sizeof *option_table
};

static void print_usage(FILE *to) {
  fprintf(to, "usage: thirl COMMAND [options]\n\n");
  for (int i = 0; i < N_COMMANDS; i++)
    fprintf(to, "  %-8s %s\n", command_table[i].name, command_table[i].summary);
  fprintf(to,
          "\n\"thirl COMMAND --help\" tells more. Data goes through stdin and stdout, everything else to stderr.\n");
}

static void print_help(const command *c) {
  printf("usage: thirl %s %s\n%s\n\n", c->name, c->synopsis, c->summary);
  int width = 0;
  for (int i = 0; i < N_OPTIONS; i++) {
    if (!strchr(c->options, option_table[i].letter)) continue;
    size_t n = strlen(option_table[i].name) + 1 + (option_table[i].value ? strlen(option_table[i].value) : 0);
    if ((int)n > width) width = (int)n;
  }
  for (int i = 0; i < N_OPTIONS; i++) {
    if (!strchr(c->options, option_table[i].letter)) continue;
    char left[64];
    snprintf(left, sizeof left, "%s %s", option_table[i].name, option_table[i].value ? option_table[i].value : "");
    printf("  %-*s %s\n", width, left, option_table[i].help);
  }
  if (c->takes_ticket) printf("\nThe ticket may also come as the first line of stdin (\"-\") or in $THIRL_TICKET.\n");
  printf(
      "\nexit codes: 0 done, 1 other, 2 usage, 3 peer not there, 4 no path, 5 only a relayed path with --direct-only,\n"
      "            6 wrong key or ticket, 7 server unreachable, 8 interrupted, 130/143 signal\n");
}

static int complain(const char *what, const char *word) {
  fprintf(stderr, "thirl: %s%s%s\n", what, word ? " " : "", word ? word : "");
  return EXIT_USAGE;
}

static const option_row *find_option(const command *c, const char *word, size_t n) {
  if (n == 2 && strncmp(word, "-h", n) == 0) return find_option(c, "--help", strlen("--help"));
  for (int i = 0; i < N_OPTIONS; i++)
    if (strlen(option_table[i].name) == n && strncmp(option_table[i].name, word, n) == 0 &&
        strchr(c->options, option_table[i].letter))
      return &option_table[i];
  return NULL;
}

static int set_number(unsigned *to, unsigned long most, const char *complaint, const char *value) {
  char *end;
  errno = 0;
  unsigned long v = strtoul(value, &end, 10);
  if (errno || *end || end == value || *value < '0' || *value > '9' || v == 0 || v > most)
    return complain(complaint, value);
  *to = (unsigned)v;
  return EXIT_OK;
}

static int add_to(const char *list[], unsigned *n, const char *value) {
  if (*n == ARGUMENTS_LIST_MAX) return complain("too often: 16 times are the most:", value);
  list[(*n)++] = value;
  return EXIT_OK;
}

static int set_option(arguments *a, const option_row *o, const char *value) {
  switch (o->letter) {
  case 's':
    a->server = value;
    break;
  case 'i':
    a->identity = value;
    break;
  case 't':
    return set_number(&a->timeout_s, 1000000, "--timeout wants a number of seconds from 1 to 1000000, not", value);
  case 'p':
    return set_number(&a->port, 65535, "--port wants a number from 1 to 65535, not", value);
  case 'L':
    return set_number(&a->lifetime_s, 3600, "--lifetime wants a number of seconds from 1 to 3600, not", value);
  case '1':
    return add_to(a->local, &a->n_local, value);
  case '2':
    return add_to(a->remote, &a->n_remote, value);
  case '4':
    return add_to(a->allow, &a->n_allow, value);
  case '5':
    return add_to(a->allow_bind, &a->n_allow_bind, value);
  case '3':
  case 'U':
    a->udp = true;
    break;
  case 'T':
    a->tcp = true;
    break;
  case '6':
    a->ipv6 = true;
    break;
  case 'H':
    a->hairpin = true;
    break;
  case 'e':
    a->ephemeral = true;
    break;
  case 'd':
    a->direct_only = true;
    break;
  case 'r':
    a->relay_only = true;
    break;
  case 'j':
  case 'J':
  case 'k':
    a->json = true;
    break;
  case 'q':
  case 'Q':
    a->quiet = true;
    break;
  case 'h':
    a->help = true;
    break;
  default:
    break;
  }
  return EXIT_OK;
}

/* A ticket in argv can be read by every process of the machine: take it out as soon as it is copied. */
static const char *take_ticket(char *word) {
  static char copy[THIRL_TICKET_MAX + 2];
  snprintf(copy, sizeof copy, "%s", word);
  if (strcmp(word, "-") != 0) memset(word, 'x', strlen(word));
  return copy;
}

static int parse(const command *c, int argc, char **argv, arguments *a) {
  for (int i = 0; i < argc; i++) {
    char *word = argv[i];
    if (word[0] != '-' || word[1] == '\0') {
      if (a->n_words < c->words_max) {
        a->words[a->n_words++] = word;
        continue;
      }
      if (c->words_max) return complain("too many arguments at", word);
      if (!c->takes_ticket) return complain("unexpected argument", word);
      if (a->ticket) return complain("only one ticket at a time", NULL);
      a->ticket = take_ticket(word);
      continue;
    }
    const char *equals = strchr(word, '=');
    const option_row *o = find_option(c, word, equals ? (size_t)(equals - word) : strlen(word));
    if (!o) return complain("unknown option", word);
    const char *value = equals ? equals + 1 : NULL;
    if (o->value && !value && ++i < argc) value = argv[i];
    if (o->value && (!value || !*value)) return complain(o->name, "wants a value");
    if (!o->value && equals) return complain(o->name, "takes no value");
    int bad = set_option(a, o, value);
    if (bad) return bad;
  }
  if (a->direct_only && a->relay_only) return complain("--direct-only and --relay-only exclude each other", NULL);
  return EXIT_OK;
}

/*
 * A standard stream that is closed would be the number of the next file that is opened. Nothing comes from /dev/null, and what is written to it, being
 * open for reading only, fails as it should.
 */
static void open_closed_streams(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd) _exit(EXIT_GENERIC);
}

/* argv[1] is the name of a command, and the rest is for it. */
static int dispatch(int argc, char **argv) {
  const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
  for (int i = 0; i < N_COMMANDS; i++) {
    const command *c = &command_table[i];
    if (strcmp(c->name, name) != 0) continue;
    if (c->run_words) return c->run_words(argc - 2, argv + 2);
    arguments a = {0};
    int bad = parse(c, argc - 2, argv + 2, &a);
    if (bad) {
      fprintf(stderr, "thirl: see \"thirl %s --help\"\n", c->name);
      return bad;
    }
    if (a.help) {
      print_help(c);
      return EXIT_OK;
    }
    return c->run(&a);
  }
  complain("unknown command", argv[1]);
  print_usage(stderr);
  return EXIT_USAGE;
}

int main(int argc, char **argv) {
  open_closed_streams();
  if (argc < 2) {
    print_usage(stderr);
    return EXIT_USAGE;
  }
  bool asks = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0;
  if (asks && (argc == 2 || argv[1][0] == '-')) {
    print_usage(stdout);
    return EXIT_OK;
  }
  if (asks) { /* "help nat" is "nat --help" */
    static char help[] = "--help";
    char *words[] = {argv[0], argv[2], help, NULL};
    return dispatch(3, words);
  }
  return dispatch(argc, argv);
}
