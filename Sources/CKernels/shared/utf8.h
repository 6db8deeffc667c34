#pragma once
// UTF-8 decoding, private to this target.
#include <stddef.h>
#include <stdint.h>

enum { END = 0x110000 };

// Decodes the non-ASCII code point at text[0], with `left` bytes readable. A malformed byte gives END + byte and a width of 1.
static inline uint32_t weir_scalar(const uint8_t *text, size_t left, size_t *width) {
  uint32_t first = text[0];
#define NEXT(i) ((uint32_t)text[i] ^ 0x80)
  if (first >= 0xC2 && first < 0xE0 && left > 1 && NEXT(1) < 0x40) {
    *width = 2;
    return (first & 0x1F) << 6 | NEXT(1);
  }
  if (first >= 0xE0 && first < 0xF0 && left > 2 && NEXT(1) < 0x40 && NEXT(2) < 0x40) {
    uint32_t scalar = (first & 0x0F) << 12 | NEXT(1) << 6 | NEXT(2);
    if (scalar >= 0x800 && (scalar & 0xF800) != 0xD800) {
      *width = 3;
      return scalar;
    }
  }
  if (first >= 0xF0 && first < 0xF5 && left > 3 && NEXT(1) < 0x40 && NEXT(2) < 0x40 && NEXT(3) < 0x40) {
    uint32_t scalar = (first & 0x07) << 18 | NEXT(1) << 12 | NEXT(2) << 6 | NEXT(3);
    if (scalar >= 0x10000 && scalar < END) {
      *width = 4;
      return scalar;
    }
  }
#undef NEXT
  *width = 1;
  return END + first;
}
