/* SPDX-License-Identifier: MIT */
/* The verbs: what goes in, when it ends, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ice/agent.h"
#include "ice/route.h"
#include "ice/queue.h"
#include "stun/writer.h"
#include "unit/ice/toy.h"

static void bad_configurations_are_refused(void **state) {
  (void)state;
  toy *t = toy_new(1);
  thirl_ice *a;
  char longest[THIRL_ICE_CREDENTIAL_MAX + 2];
  memset(longest, 'a', sizeof longest);
  longest[sizeof longest - 1] = '\0';
  thirl_ice_config good = toy_config(t, 0, true), c;
  c = good, c.ufrag = NULL;
  assert_int_equal(thirl_ice_new(&c, &a), THIRL_E_INVALID);
  c = good, c.pwd = NULL;
  assert_int_equal(thirl_ice_new(&c, &a), THIRL_E_INVALID);
  c = good, c.secrets = NULL;
  assert_int_equal(thirl_ice_new(&c, &a), THIRL_E_INVALID);
  c = good, c.ufrag = "abc";
  assert_int_equal(thirl_ice_new(&c, &a), THIRL_E_RANGE);
  c = good, c.pwd = "only twenty-one chars";
  assert_int_equal(thirl_ice_new(&c, &a), THIRL_E_RANGE);
  c = good, c.ufrag = longest;
  assert_int_equal(thirl_ice_new(&c, &a), THIRL_E_RANGE);
  assert_null(a);
  c = good, c.ufrag = longest + 1, c.pwd = longest + 1; /* 256 characters each */
  assert_int_equal(thirl_ice_new(&c, &a), THIRL_OK);
  assert_int_equal(thirl_ice_set_remote(a, "abc", longest + 1), THIRL_E_RANGE);
  assert_int_equal(thirl_ice_set_remote(a, longest + 1, longest + 1), THIRL_OK);
  assert_int_equal(thirl_ice_set_remote(a, "abcd", longest + 1), THIRL_E_STATE);
  /* the longest request still fits */
  thirl_addr u = toy_addr(0, 1);
  thirl_ice_candidate l = {.addr = u}, r = {.addr = toy_addr(1, 1)};
  assert_int_equal(thirl_ice_add_local(a, &l), THIRL_OK);
  assert_int_equal(thirl_ice_add_remote(a, t->now, &r), THIRL_OK);
  thirl_ice_start(a, t->now, t->now);
  thirl_ice_action out;
  assert_true(thirl_ice_poll(a, t->now, &out));
  assert_int_equal(out.kind, THIRL_ICE_SENDTO);
  thirl_ice_free(a);
  thirl_ice_free(NULL);
  toy_free(t);
}

static void local_candidates_are_completed(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  thirl_ice *a = t->agent[0].ice;
  thirl_ice_candidate c = {.type = THIRL_ICE_HOST, .transport = THIRL_ICE_UDP}, out;
  assert_int_equal(thirl_ice_add_local(a, &c), THIRL_E_INVALID);
  for (uint16_t i = 0; i < THIRL_ICE_LOCAL_MAX; i++) {
    c.addr = toy_addr(0, (uint16_t)(100 + i));
    assert_int_equal(thirl_ice_add_local(a, &c), THIRL_OK);
    assert_int_equal(thirl_ice_add_local(a, &c), THIRL_OK); /* known: ignored */
    assert_true(thirl_ice_get_local(a, i, &out));
    assert_true(thirl_addr_equal(&out.base, &c.addr));
    assert_int_equal(out.priority, 2130706431 - 256 * i); /* unique */
    assert_int_not_equal(out.foundation, 0);
    assert_false(thirl_ice_get_local(a, i + 1u, &out));
  }
  c.addr = toy_addr(0, 99);
  assert_int_equal(thirl_ice_add_local(a, &c), THIRL_E_LIMIT);
  toy_free(t);
}

static void forbidden_addresses_are_ignored(void **state) {
  (void)state;
  static const char *const bad[] = {"127.0.0.1:53",       "0.0.0.0:53",  "224.0.0.1:53",        "255.255.255.255:53",
                                    "[::1]:53",           "[::]:53",     "[ff02::1]:53",        "[::ffff:127.0.0.1]:53",
                                    "[2002:7f00:1::]:53", "192.0.2.1:0", "[64:ff9b::7f00:1]:53"};
  toy *t = toy_two(NULL);
  thirl_ice *a = t->agent[0].ice;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    thirl_ice_candidate c = {.type = THIRL_ICE_HOST, .transport = i % 2 ? THIRL_ICE_UDP : THIRL_ICE_TCP_SO};
    assert_int_equal(thirl_addr_parse(bad[i], &c.addr), THIRL_OK);
    assert_int_equal(thirl_ice_add_remote(a, t->now, &c), THIRL_OK);
    assert_int_equal(a->n_remotes, 0);
  }
  toy_free(t);
  t = toy_new(1);
  thirl_ice_config cfg = toy_config(t, 0, true);
  cfg.any_address = true;
  toy_start(t, 0, &cfg);
  thirl_ice_candidate c = {.addr = thirl_addr_v4(127, 0, 0, 1, 53)};
  assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
  assert_int_equal(t->agent[0].ice->n_remotes, 1);
  toy_free(t);
}

static void nothing_to_try(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_go(t, 0, t->now);
  toy_go(t, 1, t->now);
  assert_int_equal(t->agent[0].failed, 0);
  thirl_ice_end_of_candidates(t->agent[0].ice, t->now);
  toy_drain(t, 0);
  assert_int_equal(t->agent[0].failed, 1);
  assert_int_equal(t->agent[0].reason, THIRL_E_NO_PATH);
  toy_run(t, t->now + 60 * THIRL_S); /* the other one was never told */
  assert_int_equal(t->agent[1].failed, 1);
  assert_int_equal(toy_ms(t->agent[1].failed_at), 39500);
  assert_int_equal(t->agent[1].reason, THIRL_E_NO_PATH);
  toy_free(t);
}

static void one_second(thirl_ice_config *c, int agent) {
  (void)agent;
  c->give_up = THIRL_S;
}

static void give_up_is_exact_and_ends_everything(void **state) {
  (void)state;
  toy *t = toy_two(one_second);
  t->elsewhere = TOY_DROP;
  for (uint8_t lane = 0; lane < 3; lane++) {
    thirl_addr a = toy_addr(0, (uint16_t)(5000 + lane));
    toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_TCP_SO, lane, a, a, false);
    thirl_ice_candidate c = {
        .type = THIRL_ICE_SRFLX, .transport = THIRL_ICE_TCP_SO, .lane = lane, .addr = toy_addr(1, 6000)};
    assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
  }
  toy_go(t, 0, t->now + 70 * THIRL_MS);
  toy_run(t, t->now + 10 * THIRL_S);
  assert_int_equal(t->agent[0].failed, 1);
  assert_int_equal(toy_ms(t->agent[0].failed_at), 1070);
  assert_int_equal(t->agent[0].connects,
                   1); /* one remote candidate: the same address on three lanes is known after the first */
  assert_int_equal(t->agent[0].aborts, 1);
  assert_int_equal(toy_open_links(t, 0), 0);
  assert_true(thirl_ice_deadline(t->agent[0].ice) == THIRL_NEVER);
  thirl_addr local = toy_addr(0, 5000), remote = toy_addr(1, 1);
  thirl_ice_link link;
  assert_int_equal(thirl_ice_accept(t->agent[0].ice, t->now, &local, &remote, &link), THIRL_E_STATE);
  toy_free(t);
}

static void candidates_trickle_in(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_go(t, 0, t->now);
  toy_go(t, 1, t->now);
  toy_run(t, t->now + 500 * THIRL_MS);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  toy_run(t, t->now);
  assert_int_equal(t->agent[0].connects, 1); /* at once */
  assert_int_equal(t->agent[1].connects, 1);
  thirl_ice_end_of_candidates(t->agent[0].ice, t->now);
  toy_run(t, t->now + THIRL_S);
  assert_int_equal(t->agent[0].selected, 1);
  assert_int_equal(t->agent[1].selected, 1);
  assert_int_equal(toy_ms(t->agent[0].selected_at), 700);
  toy_free(t);
}

static void failed_comes_only_after_the_last_candidate(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_host(t, toy_addr(1, 0), TOY_GARBAGE);
  thirl_addr a = toy_addr(0, 5000);
  toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_TCP_SO, 0, a, a, false);
  thirl_ice_candidate c = {.type = THIRL_ICE_HOST, .transport = THIRL_ICE_TCP_SO, .addr = toy_addr(1, 5000)};
  assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
  toy_go(t, 0, t->now);
  toy_run(t, t->now + THIRL_S);
  assert_int_equal(t->agent[0].strangers, 1);
  assert_int_equal(t->agent[0].confirmed, 0);
  assert_int_equal(t->agent[0].failed, 0);
  thirl_ice_end_of_candidates(t->agent[0].ice, t->now);
  toy_drain(t, 0);
  assert_int_equal(t->agent[0].failed, 1);
  toy_free(t);
}

static void who_listens_waits_for_the_peer(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_PASSIVE, THIRL_ICE_TCP_ACTIVE, 0, 7000);
  thirl_ice_end_of_candidates(t->agent[0].ice, t->now);
  toy_go(t, 0, t->now);
  toy_run(t, t->now + 20 * THIRL_S);
  assert_int_equal(t->agent[0].failed, 0);
  toy_go(t, 1, t->now);
  toy_run(t, t->now + THIRL_S);
  assert_int_equal(t->agent[0].selected, 1);
  toy_free(t);
}

/* A peer-reflexive candidate that the peer then tells: its word replaces our guess. */
static void a_candidate_told_later_replaces_the_guess(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  thirl_addr u = toy_addr(0, 4000), v = toy_addr(1, 4000);
  toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_UDP, 0, u, u, true);
  toy_candidate(t, 1, THIRL_ICE_HOST, THIRL_ICE_UDP, 0, v, v, false);
  toy_go(t, 1, t->now);
  toy_run(t, t->now + 60 * THIRL_MS);
  thirl_ice *a = t->agent[0].ice;
  assert_int_equal(a->n_remotes, 1);
  assert_int_equal(a->remotes[0].type, THIRL_ICE_PRFLX);
  thirl_ice_candidate c = {.type = THIRL_ICE_SRFLX, .addr = v, .priority = 77, .foundation = 78};
  assert_int_equal(thirl_ice_add_remote(a, t->now, &c), THIRL_OK);
  toy_drain(t, 0);
  assert_int_equal(a->n_remotes, 1);
  assert_int_equal(a->n_pairs, 1);
  assert_int_equal(a->remotes[0].type, THIRL_ICE_SRFLX);
  assert_int_equal(a->remotes[0].priority, 77);
  toy_run(t, t->now + THIRL_S);
  assert_int_equal(t->agent[0].last_selected.remote_type, THIRL_ICE_SRFLX);
  toy_free(t);
}

static void the_reason_is_that_of_what_could_have_worked(void **state) {
  (void)state;
  static const struct {
    toy_stranger host, srflx;
    thirl_error reason;
  } cases[] = {
      {TOY_REFUSE, TOY_DROP, THIRL_E_TIMEOUT},          {TOY_DROP, TOY_REFUSE, THIRL_E_REFUSED},
      {TOY_GARBAGE, TOY_DROP, THIRL_E_TIMEOUT},         {TOY_GARBAGE, TOY_UNREACHABLE, THIRL_E_UNREACHABLE},
      {TOY_UNREACHABLE, TOY_GARBAGE, THIRL_E_STRANGER}, {TOY_SILENT, TOY_SILENT, THIRL_E_TIMEOUT},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    toy *t = toy_two(NULL);
    thirl_addr a = toy_addr(0, 5000), host = thirl_addr_v4(192, 168, 7, 7, 5000),
               srflx = thirl_addr_v4(198, 51, 100, 7, 5000);
    toy_host(t, host, cases[i].host);
    toy_host(t, srflx, cases[i].srflx);
    toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_TCP_SO, 0, a, a, false);
    thirl_ice_candidate c = {.type = THIRL_ICE_HOST, .transport = THIRL_ICE_TCP_SO, .addr = host};
    assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
    c.type = THIRL_ICE_SRFLX;
    c.addr = srflx;
    assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
    toy_go(t, 0, t->now);
    toy_run(t, t->now + 60 * THIRL_S);
    assert_int_equal(t->agent[0].failed, 1);
    assert_int_equal(t->agent[0].reason, cases[i].reason);
    toy_free(t);
  }
}

static void evidence_is_counted(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  t->refusals_left[0] = 2;
  t->refusal_delay = 10 * THIRL_MS;
  toy_go_and_run(t, THIRL_S);
  thirl_ice_evidence e;
  thirl_ice_get_evidence(t->agent[0].ice, &e);
  assert_int_equal(e.pairs, 1);
  assert_int_equal(e.connects, 3);
  assert_int_equal(e.refused, 2);
  assert_int_equal(e.unreachable, 0);
  assert_int_equal(e.timeouts, 0);
  assert_int_equal(e.links_up, 1);
  assert_int_equal(e.strangers, 0);
  assert_int_equal(e.checks, 1);
  assert_int_equal(e.heard, 1);
  toy_free(t);
}

static void events_of_unknown_links_are_ignored(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  toy_go(t, 0, t->now);
  for (int kind = 0; kind < 6; kind++) {
    for (thirl_ice_link link = 0; link < 100; link += 33) {
      thirl_ice_input_event ev = {.kind = (thirl_ice_input_kind)kind, .link = link, .error = THIRL_E_REFUSED};
      if (ev.kind != THIRL_ICE_DATAGRAM) toy_input(t, 0, &ev);
    }
  }
  assert_int_equal(t->agent[0].connects, 1);
  assert_int_equal(t->agent[0].sent, 0);
  toy_free(t);
}

static void time_never_goes_back(void **state) {
  (void)state;
  toy *t = toy_two(one_second);
  toy_go(t, 0, t->now);
  thirl_ice_input_event tick = {.kind = THIRL_ICE_TICK};
  thirl_ice_input(t->agent[0].ice, t->now + 500 * THIRL_MS, &tick);
  thirl_ice_input(t->agent[0].ice, 0, &tick);
  assert_true(t->agent[0].ice->now == t->now + 500 * THIRL_MS);
  toy_free(t);
}

static void requests_are_routed_by_user_name(void **state) {
  (void)state;
  static const uint8_t tid[12] = {1};
  static const struct {
    const char *username;
    thirl_stun_class cls;
    uint16_t method;
    thirl_error error;
    size_t ours, theirs;
  } cases[] = {
      {"ours:theirs", THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, THIRL_OK, 4, 6},
      {":", THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, THIRL_OK, 0, 0},
      {"a:b:c", THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, THIRL_OK, 1, 3},
      {"nocolon", THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, THIRL_E_NOT_FOUND, 0, 0},
      {"", THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, THIRL_E_NOT_FOUND, 0, 0},
      {NULL, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, THIRL_E_NOT_FOUND, 0, 0},
      {"ours:theirs", THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_BINDING, THIRL_E_NOT_FOUND, 0, 0},
      {"ours:theirs", THIRL_STUN_REQUEST, THIRL_STUN_METHOD_ALLOCATE, THIRL_E_NOT_FOUND, 0, 0},
  };
  thirl_bytes ours, theirs, out;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint8_t buf[128];
    thirl_stun_writer w;
    thirl_stun_writer_init(&w, buf, sizeof buf, cases[i].cls, cases[i].method, tid);
    if (cases[i].username)
      thirl_stun_writer_bytes(&w, THIRL_STUN_ATTR_USERNAME, THIRL_BYTES(cases[i].username, strlen(cases[i].username)));
    assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
    assert_int_equal(thirl_ice_route_parse(out, &ours, &theirs), cases[i].error);
    assert_int_equal(ours.n, cases[i].ours);
    assert_int_equal(theirs.n, cases[i].theirs);
  }
  assert_int_equal(thirl_ice_route_parse(THIRL_BYTES("hello", 5), &ours, &theirs), THIRL_E_NOT_STUN);
}

static void an_undrained_queue_drops_messages_first(void **state) {
  (void)state;
  static thirl_ice_queue q;
  memset(&q, 0, sizeof q);
  thirl_ice_action send = {.kind = THIRL_ICE_SEND}, abort_ = {.kind = THIRL_ICE_ABORT};
  thirl_ice_message m = {0};
  thirl_ice_intent i;
  unsigned messages = 0, others = 0;
  while (thirl_ice_queue_push(&q, &send, &m))
    messages++;
  while (thirl_ice_queue_push(&q, &abort_, NULL))
    others++;
  assert_int_equal(messages, THIRL_ICE_QUEUE_SENDS);
  assert_int_equal(messages + others, THIRL_ICE_QUEUE_MAX);
  for (unsigned k = 0; k < THIRL_ICE_QUEUE_MAX; k++) {
    assert_true(thirl_ice_queue_pop(&q, &i));
    assert_int_equal(i.action.kind, k < messages ? THIRL_ICE_SEND : THIRL_ICE_ABORT);
  }
  assert_false(thirl_ice_queue_pop(&q, &i));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bad_configurations_are_refused),
      cmocka_unit_test(local_candidates_are_completed),
      cmocka_unit_test(forbidden_addresses_are_ignored),
      cmocka_unit_test(nothing_to_try),
      cmocka_unit_test(give_up_is_exact_and_ends_everything),
      cmocka_unit_test(candidates_trickle_in),
      cmocka_unit_test(failed_comes_only_after_the_last_candidate),
      cmocka_unit_test(who_listens_waits_for_the_peer),
      cmocka_unit_test(a_candidate_told_later_replaces_the_guess),
      cmocka_unit_test(the_reason_is_that_of_what_could_have_worked),
      cmocka_unit_test(evidence_is_counted),
      cmocka_unit_test(events_of_unknown_links_are_ignored),
      cmocka_unit_test(time_never_goes_back),
      cmocka_unit_test(requests_are_routed_by_user_name),
      cmocka_unit_test(an_undrained_queue_drops_messages_first),
  };
  return cmocka_run_group_tests_name("ice/ice", tests, NULL, NULL);
}
