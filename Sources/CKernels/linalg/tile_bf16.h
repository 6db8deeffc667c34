#pragma once
// Packing and the register tile for bfloat16 products, private to this target. Pairs lie along the summed dimension, as AVX512-BF16 reads them.
#include "bfloat16.h"
#include "tile.h"
#ifdef WEIR_HAS_BF16

/// Pairs (x[i], y[i]) as bfloat16 in 32-bit words.
WEIR_BF16 static inline __m512i weir_weave(__m512 x, __m512 y) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2,
                                         17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(y, x));
}

/// Packs up to 32 consecutive values of each of up to 16 rows at x + i·ldx as pairs [16][16 rows], with row stride ldo; missing rows are zeros.
WEIR_BF16 static inline void weir_pack_across(const float *x, size_t ldx, size_t rows, size_t values, uint32_t *out, size_t ldo) {
  uint32_t words[16][16] __attribute__((aligned(64)));
  for (size_t i = 0; i < 16; i++) {
    if (i >= rows) {
      _mm512_store_si512(words[i], _mm512_setzero_si512());
      continue;
    }
    const float *row = x + i * ldx;
    __mmask16 low = values >= 16 ? 0xFFFF : (__mmask16)((1u << values) - 1);
    __mmask16 high = values >= 32 ? 0xFFFF : values > 16 ? (__mmask16)((1u << (values - 16)) - 1) : 0;
    __m512bh both = _mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(high, row + 16), _mm512_maskz_loadu_ps(low, row));
    _mm512_store_si512(words[i], (__m512i)both);
  }
  v16 r[16];
  for (int i = 0; i < 16; i++) __builtin_memcpy(&r[i], words[i], 64);
  weir_transpose16(r);
  for (size_t i = 0; i < (values + 1) / 2; i++) __builtin_memcpy(out + i * ldo, &r[i], 64);
}

/// Interleaves consecutive rows of x [depth, columns] as pairs [depth / 2 rounded up][16·lanes columns], padded with zeros.
WEIR_BF16 static inline void weir_pack_along(const float *x, size_t ldx, size_t depth, size_t columns, size_t lanes, uint32_t *out, size_t ldo) {
  for (size_t k = 0; k < depth; k += 2) {
    const float *row = x + k * ldx, *next = k + 1 < depth ? row + ldx : NULL;
    if (k + 9 < depth)
      for (size_t j = 0; j < lanes; j++) {
        __builtin_prefetch(row + 8 * ldx + 16 * j);
        __builtin_prefetch(row + 9 * ldx + 16 * j);
      }
    for (size_t j = 0; j < lanes; j++) {
      size_t left = columns > 16 * j ? columns - 16 * j : 0;
      __mmask16 mask = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
      __m512 a = _mm512_maskz_loadu_ps(mask, row + 16 * j), b = next ? _mm512_maskz_loadu_ps(mask, next + 16 * j) : _mm512_setzero_ps();
      _mm512_storeu_si512(out + k / 2 * ldo + 16 * j, weir_weave(a, b));
    }
  }
}

/// The register tile: 12 rows × 32 columns.
enum { height16 = 12, width16 = 32 };

/// c [R, 32] (+)= Σ over `pairs` of a·b. a(i, k) is the pair a[i·ra + k·ca]; b is [pairs][32].
WEIR_BF16 static inline __attribute__((always_inline)) void weir_tile16(const int R, size_t pairs, const uint32_t *a, size_t ra, size_t ca,
                                                                        const uint32_t *b, float *c, size_t ldc, int add) {
  __m512 sum[height16][2];
#pragma unroll
  for (int i = 0; i < R; i++) sum[i][0] = sum[i][1] = _mm512_setzero_ps();
  for (size_t k = 0; k < pairs; k++) {
    __m512bh x = (__m512bh)_mm512_loadu_si512(b + k * width16), y = (__m512bh)_mm512_loadu_si512(b + k * width16 + 16);
#pragma unroll
    for (int i = 0; i < R; i++) {
      __m512bh left = (__m512bh)_mm512_set1_epi32((int)a[(size_t)i * ra + k * ca]);
      sum[i][0] = _mm512_dpbf16_ps(sum[i][0], left, x);
      sum[i][1] = _mm512_dpbf16_ps(sum[i][1], left, y);
    }
  }
#pragma unroll
  for (int i = 0; i < R; i++) {
    float *o = c + (size_t)i * ldc;
    if (add) {
      sum[i][0] = _mm512_add_ps(sum[i][0], _mm512_loadu_ps(o));
      sum[i][1] = _mm512_add_ps(sum[i][1], _mm512_loadu_ps(o + 16));
    }
    _mm512_storeu_ps(o, sum[i][0]);
    _mm512_storeu_ps(o + 16, sum[i][1]);
  }
}

#define WEIR_ROWS16(R, RA, CA) \
  case R: weir_tile16(R, pairs, a, RA, CA, b, c, ldc, add); break;
/// Defines NAME, the tile of 1 … 12 rows; RA and CA may name `lda`.
#define WEIR_TILE16(NAME, RA, CA)                                                                                                        \
  WEIR_BF16 static void NAME(size_t count, size_t pairs, const uint32_t *a, size_t lda, const uint32_t *b, float *c, size_t ldc, int add) { \
    (void)lda;                                                                                                                           \
    switch (count) {                                                                                                                     \
      WEIR_ROWS16(1, RA, CA) WEIR_ROWS16(2, RA, CA) WEIR_ROWS16(3, RA, CA) WEIR_ROWS16(4, RA, CA) WEIR_ROWS16(5, RA, CA)                   \
      WEIR_ROWS16(6, RA, CA) WEIR_ROWS16(7, RA, CA) WEIR_ROWS16(8, RA, CA) WEIR_ROWS16(9, RA, CA) WEIR_ROWS16(10, RA, CA)                  \
      WEIR_ROWS16(11, RA, CA) WEIR_ROWS16(12, RA, CA)                                                                                    \
    }                                                                                                                                    \
  }
#endif
