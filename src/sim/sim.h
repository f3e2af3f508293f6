/* SPDX-License-Identifier: MIT */
/*
 * The deterministic world: hosts, NATs and links in virtual time, everything from one seed. The same seed and the same calls give the same world to
 * the bit: thirl_sim_hash says so.
 *
 *     internet --- host                  Every node but the internet hangs by one link below another: the internet or a NAT.
 *        |                               A NAT routes for what hangs below it; NATs nest. Hosts below the same node reach each other directly.
 *       NAT --- host, host, NAT ...
 *
 * A world is one object on one thread; different worlds share nothing.
 */
#ifndef THIRL_SIM_SIM_H
#define THIRL_SIM_SIM_H

#include "base/log.h"
#include "base/net.h"
#include "natbox/natbox.h"
#include "sim/config.h"
#include "sim/link.h"
#include "sim/traffic.h"

/** NULL: no memory. */
thirl_sim *thirl_sim_new(uint64_t seed);
/** Machines are not touched. NULL is allowed. */
void thirl_sim_free(thirl_sim *sim);
/** Each event of the world as a line of text at level DEBUG; NULL or a log without sink: none. Borrowed. */
void thirl_sim_set_log(thirl_sim *sim, const thirl_log *log);

/** NULL: no memory or too many nodes. */
thirl_sim_node *thirl_sim_add_host(thirl_sim *sim, const thirl_sim_host_config *config);
thirl_sim_node *thirl_sim_add_nat(thirl_sim *sim, const thirl_sim_nat_config *config);
thirl_sim_node *thirl_sim_internet(thirl_sim *sim);
const char *thirl_sim_name(const thirl_sim_node *node);

/** The rules of the link by which the node hangs: up from it, down to it. NULL leaves a direction as it is. Packets on the way stay. */
void thirl_sim_set_link(thirl_sim_node *node, const thirl_sim_link_rules *up, const thirl_sim_link_rules *down);
/** Pull the plug, or put it back: the other rules stay. */
void thirl_sim_set_down(thirl_sim_node *node, bool down);
/** The rules in force. */
thirl_sim_link_rules thirl_sim_get_link(const thirl_sim_node *node, bool up);
/** A host moves to another network with other addresses (roaming). Its link keeps its rules. */
thirl_error thirl_sim_move(thirl_sim_node *host, thirl_sim_node *below, const thirl_addr *addrs, unsigned n_addrs);

/** Run a machine on a host; it is borrowed, and asked for its first actions when the world next runs. One at a time. */
void thirl_sim_attach(thirl_sim_node *host, const thirl_net_machine *machine);
/** Its process is killed: the kernel ends its connections with FIN, opening ones and listeners vanish. */
void thirl_sim_kill(thirl_sim_node *host);
/** The host loses power: nothing is sent. Another machine may be attached later. */
void thirl_sim_cut_power(thirl_sim_node *host);
/** The application has touched the machine: drain it. Not from within a machine. */
void thirl_sim_kick(thirl_sim_node *host);

/* A NAT's faults; the first box, or the second (IPv6). */
void thirl_sim_reboot(thirl_sim_node *nat);
/** E_IN_USE: the address belongs to another node outside. */
thirl_error thirl_sim_renumber(thirl_sim_node *nat, thirl_addr external);
/** To look into it, or to change its rules. */
thirl_natbox *thirl_sim_natbox(thirl_sim_node *nat, bool second);

/* What a host's sockets are like that net.h does not say: the time to live of the ones to come, and of one (false: none such). */
void thirl_sim_set_ttl(thirl_sim_node *host, uint8_t ttl);
bool thirl_sim_set_socket_ttl(thirl_sim_node *host, thirl_net_id id, uint8_t ttl);
/** Do routers say when a packet's time to live has ended? They do unless told. */
void thirl_sim_set_time_exceeded(thirl_sim *sim, bool said);

thirl_time thirl_sim_now(const thirl_sim *sim);
/** The host's own clock. */
thirl_time thirl_sim_clock(const thirl_sim_node *host);
/** Call back at that time (at once if it is past), from the world's loop, between events; in the order of asking when times are equal. */
thirl_error thirl_sim_at(thirl_sim *sim, thirl_time when, void (*call)(void *ctx), void *ctx);
/** The next event. False: there is none, ever. */
bool thirl_sim_step(thirl_sim *sim);
/** All events up to and including this time; then it is that time. */
void thirl_sim_run_until(thirl_sim *sim, thirl_time until);
/** Up to until, or to the first moment at which done(ctx) is true, asked after each event. True: it was. */
bool thirl_sim_run_for(thirl_sim *sim, thirl_time until, bool (*done)(void *ctx), void *ctx);
/** When the next event will be; NEVER. */
thirl_time thirl_sim_next(const thirl_sim *sim);

thirl_sim_counters thirl_sim_count(const thirl_sim *sim);
/** Over everything that has happened: equal in a replay. */
uint64_t thirl_sim_hash(const thirl_sim *sim);
/** What hosts have sent to this address, as they addressed it (outer addresses of NATs); port 0 = any port of it. */
thirl_sim_traffic_entry thirl_sim_sent_to(const thirl_sim *sim, thirl_addr to);
/** The same for what one host has sent. */
thirl_sim_traffic_entry thirl_sim_sent_by(const thirl_sim_node *host, thirl_addr to);
/** A number for the dice of a scenario, from the world's seed; does not disturb the world's own dice. */
uint64_t thirl_sim_draw(thirl_sim *sim);
/** How many sockets the host's kernel holds, embryos and TIME-WAIT included. */
size_t thirl_sim_socket_count(const thirl_sim_node *host);

#endif
