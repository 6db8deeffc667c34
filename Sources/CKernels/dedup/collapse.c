// Collapses white space: 64 bytes at a time on processors with AVX512-VBMI2, byte by byte elsewhere, with the same result.
#include "../shared/utf8.h"
#include "weir_dedup.h"
#include "wide.h"

static inline int is_space(uint32_t scalar) {
  return scalar == 0x85 || scalar == 0xA0 || scalar == 0x1680 || (scalar >= 0x2000 && scalar <= 0x200A) || scalar == 0x2028 ||
         scalar == 0x2029 || scalar == 0x202F || scalar == 0x205F || scalar == 0x3000;
}

// Copies text with every run of white space collapsed to one blank; returns where it ends.
static size_t collapse_text(const uint8_t *text, size_t count, uint8_t *out) {
  size_t n = 0;
  int after_blank = 1;
  for (size_t i = 0; i < count;) {
    size_t width = 1;
    uint8_t byte = text[i];
    int blank = byte >= 0x80 ? is_space(weir_scalar(text + i, count - i, &width)) : byte == ' ' || (uint8_t)(byte - 9) < 5;
    if (!blank) {
      for (size_t k = 0; k < width; k++) out[n++] = text[i + k];
    } else if (!after_blank) {
      out[n++] = ' ';
    }
    after_blank = blank;
    i += width;
  }
  return n;
}

#ifdef WEIR_WIDE
WEIR_WIDE static size_t collapse_text_wide(const uint8_t *text, size_t count, uint8_t *out) {
  const __m512i blank = _mm512_set1_epi8(' ');
  size_t n = 0;
  uint64_t after_blank = 1;
  for (size_t i = 0; i < count;) {
    uint64_t inside = low_bits(count - i);
    __m512i bytes = _mm512_maskz_loadu_epi8(inside, text + i);
    // The prefix of the block without a byte that may begin non-ASCII white space, which begins with C2, E1, E2 or E3.
    uint64_t other = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8((char)0xC2)) |
                     _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8((char)0xE1)), _mm512_set1_epi8(2));
    size_t width = other ? (size_t)__builtin_ctzll(other) : count - i < 64 ? count - i : 64;
    uint64_t blanks = (_mm512_cmpeq_epi8_mask(bytes, blank) |
                       _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8(9)), _mm512_set1_epi8(4))) &
                      low_bits(width);
    uint64_t keep = low_bits(width) & ~(blanks & (blanks << 1 | after_blank));
    bytes = _mm512_mask_blend_epi8(blanks, bytes, blank);
    if (keep != ~0ull) bytes = _mm512_maskz_compress_epi8(keep, bytes);
    _mm512_storeu_si512(out + n, bytes);
    n += (size_t)__builtin_popcountll(keep);
    if (width) after_blank = blanks >> (width - 1) & 1;
    i += width;
    if (width == 64 || i >= count) continue;
    size_t bytes_of;
    if (is_space(weir_scalar(text + i, count - i, &bytes_of))) {
      if (!after_blank) out[n++] = ' ';
      after_blank = 1;
    } else {
      for (size_t k = 0; k < bytes_of; k++) out[n++] = text[i + k];
      after_blank = 0;
    }
    i += bytes_of;
  }
  return n;
}
#endif

size_t weir_collapse_space(const uint8_t *text, size_t count, uint8_t *out) {
#ifdef WEIR_WIDE
  size_t n = wide() ? collapse_text_wide(text, count, out) : collapse_text(text, count, out);
#else
  size_t n = collapse_text(text, count, out);
#endif
  return n > 0 && out[n - 1] == ' ' ? n - 1 : n;
}
