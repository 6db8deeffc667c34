// Weighted sums of matrix rows, vectorized across columns in a fixed order, so results do not depend on the instruction set.
#include "weir_sparse.h"
#include "bfloat16.h"
#include "../shared/vector.h"
#include <string.h>
#pragma clang fp contract(off)

enum { TILE = 128, AHEAD = 16 };

WEIR_CLONES
void weir_gather_rows(const uint32_t *index, const float *weight, size_t count, const float *matrix, size_t columns, float *out) {
  size_t base = 0;
  for (; base + TILE <= columns; base += TILE) {
    float sum[TILE];
    for (int j = 0; j < TILE; j++) sum[j] = 0;
    for (size_t i = 0; i < count; i++) {
      const float *row = matrix + (size_t)index[i] * columns + base;
      float w = weight[i];
      // Rows are anywhere in memory, so the hardware prefetcher cannot help.
      if (i + AHEAD < count)
        for (size_t j = 0; j < TILE; j += 16) __builtin_prefetch(matrix + (size_t)index[i + AHEAD] * columns + base + j);
      for (int j = 0; j < TILE; j++) sum[j] += w * row[j];
    }
    memcpy(out + base, sum, sizeof sum);
  }
  size_t rest = columns - base;
  if (rest == 0) return;
  for (size_t j = 0; j < rest; j++) out[base + j] = 0;
  for (size_t i = 0; i < count; i++) {
    const float *row = matrix + (size_t)index[i] * columns + base;
    for (size_t j = 0; j < rest; j++) out[base + j] += weight[i] * row[j];
  }
}

void weir_pair_row(const float *row, size_t columns, uint32_t *pairs) {
  for (size_t base = 0; base < columns; base += 32)
    for (size_t j = base; j < base + 16; j++) {
      uint32_t low = j < columns ? weir_bfloat16(row[j]) : 0, high = j + 16 < columns ? weir_bfloat16(row[j + 16]) : 0;
      *pairs++ = high << 16 | low;
    }
}

/// The sums of `blocks` blocks of 32 columns.
WEIR_INLINE void gather_pairs(const uint32_t *index, const float *weight, size_t count, const uint32_t *pairs, size_t stride, size_t blocks,
                              v16 *sum) {
  for (size_t b = 0; b < 2 * blocks; b++) sum[b] = (v16){0};
  for (size_t i = 0; i < count; i++) {
    const uint32_t *row = pairs + (size_t)index[i] * stride;
    float w = weight[i];
    if (i + AHEAD < count)
      for (size_t b = 0; b < blocks; b++) __builtin_prefetch(pairs + (size_t)index[i + AHEAD] * stride + 16 * b);
    for (size_t b = 0; b < blocks; b++) {
      u32x both = *(const u32u *)(row + 16 * b), low = both << 16, high = both & 0xFFFF0000;
      sum[2 * b] += w * (v16)low;
      sum[2 * b + 1] += w * (v16)high;
    }
  }
}

WEIR_CLONES
void weir_gather_pairs(const uint32_t *index, const float *weight, size_t count, const uint32_t *pairs, size_t columns, float *out) {
  enum { BLOCKS = 4 };
  size_t stride = weir_pairs(columns), base = 0;
  v16 sum[2 * BLOCKS];
  for (; base + 32 * BLOCKS <= columns; base += 32 * BLOCKS) {
    gather_pairs(index, weight, count, pairs + base / 2, stride, BLOCKS, sum);
    memcpy(out + base, sum, sizeof sum);
  }
  for (; base < columns; base += 32) {
    gather_pairs(index, weight, count, pairs + base / 2, stride, 1, sum);
    memcpy(out + base, sum, sizeof(float) * (columns - base < 32 ? columns - base : 32));
  }
}

WEIR_CLONES
double weir_normalize(float *x, size_t d) {
  // 16 independent sums: a single one would wait for its own latency.
  double squares[16] = {0}, square = 0;
  size_t i = 0;
  for (; i + 16 <= d; i += 16)
    for (int j = 0; j < 16; j++) squares[j] += (double)x[i + j] * (double)x[i + j];
  for (; i < d; i++) squares[0] += (double)x[i] * (double)x[i];
  for (int j = 0; j < 16; j++) square += squares[j];
  double length = WEIR_SQRT(square);
  if (!(length > 0)) return 0;
  for (size_t j = 0; j < d; j++) x[j] = (float)((double)x[j] / length);
  return length;
}
