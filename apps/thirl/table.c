/* SPDX-License-Identifier: MIT */
/* The commands and their options. What is not here does not exist: dispatch, --help, the manual and completion are made of this. */
#include <stddef.h>

#include "command.h"
#include "lab_command.h"

#define PLACE(field) .offset = offsetof(arguments, field)
#define FLAG(row, word, field, text)                                                                                   \
  static const option_row row = {.name = word, .help = text, .kind = OPTION_FLAG, PLACE(field)}
#define TEXT(row, word, stands, field, text)                                                                           \
  static const option_row row = {.name = word, .value = stands, .help = text, .kind = OPTION_TEXT, PLACE(field)}
#define LIST(row, word, stands, field, text)                                                                           \
  static const option_row row = {.name = word, .value = stands, .help = text, .kind = OPTION_LIST, PLACE(field)}
#define NUMBER(row, word, stands, field, highest, what, text)                                                          \
  static const option_row row = {.name = word,                                                                         \
                                 .value = stands,                                                                      \
                                 .help = text,                                                                         \
                                 .kind = OPTION_NUMBER,                                                                \
                                 PLACE(field),                                                                         \
                                 .least = 1,                                                                           \
                                 .most = highest,                                                                      \
                                 .wants = what}

/* ---- a session ---- */

TEXT(server, "--server", "HOST[:PORT]", server, "the rendezvous server (default: $THIRL_SERVER; port 3478)");
TEXT(identity, "--identity", "FILE", identity,
     "the private key (default: $XDG_CONFIG_HOME/thirl/key.pem, made on first use)");
FLAG(ephemeral, "--ephemeral", ephemeral, "use a key of its own for this run and keep it nowhere");
FLAG(direct_only, "--direct-only", direct_only, "no byte through the relay; exit 5 when there is no direct path");
FLAG(relay_only, "--relay-only", relay_only, "show no address to the peer");
NUMBER(timeout, "--timeout", "SECONDS", timeout_s, 1000000, "a number of seconds",
       "how long to wait for the peer (default: 30; without a ticket: for ever)");
FLAG(json_events, "--json", json, "events as one JSON object a line on stderr");
FLAG(quiet, "--quiet", quiet, "say nothing on stderr but the ticket and errors");
FLAG(help, "--help", help, "this text");

/* ---- forward ---- */

LIST(local, "-L", "[BIND:]PORT:HOST:HOSTPORT", local, "listen here, connect there: HOST:HOSTPORT as the peer sees it");
LIST(remote, "-R", "[BIND:]PORT:HOST:HOSTPORT", remote, "listen at the peer, connect from here");
LIST(udp_ways, "-U", "[BIND:]PORT:HOST:HOSTPORT", udp_ways, "the same for UDP: not there yet");
LIST(allow_forward, "--allow-forward", "HOST:PORT", allow,
     "let \"thirl forward -L\" connect to this, and be no pipe; * for any host or port");
LIST(allow_bind, "--allow-bind", "[HOST:]PORT", allow_bind, "let \"thirl forward -R\" listen at this port of ours");

/* ---- send and receive ---- */

TEXT(to, "--to", "TICKET", to, "reach the peer of this ticket instead of making one; - for the first line of stdin");
FLAG(recursive, "-r", recursive, "send folders too, with all that is in them; symbolic links are left out");
TEXT(into, "--into", "DIR", into, "the folder that files go to (default: the current one)");
FLAG(overwrite, "--overwrite", overwrite, "replace files that are there already");
FLAG(yes, "--yes", yes, "take what is offered without a question");
NUMBER(patience, "--timeout", "SECONDS", timeout_s, 1000000, "a number of seconds",
       "how long to wait for the peer, at first (default: 30; without a ticket: for ever) and after a break (60)");

/* ---- chat ---- */

FLAG(keep, "--keep", keep, "when the peer leaves, wait for the next with the same ticket");

/* ---- nat ---- */

FLAG(udp, "--udp", udp, "look at UDP only");
FLAG(tcp, "--tcp", tcp, "look at TCP only");
FLAG(ipv6, "--ipv6", ipv6, "look at IPv6 instead of IPv4");
NUMBER(port, "--port", "PORT", port, 65535, "a number", "the local port whose mapping is looked at (default: any)");
FLAG(hairpin, "--hairpin", hairpin,
     "also whether two hosts behind the NAT meet at its outer address; some firewalls take it for an attack");
NUMBER(lifetime, "--lifetime", "SECONDS", lifetime_s, 3600, "a number of seconds",
       "also how long an idle UDP mapping lives, up to so long; takes that time");
FLAG(json_report, "--json", json, "the report as one JSON object on stdout (docs/nat-json.md)");
FLAG(no_progress, "--quiet", quiet, "no progress on stderr");

/* ---- tune ---- */

TEXT(profile, "--profile", "server|router|client", profile, "what the machine is for (default: guessed, and said so)");
NUMBER(window, "--window", "SECONDS", window_s, 3600, "a number of seconds",
       "how long to watch the counters (default: 5)");
TEXT(what_if, "--what-if", "KEY=NUMBER,...", what_if,
     "judge for this load: clients, tcp (of them over TCP), relays, pps, stall-ms, relay-ports=FIRST-LAST");
NUMBER(pid, "--pid", "PID", pid, 4194304, "the number of a process",
       "look at this process: its limits, its sockets, in its network namespace (default: a running thirld)");
TEXT(only, "--only", "ID,...", only, "nothing but these findings, such as UDP1,CT2");
TEXT(nat_report, "--nat", "FILE", nat_report, "what \"thirl nat --json\" has found, for NAT1 to NAT4; - for stdin");
FLAG(all, "--all", all, "also what is fine");
TEXT(root, "--root", "DIR", root, "judge a recorded tree of /proc and /sys instead of this machine");
FLAG(print_tune, "--print", print,
     "write pieces of configuration that mend what was found, to look at and put in place");
TEXT(format, "--format", "sysctl|systemd|limits|nft|all", format, "with --print: what to write (default: all)");
FLAG(apply, "--apply", apply,
     "show what would be changed, ask, and change it: settings, and /etc/sysctl.d/60-thirl.conf");
FLAG(yes_apply, "--yes", yes, "with --apply: do not ask");
FLAG(undo, "--undo", undo, "put back what --apply has changed, and remove what it has made");
FLAG(force, "--force", force, "with --apply and --undo: also over what somebody else has changed since");
FLAG(watch, "--watch", watch, "follow the counters, and say which limit is nearest and when it is reached; q quits");
NUMBER(interval, "--interval", "SECONDS", interval_s, 3600, "a number of seconds",
       "with --watch: between two looks (default: 1)");
NUMBER(count, "--count", "N", count, 1000000, "a number", "with --watch: so many looks (default: no end)");
FLAG(json_tune, "--json", json, "the report as one JSON object on stdout (docs/tune-json.md)");
FLAG(quiet_tune, "--quiet", quiet, "warnings only");

/* ---- small things ---- */

FLAG(json_same, "--json", json, "the same as one JSON object on stdout");

static const option_row *const for_listen[] = {&server,     &identity, &ephemeral,   &direct_only,
                                               &relay_only, &timeout,  &json_events, &allow_forward,
                                               &allow_bind, &quiet,    &help,        NULL};
static const option_row *const for_connect[] = {&identity,    &ephemeral, &direct_only, &relay_only, &timeout,
                                                &json_events, &quiet,     &help,        NULL};
static const option_row *const for_forward[] = {&local,       &remote,      &udp_ways,   &identity,
                                                &ephemeral,   &direct_only, &relay_only, &timeout,
                                                &json_events, &quiet,       &help,       NULL};
static const option_row *const for_chat[] = {&server,      &identity, &ephemeral, &direct_only, &relay_only, &timeout,
                                             &json_events, &keep,     &quiet,     &help,        NULL};
static const option_row *const for_key[] = {&identity, &json_same, &help, NULL};
static const option_row *const for_nat[] = {&server,   &udp,         &tcp,         &ipv6, &port, &hairpin,
                                            &lifetime, &json_report, &no_progress, &help, NULL};
static const option_row *const for_tune[] = {
    &profile, &window, &what_if,   &pid,  &only,  &nat_report, &all,      &root,  &json_tune, &quiet_tune, &print_tune,
    &format,  &apply,  &yes_apply, &undo, &force, &watch,      &interval, &count, &help,      NULL};
static const option_row *const for_send[] = {&to,         &recursive, &server,      &identity, &ephemeral, &direct_only,
                                             &relay_only, &patience,  &json_events, &quiet,    &help,      NULL};
static const option_row *const for_receive[] = {&into,      &overwrite,   &yes,        &server,   &identity,
                                                &ephemeral, &direct_only, &relay_only, &patience, &json_events,
                                                &quiet,     &help,        NULL};
static const option_row *const for_version[] = {&json_same, &help, NULL};

/* Of what asks nobody else. */
#define LOCAL_EXITS (EXIT_SET(EXIT_OK) | EXIT_SET(EXIT_GENERIC) | EXIT_SET(EXIT_USAGE))

const command command_table[] = {
    {.name = "listen",
     .synopsis = "[options]",
     .summary = "make a ticket, wait for one peer, and be a pipe to it",
     .options = for_listen,
     .run = command_listen},
    {.name = "connect",
     .synopsis = "[options] TICKET | -",
     .summary = "reach the peer of a ticket and be a pipe to it",
     .options = for_connect,
     .takes_ticket = true,
     .run = command_connect},
    {.name = "forward",
     .synopsis = "[options] TICKET | -",
     .summary = "carry TCP connections to and from the peer of a ticket, in ssh's words",
     .options = for_forward,
     .takes_ticket = true,
     .run = command_forward},
    {.name = "send",
     .synopsis = "[options] FILE...",
     .summary = "send files to a peer that runs \"thirl receive\"; goes on where a broken transfer stopped",
     .options = for_send,
     .words_max = ARGUMENTS_WORDS_MAX,
     .run = command_send},
    {.name = "receive",
     .synopsis = "[options] [TICKET | -]",
     .summary = "receive files from a peer that runs \"thirl send\"",
     .options = for_receive,
     .takes_ticket = true,
     .run = command_receive},
    {.name = "chat",
     .synopsis = "[options] [TICKET | -]",
     .summary = "talk to somebody: make a ticket and wait, or reach the peer of one",
     .options = for_chat,
     .takes_ticket = true,
     .run = command_chat},
    {.name = "key",
     .synopsis = "[options]",
     .summary = "print the id of this machine's key, making the key on first use",
     .options = for_key,
     .exits = LOCAL_EXITS,
     .run = command_key},
    {.name = "nat",
     .synopsis = "[options] [SERVER[:PORT]...]",
     .summary = "tell what NAT this machine is behind, and what that means",
     .options = for_nat,
     .words_max = 8,
     .exits = LOCAL_EXITS | EXIT_SET(EXIT_NO_SERVER) | EXIT_SET(EXIT_SIGNAL),
     .run = command_nat},
    {.name = "tune",
     .synopsis = "[options]",
     .summary = "tell whether this Linux suits what shall run on it, and what to change",
     .options = for_tune,
     .exits = LOCAL_EXITS | EXIT_SET(EXIT_WARN) | EXIT_SET(EXIT_CRIT) | EXIT_SET(EXIT_SIGNAL),
     .run = command_tune},
    {.name = "lab",
     .synopsis = "COMMAND [options]",
     .summary = "any network of hosts and NATs on this machine; see \"thirl lab --help\"",
     .commands = lab_table,
     .run_words = command_lab},
    {.name = "version",
     .synopsis = "[options]",
     .summary = "print the version",
     .options = for_version,
     .exits = LOCAL_EXITS,
     .run = command_version},
    {.name = NULL},
};
