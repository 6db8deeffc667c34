#pragma once
// The register tile of the matrix products, private to this target: R × V·16 sums stay in registers over the whole depth. 12 × 32 fills the registers of
// AVX-512, 6 × 16 those of AVX2.
#include "../shared/vector.h"

/// The tiles of a SIMD level. `rows` runs over a(i, k) = a[i·lda + k], `columns` over a(i, k) = a[i + k·lda]; count ≤ height rows;
/// b [depth, width] at ldb. c (+)= a·b.
typedef struct {
  size_t height, width;
  void (*rows)(size_t count, size_t depth, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc, int add);
  void (*columns)(size_t count, size_t depth, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc, int add);
} weir_tiles;

/// The tiles of a level, lowered to what the processor supports.
const weir_tiles *weir_tiles_at(int level);
/// Thread-local scratch of at least `floats` floats, 64-byte aligned; it grows and is freed with the thread. There are two, `slot` 0 and 1.
float *weir_scratch(int slot, size_t floats);

#define WEIR_SWAP(R, I, W)                                                \
  {                                                                            \
    v16 low = R[I], high = R[I + W];                                           \
    R[I] = __builtin_shufflevector(low, high, WEIR_LOW_##W);       \
    R[I + W] = __builtin_shufflevector(low, high, WEIR_HIGH_##W);  \
  }
#define WEIR_LOW_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define WEIR_HIGH_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define WEIR_LOW_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define WEIR_HIGH_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define WEIR_LOW_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define WEIR_HIGH_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define WEIR_LOW_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define WEIR_HIGH_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31

/// Transposes a 16 × 16 block in place, by exchanging halves, quarters, pairs and neighbors.
WEIR_INLINE void weir_transpose16(v16 *r) {
#pragma unroll
  for (int i = 0; i < 8; i++) WEIR_SWAP(r, i, 8)
#pragma unroll
  for (int i = 0; i < 16; i += i % 4 == 3 ? 5 : 1) WEIR_SWAP(r, i, 4)
#pragma unroll
  for (int i = 0; i < 16; i += i % 2 == 1 ? 3 : 1) WEIR_SWAP(r, i, 2)
#pragma unroll
  for (int i = 0; i < 16; i += 2) WEIR_SWAP(r, i, 1)
}
