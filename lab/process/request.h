/* SPDX-License-Identifier: MIT */
/* What a running lab answers to a client of its control socket; control.h lists what can be asked. */
#ifndef THIRL_LAB_REQUEST_H
#define THIRL_LAB_REQUEST_H

#include "lab/process/running.h"

typedef struct thirl_lab_request_client {
  int fd;   /* -1: nobody */
  int file; /* where to its capture goes; -1: none */
  thirl_lab_engine_port at;
} thirl_lab_request_client;

typedef enum thirl_lab_request_outcome {
  THIRL_LAB_REQUEST_GOES_ON,
  THIRL_LAB_REQUEST_ENDS, /* the connection */
  THIRL_LAB_REQUEST_DOWN  /* the lab is to end, and its connections with it */
} thirl_lab_request_outcome;

void thirl_lab_request_client_init(thirl_lab_request_client *c, int fd);
/** Ends its capture and closes the connection; nothing when there is nobody. */
void thirl_lab_request_client_fini(thirl_lab_request_client *c, thirl_lab_running *lab);
/** When fd is readable. mark: what processes of the lab carry. */
thirl_lab_request_outcome thirl_lab_request_serve(thirl_lab_request_client *c, thirl_lab_running *lab,
                                                  const char *mark);
/** Writes what has been captured for it, as far as a pipe takes it at once. True: there is more, come again soon. */
bool thirl_lab_request_flush(thirl_lab_request_client *c, thirl_lab_running *lab);

#endif
