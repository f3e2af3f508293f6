/* SPDX-License-Identifier: MIT */
/*
 * What strangers try, told to the operator: a line at WARN, at most warnings_per_minute of them, so that nobody fills a disk. What there was no budget
 * for is counted in the next line, and always in stats.h. The only lines of the server with an address in them.
 */
#ifndef THIRL_SERVER_ALARM_H
#define THIRL_SERVER_ALARM_H

#include "base/peerid.h"
#include "server/conn.h"

typedef enum thirl_server_alarm {
  THIRL_SERVER_ALARM_REGISTRATION, /* a REGISTER with a nonce that was made for another connection: recorded, or forged */
  THIRL_SERVER_ALARM_MESSAGE       /* a message of a registered peer, on its connection, that was there before */
} thirl_server_alarm;

/** Count it as replayed, and say it if there is budget. id: who is said to speak. */
void thirl_server_alarm_replay(thirl_server_context *ctx, const thirl_server_conn *c, thirl_server_alarm what,
                               const thirl_peerid *id);

#endif
