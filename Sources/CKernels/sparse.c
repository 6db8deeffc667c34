// Products of a sparse matrix with a dense one, by panels of at most 96 columns: sums of table rows in registers, in a fixed order and
// without contraction, so that no result depends on the instruction set. The table is single precision or, for half the bytes that a
// value gathers, bfloat16: of 32 columns the low halves of 16 words are the first 16, the high halves the others.
#include "weir_clusters.h"
#include "vector.h"
#include <string.h>
#pragma clang fp contract(off)

typedef uint32_t word16 __attribute__((vector_size(64)));
typedef uint32_t any16 __attribute__((vector_size(64), aligned(4), may_alias));
enum { LANES = 32, MOST = WEIR_PANEL / LANES, AHEAD = 12 };

WEIR_INLINE void encode(const v16 *low, const v16 *high, any16 *out) {
  word16 a, b;
  memcpy(&a, low, sizeof a);
  memcpy(&b, high, sizeof b);
  a += 0x7FFF + (a >> 16 & 1);
  b += 0x7FFF + (b >> 16 & 1);
  *out = a >> 16 | (b & 0xFFFF0000u);
}

// Σ of weighted table rows; everything but the pointers and the count is a constant of the caller's.
WEIR_INLINE void gather(const void *index, int narrow, const float *weight, size_t count, const void *table, int blocks, int half, int ahead, v16 *sum) {
  v16 low[MOST], high[MOST];
#pragma unroll
  for (int b = 0; b < blocks; b++) low[b] = high[b] = (v16){0};
  size_t stride = (size_t)blocks * LANES * (half ? 2 : 4);
  for (size_t i = 0; i < count; i++) {
    size_t at = narrow ? ((const uint16_t *)index)[i] : ((const uint32_t *)index)[i];
    const char *row = (const char *)table + at * stride;
    float w = weight[i];
    // The rows of a large table wait for the third-level cache.
    if (ahead && i + AHEAD < count) {
      const char *later = (const char *)table + (size_t)(narrow ? ((const uint16_t *)index)[i + AHEAD] : ((const uint32_t *)index)[i + AHEAD]) * stride;
      for (size_t b = 0; b < stride; b += 64) __builtin_prefetch(later + b);
    }
#pragma unroll
    for (int b = 0; b < blocks; b++) {
      v16 x, y;
      if (half) {
        word16 both = *(const any16 *)(row + b * 64), first = both << 16, second = both & 0xFFFF0000u;
        memcpy(&x, &first, sizeof x);
        memcpy(&y, &second, sizeof y);
      } else {
        x = *(const u16 *)(row + b * 128);
        y = *(const u16 *)(row + b * 128 + 64);
      }
      low[b] += w * x;
      high[b] += w * y;
    }
  }
#pragma unroll
  for (int b = 0; b < blocks; b++) {
    sum[2 * b] = low[b];
    sum[2 * b + 1] = high[b];
  }
}

WEIR_INLINE void store(const v16 *sum, int blocks, int half, char *out) {
  for (int b = 0; b < blocks; b++) {
    if (half) {
      encode(sum + 2 * b, sum + 2 * b + 1, (any16 *)(out + b * 64));
    } else {
      *(u16 *)(out + b * 128) = sum[2 * b];
      *(u16 *)(out + b * 128 + 64) = sum[2 * b + 1];
    }
  }
}

WEIR_INLINE void rows_of(const uint32_t *index, const float *weight, const ptrdiff_t *offsets, size_t rows, size_t step, const void *table,
                         int blocks, int half, char *out) {
  size_t stride = (size_t)blocks * LANES * (half ? 2 : 4);
  for (size_t r = 0; r < rows; r++) {
    const ptrdiff_t *at = offsets + r * step;
    v16 sum[2 * MOST];
    gather(index + at[0], 0, weight + at[0], (size_t)(at[1] - at[0]), table, blocks, half, 1, sum);
    store(sum, blocks, half, out + r * stride);
  }
}

WEIR_INLINE void columns_of(const uint32_t *column, const uint32_t *end, size_t columns, const uint16_t *index, const float *weight,
                            const void *table, int blocks, int half, float *out, size_t stride) {
  size_t from = 0;
  for (size_t c = 0; c < columns; c++) {
    v16 sum[2 * MOST];
    if (c + 2 < columns)
      for (size_t b = 0; b < (size_t)blocks * LANES; b += 16) __builtin_prefetch(out + (size_t)column[c + 2] * stride + b, 1);
    gather(index + from, 1, weight + from, end[c] - from, table, blocks, half, 0, sum);
    from = end[c];
    u16 *to = (u16 *)(out + (size_t)column[c] * stride);
#pragma unroll
    for (int b = 0; b < 2 * blocks; b++) to[b] += sum[b];
  }
}

#define EACH(CALL)                                       \
  switch (2 * blocks + (half != 0)) {                    \
    case 2: CALL(1, 0); break;                           \
    case 3: CALL(1, 1); break;                           \
    case 4: CALL(2, 0); break;                           \
    case 5: CALL(2, 1); break;                           \
    case 6: CALL(3, 0); break;                           \
    case 7: CALL(3, 1); break;                           \
  }

WEIR_CLONES
void weir_sparse_rows(const uint32_t *index, const float *weight, const ptrdiff_t *offsets, size_t rows, size_t step, const void *table,
                      int blocks, int half, void *out) {
#define ROWS(B, H) rows_of(index, weight, offsets, rows, step, table, B, H, out)
  EACH(ROWS)
}

WEIR_CLONES
void weir_sparse_columns(const uint32_t *column, const uint32_t *end, size_t columns, const uint16_t *index, const float *weight,
                         const void *table, int blocks, int half, float *out, size_t stride) {
#define COLUMNS(B, H) columns_of(column, end, columns, index, weight, table, B, H, out, stride)
  EACH(COLUMNS)
}

WEIR_CLONES
void weir_sparse_table(const float *dense, size_t rows, size_t width, size_t first, int blocks, int half, void *out) {
  size_t held = width - first < (size_t)blocks * LANES ? width - first : (size_t)blocks * LANES;
  for (size_t r = 0; r < rows; r++) {
    v16 row[2 * MOST] = {0};
    memcpy(row, dense + r * width + first, held * sizeof(float));
    store(row, blocks, half, (char *)out + r * (size_t)blocks * LANES * (half ? 2 : 4));
  }
}
