/* SPDX-License-Identifier: MIT */
/*
 * The machine's half of the carrier: hands it an event, carries out what it wants, pulls what it has to send, until it is quiet.
 * Makes, sends on and ends sockets; never waits for one: that is net.c's half.
 */
#ifndef THIRL_IO_DRIVE_H
#define THIRL_IO_DRIVE_H

#include <uv.h>

#include "base/net.h"
#include "io/port.h"
#include "io/socket.h"
#include "io/terms.h"
#include "io/udp.h"

/* An answer that is known inside an action and delivered after it. */
typedef struct thirl_io_drive_outcome {
  thirl_net_id id;   /* 0: no longer wanted */
  thirl_error error; /* THIRL_OK: LISTENING */
} thirl_io_drive_outcome;

typedef struct thirl_io_drive {
  thirl_net_machine machine;
  thirl_io_net_config config; /* without zeroes that mean a default */
  thirl_log log;
  thirl_io_socket_options tcp, udp_options;
  thirl_io_net_stats stats;
  thirl_io_port_table *ports;
  thirl_list writers;   /* connections to pull for now */
  thirl_list lingering; /* oldest first */
  size_t lingering_n;
  thirl_io_udp *udp; /* made with the first UDP socket */
  thirl_io_drive_outcome *outcomes;
  size_t outcomes_at, outcomes_n, outcomes_cap;
  bool fed;   /* the machine has had an event */
  bool again; /* it would not become quiet: go on in the next turn of the loop */
  uint8_t tx[THIRL_IO_NET_PULL_MAX];
} thirl_io_drive;

/** d is zeroed before. ports is borrowed. E_INVALID for a configuration out of range. */
thirl_error thirl_io_drive_init(thirl_io_drive *d, const thirl_net_machine *machine, const thirl_io_net_config *config,
                                thirl_io_port_table *ports);
void thirl_io_drive_fini(thirl_io_drive *d);

/** Drain, pull, hand over outcomes, until the machine is quiet. */
void thirl_io_drive_run(thirl_io_drive *d);
/** One event, then run. */
void thirl_io_drive_feed(thirl_io_drive *d, const thirl_net_event *ev);
/** The port's id is dead: tell the machine, run, and only then close the descriptor. */
void thirl_io_drive_fail(thirl_io_drive *d, thirl_io_port *p, thirl_error e);
/** The socket of an open connection takes bytes again, or for the first time: pull for it in the next run. */
void thirl_io_drive_resume(thirl_io_drive *d, thirl_io_port *p);

/** Send the rest of a lingering connection, then FIN; ends it when it is through or broken. */
void thirl_io_drive_send_fin(thirl_io_drive *d, thirl_io_port *p);
void thirl_io_drive_end_lingering(thirl_io_drive *d, thirl_io_port *p, bool abort);

/** One line at DEBUG. */
void thirl_io_drive_trace(const thirl_io_drive *d, const char *what, thirl_net_id id, const thirl_addr *local,
                          const thirl_addr *remote, thirl_error e);

#endif
