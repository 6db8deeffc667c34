// Products of a sparse matrix with a dense one of 32 columns. Sums stay in registers, have a fixed order and use no fused multiply-add, so results do not
// depend on the instruction set.
#include "weir_sparse.h"
#include "../shared/vector.h"
#pragma clang fp contract(off)

enum { WIDTH = WEIR_SPARSE_WIDTH, AHEAD = 12 };

WEIR_INLINE void add_row(float weight, const float *row, v16 *sum) {
  sum[0] += weight * *(const u16 *)row;
  sum[1] += weight * *(const u16 *)(row + 16);
}

WEIR_INLINE size_t at(const void *index, int narrow, size_t i) {
  return narrow ? ((const uint16_t *)index)[i] : ((const uint32_t *)index)[i];
}

/// The weighted sum of table rows. Even and odd entries are summed separately, as two independent chains of additions.
WEIR_INLINE void gather(const void *index, int narrow, const float *weight, size_t count, const float *table, int ahead, v16 *sum) {
  v16 even[2] = {{0}}, odd[2] = {{0}};
  size_t i = 0;
  for (; i + 2 <= count; i += 2) {
    // The rows of a large table come from the L3 cache.
    if (ahead && i + AHEAD + 1 < count)
      for (size_t z = 0; z < 2; z++) {
        const float *later = table + at(index, narrow, i + AHEAD + z) * WIDTH;
        __builtin_prefetch(later);
        __builtin_prefetch(later + 16);
      }
    add_row(weight[i], table + at(index, narrow, i) * WIDTH, even);
    add_row(weight[i + 1], table + at(index, narrow, i + 1) * WIDTH, odd);
  }
  if (i < count) add_row(weight[i], table + at(index, narrow, i) * WIDTH, even);
  sum[0] = even[0] + odd[0];
  sum[1] = even[1] + odd[1];
}

WEIR_CLONES
void weir_sparse_rows(const uint32_t *index, const float *weight, const ptrdiff_t *offsets, size_t rows, size_t step, const float *table,
                      float *out) {
  for (size_t r = 0; r < rows; r++) {
    const ptrdiff_t *from = offsets + r * step;
    v16 sum[2];
    gather(index + from[0], 0, weight + from[0], (size_t)(from[1] - from[0]), table, 1, sum);
    *(u16 *)(out + r * WIDTH) = sum[0];
    *(u16 *)(out + r * WIDTH + 16) = sum[1];
  }
}

WEIR_CLONES
void weir_sparse_columns(const uint32_t *column, const uint32_t *end, size_t columns, const uint16_t *index, const float *weight,
                         const float *table, float *out) {
  size_t from = 0;
  for (size_t c = 0; c < columns; c++) {
    v16 sum[2];
    if (c + 2 < columns) {
      __builtin_prefetch(out + (size_t)column[c + 2] * WIDTH, 1);
      __builtin_prefetch(out + (size_t)column[c + 2] * WIDTH + 16, 1);
    }
    gather(index + from, 1, weight + from, end[c] - from, table, 0, sum);
    from = end[c];
    float *to = out + (size_t)column[c] * WIDTH;
    *(u16 *)to += sum[0];
    *(u16 *)(to + 16) += sum[1];
  }
}
