/* SPDX-License-Identifier: MIT */
#include "lab/internet/port.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

/*
 * A ring and not recvmsg: its length does not depend on net.core.rmem_max, which only root outside of any user namespace could pass. A large place takes
 * a packet of 64 KiB with the kernel's header before it, a small one what a link with an MTU of 1500 carries.
 */
enum {
  LARGE_LEN = 65 * 1024,
  SMALL_LEN = 2048,
  SMALL_FRAME_MAX = 1600, /* leaves room for the kernel's header in a small place */
  BLOCK_LEN = 1 << 20,
  ONE_RING = 18 << 20,
  MEMORY_MIN = 2 * BLOCK_LEN,
  SEND_TRIES = 20,
  SEND_WAIT_MS = 5
};

/* ---- opening ---- */

typedef enum which { ALL_FRAMES, SMALL_FRAMES, LARGE_FRAMES } which;

static size_t places_per_block(const thirl_lab_port_ring *r) {
  return BLOCK_LEN / r->place_len;
}

static size_t ring_len(const thirl_lab_port_ring *r) {
  return r->places / places_per_block(r) * BLOCK_LEN;
}

/* "len > SMALL_FRAME_MAX" in the words of the classic packet filter. */
static int choose_frames(int fd, which w) {
  uint32_t above = w == LARGE_FRAMES ? UINT32_MAX : 0, below = w == LARGE_FRAMES ? 0 : UINT32_MAX;
  struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
                               BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SMALL_FRAME_MAX, 0, 1),
                               BPF_STMT(BPF_RET | BPF_K, above), BPF_STMT(BPF_RET | BPF_K, below)};
  struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  if (w == ALL_FRAMES) return 0;
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? errno : 0;
}

static int set_up_ring(thirl_lab_port_ring *r, size_t memory, which w) {
  int one = 1, version = TPACKET_V2;
  r->place_len = w == SMALL_FRAMES ? SMALL_LEN : LARGE_LEN;
  r->places = memory / BLOCK_LEN * places_per_block(r);
  struct tpacket_req request = {.tp_block_size = BLOCK_LEN,
                                .tp_block_nr = (unsigned)(memory / BLOCK_LEN),
                                .tp_frame_size = (unsigned)r->place_len,
                                .tp_frame_nr = (unsigned)r->places};
  if (setsockopt(r->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
      setsockopt(r->fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0 ||
      setsockopt(r->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0 ||
      setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
    return errno;
  /* Past the queue of the interface: what is delayed here shall not wait there too. */
  setsockopt(r->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  void *ring = mmap(NULL, ring_len(r), PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
  if (ring == MAP_FAILED) return errno;
  r->memory = ring;
  return choose_frames(r->fd, w);
}

static int bind_to(thirl_lab_port *p, int fd, const char *interface) {
  struct ifreq request;
  if (strlen(interface) >= sizeof request.ifr_name) return ENODEV;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, interface, strlen(interface));
  if (ioctl(fd, SIOCGIFHWADDR, &request) < 0) return errno;
  memcpy(p->mac, request.ifr_hwaddr.sa_data, sizeof p->mac);
  if (ioctl(fd, SIOCGIFINDEX, &request) < 0) return errno;
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = request.ifr_ifindex};
  return bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
}

static int open_ring(thirl_lab_port *p, const char *interface, size_t memory, which w) {
  thirl_lab_port_ring *r = &p->rings[p->n_rings];
  memset(r, 0, sizeof *r);
  /* Protocol 0: nothing comes in before it is bound to its interface. */
  r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (r->fd < 0) return errno;
  p->n_rings++;
  int error = set_up_ring(r, memory, w);
  return error == 0 ? bind_to(p, r->fd, interface) : error;
}

static int finish_open(thirl_lab_port *p, int error) {
  if (error != 0) thirl_lab_port_close(p);
  p->fd = p->n_rings > 0 ? p->rings[0].fd : -1;
  return error;
}

int thirl_lab_port_open(thirl_lab_port *p, const char *interface) {
  memset(p, 0, sizeof *p);
  return finish_open(p, open_ring(p, interface, ONE_RING, ALL_FRAMES));
}

int thirl_lab_port_open_split(thirl_lab_port *p, const char *interface, size_t memory) {
  memset(p, 0, sizeof *p);
  memory = memory < MEMORY_MIN ? MEMORY_MIN : memory;
  size_t small = memory / 3 / BLOCK_LEN * BLOCK_LEN;
  if (small < BLOCK_LEN) small = BLOCK_LEN;
  int error = open_ring(p, interface, small, SMALL_FRAMES);
  if (error == 0) error = open_ring(p, interface, memory - small, LARGE_FRAMES);
  return finish_open(p, error);
}

void thirl_lab_port_close(thirl_lab_port *p) {
  for (size_t i = 0; i < p->n_rings; i++) {
    thirl_lab_port_ring *r = &p->rings[i];
    if (r->memory) munmap(r->memory, ring_len(r));
    close(r->fd);
  }
  p->n_rings = 0;
  p->fd = -1;
}

/* ---- frames in ---- */

static struct tpacket2_hdr *place(const thirl_lab_port_ring *r, size_t i) {
  size_t block = i / places_per_block(r), within = i % places_per_block(r);
  return (struct tpacket2_hdr *)(void *)(r->memory + block * BLOCK_LEN + within * r->place_len);
}

static struct tpacket2_hdr *peek(const thirl_lab_port_ring *r) {
  if (r->held == r->places) return NULL;
  struct tpacket2_hdr *h = place(r, r->next);
  return __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER ? h : NULL;
}

static bool is_earlier(const struct tpacket2_hdr *a, const struct tpacket2_hdr *b) {
  return a->tp_sec != b->tp_sec ? a->tp_sec < b->tp_sec : a->tp_nsec < b->tp_nsec;
}

/* The ring with the earliest frame, or NULL. Who sees a frame in one ring sees all that came before it in the other only when it looks again. */
static thirl_lab_port_ring *first_ring(thirl_lab_port *p) {
  thirl_lab_port_ring *r = &p->rings[0], *s = &p->rings[1];
  struct tpacket2_hdr *a = peek(r);
  if (p->n_rings == 1) return a ? r : NULL;
  struct tpacket2_hdr *b = peek(s);
  if (b && !a) a = peek(r);
  if (a && !b) b = peek(s);
  if (a && b) return is_earlier(a, b) ? r : s;
  return a ? r : b ? s : NULL;
}

bool thirl_lab_port_receive(thirl_lab_port *p, thirl_lab_frame *out) {
  for (thirl_lab_port_ring *r; (r = first_ring(p));) {
    struct tpacket2_hdr *h = place(r, r->next);
    r->next = (r->next + 1) % r->places;
    r->held++;
    if (h->tp_snaplen >= h->tp_len && h->tp_snaplen >= THIRL_LAB_ETH_LEN) {
      out->data = (uint8_t *)h + h->tp_mac;
      out->vnet = out->data - THIRL_LAB_VNET_LEN;
      out->len = h->tp_snaplen;
      return true;
    }
    p->cut++;
  }
  return false;
}

void thirl_lab_port_release(thirl_lab_port *p) {
  for (size_t i = 0; i < p->n_rings; i++) {
    thirl_lab_port_ring *r = &p->rings[i];
    for (; r->held > 0; r->held--) {
      size_t oldest = (r->next + r->places - r->held) % r->places;
      __atomic_store_n(&place(r, oldest)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    }
  }
}

/* ---- frames out ---- */

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
  uint64_t n = 0;
  for (size_t i = 0; i < p->n_rings; i++) {
    struct tpacket_stats stats = {0};
    socklen_t len = sizeof stats;
    if (getsockopt(p->rings[i].fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0) n += stats.tp_drops;
  }
  return n;
}
