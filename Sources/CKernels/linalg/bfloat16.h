#pragma once
// Rounding to bfloat16, private to this target.
#include <stddef.h>
#include <stdint.h>
#if defined(__linux__) && defined(__x86_64__)
#include <immintrin.h>
#define WEIR_HAS_BF16 1
#define WEIR_BF16 __attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512)))
#endif

/// The nearest bfloat16, ties to even; x is finite.
static inline uint16_t weir_bfloat16(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

#ifdef WEIR_HAS_BF16
/// Rounds a row to pairs of bfloat16; an odd row is padded with a zero.
WEIR_BF16 static inline void weir_bfloat16_row(const float *x, size_t depth, uint32_t *out) {
  for (size_t k = 0; k < depth; k += 32) {
    size_t left = depth - k;
    __mmask16 low = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
    __mmask16 high = left >= 32 ? 0xFFFF : left > 16 ? (__mmask16)((1u << (left - 16)) - 1) : 0;
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(high, x + k + 16), _mm512_maskz_loadu_ps(low, x + k));
    size_t pairs = (left + 1) / 2;
    _mm512_mask_storeu_epi32(out + k / 2, pairs >= 16 ? 0xFFFF : (__mmask16)((1u << pairs) - 1), both);
  }
}
#endif
