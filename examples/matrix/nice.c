/* SPDX-License-Identifier: MIT */
/*
 * Another ICE agent, libnice, behind every pair of NATs:
 *
 *   cc -o nice examples/matrix/nice.c $(pkg-config --cflags --libs nice)        (Debian: libnice-dev, coturn)
 *   thirl lab matrix --all --server "$PWD/examples/matrix/coturn.sh" --left "$PWD/nice" --right "$PWD/nice" --html nice.html
 *
 * Both sides gather candidates with a STUN and TURN server, leave each other their SDP as a file in the directory of the pair, and say on stdout which
 * path was selected. See docs/matrix.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <agent.h>

enum { PATIENCE_S = 30, SETTLE_MS = 2000, POLL_MS = 20 };

static GMainLoop *loop;
static NiceAgent *agent;
static guint stream;
static const char *side, *directory;
static gint64 begin, selected_at;
static gboolean over;

static char *path_of(const char *whose) {
  return g_strdup_printf("%s/%s.sdp", directory, whose);
}

static gboolean finish(gpointer data) {
  (void)data;
  g_main_loop_quit(loop);
  return G_SOURCE_REMOVE;
}

/* A better pair may still come: wait a little before the last word. */
static void on_state(NiceAgent *a, guint s, guint component, guint state, gpointer data) {
  (void)a, (void)s, (void)component, (void)data;
  if (over || (state != NICE_COMPONENT_STATE_READY && state != NICE_COMPONENT_STATE_FAILED)) return;
  over = TRUE;
  g_timeout_add(state == NICE_COMPONENT_STATE_READY ? SETTLE_MS : 0, finish, NULL);
}

static void on_pair(NiceAgent *a, guint s, guint component, NiceCandidate *l, NiceCandidate *r, gpointer data) {
  (void)a, (void)s, (void)component, (void)l, (void)r, (void)data;
  selected_at = g_get_monotonic_time();
}

static gboolean read_offer(gpointer data) {
  char *path = path_of(data), *text = NULL;
  gboolean there = g_file_get_contents(path, &text, NULL, NULL);
  g_free(path);
  if (!there) return G_SOURCE_CONTINUE;
  begin = g_get_monotonic_time();
  if (nice_agent_parse_remote_sdp(agent, text) < 0) g_main_loop_quit(loop);
  g_free(text);
  return G_SOURCE_REMOVE;
}

static void on_gathered(NiceAgent *a, guint s, gpointer data) {
  char *path = path_of(side), *text = nice_agent_generate_local_sdp(a);
  (void)s;
  if (!g_file_set_contents(path, text, -1, NULL)) g_main_loop_quit(loop); /* renamed into place: never half of it */
  g_free(path);
  g_free(text);
  g_timeout_add(POLL_MS, read_offer, data);
}

static void on_bytes(NiceAgent *a, guint s, guint component, guint len, gchar *bytes, gpointer data) {
  (void)a, (void)s, (void)component, (void)len, (void)bytes, (void)data;
}

static void report(void) {
  NiceCandidate *local, *remote;
  if (!nice_agent_get_selected_pair(agent, stream, 1, &local, &remote)) {
    printf("{\"path\":\"none\",\"note\":\"ICE failed\"}\n");
    return;
  }
  gboolean relayed = local->type == NICE_CANDIDATE_TYPE_RELAYED || remote->type == NICE_CANDIDATE_TYPE_RELAYED;
  const char *how = local->transport == NICE_CANDIDATE_TRANSPORT_UDP ? "udp" : "tcp";
  printf("{\"path\":\"%s\",\"ms\":%d}\n", relayed ? "relay" : how, (int)((selected_at - begin) / 1000));
}

int main(void) {
  const char *server = getenv("THIRL_MATRIX_SERVER");
  side = getenv("THIRL_MATRIX_SIDE");
  directory = getenv("THIRL_MATRIX_DIR");
  if (!server || !side || !directory) return 2;
  gboolean is_left = strcmp(side, "left") == 0;
  loop = g_main_loop_new(NULL, FALSE);
  agent = nice_agent_new(g_main_loop_get_context(loop), NICE_COMPATIBILITY_RFC5245);
  g_object_set(agent, "stun-server", server, "controlling-mode", is_left, "upnp", FALSE, NULL);
  g_signal_connect(agent, "candidate-gathering-done", G_CALLBACK(on_gathered), (gpointer)(is_left ? "right" : "left"));
  g_signal_connect(agent, "component-state-changed", G_CALLBACK(on_state), NULL);
  g_signal_connect(agent, "new-selected-pair-full", G_CALLBACK(on_pair), NULL);
  stream = nice_agent_add_stream(agent, 1);
  nice_agent_set_stream_name(agent, stream, "application");
  nice_agent_set_relay_info(agent, stream, 1, server, 3478, "matrix", "matrix", NICE_RELAY_TYPE_TURN_UDP);
  nice_agent_attach_recv(agent, stream, 1, g_main_loop_get_context(loop), on_bytes, NULL);
  if (!nice_agent_gather_candidates(agent, stream)) return 1;
  g_timeout_add_seconds(PATIENCE_S, finish, NULL);
  g_main_loop_run(loop);
  report();
  g_object_unref(agent);
  return 0;
}
