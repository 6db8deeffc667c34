#define _GNU_SOURCE
#include "weir_pages.h"
#include <stdint.h>
#include <sys/mman.h>

enum { LARGE_PAGE = 2 << 20 };

static size_t whole(size_t bytes) { return (bytes + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE; }

void *weir_map_zeros(size_t bytes) {
  size_t size = whole(bytes), room = size + LARGE_PAGE;
  if (size < bytes || room < size) return NULL;
  char *pages = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return NULL;
  // A large page is aligned to its size; the unaligned ends are unmapped.
  size_t before = (LARGE_PAGE - (uintptr_t)pages % LARGE_PAGE) % LARGE_PAGE, behind = room - size - before;
  if (before) munmap(pages, before);
  if (behind) munmap(pages + before + size, behind);
#if defined(MADV_HUGEPAGE)
  // Packing walks down columns, a page or more apart: with small pages every step would miss the TLB.
  madvise(pages + before, size, MADV_HUGEPAGE);
#endif
  return pages + before;
}

void weir_unmap(void *block, size_t bytes) { munmap(block, whole(bytes)); }
