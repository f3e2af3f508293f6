/* SPDX-License-Identifier: MIT */
#include "api/middle.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/socket.h"
#include "meet/message.h"
#include "meet/offer.h"
#include "secure/tls.h"
#include "stun/stream.h"

struct middle {
  pthread_t thread;
  int listener, client, server, stop;
  uint16_t port, server_port;
  thirl_secure_identity *identity;
  thirl_secure_tls_context *tls_context;
  thirl_secure_tls *tls; /* of the channel below */
  uint16_t channel;
  thirl_stun_stream from_client, from_server;
  uint64_t stolen;
  thirl_meet_offer offer; /* what the client has asked with: the beginning of its handshake is in it */
};

static void must(bool good, const char *what) {
  if (good) return;
  fprintf(stderr, "middle: %s\n", what);
  abort();
}

static void send_all(int fd, const uint8_t *p, size_t n) {
  while (n) {
    ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
    if (k <= 0) return; /* the other side has seen through us */
    p += k;
    n -= (size_t)k;
  }
}

/* What the impostor has to say, as ChannelData for the client. */
static void answer(middle *m) {
  uint8_t out[THIRL_STUN_CHANNEL_HEADER_LEN + 8192] = {0};
  size_t n = thirl_secure_tls_pull(m->tls, out + THIRL_STUN_CHANNEL_HEADER_LEN, 8188);
  if (!n) return;
  thirl_stun_stream_put_channel(out, m->channel, (uint16_t)n);
  send_all(m->client, out, (THIRL_STUN_CHANNEL_HEADER_LEN + n + 3) / 4 * 4);
}

static void be_the_peer(middle *m, thirl_bytes packet) {
  uint16_t channel = (uint16_t)(packet.p[0] << 8 | packet.p[1]);
  thirl_bytes in = {packet.p + THIRL_STUN_CHANNEL_HEADER_LEN, packet.n - THIRL_STUN_CHANNEL_HEADER_LEN};
  uint8_t plain[4096];
  size_t n;
  if (!m->tls || channel != m->channel) {
    thirl_secure_tls_free(m->tls);
    must(thirl_secure_tls_new(m->tls_context, false, NULL, &m->tls) == THIRL_OK, "no TLS");
    m->channel = channel;
  }
  while (thirl_secure_tls_open(m->tls, &in, plain, sizeof plain, &n) == THIRL_OK)
    m->stolen += n;
  answer(m);
}

/* The client's first bytes for the channel travel in its offer; the channel's number comes with the server's answer. */
static void overhear(middle *m, thirl_bytes packet, bool from_client) {
  thirl_stun_msg msg;
  thirl_meet_message said;
  uint8_t data[THIRL_STUN_CHANNEL_HEADER_LEN + THIRL_MEET_EARLY_MAX];
  if (thirl_stun_msg_decode(packet, &msg) != THIRL_OK || thirl_meet_message_decode(&msg, &said) != THIRL_OK) return;
  if (from_client && said.has_offer) (void)thirl_meet_offer_decode(said.offer, &m->offer);
  if (from_client || !said.has_channel || !m->offer.early_n) return;
  thirl_stun_stream_put_channel(data, said.channel, (uint16_t)m->offer.early_n);
  memcpy(data + THIRL_STUN_CHANNEL_HEADER_LEN, m->offer.early, m->offer.early_n);
  thirl_bytes early = {data, THIRL_STUN_CHANNEL_HEADER_LEN + m->offer.early_n};
  m->offer.early_n = 0;
  be_the_peer(m, early);
}

static bool is_channel_data(thirl_bytes packet) {
  return (packet.p[0] & 0xf0) == 0x40;
}

/* False: one side is gone. */
static bool pass(middle *m, bool from_client) {
  uint8_t buf[16384];
  ssize_t got = recv(from_client ? m->client : m->server, buf, sizeof buf, 0);
  thirl_bytes packet, in = {buf, got > 0 ? (size_t)got : 0};
  if (got <= 0) return false;
  while (thirl_stun_stream_next(from_client ? &m->from_client : &m->from_server, &in, &packet) == THIRL_OK) {
    if (!is_channel_data(packet)) {
      send_all(from_client ? m->server : m->client, packet.p, packet.n);
      overhear(m, packet, from_client);
    } else if (from_client) {
      be_the_peer(m, packet);
    }
  }
  return true;
}

static int connect_to_server(const middle *m) {
  thirl_addr at = thirl_addr_v4(127, 0, 0, 1, m->server_port);
  thirl_io_sockaddr sa;
  socklen_t n = thirl_io_socket_to_sys(&at, &sa);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  must(connect(fd, &sa.any, n) == 0, "the server is not there");
  return fd;
}

static void *run(void *arg) {
  middle *m = arg;
  struct pollfd at_door[2] = {{.fd = m->listener, .events = POLLIN}, {.fd = m->stop, .events = POLLIN}};
  (void)poll(at_door, 2, -1);
  if (at_door[1].revents) return NULL;
  m->client = accept(m->listener, NULL, NULL);
  m->server = connect_to_server(m);
  for (bool goes_on = true; goes_on;) {
    struct pollfd p[3] = {
        {.fd = m->client, .events = POLLIN}, {.fd = m->server, .events = POLLIN}, {.fd = m->stop, .events = POLLIN}};
    (void)poll(p, 3, -1);
    goes_on = !p[2].revents && (!p[0].revents || pass(m, true)) && (!p[1].revents || pass(m, false));
  }
  close(m->client);
  close(m->server);
  return NULL;
}

middle *middle_new(uint16_t server_port) {
  thirl_addr at = thirl_addr_v4(127, 0, 0, 1, 0);
  thirl_io_sockaddr sa;
  socklen_t n = thirl_io_socket_to_sys(&at, &sa);
  middle *m = calloc(1, sizeof *m);
  must(m, "no memory");
  m->server_port = server_port;
  m->listener = socket(AF_INET, SOCK_STREAM, 0);
  m->stop = eventfd(0, 0);
  must(bind(m->listener, &sa.any, n) == 0 && listen(m->listener, 1) == 0, "no port");
  m->port = thirl_io_socket_local(m->listener).port;
  must(thirl_secure_identity_generate(&m->identity) == THIRL_OK, "no key");
  must(thirl_secure_tls_context_new(m->identity, &m->tls_context) == THIRL_OK, "no TLS");
  thirl_stun_stream_init(&m->from_client, THIRL_STUN_FRAMING_TURN, 70000);
  thirl_stun_stream_init(&m->from_server, THIRL_STUN_FRAMING_TURN, 70000);
  must(pthread_create(&m->thread, NULL, run, m) == 0, "no thread");
  return m;
}

uint16_t middle_port(const middle *m) {
  return m->port;
}

uint64_t middle_free(middle *m) {
  uint64_t one = 1;
  must(write(m->stop, &one, sizeof one) == sizeof one, "deaf");
  pthread_join(m->thread, NULL);
  uint64_t stolen = m->stolen;
  close(m->listener);
  close(m->stop);
  thirl_secure_tls_free(m->tls);
  thirl_secure_tls_context_free(m->tls_context);
  thirl_secure_identity_free(m->identity);
  thirl_stun_stream_fini(&m->from_client);
  thirl_stun_stream_fini(&m->from_server);
  free(m);
  return stolen;
}
