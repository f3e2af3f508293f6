/* SPDX-License-Identifier: MIT */
/* The lab's engine with one NAT: frames go in at the cables of hosts, which answer ARP and nothing else. */
#include <stdio.h>
#include <string.h>

#include "lab/internet/engine.h"
#include "lab/frame.h"
#include "lab/subject.h"

static const char network[] = "seed 1\n"
                              "net inet 203.0.113.0/24\n"
                              "nat nat inet 203.0.113.1 lan 192.168.1.0/24\n"
                              "host a nat 192.168.1.10\n"
                              "host b nat 192.168.1.11\n"
                              "host s inet 203.0.113.10\n"
                              "host t inet 203.0.113.20\n"
                              "host u inet 203.0.113.30\n";

typedef struct cable {
  size_t port;
  uint8_t mac[FRAME_MAC];
} cable;

static thirl_lab_topology *topology;
static thirl_lab_engine_machine *engine;
static thirl_time now;
static cable cables[SUBJECT_HOSTS];

typedef struct hearing {
  subject_heard *heard;
  size_t n;
  const thirl_addr *asked; /* whose MAC is looked for */
  uint8_t mac[FRAME_MAC];
  bool found;
} hearing;

static void engine_close(subject *s) {
  (void)s;
  thirl_lab_engine_free(engine);
  thirl_lab_topology_free(topology);
  engine = NULL;
  topology = NULL;
}

static const char *engine_open(subject *s, const thirl_natbox_config *config) {
  static thirl_lab_complaint why;
  static const char names[SUBJECT_HOSTS][2] = {"a", "b", "s", "t", "u"};
  engine_close(s);
  if (thirl_lab_topology_read("same", network, sizeof network - 1, &topology, &why) != THIRL_OK) return why.text;
  topology->nodes[thirl_lab_model_find_node(topology, "nat")].nat = *config;
  now = THIRL_S;
  engine = thirl_lab_engine_new(topology, now);
  if (!engine) return "no memory";
  for (unsigned h = 0; h < SUBJECT_HOSTS; h++) {
    size_t node = thirl_lab_model_find_node(topology, names[h]);
    cables[h] = (cable){.mac = {2, 0, 0, 0, 9, (uint8_t)h}};
    for (size_t p = 0; p < thirl_lab_engine_count_ports(engine); p++)
      if (thirl_lab_engine_get_port(engine, p).node == node) cables[h].port = p;
  }
  return NULL;
}

static unsigned host_at(size_t port) {
  unsigned h = 0;
  while (h < SUBJECT_HOSTS && cables[h].port != port)
    h++;
  return h;
}

static void listen_to(hearing *h);

static void put(unsigned host, uint8_t *frame, size_t len, hearing *h) {
  uint8_t vnet[THIRL_LAB_VNET_LEN] = {0};
  thirl_lab_engine_input(engine, now, cables[host].port, vnet, frame, len);
  listen_to(h);
}

static void take_packet(hearing *h, unsigned host, const uint8_t *frame, size_t len) {
  if (h->n == SUBJECT_HEARD_MAX) return;
  subject_heard *next = &h->heard[h->n];
  bool sums = false;
  if (!frame_decode(frame, len, &next->packet, &sums)) return;
  next->packet.payload.p = NULL;
  next->inside = subject_is_inside(host);
  next->wrong_sum = !sums;
  h->n++;
}

/* What the engine sends, until it is quiet. Hosts answer questions about themselves. */
static void listen_to(hearing *h) {
  enum { QUESTIONS_MAX = 16 };
  static uint8_t answers[QUESTIONS_MAX][FRAME_MAX];
  unsigned from[QUESTIONS_MAX], n_answers = 0;
  size_t n = 0, lengths[QUESTIONS_MAX];
  while (thirl_lab_engine_deadline(engine) <= now)
    thirl_lab_engine_tick(engine, now);
  const thirl_lab_fabric_frame *frames = thirl_lab_engine_frames(engine, &n);
  for (size_t i = 0; i < n; i++) {
    unsigned host = host_at(frames[i].port);
    bool is_question = false;
    thirl_addr sender, target, self = host < SUBJECT_HOSTS ? subject_host(host) : (thirl_addr){0};
    if (!frame_arp_decode(frames[i].data, frames[i].len, &is_question, &sender, &target)) {
      take_packet(h, host, frames[i].data, frames[i].len);
    } else if (is_question && thirl_addr_equal(&target, &self) && n_answers < QUESTIONS_MAX) {
      from[n_answers] = host;
      lengths[n_answers] = frame_arp_answer(frames[i].data, cables[host].mac, answers[n_answers]);
      n_answers++;
    } else if (!is_question && h->asked && thirl_addr_equal(&sender, h->asked)) {
      memcpy(h->mac, frames[i].data + FRAME_MAC, FRAME_MAC);
      h->found = true;
    }
  }
  thirl_lab_engine_clear(engine);
  for (unsigned i = 0; i < n_answers; i++) {
    uint8_t frame[FRAME_MAX];
    memcpy(frame, answers[i], lengths[i]);
    put(from[i], frame, lengths[i], h);
  }
}

static size_t engine_send(subject *s, bool from_inside, const thirl_natbox_packet *p, subject_heard *heard) {
  (void)s;
  uint8_t frame[FRAME_MAX];
  unsigned host = 0;
  now += 10;
  for (unsigned h = 0; h < SUBJECT_HOSTS; h++) {
    thirl_addr self = subject_host(h);
    if (thirl_addr_same_ip(&self, &p->src)) host = h;
  }
  /* Inside everything goes to the router; outside all are on one net. */
  thirl_addr next = from_inside ? SUBJECT_INNER : thirl_addr_with_port(p->dst, 0), self = subject_host(host);
  hearing h = {.heard = heard, .asked = &next};
  put(host, frame, frame_arp_ask(&next, &self, cables[host].mac, frame), &h);
  if (!h.found) {
    fprintf(stderr, "nobody has the address of the NAT\n");
    return 0;
  }
  uint8_t to[FRAME_MAC];
  memcpy(to, h.mac, sizeof to);
  put(host, frame, frame_encode(p, to, cables[host].mac, frame), &h);
  return h.n;
}

static size_t engine_wait(subject *s, unsigned ms, subject_heard *heard) {
  (void)s;
  hearing h = {.heard = heard};
  thirl_time until = now + ms * THIRL_MS;
  for (thirl_time due; (due = thirl_lab_engine_deadline(engine)) <= until;) {
    now = THIRL_MAX(now, due);
    thirl_lab_engine_tick(engine, now);
    listen_to(&h);
  }
  now = until;
  return h.n;
}

subject subject_engine(void) {
  return (subject){
      .name = "engine", .open = engine_open, .send = engine_send, .wait = engine_wait, .close = engine_close};
}
