// Embedding and clustering: sums over a fixed order, vectorised across columns, so that no result depends on the instruction set.
#include "weir_clusters.h"
#include "vector.h"
#include <math.h>
#include <string.h>
#pragma clang fp contract(off)

enum { TILE = 64 };

WEIR_CLONES
void weir_gather_rows(const uint32_t *index, const float *weight, size_t count, const float *matrix, size_t columns, float *out) {
  size_t base = 0;
  for (; base + TILE <= columns; base += TILE) {
    float sum[TILE];
    for (int j = 0; j < TILE; j++) sum[j] = 0;
    for (size_t i = 0; i < count; i++) {
      const float *row = matrix + (size_t)index[i] * columns + base;
      float w = weight[i];
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

WEIR_CLONES
void weir_gram_rows(const uint32_t *index, const float *weight, const ptrdiff_t *offsets, size_t rows, const float *in, float *out) {
  enum { CHAINS = 4 };  // sums that do not wait for each other
  for (size_t r = 0; r < rows; r++) {
    const uint32_t *at = index + offsets[r];
    const float *w = weight + offsets[r];
    size_t count = (size_t)(offsets[r + 1] - offsets[r]), i = 0;
    v16 low[CHAINS] = {0}, high[CHAINS] = {0};
    for (; i + CHAINS <= count; i += CHAINS)
      for (int c = 0; c < CHAINS; c++) {
        const u16 *row = (const u16 *)(in + (size_t)at[i + c] * WEIR_PANEL);
        low[c] += w[i + c] * row[0];
        high[c] += w[i + c] * row[1];
      }
    for (; i < count; i++) {
      const u16 *row = (const u16 *)(in + (size_t)at[i] * WEIR_PANEL);
      low[0] += w[i] * row[0];
      high[0] += w[i] * row[1];
    }
    v16 left = (low[0] + low[1]) + (low[2] + low[3]), right = (high[0] + high[1]) + (high[2] + high[3]);
    for (i = 0; i < count; i++) {
      u16 *row = (u16 *)(out + (size_t)at[i] * WEIR_PANEL);
      row[0] += w[i] * left;
      row[1] += w[i] * right;
    }
  }
}

double weir_normalize(float *x, size_t d) {
  double square = 0;
  for (size_t j = 0; j < d; j++) square += (double)x[j] * (double)x[j];
  double length = sqrt(square);
  if (!(length > 0)) return 0;
  for (size_t j = 0; j < d; j++) x[j] = (float)((double)x[j] / length);
  return length;
}
