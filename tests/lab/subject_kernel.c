/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab/frame.h"
#include "lab/netfilter/netfilter.h"
#include "lab/router.h"
#include "lab/subject.h"

bool subject_kernel_begin(char *why, size_t size) {
  return router_begin(why, size);
}

static bool load(const char *rules) {
  static const char *const nft[] = {"nft", "-f", "-", NULL}, *const flush[] = {"conntrack", "-F", NULL};
  static const char *const clear[] = {"nft", "flush", "ruleset", NULL};
  return router_run(clear, NULL, false) == 0 && router_run(nft, rules, false) == 0 &&
         router_run(flush, NULL, true) == 0;
}

static const char *set_sysctls(const thirl_natbox_config *config) {
  static char reason[96];
  thirl_lab_node node = {.kind = THIRL_LAB_NAT, .name = "nat", .nat = *config};
  thirl_lab_netfilter_sysctls sysctls;
  thirl_lab_netfilter_sysctls_of(&node, &sysctls);
  for (size_t i = 0; i < sysctls.n; i++)
    if (!router_sysctl(sysctls.items[i].name, sysctls.items[i].value) && !sysctls.items[i].optional) {
      snprintf(reason, sizeof reason, "no sysctl %s", sysctls.items[i].name);
      return reason;
    }
  return NULL;
}

static const char *kernel_open(subject *s, const thirl_natbox_config *config) {
  static char reason[320];
  thirl_lab_node node = {.kind = THIRL_LAB_NAT, .name = "nat", .nat = *config};
  thirl_lab_complaint why = {.text = ""};
  char *rules = NULL;
  (void)s;
  thirl_error e = thirl_lab_netfilter_rules(&node, "wan", "lan", &rules, &why);
  if (e != THIRL_OK) {
    snprintf(reason, sizeof reason, "%s%s", e == THIRL_E_UNSUPPORTED ? "-" : "", why.text);
    return reason;
  }
  bool done = load(rules);
  free(rules);
  return done ? set_sysctls(config) : "nft does not take the rules";
}

/* Plain masquerade as people write it, without any of our rules: the kernel's own behaviour. */
static const char *masquerade_open(subject *s, const thirl_natbox_config *config) {
  char rules[512];
  (void)s;
  if (config->udp.collision != THIRL_NATBOX_COLLIDE_OVERLAP) return "-not masquerade";
  bool drops = config->udp.unsolicited == THIRL_NATBOX_DROP;
  if (!drops && config->udp.unsolicited != THIRL_NATBOX_LOCAL) return "-masquerade has no such answer";
  snprintf(rules, sizeof rules,
           "table ip plain {\n chain in {\n type filter hook input priority 0;\n %s\n }\n"
           " chain inside {\n type filter hook input priority 1;\n %s\n }\n"
           " chain out {\n type nat hook postrouting priority srcnat;\n oifname wan masquerade %s\n }\n"
           " chain through {\n type filter hook forward priority 0;\n ct state invalid drop\n"
           " iifname wan ct state new drop\n }\n}\n",
           drops ? "iifname wan ct state { new, invalid } drop" : "",
           config->hairpin == THIRL_NATBOX_HAIRPIN_OFF ? "iifname lan ip daddr 203.0.113.1 drop" : "",
           config->udp.allocation == THIRL_NATBOX_RANDOM ? "fully-random" : "");
  return load(rules) ? set_sysctls(config) : "nft does not take the rules";
}

typedef struct hearing {
  subject_heard *heard;
  size_t n;
} hearing;

static void hear(void *ctx, unsigned side, const uint8_t *frame, size_t len) {
  hearing *h = ctx;
  bool sums = false;
  if (h->n == SUBJECT_HEARD_MAX) return;
  subject_heard *next = &h->heard[h->n];
  if (!frame_decode(frame, len, &next->packet, &sums)) return;
  next->packet.payload.p = NULL;
  next->inside = side == ROUTER_INSIDE;
  next->wrong_sum = false; /* a card would finish those of the kernel itself */
  h->n++;
}

static size_t kernel_send(subject *s, bool from_inside, const thirl_natbox_packet *p, subject_heard *heard) {
  uint8_t frame[FRAME_MAX];
  unsigned side = from_inside ? ROUTER_INSIDE : ROUTER_OUTSIDE;
  hearing h = {.heard = heard};
  (void)s;
  size_t n = frame_encode(p, router_mac(side), router_hosts_mac(side), frame);
  if (n == 0 || !router_send(side, frame, n, hear, &h)) fprintf(stderr, "the router does not answer\n");
  return h.n;
}

static size_t kernel_wait(subject *s, unsigned ms, subject_heard *heard) {
  hearing h = {.heard = heard};
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
  (void)s;
  nanosleep(&t, NULL);
  router_send(ROUTER_INSIDE, NULL, 0, hear, &h);
  return h.n;
}

static void kernel_close(subject *s) {
  (void)s;
}

subject subject_kernel(void) {
  return (subject){
      .name = "netfilter", .open = kernel_open, .send = kernel_send, .wait = kernel_wait, .close = kernel_close};
}

subject subject_masquerade(void) {
  return (subject){
      .name = "masquerade", .open = masquerade_open, .send = kernel_send, .wait = kernel_wait, .close = kernel_close};
}
