/* SPDX-License-Identifier: MIT */
/* A thirld.conf that says what holds without it. */
#ifndef THIRLD_CONFIG_SAMPLE_H
#define THIRLD_CONFIG_SAMPLE_H

#include <stdio.h>

/** Every setting behind a #, below what it is. */
void config_sample_write(FILE *to);

#endif
