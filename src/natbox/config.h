/* SPDX-License-Identifier: MIT */
/* The knobs of a NAT, in the words of RFC 4787 (UDP), RFC 5382 (TCP) and RFC 7857, and named presets of them. */
#ifndef THIRL_NATBOX_CONFIG_H
#define THIRL_NATBOX_CONFIG_H

#include "base/addr.h"
#include "base/time.h"

enum {
  THIRL_NATBOX_POOL_MAX = 7, /* outer addresses beside the first */
  THIRL_NATBOX_ALLOW_MAX = 8 /* ports in a list of what may be spoken to */
};

typedef enum thirl_natbox_mode {
  THIRL_NATBOX_TRANSLATE, /* NAPT */
  THIRL_NATBOX_FIREWALL,  /* stateful filter without translation: IPv6 at home, a public host behind a firewall */
  THIRL_NATBOX_ROUTE,     /* nothing: every packet passes */
  THIRL_NATBOX_PREFIX     /* every packet passes with another prefix: NPTv6, RFC 6296 */
} thirl_natbox_mode;

/** When do two flows of one inner endpoint share an outer port? RFC 4787 section 4.1. */
typedef enum thirl_natbox_mapping {
  THIRL_NATBOX_EIM, /* always */
  THIRL_NATBOX_ADM, /* when they go to the same address */
  THIRL_NATBOX_APDM /* when they go to the same address and port */
} thirl_natbox_mapping;

/** Who may send to an outer port? RFC 4787 section 5. What was sent opens the port that it was sent from, and no other. */
typedef enum thirl_natbox_filtering {
  THIRL_NATBOX_EIF, /* everybody */
  THIRL_NATBOX_ADF, /* addresses that were sent to */
  THIRL_NATBOX_APDF /* addresses and ports that were sent to */
} thirl_natbox_filtering;

typedef enum thirl_natbox_allocation {
  THIRL_NATBOX_PRESERVE,   /* the inner port, if it is free and in the range */
  THIRL_NATBOX_SEQUENTIAL, /* the last one plus step */
  THIRL_NATBOX_RANDOM,
  THIRL_NATBOX_BLOCK /* random in the block of the inner host: RFC 7422, carrier grade */
} thirl_natbox_allocation;

/** What PRESERVE does when the port belongs to another mapping. */
typedef enum thirl_natbox_collision {
  THIRL_NATBOX_COLLIDE_RANDOM,
  THIRL_NATBOX_COLLIDE_NEXT,  /* the next free port above */
  THIRL_NATBOX_COLLIDE_EVICT, /* take it; the other mapping is gone ("port overloading", forbidden by RFC 4787 REQ-3) */
  THIRL_NATBOX_COLLIDE_OVERLAP /* share it as long as the remote ends differ, else random: Linux */
} thirl_natbox_collision;

/** The answer to a packet that nobody asked for. */
typedef enum thirl_natbox_unsolicited {
  THIRL_NATBOX_DROP,
  THIRL_NATBOX_RST_BACK,  /* TCP; UDP is dropped */
  THIRL_NATBOX_ICMP_BACK, /* port unreachable */
  THIRL_NATBOX_HOLD,      /* RFC 5382 REQ-4: a SYN waits 6 s for an outbound SYN, then ICMP; anything else is dropped */
  THIRL_NATBOX_LOCAL /* plain Linux masquerade: the router itself takes it, answers RST or ICMP, and a UDP flow stays in the
                             table, so that the inner host's own packet cannot get that port to that peer any more ("poisoned") */
} thirl_natbox_unsolicited;

/** Which packets lengthen the life of a flow? */
typedef enum thirl_natbox_refresh {
  THIRL_NATBOX_REFRESH_BOTH,
  THIRL_NATBOX_REFRESH_OUT,
  THIRL_NATBOX_REFRESH_IN
} thirl_natbox_refresh;

/** What a packet from the inside to the outer address meets. */
typedef enum thirl_natbox_hairpin {
  THIRL_NATBOX_HAIRPIN_OFF,
  THIRL_NATBOX_HAIRPIN_EXTERNAL, /* it comes back in with its outer source: RFC 4787 REQ-9, RFC 5382 REQ-8 */
  THIRL_NATBOX_HAIRPIN_INTERNAL, /* it comes back in with its inner source; the answer will not come through the box */
  THIRL_NATBOX_HAIRPIN_LOCAL     /* it ends at the router's own stack, which answers RST or ICMP: plain Linux */
} thirl_natbox_hairpin;

/** Which of several outer addresses? RFC 4787 REQ-2. */
typedef enum thirl_natbox_pooling {
  THIRL_NATBOX_PAIRED,   /* one inner host, one outer address */
  THIRL_NATBOX_ARBITRARY /* any, for each mapping anew */
} thirl_natbox_pooling;

/** What a packet meets that goes to a remote port which is not allowed, see thirl_natbox_rules.allow. */
typedef enum thirl_natbox_refusal {
  THIRL_NATBOX_REFUSE_SILENTLY,
  THIRL_NATBOX_REFUSE_ICMP, /* port unreachable */
  THIRL_NATBOX_REFUSE_RST   /* TCP; UDP is dropped */
} thirl_natbox_refusal;

/** Does the box know better than the application what is in its datagrams? */
typedef enum thirl_natbox_alg {
  THIRL_NATBOX_ALG_NONE,
  THIRL_NATBOX_ALG_PAYLOAD /* addresses in UDP payloads are translated too: why STUN has XOR-MAPPED-ADDRESS, RFC 8489 section 14.2 */
} thirl_natbox_alg;

typedef enum thirl_natbox_tracking_rule {
  THIRL_NATBOX_STRICT, /* netfilter: sequence numbers are checked while a connection opens; what does not fit is dropped */
  THIRL_NATBOX_LOOSE /* netfilter with nf_conntrack_tcp_be_liberal: states are kept, nothing is dropped for its numbers */
} thirl_natbox_tracking_rule;

/** What a RST does to a flow that has seen no answer yet. */
typedef enum thirl_natbox_rst_rule {
  THIRL_NATBOX_RST_DELETES, /* netfilter: gone at once, the hole is closed */
  THIRL_NATBOX_RST_KEEPS    /* RFC 7857 section 2.2: it lives on for the closing time */
} thirl_natbox_rst_rule;

/** The rules for one protocol. */
typedef struct thirl_natbox_rules {
  thirl_natbox_mapping mapping;
  thirl_natbox_filtering filtering;
  thirl_natbox_allocation allocation;
  thirl_natbox_collision collision;
  thirl_natbox_unsolicited unsolicited;
  thirl_natbox_refresh refresh;
  uint16_t port_lo, port_hi; /* the range of outer ports, both included; port_lo > 0 */
  uint16_t step;             /* SEQUENTIAL */
  uint16_t block;            /* BLOCK: ports of one inner host */
  thirl_time new_timeout;    /* UDP: no answer yet. TCP: not established yet */
  thirl_time open_timeout;   /* UDP: answered. TCP: established */
  thirl_time close_timeout;  /* TCP: after FIN or RST */
  thirl_time
      map_timeout; /* a mapping outlives its flows for so long after it was last refreshed; 0 = it ends with them */
  thirl_time hold_down; /* nobody else gets an outer port so soon after its mapping ended: RFC 6888 REQ-8 */
  uint16_t max_ports;   /* outer ports of one inner host; 0 = no limit. RFC 6888 REQ-4 */
  bool only_allowed; /* a firewall: remote ports that are not in allow are out of reach, and nothing comes from them */
  thirl_natbox_refusal refusal;
  uint8_t n_allow;
  uint16_t allow[THIRL_NATBOX_ALLOW_MAX];
} thirl_natbox_rules;

typedef struct thirl_natbox_config {
  thirl_natbox_mode mode;
  thirl_addr external; /* port ignored; TRANSLATE and, as the outer prefix, PREFIX */
  thirl_natbox_rules udp, tcp;
  thirl_natbox_hairpin hairpin;
  thirl_natbox_tracking_rule tracking;
  thirl_natbox_rst_rule rst;
  bool
      without_pickup; /* a TCP segment from the inside that belongs to no known connection is dropped (Linux adopts it) */
  bool without_icmp_errors; /* ICMP errors from outside are dropped, not translated */
  bool without_echo;        /* no ping: ICMP echo is dropped in both directions */
  thirl_natbox_alg alg;
  thirl_natbox_pooling pooling;
  uint8_t n_pool;
  thirl_addr pool[THIRL_NATBOX_POOL_MAX]; /* outer addresses beside external; ports 0; TRANSLATE only */
  thirl_addr inner_prefix;                /* PREFIX: port 0 */
  uint8_t prefix_bits;                    /* PREFIX: of both prefixes, 1 to 64 */
  uint32_t max_sessions;                  /* 0 = THIRL_NATBOX_SESSIONS_MAX; more is dropped */
} thirl_natbox_config;

/**
 * A home router: this mapping and filtering for UDP and TCP, random ports, silent, no hairpin, netfilter's tracking, Linux' timeouts
 * for UDP (30 / 120 s) and RFC 5382's for TCP (240 / 7440 / 240 s).
 */
thirl_natbox_config thirl_natbox_config_of(thirl_natbox_mapping mapping, thirl_natbox_filtering filtering,
                                           thirl_addr external);
/**
 * A preset by name: none, fullcone, restricted, portrestricted, symmetric, symmetric-seq, linux, linux-open, linux-random, cgn,
 * cloudnat, firewall.
 *
 * THIRL_E_NOT_FOUND   no such preset; *out is untouched
 */
thirl_error thirl_natbox_config_preset(const char *name, thirl_addr external, thirl_natbox_config *out);
/** The names of all presets in turn, and a sentence on each: NULL when index is past the last one. */
const char *thirl_natbox_config_preset_name(unsigned index);
const char *thirl_natbox_config_preset_sentence(unsigned index);
/** Is this one of the outer addresses? Ports are ignored. */
bool thirl_natbox_config_has_external(const thirl_natbox_config *config, const thirl_addr *a);

#endif
