/* SPDX-License-Identifier: MIT */
#include "lab/port.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

/*
 * A ring and not recvmsg: its length does not depend on net.core.rmem_max, which only root outside of any user namespace could pass. A place takes a
 * packet of 64 KiB with the kernel's header before it.
 */
enum {
  PLACE_LEN = 65 * 1024,
  BLOCK_LEN = 1 << 20,
  PLACES_PER_BLOCK = BLOCK_LEN / PLACE_LEN,
  SEND_TRIES = 20,
  SEND_WAIT_MS = 5
};

static size_t ring_len(const thirl_lab_port *p) {
  return p->places / PLACES_PER_BLOCK * BLOCK_LEN;
}

static int set_up_ring(thirl_lab_port *p) {
  int one = 1, version = TPACKET_V2;
  struct tpacket_req request = {.tp_block_size = BLOCK_LEN,
                                .tp_block_nr = (unsigned)(p->places / PLACES_PER_BLOCK),
                                .tp_frame_size = PLACE_LEN,
                                .tp_frame_nr = (unsigned)p->places};
  if (setsockopt(p->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
      setsockopt(p->fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0 ||
      setsockopt(p->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0 ||
      setsockopt(p->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
    return errno;
  /* Past the queue of the interface: what is delayed here shall not wait there too. */
  setsockopt(p->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  void *ring = mmap(NULL, ring_len(p), PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
  if (ring == MAP_FAILED) return errno;
  p->ring = ring;
  return 0;
}

static int bind_to(thirl_lab_port *p, const char *interface) {
  struct ifreq request;
  if (strlen(interface) >= sizeof request.ifr_name) return ENODEV;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, interface, strlen(interface));
  if (ioctl(p->fd, SIOCGIFHWADDR, &request) < 0) return errno;
  memcpy(p->mac, request.ifr_hwaddr.sa_data, sizeof p->mac);
  if (ioctl(p->fd, SIOCGIFINDEX, &request) < 0) return errno;
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = request.ifr_ifindex};
  return bind(p->fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
}

int thirl_lab_port_open(thirl_lab_port *p, const char *interface) {
  return thirl_lab_port_open_sized(p, interface, THIRL_LAB_PORT_RING_MAX);
}

int thirl_lab_port_open_sized(thirl_lab_port *p, const char *interface, size_t ring) {
  memset(p, 0, sizeof *p);
  ring = ring < THIRL_LAB_PORT_RING_MIN ? THIRL_LAB_PORT_RING_MIN : ring;
  p->places = (ring < THIRL_LAB_PORT_RING_MAX ? ring : THIRL_LAB_PORT_RING_MAX) / BLOCK_LEN * PLACES_PER_BLOCK;
  /* Protocol 0: nothing comes in before it is bound to its interface. */
  p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (p->fd < 0) return errno;
  int error = set_up_ring(p);
  if (error == 0) error = bind_to(p, interface);
  if (error != 0) thirl_lab_port_close(p);
  return error;
}

void thirl_lab_port_close(thirl_lab_port *p) {
  if (p->ring) munmap(p->ring, ring_len(p));
  if (p->fd >= 0) close(p->fd);
  p->ring = NULL;
  p->fd = -1;
}

static struct tpacket2_hdr *place(const thirl_lab_port *p, size_t i) {
  size_t block = i / PLACES_PER_BLOCK, within = i % PLACES_PER_BLOCK;
  return (struct tpacket2_hdr *)(void *)(p->ring + block * BLOCK_LEN + within * PLACE_LEN);
}

bool thirl_lab_port_receive(thirl_lab_port *p, thirl_lab_frame *out) {
  while (p->held < p->places) {
    struct tpacket2_hdr *h = place(p, p->next);
    if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) return false;
    bool whole = h->tp_snaplen >= h->tp_len && h->tp_snaplen >= THIRL_LAB_ETH_LEN;
    if (!whole && p->held > 0) return false; /* it is given back in its turn */
    p->next = (p->next + 1) % p->places;
    p->held++;
    if (whole) {
      out->data = (uint8_t *)h + h->tp_mac;
      out->vnet = out->data - THIRL_LAB_VNET_LEN;
      out->len = h->tp_snaplen;
      return true;
    }
    p->cut++;
    thirl_lab_port_release(p);
  }
  return false;
}

void thirl_lab_port_release(thirl_lab_port *p) {
  size_t oldest = (p->next + p->places - p->held) % p->places;
  __atomic_store_n(&place(p, oldest)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
  p->held--;
}

void thirl_lab_port_send(thirl_lab_port *p, const uint8_t *vnet, const uint8_t *frame, size_t len) {
  static const uint8_t nothing[THIRL_LAB_VNET_LEN];
  struct iovec parts[2] = {{(void *)(uintptr_t)(vnet ? vnet : nothing), THIRL_LAB_VNET_LEN},
                           {(void *)(uintptr_t)frame, len}};
  for (int i = 0; i < SEND_TRIES; i++) {
    if (writev(p->fd, parts, 2) >= 0) return;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != ENOBUFS) break;
    struct pollfd wait = {.fd = p->fd, .events = POLLOUT};
    poll(&wait, 1, SEND_WAIT_MS);
  }
  p->unsendable++;
}

void thirl_lab_port_send_batch(thirl_lab_port *p, const thirl_lab_port_out *out, size_t n) {
  struct mmsghdr messages[THIRL_LAB_PORT_BATCH];
  struct iovec parts[THIRL_LAB_PORT_BATCH][2];
  for (size_t done = 0; done < n;) {
    size_t count = n - done < THIRL_LAB_PORT_BATCH ? n - done : THIRL_LAB_PORT_BATCH;
    memset(messages, 0, count * sizeof *messages);
    for (size_t i = 0; i < count; i++) {
      const thirl_lab_port_out *o = &out[done + i];
      parts[i][0] = (struct iovec){(void *)(uintptr_t)o->vnet, THIRL_LAB_VNET_LEN};
      parts[i][1] = (struct iovec){(void *)(uintptr_t)o->frame, o->len};
      messages[i].msg_hdr.msg_iov = parts[i];
      messages[i].msg_hdr.msg_iovlen = 2;
    }
    int sent = sendmmsg(p->fd, messages, (unsigned)count, 0);
    if (sent > 0) {
      done += (size_t)sent;
      continue;
    }
    thirl_lab_port_send(p, out[done].vnet, out[done].frame, out[done].len); /* with patience, or not at all */
    done++;
  }
}

uint64_t thirl_lab_port_overrun(thirl_lab_port *p) {
  struct tpacket_stats stats = {0};
  socklen_t n = sizeof stats;
  return getsockopt(p->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &n) < 0 ? 0 : stats.tp_drops;
}
