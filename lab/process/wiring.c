/* SPDX-License-Identifier: MIT */
#include "lab/process/wiring.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/netfilter/netfilter.h"
#include "lab/process/program.h"
#include "lab/netfilter/recipe.h"

#define HOST_INTERFACE  "eth0"
#define OUTER_INTERFACE "wan"
#define INNER_INTERFACE "lan"

enum { AT_ONCE = 16 }; /* programs */

static const char *const ip_batch[] = {"ip", "-batch", "-", NULL};
static const char *const nft_file[] = {"nft", "-f", "-", NULL};
static const char *const sh_script[] = {"sh", "-e", NULL};

/* ---- text for ip ---- */

typedef struct script {
  char *text;
  size_t n, size;
  bool failed; /* no memory */
} script;

__attribute__((format(printf, 2, 3))) static void say(script *s, const char *format, ...) {
  va_list list, again;
  va_start(list, format);
  va_copy(again, list);
  int n = vsnprintf(NULL, 0, format, list);
  va_end(list);
  if (n >= 0 && s->n + (size_t)n + 2 > s->size) {
    size_t size = 2 * s->size + (size_t)n + 256;
    char *text = realloc(s->text, size);
    s->failed |= !text;
    if (text) {
      s->text = text;
      s->size = size;
    }
  }
  if (n >= 0 && !s->failed) {
    vsnprintf(s->text + s->n, s->size - s->n, format, again);
    s->n += (size_t)n;
    s->text[s->n++] = '\n';
    s->text[s->n] = '\0';
  }
  va_end(again);
}

static void say_addresses(script *s, const thirl_lab_cable *c, const char *interface) {
  char text[THIRL_LAB_ADDRESS_TEXT_MAX];
  for (size_t i = 0; i < c->n_addrs; i++)
    say(s, "address add %s dev %s%s", thirl_lab_address_format(&c->addrs[i], text), interface,
        c->addrs[i].addr.family == THIRL_FAMILY_V6 ? " nodad" : "");
}

/* To the gateway of the prefix in which the node has its first address of each family. */
static void say_routes(script *s, const thirl_lab_topology *t, const thirl_lab_cable *c, const char *interface) {
  char text[THIRL_LAB_ADDRESS_TEXT_MAX];
  const thirl_lab_net *net = &t->nets[c->net];
  for (thirl_family family = THIRL_FAMILY_V4; family <= THIRL_FAMILY_V6; family += THIRL_FAMILY_V6 - THIRL_FAMILY_V4) {
    const thirl_addr *a = thirl_lab_model_address(c, family);
    size_t i = a ? thirl_lab_model_find_prefix(net, a) : SIZE_MAX;
    if (i == SIZE_MAX) continue;
    say(s, "route replace %s via %s dev %s", family == THIRL_FAMILY_V6 ? "::/0" : "0.0.0.0/0",
        thirl_lab_address_format_ip(&net->gateways[i].addr, text), interface);
  }
}

static void say_node(script *s, const thirl_lab_topology *t, const thirl_lab_node *n) {
  const char *outer = n->kind == THIRL_LAB_HOST ? HOST_INTERFACE : OUTER_INTERFACE;
  say(s, "link set dev lo up");
  say(s, "link set dev %s up", outer);
  say_addresses(s, &n->outer, outer);
  say_routes(s, t, &n->outer, outer);
  if (n->kind == THIRL_LAB_HOST) return;
  say(s, "link set dev " INNER_INTERFACE " up");
  say_addresses(s, &n->inner, INNER_INTERFACE);
}

static thirl_error run_script(int netns, script *s, thirl_lab_complaint *why) {
  thirl_error e = s->failed ? thirl_lab_words_complain(why, THIRL_E_NOMEM, "out of memory")
                            : thirl_lab_program_run(netns, ip_batch, s->text, why);
  free(s->text);
  return e;
}

/* ---- namespaces ---- */

static bool has_namespace(const thirl_lab_node *n) {
  return n->kind == THIRL_LAB_HOST || n->engine == THIRL_LAB_NETFILTER;
}

/* Of the namespace that we are in. */
static thirl_error set_up_kernel(bool has_v6, thirl_lab_complaint *why) {
  static const struct {
    const char *name, *value;
    bool is_needed;
  } settings[] = {
      {"net.ipv4.conf.all.rp_filter", "0", true},         {"net.ipv4.conf.default.rp_filter", "0", true},
      {"net.ipv6.conf.all.accept_dad", "0", false},       {"net.ipv6.conf.default.accept_dad", "0", false},
      {"net.ipv6.conf.all.accept_ra", "0", false},        {"net.ipv6.conf.default.accept_ra", "0", false},
      {"net.bridge.bridge-nf-call-iptables", "0", false}, {"net.bridge.bridge-nf-call-ip6tables", "0", false},
  };
  thirl_error e = THIRL_OK;
  for (size_t i = 0; e == THIRL_OK && i < sizeof settings / sizeof *settings; i++) {
    thirl_error bad = thirl_lab_namespace_set(settings[i].name, settings[i].value, why);
    if (bad != THIRL_OK && (settings[i].is_needed || bad != THIRL_E_NOT_FOUND)) e = bad;
  }
  if (e != THIRL_OK) return e;
  const char *off = has_v6 ? "0" : "1";
  e = thirl_lab_namespace_set("net.ipv6.conf.all.disable_ipv6", off, why);
  if (e == THIRL_OK) e = thirl_lab_namespace_set("net.ipv6.conf.default.disable_ipv6", off, why);
  if (e == THIRL_E_NOT_FOUND && has_v6)
    return thirl_lab_words_complain(why, THIRL_E_UNSUPPORTED,
                                    "the topology has IPv6 addresses, and the kernel no IPv6");
  return e == THIRL_E_NOT_FOUND ? THIRL_OK : e;
}

static bool has_v6(const thirl_lab_node *n) {
  return thirl_lab_model_address(&n->outer, THIRL_FAMILY_V6) || thirl_lab_model_address(&n->inner, THIRL_FAMILY_V6);
}

/* A host that moves may come to a net with IPv6. */
static bool may_have_v6(const thirl_lab_topology *t, size_t node) {
  bool has = has_v6(&t->nodes[node]);
  for (size_t i = 0; i < t->n_events; i++)
    has |= t->events[i].node == node && t->events[i].addr.addr.family == THIRL_FAMILY_V6;
  return has;
}

static thirl_error set_up_nat(const thirl_lab_node *n, thirl_lab_complaint *why) {
  thirl_lab_netfilter_sysctls all;
  thirl_error e = THIRL_OK;
  thirl_lab_netfilter_sysctls_of(n, &all);
  for (size_t i = 0; e == THIRL_OK && i < all.n; i++) {
    e = thirl_lab_namespace_set(all.items[i].name, all.items[i].value, why);
    if (e == THIRL_E_NOT_FOUND && all.items[i].optional) e = THIRL_OK;
  }
  return e;
}

thirl_error thirl_lab_wiring_open(const thirl_lab_topology *t, int home, thirl_lab_wiring *w,
                                  thirl_lab_complaint *why) {
  *w = (thirl_lab_wiring){.home = home};
  for (size_t i = 0; i < THIRL_LAB_NODES_MAX; i++)
    w->nodes[i] = -1;
  thirl_error e = set_up_kernel(false, why);
  for (size_t i = 0; e == THIRL_OK && i < t->n_nodes; i++) {
    if (!has_namespace(&t->nodes[i])) continue;
    e = thirl_lab_namespace_new(&w->nodes[i], why);
    if (e == THIRL_OK) e = set_up_kernel(may_have_v6(t, i), why);
    if (e == THIRL_OK) w->ids[w->n_ids++] = thirl_lab_namespace_id(w->nodes[i]);
  }
  thirl_error back = thirl_lab_namespace_switch(home, e == THIRL_OK ? why : NULL);
  return e != THIRL_OK ? e : back;
}

void thirl_lab_wiring_close(thirl_lab_wiring *w) {
  for (size_t i = 0; i < THIRL_LAB_NODES_MAX; i++) {
    if (w->nodes[i] >= 0) close(w->nodes[i]);
    w->nodes[i] = -1;
  }
}

/* ---- interfaces ---- */

const char *thirl_lab_wiring_port_name(size_t port, char out[THIRL_LAB_WIRING_PORT_NAME_MAX]) {
  snprintf(out, THIRL_LAB_WIRING_PORT_NAME_MAX, "p%zu", port);
  return out;
}

/* The cables, all at once. The hosts' MACs are always the same, so that captures can be compared. */
static thirl_error lay_cables(const thirl_lab_wiring *w, const thirl_lab_topology *t, const thirl_lab_engine_machine *e,
                              thirl_lab_complaint *why) {
  script s = {0};
  char name[THIRL_LAB_WIRING_PORT_NAME_MAX];
  size_t n = thirl_lab_engine_count_ports(e);
  say(&s, "link set dev lo up");
  for (size_t i = 0; i < n; i++) {
    thirl_lab_engine_port p = thirl_lab_engine_get_port(e, i);
    const char *interface = t->nodes[p.node].kind == THIRL_LAB_HOST ? HOST_INTERFACE
                            : p.inner                               ? INNER_INTERFACE
                                                                    : OUTER_INTERFACE;
    thirl_lab_wiring_port_name(i, name);
    say(&s, "link add name %s type veth peer name %s address 02:74:68:00:%02zx:%02zx netns /proc/self/fd/%d", name,
        interface, i >> 8 & 0xff, i & 0xff, w->nodes[p.node]);
    say(&s, "link set dev %s arp off up", name);
  }
  if (s.failed) {
    free(s.text);
    return thirl_lab_words_complain(why, THIRL_E_NOMEM, "out of memory");
  }
  thirl_lab_program p;
  thirl_lab_program_start(&p, -1, ip_batch, s.text, w->nodes, t->n_nodes);
  thirl_error bad = thirl_lab_program_finish(&p, why);
  free(s.text);
  if (bad == THIRL_E_IO && why && (strstr(why->text, "not supported") || strstr(why->text, "Unknown device")))
    return thirl_lab_words_complain(why, THIRL_E_UNSUPPORTED, "the kernel has no veth interfaces (module veth)");
  return bad;
}

/* Each node's script at the same time. */
static thirl_error address_all(const thirl_lab_wiring *w, const thirl_lab_topology *t, thirl_lab_complaint *why) {
  thirl_lab_program programs[AT_ONCE];
  thirl_error e = THIRL_OK;
  for (size_t i = 0; e == THIRL_OK && i < t->n_nodes;) {
    size_t n = 0;
    for (; i < t->n_nodes && n < AT_ONCE; i++) {
      script s = {0};
      if (w->nodes[i] < 0) continue;
      say_node(&s, t, &t->nodes[i]);
      if (s.failed) e = thirl_lab_words_complain(why, THIRL_E_NOMEM, "out of memory");
      if (!s.failed) thirl_lab_program_start(&programs[n++], w->nodes[i], ip_batch, s.text, NULL, 0);
      free(s.text);
    }
    for (size_t k = 0; k < n; k++) {
      thirl_error bad = thirl_lab_program_finish(&programs[k], e == THIRL_OK ? why : NULL);
      if (e == THIRL_OK) e = bad;
    }
  }
  return e;
}

/* ---- rules ---- */

static thirl_error complain_about_rules(const thirl_lab_node *n, thirl_error e, thirl_lab_complaint *why) {
  char text[THIRL_LAB_COMPLAINT_MAX];
  if (!why) return e;
  snprintf(text, sizeof text, "%s", why->text);
  bool lacks = strstr(text, "No such file") || strstr(text, "not supported");
  return thirl_lab_words_complain(why, e, "%s: %.160s%s", n->name, text,
                                  lacks ? " (does the kernel have nf_tables and nf_nat?)" : "");
}

/* Most recipes are for one inner host: the first one there is. */
static thirl_error recipe_script(const thirl_lab_topology *t, const thirl_lab_node *n, char **text,
                                 thirl_lab_complaint *why) {
  const thirl_lab_recipe *recipe = thirl_lab_recipe_find(n->recipe);
  const thirl_addr *host = NULL;
  if (!recipe) return thirl_lab_words_complain(why, THIRL_E_INVALID, "there is no recipe called %s", n->recipe);
  for (size_t i = t->n_nodes; i-- > 0;)
    if (t->nodes[i].outer.net == n->inner.net && thirl_lab_model_address(&t->nodes[i].outer, THIRL_FAMILY_V4))
      host = thirl_lab_model_address(&t->nodes[i].outer, THIRL_FAMILY_V4);
  if (!host || !thirl_addr_is_set(&n->nat.external))
    return thirl_lab_words_complain(why, THIRL_E_INVALID, "a recipe wants an IPv4 address and a host behind it");
  thirl_error e = thirl_lab_recipe_script(recipe, OUTER_INTERFACE, &n->nat.external, host, text);
  return e == THIRL_OK ? e : thirl_lab_words_complain(why, e, "out of memory");
}

/* Begins to make a namespace the NAT that it is; finish_rules says how it went. */
static thirl_error start_rules(const thirl_lab_wiring *w, const thirl_lab_topology *t, size_t node,
                               thirl_lab_program *p, thirl_lab_complaint *why) {
  const thirl_lab_node *n = &t->nodes[node];
  char *rules = NULL;
  bool by_recipe = n->recipe[0] != '\0';
  thirl_error e = by_recipe ? recipe_script(t, n, &rules, why)
                            : thirl_lab_netfilter_rules(n, OUTER_INTERFACE, INNER_INTERFACE, &rules, why);
  if (e == THIRL_OK) e = thirl_lab_namespace_switch(w->nodes[node], why);
  if (e == THIRL_OK) {
    e = set_up_nat(n, why);
    thirl_error back = thirl_lab_namespace_switch(w->home, e == THIRL_OK ? why : NULL);
    if (e == THIRL_OK) e = back;
  }
  if (e == THIRL_OK) thirl_lab_program_start(p, w->nodes[node], by_recipe ? sh_script : nft_file, rules, NULL, 0);
  free(rules);
  return e == THIRL_OK ? e : complain_about_rules(n, e, why);
}

static thirl_error finish_rules(const thirl_lab_topology *t, size_t node, thirl_lab_program *p,
                                thirl_lab_complaint *why) {
  thirl_error e = thirl_lab_program_finish(p, why);
  return e == THIRL_OK ? e : complain_about_rules(&t->nodes[node], e, why);
}

static thirl_error load_rules(const thirl_lab_wiring *w, const thirl_lab_topology *t, size_t node,
                              thirl_lab_complaint *why) {
  thirl_lab_program p;
  thirl_error e = start_rules(w, t, node, &p, why);
  return e == THIRL_OK ? finish_rules(t, node, &p, why) : e;
}

static bool is_kernel_nat(const thirl_lab_node *n) {
  return n->kind == THIRL_LAB_NAT && n->engine == THIRL_LAB_NETFILTER;
}

static thirl_error load_all_rules(const thirl_lab_wiring *w, const thirl_lab_topology *t, thirl_lab_complaint *why) {
  thirl_lab_program programs[AT_ONCE];
  size_t nodes[AT_ONCE];
  thirl_error e = THIRL_OK;
  for (size_t i = 0; e == THIRL_OK && i < t->n_nodes;) {
    size_t n = 0;
    for (; e == THIRL_OK && i < t->n_nodes && n < AT_ONCE; i++) {
      if (!is_kernel_nat(&t->nodes[i])) continue;
      e = start_rules(w, t, i, &programs[n], why);
      if (e == THIRL_OK) nodes[n++] = i;
    }
    for (size_t k = 0; k < n; k++) {
      thirl_error bad = finish_rules(t, nodes[k], &programs[k], e == THIRL_OK ? why : NULL);
      if (e == THIRL_OK) e = bad;
    }
  }
  return e;
}

thirl_error thirl_lab_wiring_build(thirl_lab_wiring *w, const thirl_lab_topology *t, const thirl_lab_engine_machine *e,
                                   thirl_lab_complaint *why) {
  thirl_error bad = lay_cables(w, t, e, why);
  if (bad == THIRL_OK) bad = address_all(w, t, why);
  return bad == THIRL_OK ? load_all_rules(w, t, why) : bad;
}

/* ---- events ---- */

static thirl_error forget(const thirl_lab_wiring *w, size_t node, thirl_lab_complaint *why) {
  thirl_error e = thirl_lab_namespace_switch(w->nodes[node], why);
  if (e != THIRL_OK) return e;
  int error = thirl_lab_namespace_forget_flows();
  e = thirl_lab_namespace_switch(w->home, why);
  if (error) return thirl_lab_words_complain(why, THIRL_E_IO, "the kernel does not forget flows: %s", strerror(error));
  return e;
}

static thirl_error move(const thirl_lab_wiring *w, const thirl_lab_topology *after, size_t node,
                        thirl_lab_complaint *why) {
  script s = {0};
  const thirl_lab_cable *c = &after->nodes[node].outer;
  say(&s, "address flush dev " HOST_INTERFACE " scope global");
  say(&s, "neighbour flush dev " HOST_INTERFACE);
  say_addresses(&s, c, HOST_INTERFACE);
  say_routes(&s, after, c, HOST_INTERFACE);
  return run_script(w->nodes[node], &s, why);
}

static thirl_error renumber(const thirl_lab_wiring *w, const thirl_lab_topology *after, size_t node,
                            thirl_lab_complaint *why) {
  script s = {0};
  const thirl_lab_cable *c = &after->nodes[node].outer;
  say(&s, "address flush dev " OUTER_INTERFACE " scope global");
  say_addresses(&s, c, OUTER_INTERFACE);
  say_routes(&s, after, c, OUTER_INTERFACE);
  return run_script(w->nodes[node], &s, why);
}

thirl_error thirl_lab_wiring_apply(thirl_lab_wiring *w, const thirl_lab_topology *t, const thirl_lab_event *event,
                                   thirl_lab_complaint *why) {
  const thirl_lab_node *n = &t->nodes[event->node];
  thirl_error e = THIRL_OK;
  if (event->kind == THIRL_LAB_EVENT_LINK || (event->kind != THIRL_LAB_EVENT_MOVE && !is_kernel_nat(n))) return e;
  thirl_lab_topology *after = malloc(sizeof *after);
  if (!after) return thirl_lab_words_complain(why, THIRL_E_NOMEM, "out of memory");
  memcpy(after, t, sizeof *after);
  thirl_lab_model_apply(after, event);
  if (event->kind == THIRL_LAB_EVENT_MOVE) e = move(w, after, event->node, why);
  if (event->kind == THIRL_LAB_EVENT_RENUMBER) e = renumber(w, after, event->node, why);
  if (e == THIRL_OK && event->kind != THIRL_LAB_EVENT_MOVE) e = load_rules(w, after, event->node, why);
  bool forgets = event->kind == THIRL_LAB_EVENT_REBOOT || event->kind == THIRL_LAB_EVENT_RENUMBER;
  if (e == THIRL_OK && forgets) e = forget(w, event->node, why);
  free(after);
  return e;
}
