/* SPDX-License-Identifier: MIT */
#include "lab/process/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  size_t n = strlen(text);
  int error = write(fd, text, n) == (ssize_t)n ? 0 : errno;
  close(fd);
  return error;
}

static long read_setting(const char *path) {
  char text[32] = "";
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  return n > 0 ? strtol(text, NULL, 10) : -1;
}

/* ---- in ---- */

static thirl_error complain_about_user(int error, thirl_lab_complaint *why) {
  const char *cause = strerror(error);
  if (read_setting("/proc/sys/user/max_user_namespaces") == 0)
    cause = "user.max_user_namespaces is 0";
  else if (read_setting("/proc/sys/kernel/unprivileged_userns_clone") == 0)
    cause = "kernel.unprivileged_userns_clone is 0";
  else if (read_setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
    cause = "kernel.apparmor_restrict_unprivileged_userns is 1";
  else if (error == EINVAL)
    cause = "the kernel has none";
  return thirl_lab_words_complain(why, THIRL_E_PERMISSION, "this needs root, or user namespaces for everybody (%s)",
                                  cause);
}

static thirl_error complain_about_net(int error, thirl_lab_complaint *why) {
  if (error == ENOSPC)
    return thirl_lab_words_complain(why, THIRL_E_LIMIT,
                                    "there can be no more network namespaces (user.max_net_namespaces)");
  if (error == EINVAL)
    return thirl_lab_words_complain(why, THIRL_E_PERMISSION, "the kernel has no network namespaces (CONFIG_NET_NS)");
  return thirl_lab_words_complain(why, THIRL_E_PERMISSION, "cannot make a network namespace: %s", strerror(error));
}

/* Whoever we are outside is root inside. */
static thirl_error enter_user(uid_t uid, gid_t gid, thirl_lab_complaint *why) {
  char map[48];
  if (unshare(CLONE_NEWUSER) < 0) return complain_about_user(errno, why);
  int error = write_file("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "0 %u 1", gid);
  if (error == 0 || error == ENOENT) error = write_file("/proc/self/gid_map", map);
  snprintf(map, sizeof map, "0 %u 1", uid);
  if (error == 0) error = write_file("/proc/self/uid_map", map);
  return error == 0 ? THIRL_OK : complain_about_user(error, why);
}

static int open_own(const char *kind) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/ns/%s", kind);
  return open(path, O_RDONLY | O_CLOEXEC);
}

thirl_error thirl_lab_namespace_enter(bool in_user, thirl_lab_namespace *out, thirl_lab_complaint *why) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  *out = (thirl_lab_namespace){.user = -1, .home = -1};
  if (!in_user && unshare(CLONE_NEWNET) < 0) {
    if (errno != EPERM) return complain_about_net(errno, why);
    in_user = true;
  }
  if (in_user) {
    thirl_error e = enter_user(uid, gid, why);
    if (e != THIRL_OK) return e;
    if (unshare(CLONE_NEWNET) < 0) return complain_about_net(errno, why);
    out->user = open_own("user");
    if (out->user < 0) return thirl_lab_words_complain(why, THIRL_E_IO, "cannot open /proc/self/ns/user");
  }
  out->home = open_own("net");
  return out->home >= 0 ? THIRL_OK : thirl_lab_words_complain(why, THIRL_E_IO, "cannot open /proc/self/ns/net");
}

thirl_error thirl_lab_namespace_new(int *out, thirl_lab_complaint *why) {
  *out = -1;
  if (unshare(CLONE_NEWNET) < 0) return complain_about_net(errno, why);
  *out = open_own("net");
  return *out >= 0 ? THIRL_OK : thirl_lab_words_complain(why, THIRL_E_IO, "cannot open /proc/self/ns/net");
}

thirl_error thirl_lab_namespace_switch(int netns, thirl_lab_complaint *why) {
  if (setns(netns, CLONE_NEWNET) == 0) return THIRL_OK;
  return thirl_lab_words_complain(why, THIRL_E_IO, "cannot enter a network namespace: %s", strerror(errno));
}

uint64_t thirl_lab_namespace_id(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

int thirl_lab_namespace_join(int user, int netns) {
  struct stat wanted, own;
  bool is_inside = user < 0 || (fstat(user, &wanted) == 0 && stat("/proc/self/ns/user", &own) == 0 &&
                                wanted.st_ino == own.st_ino && wanted.st_dev == own.st_dev);
  if (!is_inside && setns(user, CLONE_NEWUSER) < 0) return errno;
  return setns(netns, CLONE_NEWNET) < 0 ? errno : 0;
}

/* ---- settings ---- */

thirl_error thirl_lab_namespace_set(const char *name, const char *value, thirl_lab_complaint *why) {
  char path[160];
  int n = snprintf(path, sizeof path, "/proc/sys/%s", name);
  if (n < 0 || (size_t)n >= sizeof path) return thirl_lab_words_complain(why, THIRL_E_INVALID, "no setting: %s", name);
  for (char *c = path + strlen("/proc/sys/"); *c; c++)
    if (*c == '.') *c = '/';
  int error = write_file(path, value);
  if (error == 0) return THIRL_OK;
  return thirl_lab_words_complain(why, error == ENOENT ? THIRL_E_NOT_FOUND : THIRL_E_IO, "cannot set %s to %s: %s",
                                  name, value, strerror(error));
}

int thirl_lab_namespace_forget_flows(void) {
  struct {
    struct nlmsghdr head;
    struct nfgenmsg message;
  } ask = {.head = {.nlmsg_len = sizeof ask,
                    .nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
           .message = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0}};
  struct {
    struct nlmsghdr head;
    struct nlmsgerr error;
    char rest[256];
  } answer = {.error = {.error = -EIO}};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) return errno == EPROTONOSUPPORT ? 0 : errno;
  int error = send(fd, &ask, sizeof ask, 0) < 0 || recv(fd, &answer, sizeof answer, 0) < 0 ? errno : 0;
  close(fd);
  if (error == 0 && answer.head.nlmsg_type == NLMSG_ERROR) error = -answer.error.error;
  return error;
}
