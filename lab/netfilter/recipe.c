/* SPDX-License-Identifier: MIT */
#include "lab/netfilter/recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORWARD_ONE_PORT                                                                                               \
  "iptables -t nat -A POSTROUTING -o $OUT -p tcp --sport $P -j SNAT --to-source $EXT\n"                                \
  "iptables -t nat -A POSTROUTING -o $OUT -p udp --sport $P -j SNAT --to-source $EXT\n"                                \
  "iptables -t nat -A PREROUTING -i $OUT -p tcp --dport $P -j DNAT --to-destination $INT\n"                            \
  "iptables -t nat -A PREROUTING -i $OUT -p udp --dport $P -j DNAT --to-destination $INT\n"

#define REMEMBER_ADDRESSES(protocol)                                                                                   \
  "iptables -A FORWARD -o $OUT -p " protocol " --sport $P -m recent --name " protocol " --set --rdest\n"               \
  "iptables -A FORWARD -i $OUT -p " protocol " --dport $P -m state --state NEW -m recent --name " protocol             \
  " ! --rcheck --seconds 300 --rsource -j DROP\n"

static const thirl_lab_recipe recipes[] = {
    {.name = "classic-full",
     .claimed = "full cone",
     .measured = "eim/eif",
     .lines = FORWARD_ONE_PORT,
     .reason = "The type is right, but it is no NAT: a port forward for one port of one host. It is open before "
               "anything was sent and "
               "never closes, and what comes from any other port leaves with its private address.",
     .circulates = true},
    {.name = "classic-addr",
     .claimed = "restricted cone",
     .measured = "eim/eif",
     .lines =
         FORWARD_ONE_PORT "iptables -A INPUT -i $OUT -p tcp --dport $P -m state --state ESTABLISHED,RELATED -j ACCEPT\n"
                          "iptables -A INPUT -i $OUT -p udp --dport $P -m state --state ESTABLISHED,RELATED -j ACCEPT\n"
                          "iptables -A INPUT -i $OUT -p tcp --dport $P -m state --state NEW -j DROP\n"
                          "iptables -A INPUT -i $OUT -p udp --dport $P -m state --state NEW -j DROP\n",
     .reason = "The destination is rewritten before the packet is routed, so it goes to FORWARD: the rules in INPUT "
               "never see one. And a state "
               "belongs to a pair of endpoints: it could not tell an address alone.",
     .circulates = true},
    {.name = "classic-port",
     .claimed = "port-restricted cone",
     .measured = "eim/eif",
     .lines = FORWARD_ONE_PORT
     "iptables -A INPUT -i $OUT -p tcp --sport $P --dport $P -m state --state ESTABLISHED,RELATED -j ACCEPT\n"
     "iptables -A INPUT -i $OUT -p udp --sport $P --dport $P -m state --state ESTABLISHED,RELATED -j ACCEPT\n"
     "iptables -A INPUT -i $OUT -p tcp --sport $P --dport $P -m state --state NEW -j DROP\n"
     "iptables -A INPUT -i $OUT -p udp --sport $P --dport $P -m state --state NEW -j DROP\n",
     .reason =
         "The same: INPUT never sees a packet. And --sport is the other's port, which has nothing to do with ours.",
     .circulates = true},
    {.name = "classic-sym",
     .claimed = "symmetric",
     .measured = "eim/apdf",
     .lines = "iptables -t nat -A POSTROUTING -o $OUT -j MASQUERADE\n",
     .reason = "Linux keeps the source port as long as nobody else has it, so that every destination sees the same "
               "one. What nobody has "
               "asked for goes to the router itself, which answers; for UDP that takes the port away from the host "
               "that is about to send.",
     .circulates = true},
    {.name = "fixed-full",
     .claimed = "full cone",
     .measured = "eim/eif",
     .lines = FORWARD_ONE_PORT "iptables -t nat -A POSTROUTING -o $OUT -j MASQUERADE\n"
                               "iptables -A INPUT -i $OUT -m state --state NEW -j DROP\n",
     .reason =
         "Other ports are translated too, though not as a full cone; the one port is still open to all for ever."},
    {.name = "fixed-addr",
     .claimed = "restricted cone",
     .measured = "eim/adf",
     .lines = FORWARD_ONE_PORT "iptables -t nat -A POSTROUTING -o $OUT -j MASQUERADE\n"
                               "iptables -A INPUT -i $OUT -m state --state NEW -j DROP\n" REMEMBER_ADDRESSES("tcp")
                                   REMEMBER_ADDRESSES("udp"),
     .reason = "Addresses are remembered in FORWARD when something is sent to them. One list for the whole router, so "
               "still for one port."},
    {.name = "fixed-port",
     .claimed = "port-restricted cone",
     .measured = "eim/apdf",
     .lines = "iptables -t nat -A POSTROUTING -o $OUT -j MASQUERADE\n"
              "iptables -A INPUT -i $OUT -m state --state NEW -j DROP\n",
     .reason = "MASQUERADE is a port-restricted cone, when the router keeps quiet: a packet that is dropped in INPUT "
               "leaves no entry behind. Only "
               "as long as no two hosts use the same port."},
    {.name = "fixed-sym",
     .claimed = "symmetric",
     .measured = "apdm/apdf",
     .lines = "iptables -t nat -A POSTROUTING -o $OUT -j MASQUERADE --random-fully\n"
              "iptables -A INPUT -i $OUT -m state --state NEW -j DROP\n",
     .reason = "A random port for every destination."},
};
enum { N_RECIPES = sizeof recipes / sizeof *recipes };

const thirl_lab_recipe *thirl_lab_recipe_get(unsigned index) {
  return index < N_RECIPES ? &recipes[index] : NULL;
}

const thirl_lab_recipe *thirl_lab_recipe_find(const char *name) {
  for (unsigned i = 0; i < N_RECIPES; i++)
    if (strcmp(recipes[i].name, name) == 0) return &recipes[i];
  return NULL;
}

const char *thirl_lab_recipe_type(const char *measured) {
  if (strncmp(measured, "eim/", 4) != 0) return "symmetric";
  if (strcmp(measured, "eim/eif") == 0) return "full cone";
  return strcmp(measured, "eim/adf") == 0 ? "restricted cone" : "port-restricted cone";
}

thirl_error thirl_lab_recipe_script(const thirl_lab_recipe *recipe, const char *outer_if, const thirl_addr *external,
                                    const thirl_addr *host, char **text) {
  static const char form[] = "set -e\nOUT=%s EXT=%u.%u.%u.%u INT=%u.%u.%u.%u P=%d\n"
                             "iptables -t nat -F\niptables -F\n%s";
  const uint8_t *e = external->ip, *h = host->ip;
  *text = NULL;
  if (asprintf(text, form, outer_if, e[0], e[1], e[2], e[3], h[0], h[1], h[2], h[3], THIRL_LAB_RECIPE_PORT,
               recipe->lines) >= 0)
    return THIRL_OK;
  *text = NULL;
  return THIRL_E_NOMEM;
}
