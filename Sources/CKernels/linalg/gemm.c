// Matrix products for the transformer. The right operand is packed in blocks that stay in the L2 cache, and the left operand a few rows at a time in the L1
// cache. Shapes are small, so packing takes one or two percent of the time.
#include "weir_gemm.h"
#include "weir_simd.h"
#include "tile.h"

enum { depth_block = 256, column_block = 384, left_panels = 8 };

/// out[j·ldo + i] = x[i·ldx + j] of a 16 × 16 block.
WEIR_INLINE void transpose16(const float *x, size_t ldx, float *out, size_t ldo) {
  v16 r[16];
#pragma unroll
  for (int i = 0; i < 16; i++) r[i] = *(const u16 *)(x + (size_t)i * ldx);
  weir_transpose16(r);
#pragma unroll
  for (int i = 0; i < 16; i++) *(u16 *)(out + (size_t)i * ldo) = r[i];
}

/// Columns j…j + columns of op(B), rows first…first + depth, as [depth, width], padded with zero columns.
WEIR_INLINE void pack_right(int transposed, const float *b, size_t ldb, size_t first, size_t depth, size_t j, size_t columns,
                            const size_t width, float *out) {
  if (!transposed) {
    for (size_t k = 0; k < depth; k++) {
      const float *row = b + (first + k) * ldb + j;
      float *o = out + k * width;
      if (k + 8 < depth)
        for (size_t i = 0; i < columns; i += 16) __builtin_prefetch(row + 8 * ldb + i);
      if (columns == width) {
        for (size_t i = 0; i < width; i += 16) *(u16 *)(o + i) = *(const u16 *)(row + i);
      } else {
        for (size_t i = 0; i < columns; i++) o[i] = row[i];
        for (size_t i = columns; i < width; i++) o[i] = 0;
      }
    }
    return;
  }
  for (size_t i = 0; i < width; i += 16) {
    const float *row = b + (j + i) * ldb + first;
    size_t k = 0;
    if (i + 16 <= columns)
      for (; k + 16 <= depth; k += 16) transpose16(row + k, ldb, out + k * width + i, width);
    for (; k < depth; k++)
      for (size_t z = 0; z < 16; z++) out[k * width + i + z] = i + z < columns ? row[z * ldb + k] : 0;
  }
}

/// Columns 0… of a [depth, m], in panels of `height` columns at a pitch of 16; several at a time, because they share cache lines.
WEIR_INLINE void pack_left(const float *a, size_t lda, size_t depth, size_t m, const size_t height, float *out) {
  for (size_t q = 0; q < depth; q++) {
    const float *row = a + q * lda;
    // Rows are too far apart for the hardware prefetcher.
    if (q + 6 < depth)
      for (size_t i = 0; i < left_panels * height && i < m; i += 16) __builtin_prefetch(row + 6 * lda + i);
    for (size_t i = 0, p = 0; p < left_panels && i < m; i += height, p++) {
      float *o = out + (p * depth + q) * 16;
      if (i + 16 <= m) {
        *(v16 *)o = *(const u16 *)(row + i);
      } else {
        size_t count = m - i < height ? m - i : height;
        for (size_t z = 0; z < count; z++) o[z] = row[i + z];
      }
    }
  }
}

WEIR_INLINE void gemm(const size_t height, const size_t width, const weir_tiles *tiles, int transposeA, int transposeB, size_t m, size_t n,
                      size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc, int add) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    if (!add)
      for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) c[i * ldc + j] = 0;
    return;
  }
  size_t blocks = (k + depth_block - 1) / depth_block, depth = (k + blocks - 1) / blocks;
  float *left = weir_scratch(0, 16 * left_panels * depth_block + depth_block * column_block + 16 * 32);
  float *right = left + 16 * left_panels * depth_block;
  float *edge = right + depth_block * column_block;
  for (size_t first = 0; first < k; first += depth) {
    size_t deep = k - first < depth ? k - first : depth;
    int sum = add || first > 0;
    for (size_t begin = 0; begin < n; begin += column_block) {
      size_t end = begin + column_block < n ? begin + column_block : n;
      // Rows of the right operand that are close together are read in place.
      int raw = !transposeB && ldb <= 256;
      for (size_t j = begin; j < end; j += width)
        if (!raw || end - j < width) pack_right(transposeB, b, ldb, first, deep, j, end - j < width ? end - j : width, width, right + (j - begin) * deep);
      for (size_t i = 0; i < m; i += height) {
        size_t count = m - i < height ? m - i : height, stride = 16;
        const float *rows = left + i / height % left_panels * deep * 16;
        if (transposeA) {
          if (i / height % left_panels == 0) pack_left(a + first * lda + i, lda, deep, m - i, height, left);
        } else if (lda % 512 != 0) {
          rows = a + i * lda + first;
          stride = lda;
        } else {
          // Rows at a power-of-two distance would map to the same cache sets.
          stride = deep;
          rows = left;
          for (size_t z = 0; z < count; z++)
            for (size_t q = 0; q < deep; q++) left[z * deep + q] = a[(i + z) * lda + first + q];
        }
        for (size_t j = begin; j < end; j += width) {
          const float *panel = right + (j - begin) * deep;
          size_t ldp = width;
          if (raw && end - j >= width) {
            panel = b + first * ldb + j;
            ldp = ldb;
          }
          float *out = c + i * ldc + j;
          size_t columns = end - j < width ? end - j : width;
          float *to = columns == width ? out : edge;
          size_t ldt = columns == width ? ldc : width;
          (transposeA ? tiles->columns : tiles->rows)(count, deep, rows, stride, panel, ldp, to, ldt, columns == width ? sum : 0);
          if (columns < width)
            for (size_t z = 0; z < count; z++)
              for (size_t q = 0; q < columns; q++) out[z * ldc + q] = (sum ? out[z * ldc + q] : 0) + edge[z * width + q];
        }
      }
    }
  }
}

#define WEIR_GEMM(NAME, ATTRIBUTE, HEIGHT, WIDTH)                                                                                  \
  ATTRIBUTE static void NAME(const weir_tiles *tiles, int transposeA, int transposeB, size_t m, size_t n, size_t k, const float *a, \
                             size_t lda, const float *b, size_t ldb, float *c, size_t ldc, int add) {                              \
    gemm(HEIGHT, WIDTH, tiles, transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc, add);                                      \
  }
WEIR_GEMM(gemm_any, , 6, 16)
WEIR_GEMM(gemm_v3, WEIR_V3, 6, 16)
WEIR_GEMM(gemm_v4, WEIR_V4, 12, 32)

void weir_gemm_at(int level, int transposeA, int transposeB, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                  size_t ldb, float *c, size_t ldc, int add) {
  int best = weir_simd_level(), use = level < best ? level : best;
  const weir_tiles *tiles = weir_tiles_at(use);
  if (use == 2) gemm_v4(tiles, transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc, add);
  else if (use == 1) gemm_v3(tiles, transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc, add);
  else gemm_any(tiles, transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc, add);
}

void weir_gemm(int transposeA, int transposeB, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
               float *c, size_t ldc, int add) {
  weir_gemm_at(2, transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc, add);
}
