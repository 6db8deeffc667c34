// Embedding and clustering: sums over a fixed order, vectorised across columns, so that no result depends on the instruction set.
#include "weir_clusters.h"
#include <math.h>
#include <string.h>
#pragma clang fp contract(off)

#if defined(__linux__) && defined(__x86_64__)
#define WEIR_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define WEIR_CLONES
#endif

enum { TILE = 64, LANES = 16 };

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
void weir_scores(const float *x, size_t rows, size_t d, const float *transposed, size_t k, float *scores) {
  for (size_t i = 0; i < rows; i++) {
    const float *row = x + i * d;
    float *out = scores + i * k;
    size_t base = 0;
    for (; base + TILE <= k; base += TILE) {
      float sum[TILE];
      for (int j = 0; j < TILE; j++) sum[j] = 0;
      for (size_t p = 0; p < d; p++) {
        const float *t = transposed + p * k + base;
        float w = row[p];
        for (int j = 0; j < TILE; j++) sum[j] += w * t[j];
      }
      memcpy(out + base, sum, sizeof sum);
    }
    size_t rest = k - base;
    for (size_t j = 0; j < rest; j++) out[base + j] = 0;
    for (size_t p = 0; rest > 0 && p < d; p++) {
      const float *t = transposed + p * k + base;
      for (size_t j = 0; j < rest; j++) out[base + j] += row[p] * t[j];
    }
  }
}

void weir_argmax(const float *scores, size_t rows, size_t k, const float *bias, uint32_t *label, float *best) {
  for (size_t i = 0; i < rows; i++) {
    const float *s = scores + i * k;
    size_t at = 0;
    float most = k > 0 ? s[0] + bias[0] : 0;
    for (size_t j = 1; j < k; j++) {
      float value = s[j] + bias[j];
      if (value > most) { most = value; at = j; }
    }
    label[i] = (uint32_t)at;
    if (best) best[i] = most;
  }
}

WEIR_CLONES
void weir_sum_rows(const float *x, size_t rows, size_t d, const uint32_t *label, double *sums) {
  for (size_t i = 0; i < rows; i++) {
    const float *row = x + i * d;
    double *sum = sums + (size_t)label[i] * d;
    for (size_t j = 0; j < d; j++) sum[j] += (double)row[j];
  }
}

WEIR_CLONES
void weir_min_distance(const float *x, size_t rows, size_t d, const float *center, float *distance) {
  for (size_t i = 0; i < rows; i++) {
    const float *row = x + i * d;
    float lane[LANES];
    for (int j = 0; j < LANES; j++) lane[j] = 0;
    size_t p = 0;
    for (; p + LANES <= d; p += LANES)
      for (int j = 0; j < LANES; j++) {
        float gap = row[p + j] - center[p + j];
        lane[j] += gap * gap;
      }
    for (; p < d; p++) {
      float gap = row[p] - center[p];
      lane[p % LANES] += gap * gap;
    }
    for (int width = LANES / 2; width > 0; width /= 2)
      for (int j = 0; j < width; j++) lane[j] += lane[j + width];
    if (lane[0] < distance[i]) distance[i] = lane[0];
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
