/* SPDX-License-Identifier: MIT */
/* A network as a drawing in text: UTF-8, 80 columns. */
#ifndef THIRL_LAB_SHOW_H
#define THIRL_LAB_SHOW_H

#include "lab/text/model.h"

/** A C string, the caller's to free; NULL: no memory. */
char *thirl_lab_show_draw(const thirl_lab_topology *t);

#endif
