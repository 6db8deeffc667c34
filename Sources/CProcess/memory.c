// The allocation functions of glibc with an error message: definitions in the executable take precedence over those of libraries.
#include "weir_process.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int exits;

void weir_exit_when_out_of_memory(void) { exits = 1; }

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static void *checked(void *block, size_t bytes) {
  if (block || !bytes || !exits) return block;
  char text[160];
  int length = snprintf(text, sizeof text,
                        "weir: out of memory: %zu bytes were refused; close other programs, raise the limit (ulimit -v), or use a larger machine\n",
                        bytes);
  ssize_t written = write(STDERR_FILENO, text, (size_t)length);
  (void)written;
  _exit(1);
}

void *malloc(size_t bytes) { return checked(__libc_malloc(bytes), bytes); }
void *calloc(size_t count, size_t size) { return checked(__libc_calloc(count, size), count && size ? (count > SIZE_MAX / size ? SIZE_MAX : count * size) : 0); }
void *realloc(void *block, size_t bytes) { return checked(__libc_realloc(block, bytes), bytes); }
void *memalign(size_t alignment, size_t bytes) { return checked(__libc_memalign(alignment, bytes), bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) { return checked(__libc_memalign(alignment, bytes), bytes); }

int posix_memalign(void **result, size_t alignment, size_t bytes) {
  if (alignment % sizeof(void *) || !alignment || (alignment & (alignment - 1))) return EINVAL;
  void *block = checked(__libc_memalign(alignment, bytes), bytes);
  if (!block && bytes) return ENOMEM;
  *result = block;
  return 0;
}
#endif
