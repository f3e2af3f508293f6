/* SPDX-License-Identifier: MIT */
/*
 * An interface that the engine itself has on a net: the internet's router, and both sides of a NAT of the model. It answers for its addresses (ARP,
 * RFC 826; neighbour solicitations, RFC 4861) and finds the MAC of those it sends to. It sends no router advertisements: hosts are told their router.
 */
#ifndef THIRL_LAB_STATION_H
#define THIRL_LAB_STATION_H

#include "lab/frame/flight.h"
#include "lab/frame/headers.h"
#include "lab/internet/neighbour.h"

enum { THIRL_LAB_STATION_ADDRS_MAX = 20 };

typedef struct thirl_lab_station {
  uint8_t mac[THIRL_LAB_MAC_LEN];
  thirl_addr addrs[THIRL_LAB_STATION_ADDRS_MAX]; /* ports 0 */
  size_t n_addrs;
  thirl_lab_neighbours neighbours;
  thirl_lab_flight_list out; /* frames that want to leave by this interface: for the caller to take after each call */
  thirl_lab_flight_list failed; /* packets whose next hop does not answer; likewise */
  thirl_addr failed_hop;        /* the last of these */
} thirl_lab_station;

/** number makes the MAC: the same in every run. */
void thirl_lab_station_init(thirl_lab_station *s, uint32_t number);
void thirl_lab_station_fini(thirl_lab_station *s);
/** Forgets all addresses, and all neighbours. */
void thirl_lab_station_reset(thirl_lab_station *s);
/** One more; for an IPv6 address also the link-local one of the MAC. Too many are left out. */
void thirl_lab_station_add(thirl_lab_station *s, const thirl_addr *addr);
bool thirl_lab_station_has(const thirl_lab_station *s, const thirl_addr *addr);
/** The first address of this family; one that is not set when there is none. */
thirl_addr thirl_lab_station_address(const thirl_lab_station *s, thirl_family family);

typedef enum thirl_lab_station_verdict {
  THIRL_LAB_STATION_DONE,     /* nothing that concerns a router */
  THIRL_LAB_STATION_PACKET,   /* an IP packet for this router; headers are read */
  THIRL_LAB_STATION_MALFORMED /* a frame to this MAC that lies about its lengths */
} thirl_lab_station_verdict;

/** A frame that came by this interface; it stays the caller's. */
thirl_lab_station_verdict thirl_lab_station_input(thirl_lab_station *s, thirl_time now, const thirl_lab_flight *f,
                                                  thirl_lab_headers *h);
/** Fills in the MACs towards the next hop. True: f can leave. False: f was taken, it waits or it is gone. */
bool thirl_lab_station_resolve(thirl_lab_station *s, thirl_time now, thirl_lab_flight *f, const thirl_addr *next_hop);
/** Asks again, gives up. */
void thirl_lab_station_tick(thirl_lab_station *s, thirl_time now);
thirl_time thirl_lab_station_deadline(const thirl_lab_station *s);

#endif
