/* SPDX-License-Identifier: MIT */
#include "sim/host.h"

#include <assert.h>

void thirl_sim_host_init(thirl_sim_host *h, const thirl_sim_stack_config *config, thirl_time clock_offset,
                         thirl_sim_pool *pool, uint64_t seed) {
  *h = (thirl_sim_host){.clock_offset = clock_offset, .wanted = THIRL_NEVER};
  thirl_sim_stack_init(&h->stack, config, pool, seed);
}

void thirl_sim_host_fini(thirl_sim_host *h) {
  thirl_sim_stack_fini(&h->stack);
}

static thirl_time machine_now(const thirl_sim_host *h, thirl_time now) {
  return thirl_time_after(now, h->clock_offset);
}

/* Move bytes from the machine to its connections until it has none or there is no room. */
static void pull(thirl_sim_host *h, thirl_time now) {
  size_t room;
  for (thirl_net_id id; (id = thirl_sim_stack_writable(&h->stack, now, &room)) != 0;) {
    thirl_sim_payload *payload = thirl_sim_pool_take_payload(h->stack.pool);
    size_t n = payload ? h->machine.pull(h->machine.self, machine_now(h, now), id, payload->bytes, room) : 0;
    assert(n <= room);
    if (n == 0) {
      thirl_sim_pool_give_payload(h->stack.pool, payload);
      thirl_sim_stack_pulled_dry(&h->stack, id);
      continue;
    }
    payload->n = (uint32_t)n;
    thirl_sim_stack_send(&h->stack, now, id, payload);
  }
}

/* Actions, then bytes, until both are dry; then the deadline. */
static void drain(thirl_sim_host *h, thirl_time now) {
  thirl_net_action action;
  thirl_time t = machine_now(h, now);
  int rounds = 0;
  for (bool more = true; more;) {
    more = false;
    while (h->machine.poll(h->machine.self, t, &action)) {
      thirl_sim_stack_act(&h->stack, now, &action);
      more = true;
      rounds++;
      assert(rounds < THIRL_SIM_ROUNDS_MAX);
      if (rounds >= THIRL_SIM_ROUNDS_MAX) return;
    }
    pull(h, now);
  }
  thirl_time wanted = h->machine.deadline(h->machine.self);
  h->wanted = wanted == THIRL_NEVER ? THIRL_NEVER : wanted > h->clock_offset ? wanted - h->clock_offset : 0;
}

static void hand_over(thirl_sim_host *h, thirl_time now, const thirl_net_event *ev) {
  h->machine.input(h->machine.self, machine_now(h, now), ev);
  drain(h, now);
}

/* Tell the machine what has happened, one by one; what it has closed meanwhile it does not hear of. */
static void run(thirl_sim_host *h, thirl_time now) {
  thirl_list *notes = &h->stack.notes;
  for (thirl_link *k; (k = thirl_list_first(notes)) != NULL;) {
    thirl_sim_note *note = THIRL_OWNER(k, thirl_sim_note, link);
    thirl_list_remove(k);
    if (h->has_machine && thirl_sim_stack_owns(&h->stack, &note->event)) hand_over(h, now, &note->event);
    thirl_sim_pool_give_note(h->stack.pool, note);
  }
  if (h->has_machine) pull(h, now); /* acknowledgements have made room */
}

void thirl_sim_host_input(thirl_sim_host *h, thirl_time now, const thirl_sim_packet *packet) {
  thirl_sim_stack_input(&h->stack, now, packet);
  run(h, now);
}

void thirl_sim_host_tick(thirl_sim_host *h, thirl_time now) {
  thirl_sim_stack_tick(&h->stack, now);
  run(h, now);
  if (!h->has_machine || h->wanted > now) return;
  thirl_net_event tick = {.kind = THIRL_NET_TICK};
  hand_over(h, now, &tick);
  if (h->wanted <= now) h->wanted = now + 1; /* time goes on even when a machine wants to be called for ever */
  run(h, now);
}

void thirl_sim_host_kick(thirl_sim_host *h, thirl_time now) {
  if (!h->has_machine) return;
  drain(h, now);
  run(h, now);
}

thirl_time thirl_sim_host_deadline(const thirl_sim_host *h) {
  return THIRL_MIN(thirl_sim_stack_deadline(&h->stack), h->has_machine ? h->wanted : THIRL_NEVER);
}

void thirl_sim_host_attach(thirl_sim_host *h, const thirl_net_machine *machine) {
  assert(!h->has_machine);
  h->machine = *machine;
  h->has_machine = true;
  h->wanted = 0; /* it is asked for its actions at once */
}

void thirl_sim_host_detach(thirl_sim_host *h, thirl_time now, bool power_cut) {
  h->has_machine = false;
  h->wanted = THIRL_NEVER;
  if (power_cut)
    thirl_sim_stack_forget_all(&h->stack);
  else
    thirl_sim_stack_close_all(&h->stack, now);
}
