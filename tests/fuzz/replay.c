/* SPDX-License-Identifier: MIT */
/*
 * Stands in for libFuzzer in ordinary builds: runs the fuzz target once over the empty input and over each file named by the
 * arguments, folders walked one level deep, and ends with the count that scripts/run-tests reads. A finding is a crash, so
 * there is nothing to compare.
 */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_BYTES_MAX = 4 << 20, PATH_BYTES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;
static unsigned failed;

static void complain(const char *path, const char *why) {
  printf("[  FAILED  ] %s: %s\n", path, why);
  failed++;
}

static void replay_bytes(const uint8_t *data, size_t size) {
  /* An exact copy on the heap, so that AddressSanitizer sees a read past the end. */
  uint8_t *copy = malloc(size ? size : 1);
  if (!copy) {
    complain("input", "out of memory");
    return;
  }
  if (size) {
    memcpy(copy, data, size);
  }
  (void)LLVMFuzzerTestOneInput(copy, size);
  free(copy);
  replayed++;
}

static void replay_file(const char *path) {
  static uint8_t buffer[INPUT_BYTES_MAX];
  FILE *file = fopen(path, "rb");
  if (!file) {
    complain(path, strerror(errno));
    return;
  }
  size_t size = fread(buffer, 1, sizeof buffer, file);
  if (ferror(file)) {
    complain(path, "cannot be read");
  } else {
    printf("[ RUN      ] %s\n", path);
    fflush(stdout);
    replay_bytes(buffer, size);
  }
  fclose(file);
}

static void replay_folder(const char *path) {
  struct dirent **entries = NULL;
  int count = scandir(path, &entries, NULL, alphasort);
  if (count < 0) {
    complain(path, strerror(errno));
    return;
  }
  for (int i = 0; i < count; i++) {
    char file[PATH_BYTES_MAX];
    int length = snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
    struct stat st;
    if (entries[i]->d_name[0] != '.' && length > 0 && (size_t)length < sizeof file && stat(file, &st) == 0 &&
        S_ISREG(st.st_mode)) {
      replay_file(file);
    }
    free(entries[i]);
  }
  free(entries);
}

int main(int argc, char **argv) {
  replay_bytes(NULL, 0);
  for (int i = 1; i < argc; i++) {
    struct stat st;
    if (stat(argv[i], &st) != 0) {
      complain(argv[i], strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
      replay_folder(argv[i]);
    } else {
      replay_file(argv[i]);
    }
  }
  printf("[  PASSED  ] %u test(s).\n", replayed);
  if (failed) {
    printf("[  FAILED  ] %u test(s).\n", failed);
  }
  return failed ? 1 : 0;
}
