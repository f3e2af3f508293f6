/* SPDX-License-Identifier: MIT */
/*
 * What lies between interfaces: cables with two directed links, the switches that they end at, captures of what passes. Frames come in at a port or
 * from one of the engine's own interfaces, and leave as frames for ports or as arrivals at the engine's interfaces. Knows Ethernet, and of IP only
 * how long a packet is.
 */
#ifndef THIRL_LAB_FABRIC_H
#define THIRL_LAB_FABRIC_H

#include "base/heap.h"
#include "lab/frame/flight.h"
#include "lab/internet/notes.h"
#include "lab/frame/pcap.h"
#include "lab/frame/switch.h"
#include "lab/text/topology.h"

enum {
  THIRL_LAB_FABRIC_CABLES_MAX = 2 * THIRL_LAB_NODES_MAX,
  THIRL_LAB_FABRIC_FRAMES_FULL =
      1024, /* frames for ports, with which nothing more is delivered before they are cleared */
  THIRL_LAB_FABRIC_FRAMES_MAX = 64 << 10,   /* frames for ports; what comes on top is dropped */
  THIRL_LAB_FABRIC_ARRIVALS_MAX = 64 << 10, /* likewise */
  THIRL_LAB_FABRIC_NONE = -1
};

typedef enum thirl_lab_way { THIRL_LAB_UP, THIRL_LAB_DOWN } thirl_lab_way;

/** A frame for a port, to be sent. */
typedef struct thirl_lab_fabric_frame {
  size_t port;
  thirl_time due; /* when it should be there */
  const uint8_t *vnet, *data;
  size_t len;
  thirl_lab_packet *owner; /* of the memory; NULL: that of an input */
} thirl_lab_fabric_frame;

/** A frame at an interface of the engine: the end of a cable, or the router's on a net of the internet. */
typedef struct thirl_lab_arrival {
  int cable; /* or THIRL_LAB_FABRIC_NONE */
  size_t net;
  thirl_time at;
  thirl_lab_flight flight;
} thirl_lab_arrival;

typedef struct thirl_lab_cable_end {
  size_t node;
  bool inner;
  size_t net;
  bool is_port; /* ends outside */
  size_t port;
  thirl_lab_link link[2]; /* by thirl_lab_way */
  thirl_heap_node timer[2];
  bool told_big, told_full;
  thirl_lab_pcap *capture; /* NULL: none */
} thirl_lab_cable_end;

typedef struct thirl_lab_fabric {
  const thirl_lab_topology *topology;
  thirl_lab_cable_end cables[THIRL_LAB_FABRIC_CABLES_MAX];
  size_t n_cables, n_ports;
  int cable_of_port[THIRL_LAB_FABRIC_CABLES_MAX];
  thirl_lab_switch switches[THIRL_LAB_NETS_MAX];
  thirl_heap timers;
  thirl_lab_notes *notes;
  thirl_lab_fabric_frame *frames;
  size_t n_frames, cap_frames;
  thirl_lab_arrival *arrivals;
  size_t first_arrival, n_arrivals, cap_arrivals;
  uint64_t dropped; /* for want of memory or at a limit */
} thirl_lab_fabric;

/** t, notes outlive the fabric. E_NOMEM is not possible: nothing is allocated yet. */
void thirl_lab_fabric_init(thirl_lab_fabric *f, const thirl_lab_topology *t, thirl_lab_notes *notes);
void thirl_lab_fabric_fini(thirl_lab_fabric *f);

/** The cable at this end, or THIRL_LAB_FABRIC_NONE. */
int thirl_lab_fabric_find(const thirl_lab_fabric *f, size_t node, bool inner);
/** A node sends over its cable; takes the flight. */
void thirl_lab_fabric_send(thirl_lab_fabric *f, thirl_time at, size_t cable, thirl_lab_flight *flight);
/** The router of the internet sends on this net; takes the flight. */
void thirl_lab_fabric_send_net(thirl_lab_fabric *f, thirl_time at, size_t net, thirl_lab_flight *flight);
/** The next frame at one of the engine's interfaces; the caller's. False: none. */
bool thirl_lab_fabric_arrival(thirl_lab_fabric *f, thirl_lab_arrival *out);
/** What is due first by now goes one step on. False: nothing is due, or the frames for ports have to be sent first. */
bool thirl_lab_fabric_step(thirl_lab_fabric *f, thirl_time now);
thirl_time thirl_lab_fabric_deadline(const thirl_lab_fabric *f);
/** All frames for ports are forgotten. */
void thirl_lab_fabric_clear(thirl_lab_fabric *f);

void thirl_lab_fabric_set_terms(thirl_lab_fabric *f, size_t cable, const thirl_lab_link_terms *up,
                                const thirl_lab_link_terms *down);
/** The cable is pulled out here and plugged in there; what is in it is lost. */
void thirl_lab_fabric_move(thirl_lab_fabric *f, size_t cable, size_t net);

#endif
