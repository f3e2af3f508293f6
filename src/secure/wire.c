/* SPDX-License-Identifier: MIT */
#include "secure/wire.h"

#include <string.h>

void thirl_secure_wire_init(thirl_secure_wire *w, size_t kept_max, size_t out_max) {
  memset(w, 0, sizeof *w);
  thirl_buffer_init(&w->kept, kept_max);
  thirl_buffer_init(&w->out, out_max);
}

void thirl_secure_wire_fini(thirl_secure_wire *w) {
  thirl_buffer_fini(&w->kept);
  thirl_buffer_fini(&w->out);
}

size_t thirl_secure_wire_left(const thirl_secure_wire *w) {
  return w->kept.n + w->view.n;
}

static int wire_read(BIO *bio, char *buf, size_t cap, size_t *n) {
  thirl_secure_wire *w = BIO_get_data(bio);
  thirl_bytes from = w->kept.n ? thirl_buffer_view(&w->kept) : w->view;
  BIO_clear_retry_flags(bio);
  *n = from.n < cap ? from.n : cap;
  if (*n == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  memcpy(buf, from.p, *n);
  if (w->kept.n)
    thirl_buffer_consume(&w->kept, *n);
  else
    w->view = (thirl_bytes){w->view.p + *n, w->view.n - *n};
  return 1;
}

/* A failure is for good: OpenSSL must not try again with the next record, the stream would have a hole. */
static int wire_write(BIO *bio, const char *buf, size_t n, size_t *written) {
  thirl_secure_wire *w = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  *written = 0;
  if (w->error != THIRL_OK) return -1;
  if (w->sink.buf) {
    thirl_writer_copy(&w->sink, buf, n);
    if (w->sink.bad) w->error = THIRL_E_SPACE;
  } else {
    w->error = thirl_buffer_append(&w->out, THIRL_BYTES(buf, n));
  }
  if (w->error != THIRL_OK) return -1;
  *written = n;
  return 1;
}

static long wire_ctrl(BIO *bio, int cmd, long num, void *ptr) {
  (void)bio, (void)num, (void)ptr;
  return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *thirl_secure_wire_method_new(void) {
  BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "thirl wire");
  if (m && BIO_meth_set_read_ex(m, wire_read) && BIO_meth_set_write_ex(m, wire_write) &&
      BIO_meth_set_ctrl(m, wire_ctrl))
    return m;
  BIO_meth_free(m);
  return NULL;
}

BIO *thirl_secure_wire_bio_new(const BIO_METHOD *method, thirl_secure_wire *w) {
  BIO *bio = BIO_new(method);
  if (!bio) return NULL;
  BIO_set_data(bio, w);
  BIO_set_init(bio, 1);
  return bio;
}
