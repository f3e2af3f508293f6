/* SPDX-License-Identifier: MIT */
/*
 * Our ICE agent against libnice's, over loopback: who controls and who is controlled, regular and aggressive nomination, role conflicts, UDP and
 * TCP (RFC 6544), our own schedule on top. Both have to select the same pair, and bytes have to go over it both ways.
 *
 * test-links: NICE
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#ifndef THIRL_HAVE_NICE
#include <stdio.h>
int main(void) {
  printf("SKIP: needs libnice-dev\n");
  return 77;
}
#else

#include <agent.h>

#include "interop/ours.h"

enum { PATIENCE_S = 15 };

typedef struct theirs {
  GMainContext *loop;
  NiceAgent *agent;
  guint stream;
  bool gathered, ready, failed;
  char data[OURS_DATA_MAX];
  size_t n_data;
} theirs;

static void on_gathered(NiceAgent *agent, guint stream, gpointer data) {
  (void)agent, (void)stream;
  ((theirs *)data)->gathered = true;
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer data) {
  (void)agent, (void)stream, (void)component;
  theirs *t = data;
  if (state == NICE_COMPONENT_STATE_READY) t->ready = true;
  if (state == NICE_COMPONENT_STATE_FAILED) t->failed = true;
}

static void on_data(NiceAgent *agent, guint stream, guint component, guint len, gchar *buf, gpointer data) {
  (void)agent, (void)stream, (void)component;
  theirs *t = data;
  assert_true(len <= OURS_DATA_MAX - t->n_data);
  memcpy(t->data + t->n_data, buf, len);
  t->n_data += len;
}

static void theirs_open(theirs *t, bool controlling, bool regular, bool tcp) {
  memset(t, 0, sizeof *t);
  t->loop = g_main_context_new();
  t->agent =
      nice_agent_new_full(t->loop, NICE_COMPATIBILITY_RFC5245, regular ? NICE_AGENT_OPTION_REGULAR_NOMINATION : 0);
  assert_non_null(t->agent);
  g_object_set(t->agent, "controlling-mode", (gboolean)controlling, "upnp", FALSE, "ice-udp", (gboolean)!tcp, "ice-tcp",
               (gboolean)tcp, NULL);
  NiceAddress at;
  nice_address_init(&at);
  assert_true(nice_address_set_from_string(&at, "127.0.0.1"));
  assert_true(nice_agent_add_local_address(t->agent, &at));
  g_signal_connect(t->agent, "candidate-gathering-done", G_CALLBACK(on_gathered), t);
  g_signal_connect(t->agent, "component-state-changed", G_CALLBACK(on_state), t);
  t->stream = nice_agent_add_stream(t->agent, 1);
  assert_true(t->stream > 0);
  assert_true(nice_agent_attach_recv(t->agent, t->stream, 1, t->loop, on_data, t));
  assert_true(nice_agent_gather_candidates(t->agent, t->stream));
}

static void theirs_close(theirs *t) {
  nice_agent_remove_stream(t->agent, t->stream);
  g_object_unref(t->agent);
  while (g_main_context_iteration(t->loop, FALSE))
    ;
  g_main_context_unref(t->loop);
}

typedef struct couple {
  ours us;
  theirs they;
} couple;

/* Runs both until done says so; false when it never does. */
static bool run_until(couple *c, bool (*done)(const couple *c), unsigned seconds) {
  for (thirl_time end = ours_now() + seconds * THIRL_S; ours_now() < end;) {
    while (g_main_context_iteration(c->they.loop, FALSE))
      ;
    ours_step(&c->us);
    if (done(c)) return true;
    clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  return false;
}

static bool has_gathered(const couple *c) {
  return c->they.gathered;
}
static bool is_up(const couple *c) {
  return c->us.selections > 0 && c->they.ready;
}
static bool has_heard(const couple *c) {
  return c->us.n_data == 11 && c->they.n_data == 10;
}

/* What SDP would carry between the two, as text in both directions. */
static void introduce(couple *c, bool honestly) {
  gchar *ufrag = NULL, *pwd = NULL;
  assert_true(run_until(c, has_gathered, PATIENCE_S));
  assert_true(nice_agent_get_local_credentials(c->they.agent, c->they.stream, &ufrag, &pwd));
  assert_int_equal(thirl_ice_set_remote(c->us.ice, ufrag, honestly ? pwd : OURS_PWD), THIRL_OK);
  g_free(ufrag);
  g_free(pwd);
  unsigned n = 0;
  GSList *list = nice_agent_get_local_candidates(c->they.agent, c->they.stream, 1);
  for (GSList *i = list; i; i = i->next) {
    gchar *text = nice_agent_generate_local_candidate_sdp(c->they.agent, i->data);
    thirl_ice_candidate candidate;
    assert_int_equal(thirl_ice_candidate_parse(text, &candidate), THIRL_OK);
    assert_int_equal(thirl_ice_add_remote(c->us.ice, ours_now(), &candidate), THIRL_OK);
    g_free(text);
    n++;
  }
  assert_true(n > 0);
  g_slist_free_full(list, (GDestroyNotify)(void (*)(void))nice_candidate_free);
  thirl_ice_end_of_candidates(c->us.ice, ours_now());

  assert_true(nice_agent_set_remote_credentials(c->they.agent, c->they.stream, OURS_UFRAG,
                                                honestly ? OURS_PWD : "another one of 28 characters"));
  GSList *ours_list = NULL;
  thirl_ice_candidate candidate;
  for (size_t i = 0; thirl_ice_get_local(c->us.ice, i, &candidate); i++) {
    char text[16 + THIRL_ICE_CANDIDATE_TEXT_MAX] = "a=candidate:";
    assert_int_equal(thirl_ice_candidate_format(&candidate, text + strlen(text), THIRL_ICE_CANDIDATE_TEXT_MAX),
                     THIRL_OK);
    NiceCandidate *theirs_of_it = nice_agent_parse_remote_candidate_sdp(c->they.agent, c->they.stream, text);
    assert_non_null(theirs_of_it);
    ours_list = g_slist_append(ours_list, theirs_of_it);
  }
  assert_true(nice_agent_set_remote_candidates(c->they.agent, c->they.stream, 1, ours_list) > 0);
  g_slist_free_full(ours_list, (GDestroyNotify)(void (*)(void))nice_candidate_free);
  thirl_ice_start(c->us.ice, ours_now(), ours_now());
}

static thirl_addr addr_of(const NiceCandidate *c) {
  char ip[NICE_ADDRESS_STRING_LEN];
  thirl_addr a;
  nice_address_to_string(&c->addr, ip);
  assert_int_equal(thirl_addr_parse(ip, &a), THIRL_OK);
  return thirl_addr_with_port(a, (uint16_t)nice_address_get_port(&c->addr));
}

/* Both name the same two ends, and bytes go both ways between them. */
static void prove(couple *c, bool tcp) {
  NiceCandidate *local, *remote;
  assert_true(nice_agent_get_selected_pair(c->they.agent, c->they.stream, 1, &local, &remote));
  assert_int_equal(c->us.selected.link != 0, tcp);
  if (!tcp) {
    thirl_addr l = addr_of(local), r = addr_of(remote);
    assert_true(thirl_addr_equal(&c->us.selected.remote, &l));
    assert_true(thirl_addr_equal(&c->us.selected.local, &r));
  }
  assert_int_equal(nice_agent_send(c->they.agent, c->they.stream, 1, 11, "hello thirl"), 11);
  ours_send(&c->us, "hello nice");
  assert_true(run_until(c, has_heard, PATIENCE_S));
  assert_memory_equal(c->us.data, "hello thirl", 11);
  assert_memory_equal(c->they.data, "hello nice", 10);
  assert_int_equal(c->us.failed, THIRL_OK);
  assert_false(c->they.failed);
}

static void meet(thirl_ice_config cfg, bool nice_controls, bool regular, bool tcp) {
  static couple c;
  ours_open(&c.us, cfg, tcp);
  theirs_open(&c.they, nice_controls, regular, tcp);
  introduce(&c, true);
  assert_true(run_until(&c, is_up, PATIENCE_S));
  prove(&c, tcp);
  if (cfg.controlling != nice_controls) assert_int_equal(thirl_ice_is_controlling(c.us.ice), cfg.controlling);
  theirs_close(&c.they);
  ours_close(&c.us);
}

static void we_control(void **state) {
  (void)state;
  meet((thirl_ice_config){.controlling = true}, false, true, false);
}

static void we_nominate_the_first(void **state) {
  (void)state;
  meet((thirl_ice_config){.controlling = true, .nominate_first = true}, false, true, false);
}

static void we_fire_all_at_once(void **state) {
  (void)state;
  meet((thirl_ice_config){.controlling = true, .burst = true, .nominate_first = true}, false, true, false);
}

static void nice_controls_and_nominates_regularly(void **state) {
  (void)state;
  meet((thirl_ice_config){.controlling = false}, true, true, false);
}

static void nice_controls_and_nominates_aggressively(void **state) {
  (void)state;
  meet((thirl_ice_config){.controlling = false}, true, false, false);
}

static void both_want_to_control(void **state) {
  (void)state;
  meet((thirl_ice_config){.controlling = true}, true, true, false);
}

static void nobody_wants_to_control(void **state) {
  (void)state;
  meet((thirl_ice_config){.controlling = false}, false, true, false);
}

static void we_control_over_tcp(void **state) {
  (void)state;
  meet((thirl_ice_config){.controlling = true}, false, true, true);
}

static void we_hurry_over_tcp(void **state) {
  (void)state;
  meet((thirl_ice_config){.controlling = true, .burst = true, .nominate_first = true}, false, true, true);
}

static void nice_controls_over_tcp(void **state) {
  (void)state;
  meet((thirl_ice_config){.controlling = false}, true, true, true);
}

static void a_wrong_password_connects_nobody(void **state) {
  (void)state;
  static couple c;
  ours_open(&c.us, (thirl_ice_config){.controlling = true, .give_up = 3 * THIRL_S}, false);
  theirs_open(&c.they, false, true, false);
  introduce(&c, false);
  assert_false(run_until(&c, is_up, 4));
  assert_int_equal(c.us.selections, 0);
  assert_false(c.they.ready);
  assert_int_not_equal(c.us.failed, THIRL_OK);
  theirs_close(&c.they);
  ours_close(&c.us);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(we_control),
      cmocka_unit_test(we_nominate_the_first),
      cmocka_unit_test(we_fire_all_at_once),
      cmocka_unit_test(nice_controls_and_nominates_regularly),
      cmocka_unit_test(nice_controls_and_nominates_aggressively),
      cmocka_unit_test(both_want_to_control),
      cmocka_unit_test(nobody_wants_to_control),
      cmocka_unit_test(we_control_over_tcp),
      cmocka_unit_test(we_hurry_over_tcp),
      cmocka_unit_test(nice_controls_over_tcp),
      cmocka_unit_test(a_wrong_password_connects_nobody),
  };
  return cmocka_run_group_tests_name("interop/nice", tests, NULL, NULL);
}
#endif
