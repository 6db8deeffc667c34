// Causal attention with document masks, forward and backward, for one head of one row at a time.
//
// Blocks of 48 queries meet the keys from the earliest document start in the block to its end: scores, softmax and products stay in cache, and keys that no
// query of a tile may see are never touched. The backward pass recomputes the probabilities from the saved log-sum-exp. Products run on the register tiles
// of tile.c; sums over k run in order.
#include "weir_transformer.h"
#include "../linalg/tile.h"
#include <math.h>

enum { block = 48, panel_width = 32 };

/// c [m, n] (+)= a·b with a row-major; b(k, j) at b[j / 32 · panel + k·ldb + j mod 32]; n a multiple of 32. If `wide` or `deep` is
/// not 0, the tile of rows i ..< i + count stops at column wide + i + count or at depth deep + i + count.
WEIR_INLINE void row_product(const weir_tiles *tiles, size_t m, size_t n, size_t depth, size_t wide, size_t deep, const float *a, size_t lda,
                             const float *b, size_t ldb, size_t panel, float *c, size_t ldc) {
  for (size_t i = 0; i < m; i += tiles->height) {
    size_t count = m - i < tiles->height ? m - i : tiles->height;
    size_t columns = wide && wide + i + count < n ? wide + i + count : n, k = deep && deep + i + count < depth ? deep + i + count : depth;
    for (size_t j = 0; j < columns; j += tiles->width)
      tiles->rows(count, k, a + i * lda, lda, b + j / panel_width * panel + j % panel_width, ldb, c + i * ldc + j, ldc, 0);
  }
}

/// c [m, n] += aᵀ·b with a [depth, m] and b [depth, n] row-major, n a multiple of 32. Row i of c starts at depth i − `skip`.
WEIR_INLINE void column_product(const weir_tiles *tiles, size_t m, size_t n, size_t depth, size_t skip, const float *a, size_t lda,
                                const float *b, size_t ldb, float *c, size_t ldc) {
  for (size_t i = 0; i < m; i += tiles->height) {
    size_t count = m - i < tiles->height ? m - i : tiles->height, first = i > skip ? i - skip : 0;
    for (size_t j = 0; j < n; j += tiles->width)
      tiles->columns(count, depth - first, a + first * lda + i, lda, b + first * ldb + j, ldb, c + i * ldc + j, ldc, 1);
  }
}

/// Packs [tokens, head] with a stride as [tokens, padded], padded with zeros.
WEIR_INLINE void pack_rows(const float *x, size_t stride, size_t tokens, size_t head, size_t padded, float *out) {
  for (size_t t = 0; t < tokens; t++) {
    for (size_t i = 0; i < head; i++) out[t * padded + i] = x[t * stride + i];
    for (size_t i = head; i < padded; i++) out[t * padded + i] = 0;
  }
}

/// Packs [tokens, head] with a stride as panels [columns / 32][head][32], padded with zeros.
WEIR_INLINE void pack_columns(const float *x, size_t stride, size_t tokens, size_t head, size_t columns, float *out) {
  for (size_t t0 = 0; t0 < columns; t0 += panel_width) {
    float *panel = out + t0 * head;
    size_t count = tokens - t0 < panel_width ? tokens - t0 : panel_width;
    for (size_t i = 0; i < head; i++) {
      for (size_t t = 0; t < count; t++) panel[i * panel_width + t] = x[(t0 + t) * stride + i];
      for (size_t t = count; t < panel_width; t++) panel[i * panel_width + t] = 0;
    }
  }
}

/// The first key, rounded down to 32, that a query of the block may see.
WEIR_INLINE size_t first_key(const int32_t *starts, size_t begin, size_t end) {
  int32_t low = starts[begin];
  for (size_t t = begin + 1; t < end; t++) low = starts[t] < low ? starts[t] : low;
  return (size_t)low / panel_width * panel_width;
}

/// Padded, because the columns of rows at a power-of-two distance would map to the same cache sets.
WEIR_INLINE size_t row_stride(size_t columns) { return columns + 16; }
WEIR_INLINE size_t round_up(size_t x, size_t to) { return (x + to - 1) / to * to; }

WEIR_CLONES void weir_attention_forward(const float *q, const float *k, const float *v, size_t stride, const int32_t *starts,
                                        size_t tokens, size_t head, float scale, float *out, size_t outStride, float *lse,
                                        size_t lseStride) {
  const weir_tiles *tiles = weir_tiles_at(2);
  size_t columns = round_up(tokens, panel_width), padded = round_up(head, panel_width), pitch = row_stride(columns);
  float *keys = weir_scratch(1, head * columns + columns * padded + block * pitch + block * padded);
  float *values = keys + head * columns, *scores = values + columns * padded, *result = scores + block * pitch;
  pack_columns(k, stride, tokens, head, columns, keys);
  pack_rows(v, stride, tokens, head, padded, values);
  for (size_t begin = 0; begin < tokens; begin += block) {
    size_t end = begin + block < tokens ? begin + block : tokens, low = first_key(starts, begin, end);
    size_t width = round_up(end - low, panel_width);
    row_product(tiles, end - begin, width, head, begin - low, 0, q + begin * stride, stride, keys + low * head, panel_width,
                panel_width * head, scores, pitch);
    for (size_t t = begin; t < end; t++) {
      float *row = scores + (t - begin) * pitch;
      size_t from = (size_t)starts[t] - low, to = t + 1 - low, full = round_up(to, 16);
      for (size_t j = 0; j < from; j++) row[j] = -INFINITY;
      for (size_t j = to; j < full; j++) row[j] = -INFINITY;
      v16 best = {0};
      best = best + row[from];
      for (size_t j = from / 16 * 16; j < full; j += 16) best = __builtin_elementwise_max(best, (v16) * (u16 *)(row + j));
      float top = fold_max(&best) * scale;
      v16 sum = {0};
      for (size_t j = from / 16 * 16; j < full; j += 16) {
        v16 a = *(u16 *)(row + j) * scale - top;
        vector_exp(&a);
        *(u16 *)(row + j) = a;
      }
      for (size_t j = 0; j < from; j++) row[j] = 0;
      for (size_t j = to; j < width; j++) row[j] = 0;
      for (size_t j = from / 16 * 16; j < full; j += 16) sum += *(u16 *)(row + j);
      float total = fold_sum(&sum), inverse = 1 / total;
      for (size_t j = 0; j < full; j++) row[j] *= inverse;
      if (lse) lse[t * lseStride] = top + WEIR_LOG(total);
    }
    row_product(tiles, end - begin, padded, end - low, 0, begin - low, scores, pitch, values + low * padded, padded, panel_width, result,
                padded);
    for (size_t t = begin; t < end; t++) __builtin_memcpy(out + t * outStride, result + (t - begin) * padded, head * sizeof(float));
  }
}

WEIR_CLONES void weir_attention_backward(const float *q, const float *k, const float *v, size_t stride, const int32_t *starts,
                                         size_t tokens, size_t head, size_t group, float scale, const float *out, const float *dout,
                                         size_t outStride, const float *lse, size_t lseStride, float *dq, float *dk, float *dv) {
  const weir_tiles *tiles = weir_tiles_at(2);
  size_t columns = round_up(tokens, panel_width), padded = round_up(head, panel_width), area = columns * padded;
  size_t pitch = row_stride(columns), panel = panel_width * head;
  float *keysT = weir_scratch(1, 2 * head * columns + 5 * area + 2 * block * pitch + block * padded);
  float *valuesT = keysT + head * columns, *keys = valuesT + head * columns, *queries = keys + area, *grads = queries + area;
  float *dkeys = grads + area, *dvalues = dkeys + area, *p = dvalues + area, *ds = p + block * pitch, *result = ds + block * pitch;
  pack_columns(k, stride, tokens, head, columns, keysT);
  pack_columns(v, stride, tokens, head, columns, valuesT);
  pack_rows(k, stride, tokens, head, padded, keys);
  for (size_t i = 0; i < 2 * area; i++) dkeys[i] = 0;
  for (size_t h = 0; h < group; h++) {
    const float *o = out + h * head, *d = dout + h * head;
    pack_rows(q + h * head, stride, tokens, head, padded, queries);
    pack_rows(d, outStride, tokens, head, padded, grads);
    for (size_t begin = 0; begin < tokens; begin += block) {
      size_t end = begin + block < tokens ? begin + block : tokens, low = first_key(starts, begin, end), count = end - begin;
      size_t width = round_up(end - low, panel_width), before = begin - low;
      row_product(tiles, count, width, head, before, 0, queries + begin * padded, padded, keysT + low * head, panel_width, panel, p, pitch);
      row_product(tiles, count, width, head, before, 0, grads + begin * padded, padded, valuesT + low * head, panel_width, panel, ds, pitch);
      for (size_t t = begin; t < end; t++) {
        float *row = p + (t - begin) * pitch, *drow = ds + (t - begin) * pitch;
        size_t from = (size_t)starts[t] - low, to = t + 1 - low, full = round_up(to, 16);
        float shift = lse[t * lseStride + h], dot = row_dot(o + t * outStride, d + t * outStride, head);
        for (size_t j = from / 16 * 16; j < full; j += 16) {
          v16 a = *(u16 *)(row + j) * scale - shift;
          vector_exp(&a);
          *(u16 *)(row + j) = a;
          *(u16 *)(drow + j) = a * (*(u16 *)(drow + j) - dot) * scale;
        }
        for (size_t j = 0; j < from; j++) row[j] = drow[j] = 0;
        for (size_t j = to; j < width; j++) row[j] = drow[j] = 0;
      }
      row_product(tiles, count, padded, end - low, 0, before, ds, pitch, keys + low * padded, padded, panel_width, result, padded);
      for (size_t t = begin; t < end; t++)
        __builtin_memcpy(dq + t * stride + h * head, result + (t - begin) * padded, head * sizeof(float));
      column_product(tiles, end - low, padded, count, before, ds, pitch, queries + begin * padded, padded, dkeys + low * padded, padded);
      column_product(tiles, end - low, padded, count, before, p, pitch, grads + begin * padded, padded, dvalues + low * padded, padded);
    }
  }
  for (size_t t = 0; t < tokens; t++) {
    __builtin_memcpy(dk + t * stride, dkeys + t * padded, head * sizeof(float));
    __builtin_memcpy(dv + t * stride, dvalues + t * padded, head * sizeof(float));
  }
}

WEIR_CLONES void weir_attention_step(const float *q, const float *k, const float *v, size_t stride, size_t count, size_t head,
                                     float scale, float *scores, float *out) {
  float top = -INFINITY, total = 0;
  for (size_t t = 0; t < count; t++) {
    v16 sum = {0};
    size_t i = 0;
    for (; i + 16 <= head; i += 16) sum += *(const u16 *)(q + i) * *(const u16 *)(k + t * stride + i);
    float dot = fold_sum(&sum);
    for (; i < head; i++) dot += q[i] * k[t * stride + i];
    scores[t] = dot * scale;
    top = scores[t] > top ? scores[t] : top;
  }
  for (size_t t = 0; t < count; t++) total += scores[t] = WEIR_EXP(scores[t] - top);
  for (size_t i = 0; i < head; i++) out[i] = 0;
  for (size_t t = 0; t < count; t++) {
    float weight = scores[t] / total;
    for (size_t i = 0; i < head; i++) out[i] += weight * v[t * stride + i];
  }
}
