// Causal attention with document masks, forward and backward, for one head of one row at a time.
//
// Blocks of 48 queries against the keys from the earliest start of the block to its end: scores, softmax and products stay in cache, and
// keys that nobody of the block may see are never touched. The backward pass recomputes the probabilities from the saved log-sums.
// Products run on a 6 × 16 register tile whose right operand is packed contiguously; the sum over k runs in order.
#include "weir_transformer.h"
#include "vector.h"
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

enum { block = 48 };

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static void make_key(void) { pthread_key_create(&scratch_key, free); }

/// A thread's own scratch of at least `floats` floats, 64-byte aligned; grows, and goes with the thread.
static float *scratch(size_t floats) {
  pthread_once(&scratch_once, make_key);
  size_t *held = pthread_getspecific(scratch_key);
  if (held && *held >= floats) return (float *)((char *)held + 64);
  free(held);
  held = aligned_alloc(64, ((floats * sizeof(float) + 63) / 64 + 1) * 64);
  if (!held) abort();
  *held = floats;
  pthread_setspecific(scratch_key, held);
  return (float *)((char *)held + 64);
}

/// One tile: c[R × 16] (+)= Σ_k a[i·ra + k·ca] · b[k·ldb + 0…15].
WEIR_INLINE void tile(const int R, size_t depth, const float *a, size_t ra, size_t ca, const float *b, size_t ldb, float *c, size_t ldc,
                      const int add) {
  v16 sum[6] = {{0}};
  for (size_t k = 0; k < depth; k++) {
    v16 right = *(const u16 *)(b + k * ldb);
    for (int i = 0; i < R; i++) sum[i] += a[(size_t)i * ra + k * ca] * right;
  }
  for (int i = 0; i < R; i++) {
    u16 *out = (u16 *)(c + (size_t)i * ldc);
    *out = add ? *out + sum[i] : sum[i];
  }
}

/// c [m, n] (+)= a·b with a(i, k) at a[i·ra + k·ca], b row-major; n a multiple of 16.
WEIR_INLINE void product(size_t m, size_t n, size_t depth, const float *a, size_t ra, size_t ca, const float *b, size_t ldb, float *c,
                         size_t ldc, const int add) {
  for (size_t i = 0; i < m; i += 6) {
    const float *left = a + i * ra;
    for (size_t j = 0; j < n; j += 16) {
      float *out = c + i * ldc + j;
      switch (m - i) {
        case 1: tile(1, depth, left, ra, ca, b + j, ldb, out, ldc, add); break;
        case 2: tile(2, depth, left, ra, ca, b + j, ldb, out, ldc, add); break;
        case 3: tile(3, depth, left, ra, ca, b + j, ldb, out, ldc, add); break;
        case 4: tile(4, depth, left, ra, ca, b + j, ldb, out, ldc, add); break;
        case 5: tile(5, depth, left, ra, ca, b + j, ldb, out, ldc, add); break;
        default: tile(6, depth, left, ra, ca, b + j, ldb, out, ldc, add); break;
      }
    }
  }
}

/// [tokens, head] with a stride → [tokens, padded], zeros behind.
WEIR_INLINE void pack_rows(const float *x, size_t stride, size_t tokens, size_t head, size_t padded, float *out) {
  for (size_t t = 0; t < tokens; t++) {
    for (size_t i = 0; i < head; i++) out[t * padded + i] = x[t * stride + i];
    for (size_t i = head; i < padded; i++) out[t * padded + i] = 0;
  }
}

/// [tokens, head] with a stride → [head, columns], zeros behind.
WEIR_INLINE void pack_columns(const float *x, size_t stride, size_t tokens, size_t head, size_t columns, float *out) {
  for (size_t t0 = 0; t0 < tokens; t0 += 16) {
    size_t end = t0 + 16 < tokens ? t0 + 16 : tokens;
    for (size_t i = 0; i < head; i++)
      for (size_t t = t0; t < end; t++) out[i * columns + t] = x[t * stride + i];
  }
  for (size_t i = 0; i < head; i++)
    for (size_t t = tokens; t < columns; t++) out[i * columns + t] = 0;
}

/// The first key, rounded down to 16, that a query of the block may see.
WEIR_INLINE size_t first_key(const int32_t *starts, size_t begin, size_t end) {
  int32_t low = starts[begin];
  for (size_t t = begin + 1; t < end; t++) low = starts[t] < low ? starts[t] : low;
  return (size_t)low / 16 * 16;
}

WEIR_CLONES void weir_attention_forward(const float *q, const float *k, const float *v, size_t stride, const int32_t *starts,
                                        size_t tokens, size_t head, float scale, float *out, size_t outStride, float *lse,
                                        size_t lseStride) {
  size_t columns = (tokens + 15) / 16 * 16, padded = (head + 15) / 16 * 16;
  float *keys = scratch(head * columns + columns * padded + block * columns + block * padded);
  float *values = keys + head * columns, *scores = values + columns * padded, *result = scores + block * columns;
  pack_columns(k, stride, tokens, head, columns, keys);
  pack_rows(v, stride, tokens, head, padded, values);
  for (size_t begin = 0; begin < tokens; begin += block) {
    size_t end = begin + block < tokens ? begin + block : tokens, low = first_key(starts, begin, end);
    size_t width = (end - low + 15) / 16 * 16;
    product(end - begin, width, head, q + begin * stride, stride, 1, keys + low, columns, scores, columns, 0);
    for (size_t t = begin; t < end; t++) {
      float *row = scores + (t - begin) * columns;
      size_t from = (size_t)starts[t] - low, to = t + 1 - low;
      float top = row[from] * scale;
      for (size_t j = 0; j < from; j++) row[j] = -INFINITY;
      for (size_t j = to; j < width; j++) row[j] = -INFINITY;
      v16 best = {0};
      best = best + top;
      for (size_t j = 0; j < width; j += 16) best = __builtin_elementwise_max(best, *(v16 *)(row + j) * scale);
      top = fold_max(&best);
      v16 sum = {0};
      for (size_t j = 0; j < width; j += 16) {
        v16 a = *(v16 *)(row + j) * scale - top;
        vector_exp(&a);
        *(v16 *)(row + j) = a;
      }
      for (size_t j = 0; j < from; j++) row[j] = 0;
      for (size_t j = to; j < width; j++) row[j] = 0;
      for (size_t j = 0; j < width; j += 16) sum += *(v16 *)(row + j);
      float total = fold_sum(&sum), inverse = 1 / total;
      for (size_t j = 0; j < width; j++) row[j] *= inverse;
      if (lse) lse[t * lseStride] = top + logf(total);
    }
    product(end - begin, padded, end - low, scores, columns, 1, values + low * padded, padded, result, padded, 0);
    for (size_t t = begin; t < end; t++)
      for (size_t i = 0; i < head; i++) out[t * outStride + i] = result[(t - begin) * padded + i];
  }
}

WEIR_CLONES void weir_attention_backward(const float *q, const float *k, const float *v, size_t stride, const int32_t *starts,
                                         size_t tokens, size_t head, size_t group, float scale, const float *out, const float *dout,
                                         size_t outStride, const float *lse, size_t lseStride, float *dq, float *dk, float *dv) {
  size_t columns = (tokens + 15) / 16 * 16, padded = (head + 15) / 16 * 16, panel = columns * padded;
  float *keysT = scratch(2 * head * columns + 5 * panel + 2 * block * columns + block * padded);
  float *valuesT = keysT + head * columns, *keys = valuesT + head * columns, *queries = keys + panel, *grads = queries + panel;
  float *dkeys = grads + panel, *dvalues = dkeys + panel, *p = dvalues + panel, *ds = p + block * columns, *result = ds + block * columns;
  pack_columns(k, stride, tokens, head, columns, keysT);
  pack_columns(v, stride, tokens, head, columns, valuesT);
  pack_rows(k, stride, tokens, head, padded, keys);
  for (size_t i = 0; i < 2 * panel; i++) dkeys[i] = 0;
  for (size_t h = 0; h < group; h++) {
    const float *o = out + h * head, *d = dout + h * head;
    pack_rows(q + h * head, stride, tokens, head, padded, queries);
    pack_rows(d, outStride, tokens, head, padded, grads);
    for (size_t begin = 0; begin < tokens; begin += block) {
      size_t end = begin + block < tokens ? begin + block : tokens, low = first_key(starts, begin, end), count = end - begin;
      size_t width = (end - low + 15) / 16 * 16;
      product(count, width, head, queries + begin * padded, padded, 1, keysT + low, columns, p, columns, 0);
      product(count, width, head, grads + begin * padded, padded, 1, valuesT + low, columns, ds, columns, 0);
      for (size_t t = begin; t < end; t++) {
        float *row = p + (t - begin) * columns, *drow = ds + (t - begin) * columns;
        size_t from = (size_t)starts[t] - low, to = t + 1 - low;
        float shift = lse[t * lseStride + h], dot = 0;
        for (size_t i = 0; i < head; i++) dot += o[t * outStride + i] * d[t * outStride + i];
        for (size_t j = 0; j < width; j += 16) {
          v16 a = *(v16 *)(row + j) * scale - shift;
          vector_exp(&a);
          *(v16 *)(row + j) = a;
        }
        for (size_t j = 0; j < from; j++) row[j] = 0;
        for (size_t j = to; j < width; j++) row[j] = 0;
        for (size_t j = 0; j < width; j++) drow[j] = row[j] * (drow[j] - dot) * scale;
      }
      product(count, padded, end - low, ds, columns, 1, keys + low * padded, padded, result, padded, 0);
      for (size_t t = begin; t < end; t++)
        for (size_t i = 0; i < head; i++) dq[t * stride + h * head + i] = result[(t - begin) * padded + i];
      product(end - low, padded, count, ds, 1, columns, queries + begin * padded, padded, dkeys + low * padded, padded, 1);
      product(end - low, padded, count, p, 1, columns, grads + begin * padded, padded, dvalues + low * padded, padded, 1);
    }
  }
  for (size_t t = 0; t < tokens; t++)
    for (size_t i = 0; i < head; i++) {
      dk[t * stride + i] = dkeys[t * padded + i];
      dv[t * stride + i] = dvalues[t * padded + i];
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
  for (size_t t = 0; t < count; t++) total += scores[t] = expf(scores[t] - top);
  for (size_t i = 0; i < head; i++) out[i] = 0;
  for (size_t t = 0; t < count; t++) {
    float weight = scores[t] / total;
    for (size_t i = 0; i < head; i++) out[i] += weight * v[t * stride + i];
  }
}
