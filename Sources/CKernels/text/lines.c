// Finds the lines and paragraphs of a text, 64 bytes at a time, with one bit per newline and per byte above 0x20.
#include "../shared/vector.h"
#include "weir_dedup.h"
#include <string.h>

enum { BLOCK = 64 };
typedef uint8_t bytes64 __attribute__((vector_size(BLOCK)));
typedef _Bool bits64 __attribute__((ext_vector_type(BLOCK)));

// The lines found so far, and the current line: where it begins, and whether it has a byte above 0x20 (ink).
typedef struct pieces {
  size_t *bounds, count, start;
  int ink, open;
} pieces;

// Ends the current line. A blank line ends a paragraph.
WEIR_INLINE void end_line(pieces *p, size_t end, int merged) {
  if (p->ink && !(merged && p->open)) {
    p->bounds[2 * p->count] = p->start;
    p->count++;
  }
  if (p->ink) p->bounds[2 * p->count - 1] = end;
  p->open = p->ink;
  p->ink = 0;
  p->start = end + 1;
}

WEIR_INLINE void add_block(pieces *p, const uint8_t *text, size_t at, int merged) {
  bytes64 bytes;
  memcpy(&bytes, text, BLOCK);
  bits64 newline_bits = __builtin_convertvector(bytes == 0x0A, bits64), ink_bits = __builtin_convertvector(bytes > 0x20, bits64);
  uint64_t newlines, ink;
  memcpy(&newlines, &newline_bits, 8);
  memcpy(&ink, &ink_bits, 8);
  while (newlines) {
    uint64_t before = (newlines & -newlines) - 1;
    p->ink |= (ink & before) != 0;
    ink &= ~before;
    end_line(p, at + (size_t)__builtin_ctzll(newlines), merged);
    newlines &= newlines - 1;
  }
  p->ink |= ink != 0;
}

WEIR_INLINE size_t find(const uint8_t *text, size_t count, int merged, size_t *bounds) {
  pieces p = {bounds, 0, 0, 0, 0};
  size_t i = 0;
  for (; i + BLOCK <= count; i += BLOCK) add_block(&p, text + i, i, merged);
  uint8_t rest[BLOCK] = {0};
  memcpy(rest, text + i, count - i);
  add_block(&p, rest, i, merged);
  if (p.start < count) end_line(&p, count, merged);
  return p.count;
}

WEIR_CLONES
size_t weir_text_lines(const uint8_t *text, size_t count, size_t *bounds) { return find(text, count, 0, bounds); }

WEIR_CLONES
size_t weir_text_paragraphs(const uint8_t *text, size_t count, size_t *bounds) { return find(text, count, 1, bounds); }
