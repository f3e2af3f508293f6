/* SPDX-License-Identifier: MIT */
/* A network interface held by its cable: every frame that the kernel would have put on the wire, and frames put on the wire for it. AF_PACKET. */
#ifndef THIRL_LAB_PORT_H
#define THIRL_LAB_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/link.h"
#include "lab/wire.h"

/** A received frame in the ring: valid, and ours to change, until thirl_lab_port_release. */
typedef struct thirl_lab_frame {
  uint8_t *vnet; /* THIRL_LAB_VNET_LEN bytes */
  uint8_t *data;
  size_t len;
} thirl_lab_frame;

typedef struct thirl_lab_port {
  int fd;
  uint8_t mac[THIRL_LAB_MAC_LEN];
  uint8_t *ring;
  size_t next, held;   /* the frame of the ring to look at next, and how many before it are the caller's */
  size_t places;       /* in the ring */
  uint64_t cut;        /* frames that were longer than a place in the ring */
  uint64_t unsendable; /* frames that the kernel did not take */
} thirl_lab_port;

enum { THIRL_LAB_PORT_RING_MAX = 18 << 20, THIRL_LAB_PORT_RING_MIN = 2 << 20 }; /* bytes */

/** 0, or an errno: EPERM without CAP_NET_RAW, ENODEV. The interface must be up. fd is for epoll, level triggered. */
int thirl_lab_port_open(thirl_lab_port *p, const char *interface);
/** The same with a ring of about so many bytes: a place for each 65 KiB of it. */
int thirl_lab_port_open_sized(thirl_lab_port *p, const char *interface, size_t ring);
void thirl_lab_port_close(thirl_lab_port *p);
/** The next frame, false: none, or none before others are released. */
bool thirl_lab_port_receive(thirl_lab_port *p, thirl_lab_frame *out);
/** Gives the oldest of the received frames back. */
void thirl_lab_port_release(thirl_lab_port *p);
/** vnet NULL: nothing to say about it. A frame that the kernel does not take is counted and gone. */
void thirl_lab_port_send(thirl_lab_port *p, const uint8_t *vnet, const uint8_t *frame, size_t len);
/** Several at once, as thirl_lab_port_send each. */
typedef struct thirl_lab_port_out {
  const uint8_t *vnet, *frame;
  size_t len;
} thirl_lab_port_out;
enum { THIRL_LAB_PORT_BATCH = 64 };
void thirl_lab_port_send_batch(thirl_lab_port *p, const thirl_lab_port_out *out, size_t n);
/** Frames that came while the ring was full, since the port was opened; ask once. */
uint64_t thirl_lab_port_overrun(thirl_lab_port *p);

#endif
