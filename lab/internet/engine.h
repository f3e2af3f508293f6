/* SPDX-License-Identifier: MIT */
/*
 * The internet between the hosts as a machine without I/O: switches, the routes between them, links, and the NATs of the model. Frames go in
 * from ports (the cables' ends at the hosts, and at NATs that are namespaces of the kernel), frames come out for ports.
 *
 *   input frames, or tick -> frames -> send them -> clear -> notes -> deadline
 *
 * Everything that happens by chance comes from the topology's seed: the same frames at the same times give the same frames at the same times.
 * lab/internet/pump.h joins an engine with real interfaces.
 */
#ifndef THIRL_LAB_ENGINE_H
#define THIRL_LAB_ENGINE_H

#include "base/bytes.h"
#include "lab/internet/fabric.h"
#include "lab/internet/notes.h"
#include "lab/text/topology.h"
#include "natbox/natbox.h"

typedef struct thirl_lab_engine_machine thirl_lab_engine_machine;

/** The end of a cable at a node. As a port: it ends outside, at a host or at one side of a kernel's NAT. */
typedef struct thirl_lab_engine_port {
  size_t node;
  bool inner; /* the inner side of a NAT */
} thirl_lab_engine_port;

/** t must outlive the engine and may be changed by it (events). NULL when there is no memory. */
thirl_lab_engine_machine *thirl_lab_engine_new(thirl_lab_topology *t, thirl_time now);
void thirl_lab_engine_free(thirl_lab_engine_machine *e);

/** The ports, in an order that stays; each is a veth's other end. */
size_t thirl_lab_engine_count_ports(const thirl_lab_engine_machine *e);
thirl_lab_engine_port thirl_lab_engine_get_port(const thirl_lab_engine_machine *e, size_t index);

/**
 * A frame of the host at this port. vnet (THIRL_LAB_VNET_LEN bytes) and frame may be changed, and stay where they are until
 * thirl_lab_engine_clear: where nothing delays the frame it is not copied.
 */
void thirl_lab_engine_input(thirl_lab_engine_machine *e, thirl_time now, size_t port, uint8_t *vnet, uint8_t *frame,
                            size_t len);
/** What is due has happened: links deliver, NATs answer, events come about. When a great deal is due, a part; the deadline says so. */
void thirl_lab_engine_tick(thirl_lab_engine_machine *e, thirl_time now);
thirl_time thirl_lab_engine_deadline(const thirl_lab_engine_machine *e);

/** All frames for ports since the last clear, in the order in which they have to be sent. */
const thirl_lab_fabric_frame *thirl_lab_engine_frames(const thirl_lab_engine_machine *e, size_t *n);
/** They have been sent. */
void thirl_lab_engine_clear(thirl_lab_engine_machine *e);

/** Does it now; E_INVALID: not to a NAT of the kernel (the supervisor does that), not such a node. */
thirl_error thirl_lab_engine_apply(thirl_lab_engine_machine *e, thirl_time now, const thirl_lab_event *event);

/** The next line of the event log; false: none. */
bool thirl_lab_engine_note(thirl_lab_engine_machine *e, thirl_lab_note *out);

typedef struct thirl_lab_engine_counts {
  thirl_lab_link_stats up, down; /* of the cable */
  uint64_t unrouted;             /* packets of this node's side that lead nowhere */
  uint64_t expired;              /* out of time to live */
  uint64_t malformed;            /* headers that lie */
  uint64_t fragments;            /* dropped: no first piece was seen, or too many at once */
  uint64_t untranslatable;       /* dropped: a protocol that the NAT does not know */
  uint64_t unresolved;           /* dropped: nobody has the address, or too many were waiting for it */
} thirl_lab_engine_counts;

/** Of the cable at this end. For a NAT of the model the counts of its router are with its outer end. */
thirl_error thirl_lab_engine_count(const thirl_lab_engine_machine *e, thirl_lab_engine_port at,
                                   thirl_lab_engine_counts *out);
/** The NAT of the model at this node, for its tables and counters; NULL: there is none for this family. */
thirl_natbox *thirl_lab_engine_get_box(const thirl_lab_engine_machine *e, size_t node, thirl_family family);

/**
 * From now on every frame that the node at this end sends or gets is kept as pcap (Ethernet, microseconds); epoch is what to add to the engine's
 * time to get the time since 1970. Each frame is cut to snaplen bytes (0: not). E_INVALID, E_NOMEM, E_IN_USE.
 */
thirl_error thirl_lab_engine_capture(thirl_lab_engine_machine *e, thirl_lab_engine_port at, thirl_time epoch,
                                     size_t snaplen);
/** What has come since the last call, the file's header first; valid until the next call of any kind. Empty: nothing. missed may be NULL. */
thirl_bytes thirl_lab_engine_capture_take(thirl_lab_engine_machine *e, thirl_lab_engine_port at, uint64_t *missed);
/** Right after that: its last n bytes were not used and come again. */
void thirl_lab_engine_capture_give_back(thirl_lab_engine_machine *e, thirl_lab_engine_port at, size_t n);
void thirl_lab_engine_capture_stop(thirl_lab_engine_machine *e, thirl_lab_engine_port at);

#endif
