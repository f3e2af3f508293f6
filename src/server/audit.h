/* SPDX-License-Identifier: MIT */
/* Does everything say the same? For tests and fuzzing; walks all tables. */
#ifndef THIRL_SERVER_AUDIT_H
#define THIRL_SERVER_AUDIT_H

#include "server/conn.h"
#include "server/registry.h"

/** Recounts connections, registrations, channels and their bytes against the gauges, and the lists against the tables. */
bool thirl_server_audit_all(const thirl_server_context *ctx, const thirl_server_conns *conns,
                            const thirl_server_registry *registry);

#endif
