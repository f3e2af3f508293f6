/* SPDX-License-Identifier: MIT */
#include "lab/process/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/process/namespace.h"

thirl_error thirl_lab_client_ask(const thirl_lab_state *s, const char *request, int fd, int to,
                                 thirl_lab_control_packet *out, thirl_lab_complaint *why) {
  thirl_error e = thirl_lab_control_ask(s->control, request, fd, to, out);
  switch (e) {
  case THIRL_OK:
    return e;
  case THIRL_E_INVALID:
    return thirl_lab_words_complain(why, e, "%s", out->text);
  case THIRL_E_NOT_FOUND:
    return thirl_lab_words_complain(why, e, "there is no lab called %s: thirl lab up", s->name);
  default:
    return thirl_lab_words_complain(why, e, "the lab %s: %s", s->name, thirl_error_text(e));
  }
}

thirl_error thirl_lab_client_find(const thirl_lab_state *s, const char *host, thirl_lab_client_place *out,
                                  thirl_lab_complaint *why) {
  thirl_lab_control_packet *p = malloc(sizeof *p);
  char request[THIRL_LAB_LINE_MAX];
  *out = (thirl_lab_client_place){.user = -1, .net = -1};
  if (!p) return thirl_lab_words_complain(why, THIRL_E_NOMEM, "out of memory");
  snprintf(request, sizeof request, "exec %.64s", host);
  snprintf(out->host, sizeof out->host, "%s", host);
  thirl_error e = thirl_lab_client_ask(s, request, -1, -1, p, why);
  if (e == THIRL_OK && p->fds[0] < 0) e = thirl_lab_words_complain(why, THIRL_E_PROTOCOL, "the lab gave no namespace");
  if (e == THIRL_OK) {
    bool has_user = p->fds[1] >= 0;
    out->user = has_user ? p->fds[0] : -1;
    out->net = has_user ? p->fds[1] : p->fds[0];
    snprintf(out->mark, sizeof out->mark, "%.*s", THIRL_LAB_SWEEP_MARK_LEN, p->text);
  }
  free(p);
  return e;
}

void thirl_lab_client_leave(thirl_lab_client_place *p) {
  if (p->user >= 0) close(p->user);
  if (p->net >= 0) close(p->net);
  p->user = p->net = -1;
}

thirl_error thirl_lab_client_go(const thirl_lab_client_place *p, const thirl_lab_state *s, thirl_lab_complaint *why) {
  int error = thirl_lab_namespace_join(p->user, p->net);
  if (error) return thirl_lab_words_complain(why, THIRL_E_PERMISSION, "cannot go to %s: %s", p->host, strerror(error));
  if (setenv(THIRL_LAB_SWEEP_MARK, p->mark, 1) == 0 && setenv("THIRL_LAB", s->name, 1) == 0 &&
      setenv("THIRL_LAB_HOST", p->host, 1) == 0)
    return THIRL_OK;
  return thirl_lab_words_complain(why, THIRL_E_NOMEM, "out of memory");
}

thirl_error thirl_lab_client_down(const thirl_lab_state *s, thirl_lab_complaint *why) {
  thirl_lab_control_packet *p = malloc(sizeof *p);
  char byte;
  if (!p) return thirl_lab_words_complain(why, THIRL_E_NOMEM, "out of memory");
  thirl_error e = thirl_lab_client_ask(s, "down", -1, -1, p, why);
  while (e == THIRL_OK && p->fds[0] >= 0) {
    ssize_t n = read(p->fds[0], &byte, 1);
    if (n == 0 || (n < 0 && errno != EINTR)) break;
  }
  if (e == THIRL_OK && p->fds[0] >= 0) close(p->fds[0]);
  free(p);
  return e;
}
