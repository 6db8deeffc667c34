// Softmax cross-entropy and its annealed form, fused: the logits of a block of rows become their gradient in place, while in cache.
#include "weir_transformer.h"
#include "../shared/vector.h"
#include <math.h>

/// The largest value of a row.
WEIR_INLINE float row_max(const float *z, size_t n) {
  v16 best;
  float top = z[0];
  size_t j = 0;
  if (n >= 16) {
    best = *(const u16 *)z;
    for (j = 16; j + 16 <= n; j += 16) best = __builtin_elementwise_max(best, (v16) * (const u16 *)(z + j));
    top = fold_max(&best);
  }
  for (; j < n; j++) top = z[j] > top ? z[j] : top;
  return top;
}

/// Σ e^(scale·z − shift).
WEIR_INLINE float row_sum_exp(const float *z, size_t n, float scale, float shift) {
  v16 sum = {0};
  size_t j = 0;
  for (; j + 16 <= n; j += 16) {
    v16 a = *(const u16 *)(z + j) * scale - shift;
    vector_exp(&a);
    sum += a;
  }
  float total = fold_sum(&sum);
  for (; j < n; j++) total += scalar_exp(z[j] * scale - shift);
  return total;
}

WEIR_CLONES void weir_cross_entropy(float *logits, size_t rows, size_t vocabulary, const int32_t *targets, float *losses,
                                    float gradient, float zWeight, float *squares) {
  for (size_t r = 0; r < rows; r++) {
    float *z = logits + r * vocabulary;
    if (targets[r] < 0) {
      losses[r] = 0;
      if (squares) squares[r] = 0;
      if (gradient != 0) __builtin_memset(z, 0, vocabulary * sizeof(float));
      continue;
    }
    float top = row_max(z, vocabulary), goal = z[targets[r]];
    if (gradient == 0) {
      float rest = WEIR_LOG(row_sum_exp(z, vocabulary, 1, top));
      losses[r] = (top - goal) + rest;
      if (squares) squares[r] = (top + rest) * (top + rest);
      continue;
    }
    v16 sum = {0};
    size_t j = 0;
    for (; j + 16 <= vocabulary; j += 16) {
      v16 a = *(const u16 *)(z + j) - top;
      vector_exp(&a);
      *(u16 *)(z + j) = a;
      sum += a;
    }
    float total = fold_sum(&sum);
    for (; j < vocabulary; j++) total += z[j] = scalar_exp(z[j] - top);
    float rest = WEIR_LOG(total), factor = gradient / total;
    losses[r] = (top - goal) + rest;
    if (squares) squares[r] = (top + rest) * (top + rest);
    if (zWeight != 0) factor *= 1 + 2 * zWeight * (top + rest);
    for (j = 0; j < vocabulary; j++) z[j] *= factor;
    z[targets[r]] -= gradient;
  }
}

WEIR_CLONES void weir_cross_entropy_annealed(float *logits, float *teacher, size_t rows, size_t vocabulary, const int32_t *targets,
                                             float *losses, float *divergences, float gradient, float lambda,
                                             float studentTemperature, float teacherTemperature, int reversed) {
  float student = 1 / studentTemperature, frozen = 1 / teacherTemperature;
  for (size_t r = 0; r < rows; r++) {
    float *z = logits + r * vocabulary, *y = teacher + r * vocabulary;
    if (targets[r] < 0) {
      losses[r] = divergences[r] = 0;
      if (gradient != 0) __builtin_memset(z, 0, vocabulary * sizeof(float));
      continue;
    }
    float top = row_max(z, vocabulary), topTeacher = row_max(y, vocabulary), goal = z[targets[r]];
    float total = row_sum_exp(z, vocabulary, 1, top);
    losses[r] = (top - goal) + WEIR_LOG(total);
    // log q = z/Ts − normQ, log r = y/Tt − normR
    float normQ = top * student + WEIR_LOG(row_sum_exp(z, vocabulary, student, top * student));
    float normR = topTeacher * frozen + WEIR_LOG(row_sum_exp(y, vocabulary, frozen, topTeacher * frozen));
    float normP = top + WEIR_LOG(total);
    v16 sum = {0};
    float rest = 0;
    size_t j = 0;
    for (; j + 16 <= vocabulary; j += 16) {
      v16 logQ = *(const u16 *)(z + j) * student - normQ, logR = *(const u16 *)(y + j) * frozen - normR;
      v16 weight = reversed ? logR : logQ, difference = logQ - logR;
      vector_exp(&weight);
      sum += weight * (reversed ? -difference : difference);
    }
    for (; j < vocabulary; j++) {
      float logQ = z[j] * student - normQ, logR = y[j] * frozen - normR;
      rest += reversed ? scalar_exp(logR) * (logR - logQ) : scalar_exp(logQ) * (logQ - logR);
    }
    float divergence = fold_sum(&sum) + rest;
    divergences[r] = divergence;
    if (gradient == 0) continue;
    float pull = gradient * lambda * student;
    for (j = 0; j + 16 <= vocabulary; j += 16) {
      v16 a = *(const u16 *)(z + j), p = a - normP, logQ = a * student - normQ, logR = *(const u16 *)(y + j) * frozen - normR, q = logQ;
      vector_exp(&p);
      vector_exp(&q);
      if (reversed) {
        v16 other = logR;
        vector_exp(&other);
        *(u16 *)(z + j) = gradient * p + pull * (q - other);
      } else {
        *(u16 *)(z + j) = gradient * p + pull * q * ((logQ - logR) - divergence);
      }
    }
    for (; j < vocabulary; j++) {
      float p = scalar_exp(z[j] - normP), logQ = z[j] * student - normQ, logR = y[j] * frozen - normR, q = scalar_exp(logQ);
      z[j] = gradient * p + pull * (reversed ? q - scalar_exp(logR) : q * ((logQ - logR) - divergence));
    }
    z[targets[r]] -= gradient;
  }
}
