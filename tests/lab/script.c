/* SPDX-License-Identifier: MIT */
#include "lab/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 32, NAME_MAX = 16, PORTS_MAX = 64, LINE_MAX = 128 };

static const char letters[] = "abstu";

typedef struct named {
  char name[NAME_MAX];
  thirl_addr addr;
  thirl_natbox_packet packet; /* as it came out */
} named;

typedef struct play {
  subject *subject;
  bool invents_ports, failed;
  named names[NAMES_MAX];
  unsigned n_names;
  thirl_addr made_up[PORTS_MAX]; /* endpoints whose port nobody has asked for, in the order of appearance */
  unsigned n_made_up;
  char *out;
  size_t at;
} play;

static void print(play *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void print(play *p, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(p->out + p->at, SCRIPT_TEXT_MAX - p->at, format, args);
  va_end(args);
  if (n > 0) p->at += THIRL_MIN((size_t)n, SCRIPT_TEXT_MAX - 1 - p->at);
}

static void complain(play *p, const char *what) {
  print(p, "   <-- %s", what);
  p->failed = true;
}

static named *find(play *p, const char *name) {
  for (unsigned i = 0; i < p->n_names; i++)
    if (strcmp(p->names[i].name, name) == 0) return &p->names[i];
  return NULL;
}

/* "a", "a:5000", "w:80", or a name. */
static bool read_endpoint(play *p, const char *text, thirl_addr *out) {
  const char *host = strchr(letters, text[0]);
  bool short_form = text[0] != '\0' && (text[1] == ':' || text[1] == '\0');
  if (short_form && (host || text[0] == 'w' || text[0] == 'r')) {
    thirl_addr base = host ? subject_host((unsigned)(host - letters)) : text[0] == 'w' ? SUBJECT_OUTER : SUBJECT_INNER;
    *out = thirl_addr_with_port(base, text[1] ? (uint16_t)atoi(text + 2) : 0);
    return true;
  }
  named *n = find(p, text);
  if (n) *out = n->addr;
  return n != NULL;
}

static bool read_kind(const char *kind, thirl_natbox_packet *out) {
  static const struct {
    char letter;
    uint8_t flag;
  } flags[] = {{'S', THIRL_NATBOX_SYN},
               {'A', THIRL_NATBOX_ACK},
               {'R', THIRL_NATBOX_RST},
               {'F', THIRL_NATBOX_FIN},
               {'P', THIRL_NATBOX_PSH}};
  out->protocol = strcmp(kind, "udp") == 0 ? THIRL_NATBOX_UDP : THIRL_NATBOX_TCP;
  if (out->protocol == THIRL_NATBOX_UDP) return true;
  for (; *kind; kind++) {
    size_t i = 0;
    while (i < sizeof flags / sizeof *flags && flags[i].letter != *kind)
      i++;
    if (i == sizeof flags / sizeof *flags) return false;
    out->flags |= flags[i].flag;
  }
  return true;
}

/* One word behind the endpoints. */
static bool read_word(play *p, const char *word, thirl_natbox_packet *out, char label[NAME_MAX]) {
  static const uint8_t payload[1200] = {0};
  bool exceed = strncmp(word, "exceed=", 7) == 0;
  if (exceed || strncmp(word, "unreach=", 8) == 0) {
    named *about = find(p, strchr(word, '=') + 1);
    if (!about) return false;
    thirl_addr from = out->src;
    *out = thirl_natbox_packet_icmp_for(&about->packet,
                                        exceed ? THIRL_NATBOX_TIME_EXCEEDED : THIRL_NATBOX_PORT_UNREACHABLE, from);
    return true;
  }
  if (word[0] == '=') {
    snprintf(label, NAME_MAX, "%s", word + 1);
    return true;
  }
  if (strncmp(word, "seq=", 4) == 0) {
    out->seq = (uint32_t)strtoul(word + 4, NULL, 10);
    return true;
  }
  if (strncmp(word, "ack=", 4) == 0) {
    out->ack = (uint32_t)strtoul(word + 4, NULL, 10);
    return true;
  }
  if (strncmp(word, "len=", 4) == 0) {
    out->payload = THIRL_BYTES(payload, (size_t)atoi(word + 4));
    return true;
  }
  return read_kind(word, out);
}

/* An address as the script would call it. kept: the port that it would have if nobody had made one up. */
static void print_endpoint(play *p, const thirl_addr *a, uint16_t kept) {
  thirl_addr host = thirl_addr_with_port(*a, 0), outer = SUBJECT_OUTER, inner = SUBJECT_INNER;
  char letter = '?';
  for (unsigned i = 0; i < SUBJECT_HOSTS; i++) {
    thirl_addr h = subject_host(i);
    if (thirl_addr_equal(&h, &host)) letter = letters[i];
  }
  if (thirl_addr_equal(&host, &outer)) letter = 'w';
  if (thirl_addr_equal(&host, &inner)) letter = 'r';
  print(p, "%c", letter);
  if (a->port == 0) return;
  bool is_inner = letter == 'a' || letter == 'b';
  if (is_inner || (a->port == kept && !(letter == 'w' && p->invents_ports))) {
    print(p, ":%u", a->port);
    return;
  }
  unsigned i = 0;
  while (i < p->n_made_up && !thirl_addr_equal(&p->made_up[i], a))
    i++;
  if (i == p->n_made_up && i < PORTS_MAX) p->made_up[p->n_made_up++] = *a;
  print(p, ":#%u", i + 1);
}

/* sent: what made it come out, or NULL. */
static void print_packet(play *p, const subject_heard *h, const thirl_natbox_packet *sent) {
  const thirl_natbox_packet *q = &h->packet;
  bool is_error = q->protocol == THIRL_NATBOX_ICMP;
  thirl_addr none = {0}, src = sent ? sent->src : none, dst = sent ? sent->dst : none;
  if (sent && sent->protocol == THIRL_NATBOX_ICMP) {
    src = sent->inner.src;
    dst = sent->inner.dst;
  }
  print(p, " %s[", h->inside ? "in" : "out");
  /* Which of its addresses a NAT gives to an error of its own that goes inside is nobody's business. */
  if (is_error && h->inside && sent && sent->protocol != THIRL_NATBOX_ICMP)
    print(p, "*");
  else
    print_endpoint(p, &q->src, q->src.port == dst.port ? dst.port : src.port);
  print(p, ">");
  print_endpoint(p, &q->dst, q->dst.port == src.port ? src.port : dst.port);
  if (is_error) {
    print(p, " %s about ", q->icmp == THIRL_NATBOX_TIME_EXCEEDED ? "exceeded" : "unreachable");
    print_endpoint(p, &q->inner.src, q->inner.src.port == src.port ? src.port : dst.port);
    print(p, ">");
    print_endpoint(p, &q->inner.dst, q->inner.dst.port == dst.port ? dst.port : src.port);
  } else if (q->protocol == THIRL_NATBOX_TCP) {
    static const char flags[] = "FSRPA";
    print(p, " ");
    for (int i = 0; flags[i]; i++)
      if (q->flags & 1u << i) print(p, "%c", flags[i]);
    print(p, " seq=%u", q->seq);
    if (q->flags & THIRL_NATBOX_ACK) print(p, " ack=%u", q->ack);
  }
  if (q->payload.n) print(p, " len=%zu", q->payload.n);
  print(p, h->wrong_sum ? " WRONG CHECKSUM]" : "]");
}

/* '+' through, '-' nothing, '!' back where it came from. */
static char judge(play *p, char expected, bool from_inside, const subject_heard *heard, size_t n) {
  char got = '-';
  if (n > 1) complain(p, "more than one packet");
  if (n > 0) got = heard[0].inside == from_inside ? '!' : '+';
  bool turned = got == '!' && from_inside && n > 0 && heard[0].packet.protocol != THIRL_NATBOX_ICMP &&
                !(heard[0].packet.flags & THIRL_NATBOX_RST);
  if (turned) got = '+';
  if (expected != '?' && expected != got) complain(p, "not what the script says");
  return got;
}

static void play_packet(play *p, char expected, char *words) {
  thirl_natbox_packet packet = {.ttl = 60};
  char label[NAME_MAX] = "", *rest = NULL;
  char *from = strtok_r(words, " ", &rest), *arrow = strtok_r(NULL, " ", &rest), *to = strtok_r(NULL, " ", &rest);
  if (!to || strcmp(arrow, ">") != 0 || !read_endpoint(p, from, &packet.src) || !read_endpoint(p, to, &packet.dst)) {
    complain(p, "no endpoints");
    return;
  }
  bool from_inside = packet.src.ip[0] == 192;
  for (char *word; (word = strtok_r(NULL, " ", &rest)) != NULL;)
    if (!read_word(p, word, &packet, label)) {
      complain(p, "no such word");
      return;
    }
  subject_heard heard[SUBJECT_HEARD_MAX];
  size_t n = p->subject->send(p->subject, from_inside, &packet, heard);
  for (size_t i = 0; i < n; i++)
    print_packet(p, &heard[i], &packet);
  bool passed = judge(p, expected, from_inside, heard, n) == '+';
  if (label[0] == '\0' || p->n_names == NAMES_MAX) return;
  if (!passed) {
    /* Later lines may use it all the same: it leads nowhere. */
    heard[0] = (subject_heard){.packet = packet};
    heard[0].packet.src = thirl_addr_with_port(SUBJECT_OUTER, 1);
  }
  named *name = find(p, label);
  if (!name) name = &p->names[p->n_names++];
  snprintf(name->name, sizeof name->name, "%s", label);
  name->addr = heard[0].packet.src;
  name->packet = heard[0].packet;
}

static void play_line(play *p, char *line) {
  unsigned ms = 0;
  while (*line == ' ')
    line++;
  print(p, "%s  ::", line);
  if (sscanf(line, "wait %u", &ms) == 1) {
    subject_heard heard[SUBJECT_HEARD_MAX];
    size_t n = p->subject->wait(p->subject, ms, heard);
    for (size_t i = 0; i < n; i++)
      print_packet(p, &heard[i], NULL);
  } else if (*line != '\0' && strchr("+-!?", line[0]) && line[1] == ' ') {
    play_packet(p, line[0], line + 2);
  } else {
    complain(p, "not a line of a script");
  }
  print(p, "\n");
}

bool script_play(subject *s, const char *script, bool invents_ports, char out[SCRIPT_TEXT_MAX]) {
  play p = {.subject = s, .invents_ports = invents_ports, .out = out};
  out[0] = '\0';
  while (*script) {
    char line[LINE_MAX];
    size_t n = strcspn(script, "\n");
    snprintf(line, sizeof line, "%.*s", (int)THIRL_MIN(n, sizeof line - 1), script);
    play_line(&p, line);
    script += n + (script[n] == '\n');
  }
  return !p.failed;
}
