/* SPDX-License-Identifier: MIT */
/*
 * The words of a page that are no rows of a table: docs/man/NAME.txt.
 *
 *     == description          a section, in the order in which the page has it
 *     === Title               a part of one
 *     Running text, up to an empty line. `code` and *stress*; thirl(1) is another page; --option and $VARIABLE are what they look like.
 *     - an item of a list
 *     term :: what it is
 *         four blanks: shown as it is
 *     @errors                 what a table has to say (mdoc.h)
 *
 * In "== examples" what is shown as it is are commands and what they print, see examples.h. A line that begins with # is a remark; "# ahead" as the
 * first one allows a page to be there before its command is.
 */
#ifndef THIRL_PAGES_PROSE_H
#define THIRL_PAGES_PROSE_H

#include <stdbool.h>
#include <stddef.h>

enum { PROSE_BYTES_MAX = 1 << 18, PROSE_BLOCKS_MAX = 512 };

typedef enum block_kind {
  BLOCK_SECTION,
  BLOCK_SUBSECTION,
  BLOCK_PARAGRAPH,
  BLOCK_ITEM,
  BLOCK_TERM,
  BLOCK_DISPLAY,
  BLOCK_INSERT
} block_kind;

typedef struct block {
  block_kind kind;
  const char *term; /* of BLOCK_TERM */
  const char *text; /* of a display: lines that end with \n */
  unsigned line;
} block;

typedef struct prose {
  char *memory; /* what the blocks point into */
  block blocks[PROSE_BLOCKS_MAX];
  size_t n;
} prose;

/** Read a file; on false nothing is to be freed, and complaint (256 bytes) says why. */
bool prose_read(const char *path, prose *out, char *complaint);
void prose_free(prose *p);
/** The place of the first block of a section; p->n when there is none. */
size_t prose_find(const prose *p, const char *section);
/** Whether the block at i is one, and of the same section as the one before. */
bool prose_goes_on(const prose *p, size_t i);
/** The block of a term in a section, or NULL. */
const block *prose_term(const prose *p, const char *section, const char *term);

#endif
