#pragma once
#include <zstd.h>
#if defined(__linux__)
// glibc declares them only under _GNU_SOURCE, which Swift's own module of the C library does not set.
extern int sync_file_range(int, long, long, unsigned int);
static inline void weir_begin_write_back(int file, long first, long count) {
  sync_file_range(file, first, count, 2 /* SYNC_FILE_RANGE_WRITE */);
}
extern int renameat2(int, const char *, int, const char *, unsigned int);
static inline int weir_exchange(const char *first, const char *second) {
  return renameat2(-100 /* AT_FDCWD */, first, -100, second, 2 /* RENAME_EXCHANGE */);
}
#endif
