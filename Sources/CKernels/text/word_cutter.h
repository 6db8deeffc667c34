#pragma once
// Cuts a span without white space into words, for text_shape.c; private to this target.
#include "../shared/utf8.h"
#include "weir_filter.h"
#include <stdlib.h>
#include <string.h>

// The scalar and class of a malformed byte.
enum { MALFORMED = 0xFFFFFFFF, MALFORMED_CLASS = WEIR_CONTENT | WEIR_ACTIVE };

// A span as code points, and the length of each of its words in code points.
typedef struct weir_span {
  uint32_t *scalars, *classes, *lengths;
  uint32_t count, words;
  // Scratch of the same size.
  uint32_t *spare;
} weir_span;

// Cuts the span; all arrays have room for `count` numbers. Linear in the length.
void weir_cut_words(const weir_word_forms *forms, weir_span *span);

// Whether scalars[low ..< high] are a web address.
int weir_is_web_address(const uint32_t *scalars, const uint32_t *classes, size_t low, size_t high);

// Bits of fingerprints of special forms that are letters alone, [256], and the classes of ASCII.
const uint64_t *weir_special_letters(const weir_word_forms *forms);
const uint32_t *weir_ascii_classes(const weir_word_forms *forms);

static inline void *weir_room(void *block, size_t bytes) {
  void *grown = realloc(block, bytes);
  if (!grown) abort();
  return grown;
}

static inline __attribute__((always_inline)) uint64_t weir_load64(const uint8_t *bytes) {
  uint64_t block;
  memcpy(&block, bytes, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  block = __builtin_bswap64(block);
#endif
  return block;
}

// A fingerprint of `count` bytes, of which `readable` may be read. Two of up to seven bytes never have the same.
static inline __attribute__((always_inline)) uint64_t weir_fingerprint(const uint8_t *bytes, size_t count, size_t readable) {
  const uint64_t factor = 0x9FB21C651E98DF25ull;
  uint64_t hash = count * 0xD6E8FEB86659FD93ull;
  while (count >= 8) {
    hash = (hash ^ weir_load64(bytes)) * factor;
    hash ^= hash >> 29;
    bytes += 8;
    count -= 8;
    readable -= 8;
  }
  uint64_t block = 0;
  if (count) {
    if (readable >= 8) block = weir_load64(bytes) & ((1ull << 8 * count) - 1);
    else
      for (size_t i = count; i > 0; i--) block = block << 8 | bytes[i - 1];
  }
  hash = (hash ^ block) * factor;
  return hash ^ hash >> 32;
}
