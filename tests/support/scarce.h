/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out: a malloc in which a chosen allocation fails, one among our own or one among the cryptographic library's, while it is switched
 * on; and a count of what is still allocated. To be included in one source of a program, which is then a ..._malloc_test.c: sanitizers
 * have a malloc of their own.
 *
 *   main: scarce_init() first of all;  scarce_begin(own, crypto) .. scarce.on = true; what may fail; scarce.on = false .. scarce_end()
 */
#ifndef THIRL_TEST_SUPPORT_SCARCE_H
#define THIRL_TEST_SUPPORT_SCARCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCARCE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SCARCE_SANITIZED 1
#endif
#endif

enum { SCARCE_OWN, SCARCE_CRYPTO, SCARCE_KINDS };

/* Volatile: compilers believe that malloc and free change nothing that they can see. */
static volatile struct {
  bool on, in_crypto;
  long until[SCARCE_KINDS]; /* how many more succeed before one fails; negative: none fails */
  long made[SCARCE_KINDS];  /* while on, since begin */
  long failures;            /* since begin */
  long live;                /* allocations that are not freed, of the whole program */
} scarce = {.until = {-1, -1}};

#ifndef SCARCE_SANITIZED
static bool scarce_fails(void) {
  int kind = scarce.in_crypto ? SCARCE_CRYPTO : SCARCE_OWN;
  if (!scarce.on) return false;
  scarce.made[kind]++;
  if (scarce.until[kind] < 0 || scarce.until[kind]-- > 0) return false;
  scarce.failures++;
  return true;
}

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

void *malloc(size_t n) {
  void *p = scarce_fails() ? NULL : __libc_malloc(n);
  scarce.live += p != NULL;
  return p;
}

void *calloc(size_t n, size_t size) {
  void *p = scarce_fails() ? NULL : __libc_calloc(n, size);
  scarce.live += p != NULL;
  return p;
}

void *realloc(void *old, size_t n) {
  void *p = scarce_fails() ? NULL : __libc_realloc(old, n);
  scarce.live += p != NULL && old == NULL;
  return p;
}

void free(void *p) {
  scarce.live -= p != NULL;
  __libc_free(p);
}
#endif

static void *scarce_crypto_malloc(size_t n, const char *file, int line) {
  (void)file, (void)line;
  scarce.in_crypto = true;
  void *p = malloc(n);
  scarce.in_crypto = false;
  return p;
}

static void *scarce_crypto_realloc(void *old, size_t n, const char *file, int line) {
  (void)file, (void)line;
  scarce.in_crypto = true;
  void *p = realloc(old, n);
  scarce.in_crypto = false;
  return p;
}

static void scarce_crypto_free(void *p, const char *file, int line) {
  (void)file, (void)line;
  free(p);
}

/* False: too late, the cryptographic library has allocated already. */
static bool scarce_init(void) {
  return CRYPTO_set_mem_functions(scarce_crypto_malloc, scarce_crypto_realloc, scarce_crypto_free) == 1;
}

/* The own-th of our allocations fails, and the crypto-th of the library's; negative: none. */
static void scarce_begin(long own, long crypto) {
  scarce.until[SCARCE_OWN] = own;
  scarce.until[SCARCE_CRYPTO] = crypto;
  scarce.made[SCARCE_OWN] = scarce.made[SCARCE_CRYPTO] = scarce.failures = 0;
  scarce.on = false;
}

static void scarce_end(void) {
  scarce.on = false;
  scarce.until[SCARCE_OWN] = scarce.until[SCARCE_CRYPTO] = -1;
  OPENSSL_thread_stop(); /* its list of errors keeps memory from one error to the next */
}

#endif
