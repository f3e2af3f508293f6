/* SPDX-License-Identifier: MIT */
/* A network interface held by its cable: every frame that the kernel would have put on the wire, and frames put on the wire for it. AF_PACKET. */
#ifndef THIRL_LAB_PORT_H
#define THIRL_LAB_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/frame/link.h"
#include "lab/frame/wire.h"

enum { THIRL_LAB_PORT_RINGS_MAX = 2, THIRL_LAB_PORT_BATCH = 64 };

/** A received frame in a ring: valid, and ours to change, until thirl_lab_port_release. */
typedef struct thirl_lab_frame {
  uint8_t *vnet; /* THIRL_LAB_VNET_LEN bytes */
  uint8_t *data;
  size_t len;
} thirl_lab_frame;

/** Where the kernel puts frames for us. */
typedef struct thirl_lab_port_ring {
  int fd; /* for epoll, level triggered */
  uint8_t *memory;
  size_t place_len, places, next;
  size_t held; /* places before next that are the caller's */
} thirl_lab_port_ring;

typedef struct thirl_lab_port {
  int fd; /* that of the first ring */
  thirl_lab_port_ring rings[THIRL_LAB_PORT_RINGS_MAX];
  size_t n_rings;
  uint8_t mac[THIRL_LAB_MAC_LEN];
  uint64_t cut;        /* frames that were longer than a place in the ring */
  uint64_t unsendable; /* frames that the kernel did not take */
} thirl_lab_port;

/** 0, or an errno: EPERM without CAP_NET_RAW, ENODEV. The interface must be up. One ring for all frames. */
int thirl_lab_port_open(thirl_lab_port *p, const char *interface);
/**
 * The same with two rings of memory bytes together, one for frames of single packets, of which many come at once, and a short one for those that stand
 * for several: it stays in the cache. Frames come out in the order in which they came in.
 */
int thirl_lab_port_open_split(thirl_lab_port *p, const char *interface, size_t memory);
void thirl_lab_port_close(thirl_lab_port *p);
/** The next frame, false: none, or none before others are released. */
bool thirl_lab_port_receive(thirl_lab_port *p, thirl_lab_frame *out);
/** Gives all received frames back. */
void thirl_lab_port_release(thirl_lab_port *p);
/** vnet NULL: nothing to say about it. A frame that the kernel does not take is counted and gone. */
void thirl_lab_port_send(thirl_lab_port *p, const uint8_t *vnet, const uint8_t *frame, size_t len);

typedef struct thirl_lab_port_out {
  const uint8_t *vnet, *frame;
  size_t len;
} thirl_lab_port_out;
/** Several at once, as thirl_lab_port_send each. */
void thirl_lab_port_send_batch(thirl_lab_port *p, const thirl_lab_port_out *out, size_t n);
/** Frames that came while a ring was full, since the last question. */
uint64_t thirl_lab_port_overrun(thirl_lab_port *p);

#endif
