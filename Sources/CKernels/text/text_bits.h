#pragma once
// Classifies 64 bytes at a time into one bit mask per character class, for text_shape.c; private to this target.
#include "../shared/byte_masks.h"
#include <stdint.h>

enum { BLOCK = 64 };

// One bit per byte. A non-ASCII byte sets only `wide`.
typedef struct masks {
  uint64_t space, ends, letter, dot, hash, wide;
} masks;

WEIR_INLINE masks classify_any(const uint8_t *text) {
  masks m = {0};
  for (int i = 0; i < BLOCK; i++) {
    uint8_t byte = text[i];
    m.ends |= (uint64_t)((uint8_t)(byte - 0x0A) < 4 || (uint8_t)(byte - 0x1C) < 3) << i;
    m.space |= (uint64_t)((uint8_t)(byte - 0x09) < 5 || (uint8_t)(byte - 0x1C) < 5) << i;
    m.letter |= (uint64_t)((uint8_t)((byte | 0x20) - 'a') < 26) << i;
    m.dot |= (uint64_t)(byte == '.') << i;
    m.hash |= (uint64_t)(byte == '#') << i;
    m.wide |= (uint64_t)(byte >> 7) << i;
  }
  return m;
}

#if defined(__linux__) && defined(__x86_64__)
WEIR_V3 WEIR_INLINE masks classify_v3(const uint8_t *text) {
  masks m = {0};
  for (int i = 0; i < BLOCK; i += 32) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(text + i));
    m.ends |= (in_range_v3(bytes, 0x0A, 4) | in_range_v3(bytes, 0x1C, 3)) << i;
    m.space |= (in_range_v3(bytes, 0x09, 5) | in_range_v3(bytes, 0x1C, 5)) << i;
    m.letter |= in_range_v3(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), 'a', 26) << i;
    m.dot |= in_range_v3(bytes, '.', 1) << i;
    m.hash |= in_range_v3(bytes, '#', 1) << i;
    m.wide |= (uint64_t)(uint32_t)_mm256_movemask_epi8(bytes) << i;
  }
  return m;
}

WEIR_V4 WEIR_INLINE masks classify_v4(const uint8_t *text) {
  __m512i bytes = _mm512_loadu_si512(text);
  masks m;
  m.ends = in_range_v4(bytes, 0x0A, 4) | in_range_v4(bytes, 0x1C, 3);
  m.space = in_range_v4(bytes, 0x09, 5) | in_range_v4(bytes, 0x1C, 5);
  m.letter = in_range_v4(_mm512_or_si512(bytes, _mm512_set1_epi8(0x20)), 'a', 26);
  m.dot = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('.'));
  m.hash = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('#'));
  m.wide = _mm512_movepi8_mask(bytes);
  return m;
}
#endif
