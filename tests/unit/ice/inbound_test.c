/* SPDX-License-Identifier: MIT */
/* What strangers and peers send: judged, answered, learned from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ice/agent.h"
#include "ice/route.h"
#include "stun/integrity.h"
#include "stun/writer.h"
#include "unit/ice/toy.h"

/* A request as agent 1 would send it to agent 0, with something changed. */
typedef struct forged {
  const char *username, *password; /* NULL: the right one; "": none */
  uint16_t unknown;
  bool nominate, controlling;
  uint64_t tie_breaker;
  uint32_t priority;
  uint8_t tid;
  uint16_t method;
  thirl_stun_class cls;
} forged;

static thirl_bytes forge(const toy *t, const forged *f, uint8_t buf[512]) {
  thirl_stun_writer w;
  thirl_bytes out;
  uint8_t tid[12] = {f->tid, 1, 2, 3};
  char username[64];
  strcpy(username, t->agent[0].ufrag);
  strcat(username, ":");
  strcat(username, t->agent[1].ufrag);
  const char *user = f->username ? f->username : username, *password = f->password ? f->password : t->agent[0].pwd;
  thirl_stun_writer_init(&w, buf, 512, f->cls, f->method ? f->method : THIRL_STUN_METHOD_BINDING, tid);
  if (*user) thirl_stun_writer_bytes(&w, THIRL_STUN_ATTR_USERNAME, THIRL_BYTES(user, strlen(user)));
  if (f->priority) thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_PRIORITY, f->priority);
  thirl_stun_writer_u64(&w, f->controlling ? THIRL_STUN_ATTR_ICE_CONTROLLING : THIRL_STUN_ATTR_ICE_CONTROLLED,
                        f->tie_breaker);
  if (f->nominate) thirl_stun_writer_flag(&w, THIRL_STUN_ATTR_USE_CANDIDATE);
  if (f->unknown) thirl_stun_writer_u32(&w, f->unknown, 5);
  if (*password) thirl_stun_writer_integrity(&w, THIRL_BYTES(password, strlen(password)));
  thirl_stun_writer_fingerprint(&w);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  return out;
}

/* Agent 0 with a UDP and a TCP so candidate; nobody else runs. */
static toy *listening(void) {
  toy *t = toy_two(NULL);
  thirl_addr u = toy_addr(0, 4000), s = toy_addr(0, 5000);
  toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_UDP, 0, u, u, false);
  toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_TCP_SO, 0, s, s, false);
  return t;
}

typedef struct answer {
  unsigned n, aborts, strangers, requests;
  thirl_stun_msg msg; /* the last response, valid until the next drain */
  thirl_addr remote;
  thirl_ice_link link;
} answer;

static uint8_t last_response[1024];

static answer drain(toy *t, int agent) {
  answer r = {0};
  thirl_ice_action a;
  while (thirl_ice_poll(t->agent[agent].ice, t->now, &a)) {
    r.aborts += a.kind == THIRL_ICE_ABORT;
    r.strangers += a.kind == THIRL_ICE_STRANGER;
    if (a.kind != THIRL_ICE_SEND && a.kind != THIRL_ICE_SENDTO) continue;
    thirl_stun_msg m;
    assert_int_equal(thirl_stun_msg_decode(a.payload, &m), THIRL_OK);
    if (m.cls == THIRL_STUN_REQUEST) {
      r.requests++;
      continue;
    }
    r.n++;
    r.remote = a.remote;
    r.link = a.link;
    memcpy(last_response, a.payload.p, a.payload.n);
    assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(last_response, a.payload.n), &r.msg), THIRL_OK);
  }
  return r;
}

static answer by_udp(toy *t, const forged *f, thirl_addr from) {
  uint8_t buf[512];
  thirl_ice_input_event ev = {
      .kind = THIRL_ICE_DATAGRAM, .local = toy_addr(0, 4000), .remote = from, .payload = forge(t, f, buf)};
  thirl_ice_input(t->agent[0].ice, t->now, &ev);
  return drain(t, 0);
}

static thirl_ice_link accepted(toy *t, uint16_t port) {
  thirl_addr local = toy_addr(0, 5000), remote = toy_addr(1, port);
  thirl_ice_link link;
  assert_int_equal(thirl_ice_accept(t->agent[0].ice, t->now, &local, &remote, &link), THIRL_OK);
  drain(t, 0);
  return link;
}

static answer by_tcp(toy *t, const forged *f, thirl_ice_link link) {
  uint8_t buf[512];
  thirl_ice_input_event ev = {.kind = THIRL_ICE_LINK_MESSAGE, .link = link, .payload = forge(t, f, buf)};
  thirl_ice_input(t->agent[0].ice, t->now, &ev);
  return drain(t, 0);
}

static unsigned code_of(const answer *r) {
  unsigned code = 0;
  assert_int_equal(r->n, 1);
  assert_int_equal(r->msg.cls, THIRL_STUN_ERROR);
  assert_int_equal(thirl_stun_msg_get_error(&r->msg, &code, NULL), THIRL_OK);
  return code;
}

static thirl_bytes key(const toy *t, int agent) {
  return THIRL_BYTES(t->agent[agent].pwd, strlen(t->agent[agent].pwd));
}

static void a_request_is_answered_with_what_we_see(void **state) {
  (void)state;
  toy *t = listening();
  thirl_addr from = toy_addr(1, 7000), mapped;
  answer r = by_udp(t, &(forged){.tid = 9, .priority = 12345}, from);
  assert_int_equal(r.n, 1);
  assert_int_equal(r.msg.cls, THIRL_STUN_SUCCESS);
  assert_int_equal(r.msg.tid[0], 9);
  assert_true(thirl_addr_equal(&r.remote, &from));
  assert_int_equal(thirl_stun_msg_get_xor_addr(&r.msg, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped), THIRL_OK);
  assert_true(thirl_addr_equal(&mapped, &from));
  assert_int_equal(thirl_stun_integrity_check(&r.msg, key(t, 0)), THIRL_OK);
  assert_true(r.msg.fingerprint_at != 0);
  assert_int_equal(r.requests, 1); /* the triggered check, long before GO */
  thirl_ice *a = t->agent[0].ice;
  assert_int_equal(a->n_remotes, 1);
  assert_int_equal(a->remotes[0].type, THIRL_ICE_PRFLX);
  assert_int_equal(a->remotes[0].transport, THIRL_ICE_UDP);
  assert_int_equal(a->remotes[0].priority, 12345);
  assert_int_not_equal(a->remotes[0].foundation, 0);
  toy_free(t);
}

static void our_request_carries_what_the_rfc_asks_for(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_UDP, THIRL_ICE_UDP, 0, 4000);
  thirl_ice_start(t->agent[0].ice, t->now, t->now);
  thirl_ice_action a;
  assert_true(thirl_ice_poll(t->agent[0].ice, t->now, &a));
  assert_int_equal(a.kind, THIRL_ICE_SENDTO);
  thirl_stun_msg m;
  assert_int_equal(thirl_stun_msg_decode(a.payload, &m), THIRL_OK);
  assert_int_equal(m.cls, THIRL_STUN_REQUEST);
  thirl_bytes ours, theirs;
  assert_int_equal(thirl_ice_route_parse(a.payload, &ours, &theirs), THIRL_OK);
  assert_true(thirl_bytes_equal(ours, THIRL_BYTES(t->agent[1].ufrag, 8)));
  assert_true(thirl_bytes_equal(theirs, THIRL_BYTES(t->agent[0].ufrag, 8)));
  uint32_t priority;
  uint64_t tie;
  assert_int_equal(thirl_stun_msg_get_u32(&m, THIRL_STUN_ATTR_PRIORITY, &priority), THIRL_OK);
  assert_int_equal(priority, 1862270975);
  assert_int_equal(thirl_stun_msg_get_u64(&m, THIRL_STUN_ATTR_ICE_CONTROLLING, &tie), THIRL_OK);
  assert_true(tie == t->agent[0].ice->tie_breaker);
  assert_false(thirl_stun_msg_has(&m, THIRL_STUN_ATTR_ICE_CONTROLLED));
  assert_false(thirl_stun_msg_has(&m, THIRL_STUN_ATTR_USE_CANDIDATE));
  assert_int_equal(thirl_stun_integrity_check(&m, key(t, 1)), THIRL_OK);
  assert_true(m.fingerprint_at != 0);
  toy_free(t);
}

static const struct {
  forged f;
  unsigned code;
} wrong[] = {
    {{.username = "nobody:else"}, 401},
    {{.username = "nobody"}, 401},
    {{.username = ""}, 400},
    {{.password = "not the password at all"}, 401},
    {{.password = ""}, 400},
};

static void wrong_credentials_over_udp_are_refused_and_forgotten(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    toy *t = listening();
    answer r = by_udp(t, &wrong[i].f, toy_addr(1, 7000));
    assert_int_equal(code_of(&r), wrong[i].code);
    assert_int_equal(thirl_stun_integrity_check(&r.msg, key(t, 0)), THIRL_E_NOT_FOUND);
    assert_int_equal(t->agent[0].ice->n_remotes, 0);
    assert_int_equal(t->agent[0].ice->n_flows, 0);
    unsigned answered = 1;
    for (int k = 0; k < 100; k++)
      answered += by_udp(t, &wrong[i].f, toy_addr(1, 7000)).n;
    assert_int_equal(answered, 16); /* we are no reflector */
    toy_free(t);
  }
}

static void wrong_credentials_over_tcp_are_a_stranger(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    toy *t = listening();
    thirl_ice_link link = accepted(t, 7000);
    answer r = by_tcp(t, &wrong[i].f, link);
    assert_int_equal(code_of(&r), wrong[i].code);
    assert_int_equal(r.link, link);
    assert_int_equal(r.strangers, 1);
    assert_int_equal(r.aborts, 1);
    assert_int_equal(by_tcp(t, &(forged){0}, link).n, 0); /* the link is dead */
    thirl_ice_evidence e;
    thirl_ice_get_evidence(t->agent[0].ice, &e);
    assert_int_equal(e.strangers, 1);
    assert_int_equal(e.links_up, 1);
    toy_free(t);
  }
}

static void an_unknown_attribute_is_told(void **state) {
  (void)state;
  toy *t = listening();
  answer r = by_udp(t, &(forged){.unknown = 0x0077}, toy_addr(1, 7000));
  assert_int_equal(code_of(&r), 420);
  thirl_bytes list;
  assert_true(thirl_stun_msg_find(&r.msg, THIRL_STUN_ATTR_UNKNOWN_ATTRIBUTES, &list));
  assert_int_equal(list.n, 2);
  assert_int_equal(thirl_bytes_get_u16(list.p), 0x0077);
  assert_int_equal(thirl_stun_integrity_check(&r.msg, key(t, 0)), THIRL_OK);
  r = by_udp(t, &(forged){.unknown = 0x8077}, toy_addr(1, 7000));
  assert_int_equal(r.msg.cls, THIRL_STUN_SUCCESS);
  toy_free(t);
}

static void other_messages_are_dropped(void **state) {
  (void)state;
  toy *t = listening();
  assert_int_equal(by_udp(t, &(forged){.cls = THIRL_STUN_INDICATION}, toy_addr(1, 7000)).n, 0);
  assert_int_equal(by_udp(t, &(forged){.method = THIRL_STUN_METHOD_ALLOCATE}, toy_addr(1, 7000)).n, 0);
  assert_int_equal(by_udp(t, &(forged){.cls = THIRL_STUN_SUCCESS}, toy_addr(1, 7000)).n, 0);
  assert_int_equal(by_udp(t, &(forged){.cls = THIRL_STUN_ERROR}, toy_addr(1, 7000)).n, 0);
  thirl_ice_input_event ev = {.kind = THIRL_ICE_DATAGRAM, .local = toy_addr(0, 4001), .remote = toy_addr(1, 7000)};
  uint8_t buf[512];
  ev.payload = forge(t, &(forged){0}, buf);
  thirl_ice_input(t->agent[0].ice, t->now, &ev); /* a base that is none of ours */
  assert_int_equal(drain(t, 0).n, 0);
  assert_int_equal(t->agent[0].ice->n_flows, 0);
  toy_free(t);
}

static void the_role_conflict_is_decided_by_the_tie_breaker(void **state) {
  (void)state;
  static const struct {
    bool we, they;
    uint64_t ours, theirs;
    bool error, then;
  } cases[] = {
      {true, true, 5, 4, true, true},    {true, true, 5, 5, true, true},    {true, true, 4, 5, false, false},
      {false, false, 5, 4, false, true}, {false, false, 5, 5, false, true}, {false, false, 4, 5, true, false},
      {true, false, 4, 5, false, true},  {false, true, 5, 4, false, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    toy *t = listening();
    t->agent[0].ice->controlling = cases[i].we;
    t->agent[0].ice->tie_breaker = cases[i].ours;
    answer r = by_udp(t, &(forged){.controlling = cases[i].they, .tie_breaker = cases[i].theirs}, toy_addr(1, 7000));
    if (cases[i].error)
      assert_int_equal(code_of(&r), 487);
    else
      assert_int_equal(r.msg.cls, THIRL_STUN_SUCCESS);
    assert_int_equal(thirl_stun_integrity_check(&r.msg, key(t, 0)), THIRL_OK);
    assert_int_equal(thirl_ice_is_controlling(t->agent[0].ice), cases[i].then);
    toy_free(t);
  }
}

static void a_repeated_request_triggers_nothing_new(void **state) {
  (void)state;
  toy *t = listening();
  t->agent[0].ice->controlling =
      false; /* or the first triggered check would be a nomination, which is not triggered again */
  answer r = by_udp(t, &(forged){.tid = 1, .controlling = true}, toy_addr(1, 7000));
  assert_int_equal(r.requests, 1);
  for (int k = 0; k < 10; k++) {
    r = by_udp(t, &(forged){.tid = 1, .controlling = true}, toy_addr(1, 7000));
    assert_int_equal(r.n, 1); /* answered each time */
    assert_int_equal(r.requests, 0);
  }
  unsigned more = 0;
  for (uint8_t k = 2; k < 100; k++)
    more += by_udp(t, &(forged){.tid = k, .controlling = true}, toy_addr(1, 7000)).requests;
  assert_int_equal(more, 4); /* and never without end */
  toy_free(t);
}

static void sources_are_bounded_and_must_be_probeable(void **state) {
  (void)state;
  toy *t = listening();
  unsigned sent = 0;
  for (uint16_t i = 0; i < 1000; i++)
    sent += by_udp(t, &(forged){.tid = 1}, toy_addr(1, (uint16_t)(1000 + i))).requests;
  assert_int_equal(t->agent[0].ice->n_remotes, THIRL_ICE_REMOTE_MAX);
  assert_int_equal(sent, THIRL_ICE_REMOTE_MAX);
  toy_free(t);
  t = listening();
  answer r = by_udp(t, &(forged){.tid = 1}, thirl_addr_v4(127, 0, 0, 1, 53));
  assert_int_equal(r.requests, 0);
  assert_int_equal(t->agent[0].ice->n_remotes, 0);
  toy_free(t);
}

static void requests_may_come_before_the_peers_credentials(void **state) {
  (void)state;
  toy *t = toy_new(3);
  thirl_ice_config c = toy_config(t, 0, true);
  (void)toy_config(t, 1, false);
  toy_start(t, 0, &c);
  thirl_addr u = toy_addr(0, 4000);
  toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_UDP, 0, u, u, false);
  answer r = by_udp(t, &(forged){0}, toy_addr(1, 7000));
  assert_int_equal(r.n, 1);
  assert_int_equal(r.msg.cls, THIRL_STUN_SUCCESS);
  assert_int_equal(r.requests, 0);
  assert_int_equal(thirl_ice_set_remote(t->agent[0].ice, t->agent[1].ufrag, t->agent[1].pwd), THIRL_OK);
  thirl_ice_input_event tick = {.kind = THIRL_ICE_TICK};
  assert_true(thirl_ice_deadline(t->agent[0].ice) <= t->now);
  thirl_ice_input(t->agent[0].ice, t->now, &tick);
  assert_int_equal(drain(t, 0).requests, 1);
  toy_free(t);
}

static void strangers_on_the_peers_address(void **state) {
  (void)state;
  static const toy_stranger kinds[] = {TOY_GARBAGE, TOY_WRONG_PASSWORD, TOY_ECHO};
  for (size_t i = 0; i < 3; i++) {
    toy *t = toy_two(NULL);
    toy_host(t, toy_addr(1, 0), kinds[i]);
    thirl_addr a = toy_addr(0, 5000), there = toy_addr(1, 5000);
    toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_TCP_SO, 0, a, a, false);
    thirl_ice_candidate c = {.type = THIRL_ICE_HOST, .transport = THIRL_ICE_TCP_SO, .addr = there};
    assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
    thirl_ice_end_of_candidates(t->agent[0].ice, t->now);
    toy_go(t, 0, t->now);
    toy_run(t, t->now + 5 * THIRL_S);
    toy_agent *g = &t->agent[0];
    assert_int_equal(g->connects, 1);
    assert_int_equal(g->strangers, 1);
    assert_true(thirl_addr_equal(&g->last_stranger.remote, &there));
    assert_int_equal(g->aborts, 1);
    assert_int_equal(g->selected, 0);
    assert_int_equal(g->failed, 1);
    assert_int_equal(g->reason, THIRL_E_STRANGER);
    assert_int_equal(toy_ms(g->failed_at), 200);
    toy_free(t);
  }
}

static void an_agent_of_somebody_else_is_a_stranger_to_both(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  strcpy(t->agent[0].ice->remote_pwd, "this was the password of yesterday");
  strcpy(t->agent[1].ice->remote_ufrag, "formerly");
  toy_go_and_run(t, THIRL_S);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(t->agent[i].selected, 0);
    assert_int_equal(t->agent[i].strangers, 1);
    assert_int_equal(t->agent[i].last_error_code, 401);
  }
  toy_free(t);
}

static void what_is_proven_is_not_harmed_by_rubbish(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  toy_go_and_run(t, THIRL_S);
  thirl_ice_link link = t->agent[0].last_selected.link;
  thirl_ice_input_event ev = {
      .kind = THIRL_ICE_LINK_MESSAGE, .link = link, .payload = THIRL_BYTES("GET / HTTP/1.1", 14)};
  toy_input(t, 0, &ev);
  uint8_t buf[512];
  ev.payload = forge(t, &(forged){.password = "not the password at all"}, buf);
  toy_input(t, 0, &ev);
  toy_run(t, t->now + 60 * THIRL_S);
  assert_int_equal(t->agent[0].strangers, 0);
  assert_int_equal(t->agent[0].lost, 0);
  assert_int_equal(t->agent[0].last_error_code, 401);
  thirl_ice_evidence e;
  thirl_ice_get_evidence(t->agent[0].ice, &e);
  assert_int_equal(e.dropped, 2);
  toy_free(t);
}

static void a_forged_answer_over_udp_is_as_if_it_had_never_come(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  t->udp_cut = true;
  toy_hosts(t, THIRL_ICE_UDP, THIRL_ICE_UDP, 0, 4000);
  toy_go(t, 0, t->now);
  thirl_ice *a = t->agent[0].ice;
  uint8_t buf[256];
  thirl_stun_writer w;
  thirl_bytes out;
  thirl_addr mapped = toy_addr(0, 4000);
  for (int signed_ = 0; signed_ < 2; signed_++) {
    thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_BINDING, a->flows[0].tid);
    thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped);
    if (signed_) thirl_stun_writer_integrity(&w, THIRL_BYTES(t->agent[1].pwd, strlen(t->agent[1].pwd)));
    thirl_stun_writer_fingerprint(&w);
    assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
    thirl_ice_input_event ev = {
        .kind = THIRL_ICE_DATAGRAM, .local = mapped, .remote = toy_addr(1, 4000), .payload = out};
    toy_input(t, 0, &ev);
    assert_int_equal(a->flows[0].valid, signed_);
  }
  toy_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_request_is_answered_with_what_we_see),
      cmocka_unit_test(our_request_carries_what_the_rfc_asks_for),
      cmocka_unit_test(wrong_credentials_over_udp_are_refused_and_forgotten),
      cmocka_unit_test(wrong_credentials_over_tcp_are_a_stranger),
      cmocka_unit_test(an_unknown_attribute_is_told),
      cmocka_unit_test(other_messages_are_dropped),
      cmocka_unit_test(the_role_conflict_is_decided_by_the_tie_breaker),
      cmocka_unit_test(a_repeated_request_triggers_nothing_new),
      cmocka_unit_test(sources_are_bounded_and_must_be_probeable),
      cmocka_unit_test(requests_may_come_before_the_peers_credentials),
      cmocka_unit_test(strangers_on_the_peers_address),
      cmocka_unit_test(an_agent_of_somebody_else_is_a_stranger_to_both),
      cmocka_unit_test(what_is_proven_is_not_harmed_by_rubbish),
      cmocka_unit_test(a_forged_answer_over_udp_is_as_if_it_had_never_come),
  };
  return cmocka_run_group_tests_name("ice/inbound", tests, NULL, NULL);
}
