/* SPDX-License-Identifier: MIT */
#include "terminal/keep.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>

typedef struct kept {
  atomic_bool taken; /* handlers look at the rest only while this is so */
  thirl_terminal_keep_wish w;
} kept;

static kept all[THIRL_TERMINAL_KEEP_MAX];
static struct sigaction before[NSIG];
static bool is_ours[NSIG];
static pid_t owner; /* a child that inherited all this has no say */
static bool exit_registered;

/* ---- in handlers ---- */

/* In the background a change of settings would stop us again: SIGTTOU is held back meanwhile. */
static void set(const kept *k, const struct termios *settings) {
  sigset_t ttou, old;
  sigemptyset(&ttou);
  sigaddset(&ttou, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &ttou, &old);
  while (tcsetattr(k->w.in, TCSANOW, settings) != 0 && errno == EINTR)
    ;
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void say(const kept *k, const char *text) {
  if (text && *text) (void)!write(k->w.out, text, strlen(text));
}

static void give_all_back(void) {
  if (getpid() != owner) return;
  for (size_t i = 0; i < THIRL_TERMINAL_KEEP_MAX; i++) {
    if (!atomic_load(&all[i].taken)) continue;
    say(&all[i], all[i].w.goodbye);
    set(&all[i], &all[i].w.found);
  }
}

static bool in_foreground(int fd) {
  pid_t group = tcgetpgrp(fd);
  return group < 0 || group == getpgrp();
}

static void take_all_again(void) {
  for (size_t i = 0; i < THIRL_TERMINAL_KEEP_MAX; i++) {
    if (!atomic_load(&all[i].taken) || !in_foreground(all[i].w.in)) continue;
    set(&all[i], &all[i].w.raw);
    say(&all[i], all[i].w.hello);
  }
}

static void tell_all(void) {
  for (size_t i = 0; i < THIRL_TERMINAL_KEEP_MAX; i++)
    if (atomic_load(&all[i].taken) && all[i].w.tell >= 0) (void)eventfd_write(all[i].w.tell, 1);
}

static void on_signal(int signal, siginfo_t *info, void *context);

static void install(int signal) {
  struct sigaction ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigfillset(&ours.sa_mask);
  is_ours[signal] = sigaction(signal, &ours, NULL) == 0;
}

/* With the former action in place the signal does what it would have done without us. */
static void let_it_happen(int signal) {
  sigset_t one;
  sigaction(signal, &before[signal], NULL);
  sigemptyset(&one);
  sigaddset(&one, signal);
  raise(signal);
  pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

static void pass_on(int signal, siginfo_t *info, void *context) {
  const struct sigaction *a = &before[signal];
  if (a->sa_flags & SA_SIGINFO) {
    if (a->sa_sigaction) a->sa_sigaction(signal, info, context);
  } else if (a->sa_handler != SIG_DFL && a->sa_handler != SIG_IGN) {
    a->sa_handler(signal);
  }
}

static void on_signal(int signal, siginfo_t *info, void *context) {
  int error = errno;
  if (signal == SIGWINCH || signal == SIGCONT) {
    if (signal == SIGCONT) take_all_again();
    tell_all();
    pass_on(signal, info, context);
  } else {
    give_all_back();
    let_it_happen(signal);
    if (signal == SIGTSTP) { /* and went on, or nobody is there to let us go on and so nothing stopped */
      sigset_t one;
      sigemptyset(&one);
      sigaddset(&one, signal);
      pthread_sigmask(SIG_BLOCK, &one, NULL);
      install(signal);
      take_all_again();
      tell_all();
    }
  }
  errno = error;
}

/* ---- outside of handlers ---- */

static bool is_plain(const struct sigaction *a) {
  return !(a->sa_flags & SA_SIGINFO) && a->sa_handler == SIG_DFL;
}

/* Does it end or stop a process that says nothing about it, or does it concern the window? SIGTTIN and SIGTTOU stop who is in the background, and has no
   terminal to give back. */
static bool is_watched(int signal) {
  return signal != SIGKILL && signal != SIGSTOP && signal != SIGCHLD && signal != SIGURG && signal != SIGTTIN &&
         signal != SIGTTOU;
}

static void watch(void) {
  for (int i = 1; i < NSIG; i++) {
    if (!is_watched(i) || sigaction(i, NULL, &before[i]) != 0) continue; /* two belong to the C library */
    if (i == SIGWINCH || i == SIGCONT || is_plain(&before[i])) install(i);
  }
}

/* Puts back what was there, unless somebody has put something else over it. */
static void unwatch(void) {
  for (int i = 1; i < NSIG; i++) {
    struct sigaction now;
    if (is_ours[i] && sigaction(i, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_signal)
      sigaction(i, &before[i], NULL);
    is_ours[i] = false;
  }
}

static size_t count_taken(void) {
  size_t n = 0;
  for (size_t i = 0; i < THIRL_TERMINAL_KEEP_MAX; i++)
    n += atomic_load(&all[i].taken);
  return n;
}

thirl_error thirl_terminal_keep_take(const thirl_terminal_keep_wish *wish, unsigned *slot) {
  unsigned i = 0;
  while (i < THIRL_TERMINAL_KEEP_MAX && atomic_load(&all[i].taken))
    i++;
  if (i == THIRL_TERMINAL_KEEP_MAX) return THIRL_E_LIMIT;
  if (!exit_registered && atexit(give_all_back) != 0) return THIRL_E_NOMEM;
  exit_registered = true;
  bool first = count_taken() == 0;
  owner = getpid();
  all[i].w = *wish;
  atomic_store(&all[i].taken, true); /* before the settings change: from here on a signal puts them back */
  if (first) watch();
  if (tcsetattr(wish->in, TCSADRAIN, &wish->raw) != 0) {
    thirl_terminal_keep_release(i);
    return THIRL_E_IO;
  }
  say(&all[i], wish->hello);
  *slot = i;
  return THIRL_OK;
}

void thirl_terminal_keep_release(unsigned slot) {
  say(&all[slot], all[slot].w.goodbye);
  set(&all[slot], &all[slot].w.found);
  atomic_store(&all[slot].taken, false);
  if (count_taken() == 0) unwatch();
}
