/* SPDX-License-Identifier: MIT */
/*
 * The iptables recipes for the four classic NAT types as they have been passed on for twenty years, and what they really make of Linux; with each, where
 * one exists, the form that keeps the promise. docs/recipes.md is made from this and from measurements by tests/lab/recipes_test.sh.
 */
#ifndef THIRL_LAB_RECIPE_H
#define THIRL_LAB_RECIPE_H

#include "base/addr.h"

enum { THIRL_LAB_RECIPE_PORT = 5000 }; /* the one inner port that most of them are for */

typedef struct thirl_lab_recipe {
  const char *name;     /* the word behind "recipe=" */
  const char *claimed;  /* the type that it is said to make */
  const char *measured; /* what it makes, as "mapping/filtering": both for UDP and TCP */
  const char *lines;    /* for sh, with $OUT, $EXT, $INT and $P: outer interface, outer and inner address, inner port */
  const char *reason;
  bool circulates; /* false: a corrected form */
} thirl_lab_recipe;

/** In turn, those that circulate first; NULL: index is past the last one. */
const thirl_lab_recipe *thirl_lab_recipe_get(unsigned index);
/** NULL: there is none of this name. */
const thirl_lab_recipe *thirl_lab_recipe_find(const char *name);
/** "full cone" for "eim/eif" and so on, as RFC 3489 has it; everything with another mapping is "symmetric". */
const char *thirl_lab_recipe_type(const char *measured);

/**
 * A script for `sh` in the router's namespace; it wants iptables, and IPv4 forwarding to be on. What an earlier one has done is undone first.
 *
 * external, host   IPv4 addresses of the router and of the one inner host; ports are ignored
 * *text            the caller's to free; NULL on failure
 *
 * E_NOMEM
 */
thirl_error thirl_lab_recipe_script(const thirl_lab_recipe *recipe, const char *outer_if, const thirl_addr *external,
                                    const thirl_addr *host, char **text);

#endif
