/* SPDX-License-Identifier: MIT */
#include "lab/text/preset.h"

#include <string.h>

/*
 * Everywhere: the host a is what the preset is about, b is behind an ordinary home router, and server has two public addresses, as RFC 5780 wants
 * them. 20 ms from one access to another.
 */
#define INTERNET                                                                                                       \
  "net  inet 203.0.113.0/24\n"                                                                                         \
  "host server inet 203.0.113.10 203.0.113.11\n"                                                                       \
  "nat  home-b inet 203.0.113.2 lan 192.168.2.0/24 preset=portrestricted\n"                                            \
  "host b home-b 192.168.2.10\n"                                                                                       \
  "link server latency=10ms\n"                                                                                         \
  "link home-b latency=10ms\n"

#define INTERNET_6                                                                                                     \
  "net  inet 203.0.113.0/24 2001:db8::/64\n"                                                                           \
  "host server inet 203.0.113.10 203.0.113.11 2001:db8::10 2001:db8::11\n"                                             \
  "nat  home-b inet 203.0.113.2 2001:db8::2 lan 192.168.2.0/24 2001:db8:b::/64 preset=portrestricted\n"                \
  "host b home-b 192.168.2.10 2001:db8:b::10\n"                                                                        \
  "link server latency=10ms\n"                                                                                         \
  "link home-b latency=10ms\n"

static const thirl_lab_preset presets[] = {
    {"home", "a home router as RFC 4787 wants it: restricted, with hairpin and generous times",
     INTERNET "nat  home-a inet 203.0.113.1 lan 192.168.1.0/24 preset=restricted hairpin=external udp.timeout=120/300\n"
              "host a home-a 192.168.1.10\n"
              "host a2 home-a 192.168.1.11\n"
              "link home-a latency=10ms\n"},
    {"port-restricted", "a home router that lets in only who was sent to",
     INTERNET "nat  home-a inet 203.0.113.1 lan 192.168.1.0/24 preset=portrestricted\n"
              "host a home-a 192.168.1.10\n"
              "link home-a latency=10ms\n"},
    {"symmetric", "a router with another random port for each remote end",
     INTERNET "nat  home-a inet 203.0.113.1 lan 192.168.1.0/24 preset=symmetric\n"
              "host a home-a 192.168.1.10\n"
              "link home-a latency=10ms\n"},
    {"cgnat", "a carrier's NAT in front of a home router: two NATs in a row, and a neighbour behind the same",
     INTERNET "nat  cgn inet 203.0.113.1 lan 100.64.0.0/16 preset=cgn\n"
              "nat  home-a cgn 100.64.0.2 lan 192.168.1.0/24 preset=portrestricted\n"
              "nat  home-c cgn 100.64.0.3 lan 192.168.3.0/24 preset=portrestricted\n"
              "host a home-a 192.168.1.10\n"
              "host c home-c 192.168.3.10\n"
              "link cgn latency=5ms\n"
              "link home-a latency=5ms\n"
              "link home-c latency=5ms\n"},
    {"hotel", "a hotel: symmetric, in a hurry to forget, and a slow line that drops some",
     INTERNET "nat  hotel inet 203.0.113.1 lan 10.20.0.0/16 preset=hotel\n"
              "host a hotel 10.20.3.7\n"
              "link hotel latency=20ms jitter=5ms loss=0.5% rate=10mbit\n"},
    {"corporate", "a company: no UDP, and TCP to ports 80 and 443 only",
     INTERNET "nat  firm inet 203.0.113.1 lan 10.0.0.0/8 preset=corporate\n"
              "host a firm 10.1.2.3\n"
              "link firm latency=10ms\n"},
    {"ipv6", "IPv6 alone, behind a stateful firewall that lets in only who was sent to",
     "net  inet 2001:db8::/64\n"
     "host server inet 2001:db8::10 2001:db8::11\n"
     "nat  home-a inet 2001:db8::1 lan 2001:db8:a::/64 preset=firewall\n"
     "nat  home-b inet 2001:db8::2 lan 2001:db8:b::/64 preset=firewall\n"
     "host a home-a 2001:db8:a::10\n"
     "host b home-b 2001:db8:b::10\n"
     "link server latency=10ms\n"
     "link home-a latency=10ms\n"
     "link home-b latency=10ms\n"},
    {"dualstack", "IPv4 behind a NAT and IPv6 behind a firewall, on one line",
     INTERNET_6 "nat  home-a inet 203.0.113.1 2001:db8::1 lan 192.168.1.0/24 2001:db8:a::/64 preset=portrestricted\n"
                "host a home-a 192.168.1.10 2001:db8:a::10\n"
                "link home-a latency=10ms\n"},
};

const thirl_lab_preset *thirl_lab_preset_get(size_t index) {
  return index < sizeof presets / sizeof *presets ? &presets[index] : NULL;
}

const thirl_lab_preset *thirl_lab_preset_find(const char *name) {
  for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
    if (strcmp(presets[i].name, name) == 0) return &presets[i];
  return NULL;
}
