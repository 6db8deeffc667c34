// Embedding and clustering: sums over a fixed order, vectorised across columns, so that no result depends on the instruction set.
#include "weir_clusters.h"
#include "vector.h"
#include <math.h>
#include <string.h>
#pragma clang fp contract(off)

enum { TILE = 128, AHEAD = 8 };

WEIR_CLONES
void weir_gather_rows(const uint32_t *index, const float *weight, size_t count, const float *matrix, size_t columns, float *out) {
  size_t base = 0;
  for (; base + TILE <= columns; base += TILE) {
    float sum[TILE];
    for (int j = 0; j < TILE; j++) sum[j] = 0;
    for (size_t i = 0; i < count; i++) {
      const float *row = matrix + (size_t)index[i] * columns + base;
      float w = weight[i];
      // Rows lie anywhere: unless told, the processor asks for one when it is there.
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

double weir_normalize(float *x, size_t d) {
  double square = 0;
  for (size_t j = 0; j < d; j++) square += (double)x[j] * (double)x[j];
  double length = sqrt(square);
  if (!(length > 0)) return 0;
  for (size_t j = 0; j < d; j++) x[j] = (float)((double)x[j] / length);
  return length;
}
