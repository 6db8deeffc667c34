#pragma once
// The register tile of the matrix products, private to this target: R × V·16 sums held in registers over the whole depth. Rows and
// columns of a tile follow from the instruction set: 12 × 32 fills AVX-512's registers, 6 × 16 AVX2's.
#include "vector.h"
#if defined(__linux__) && defined(__x86_64__)
#define WEIR_V3 __attribute__((target("arch=x86-64-v3")))
#define WEIR_V4 __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#else
#define WEIR_V3
#define WEIR_V4
#endif

/// What a level's tiles are. `rows` runs over a(i, k) = a[i·lda + k], `columns` over a(i, k) = a[i + k·lda]; count ≤ height rows;
/// b [depth, width] at ldb. c (+)= a·b.
typedef struct {
  size_t height, width;
  void (*rows)(size_t count, size_t depth, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc, int add);
  void (*columns)(size_t count, size_t depth, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc, int add);
} weir_tiles;

/// The tiles of a level at most the processor's best.
const weir_tiles *weir_tiles_at(int level);
/// A thread's own scratch of at least `floats` floats, 64-byte aligned; grows, and goes with the thread. `slot` 0 or 1 are two of them.
float *weir_scratch(int slot, size_t floats);
