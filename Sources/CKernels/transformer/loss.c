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
                                    float gradient, float zWeight, float *squares, int weighted) {
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
    float weight = weighted ? z[targets[r]] / total : 1;
    if (weighted) factor *= weight;
    for (j = 0; j < vocabulary; j++) z[j] *= factor;
    z[targets[r]] -= gradient * weight;
  }
}

/// One row of the annealed loss where the student's temperature is 1, so that one exponential serves the cross-entropy and the divergence.
/// Sets z to the gradient and returns the divergence. The cross-entropy's part of the gradient has the bits of `weir_cross_entropy`.
WEIR_INLINE float anneal_row(float *z, float *y, size_t n, int32_t target, float *loss, float gradient, float lambda, float frozen,
                             int reversed, int weighted) {
  float top = row_max(z, n), topTeacher = row_max(y, n) * frozen, goal = z[target];
  v16 sum = {0}, sumTeacher = {0}, dot = {0};
  float total, totalTeacher, rest = 0, restTeacher = 0, restDot = 0;
  size_t j = 0;
  // z ← e^(z − top); y ← the difference of the shifted logits, or if reversed the teacher's exponential.
  for (; j + 16 <= n; j += 16) {
    v16 e = *(const u16 *)(z + j) - top, f = *(const u16 *)(y + j) * frozen - topTeacher, difference = e - f;
    vector_exp(&e);
    vector_exp(&f);
    *(u16 *)(z + j) = e;
    *(u16 *)(y + j) = reversed ? f : difference;
    sum += e;
    sumTeacher += f;
    if (reversed) dot += f * difference;
  }
  total = fold_sum(&sum);
  for (; j < n; j++) {
    float e = z[j] - top, f = y[j] * frozen - topTeacher, difference = e - f;
    e = scalar_exp(e);
    f = scalar_exp(f);
    z[j] = e;
    y[j] = reversed ? f : difference;
    total += e;
    restTeacher += f;
    if (reversed) restDot += f * difference;
  }
  totalTeacher = fold_sum(&sumTeacher) + restTeacher;
  float norm = WEIR_LOG(total), shift = norm - WEIR_LOG(totalTeacher);
  *loss = (top - goal) + norm;
  float factor = gradient / total, pull = gradient * lambda, weight = weighted ? z[target] / total : 1, divergence;
  if (weighted) factor *= weight;
  if (reversed) {
    divergence = shift - (fold_sum(&dot) + restDot) / totalTeacher;
    float own = pull / total, other = pull / totalTeacher;
    for (j = 0; j + 16 <= n; j += 16) {
      v16 e = *(const u16 *)(z + j), f = *(const u16 *)(y + j);
      *(u16 *)(z + j) = e * factor + (e * own - f * other);
    }
    for (; j < n; j++) z[j] = z[j] * factor + (z[j] * own - y[j] * other);
  } else {
    for (j = 0; j + 16 <= n; j += 16) dot += *(const u16 *)(z + j) * (*(const u16 *)(y + j) - shift);
    for (; j < n; j++) rest += z[j] * (y[j] - shift);
    divergence = (fold_sum(&dot) + rest) / total;
    float own = pull / total, middle = shift + divergence;
    for (j = 0; j + 16 <= n; j += 16) {
      v16 e = *(const u16 *)(z + j);
      *(u16 *)(z + j) = e * factor + e * ((*(const u16 *)(y + j) - middle) * own);
    }
    for (; j < n; j++) z[j] = z[j] * factor + z[j] * ((y[j] - middle) * own);
  }
  z[target] -= gradient * weight;
  return divergence;
}

/// The same at any temperature of the student.
WEIR_INLINE float anneal_row_tempered(float *z, float *y, size_t n, int32_t target, float *loss, float gradient, float lambda,
                                      float student, float frozen, int reversed, int weighted) {
  float top = row_max(z, n), topTeacher = row_max(y, n), goal = z[target];
  float total = row_sum_exp(z, n, 1, top);
  *loss = (top - goal) + WEIR_LOG(total);
  // log q = z/Ts − normQ, log r = y/Tt − normR
  float normQ = top * student + WEIR_LOG(row_sum_exp(z, n, student, top * student));
  float normR = topTeacher * frozen + WEIR_LOG(row_sum_exp(y, n, frozen, topTeacher * frozen));
  v16 sum = {0};
  float rest = 0;
  size_t j = 0;
  for (; j + 16 <= n; j += 16) {
    v16 logQ = *(const u16 *)(z + j) * student - normQ, logR = *(const u16 *)(y + j) * frozen - normR;
    v16 weight = reversed ? logR : logQ, difference = logQ - logR;
    vector_exp(&weight);
    sum += weight * (reversed ? -difference : difference);
  }
  for (; j < n; j++) {
    float logQ = z[j] * student - normQ, logR = y[j] * frozen - normR;
    rest += reversed ? scalar_exp(logR) * (logR - logQ) : scalar_exp(logQ) * (logQ - logR);
  }
  float divergence = fold_sum(&sum) + rest;
  float factor = gradient / total, pull = gradient * lambda * student, weight = weighted ? scalar_exp(goal - top) / total : 1;
  if (weighted) factor *= weight;
  for (j = 0; j + 16 <= n; j += 16) {
    v16 a = *(const u16 *)(z + j), p = a - top, logQ = a * student - normQ, logR = *(const u16 *)(y + j) * frozen - normR, q = logQ;
    vector_exp(&p);
    vector_exp(&q);
    if (reversed) {
      v16 other = logR;
      vector_exp(&other);
      *(u16 *)(z + j) = p * factor + pull * (q - other);
    } else {
      *(u16 *)(z + j) = p * factor + pull * q * ((logQ - logR) - divergence);
    }
  }
  for (; j < n; j++) {
    float p = scalar_exp(z[j] - top), logQ = z[j] * student - normQ, logR = y[j] * frozen - normR, q = scalar_exp(logQ);
    z[j] = p * factor + pull * (reversed ? q - scalar_exp(logR) : q * ((logQ - logR) - divergence));
  }
  z[target] -= gradient * weight;
  return divergence;
}

WEIR_CLONES void weir_cross_entropy_annealed(float *logits, float *teacher, size_t rows, size_t vocabulary, const int32_t *targets,
                                             float *losses, float *divergences, float gradient, float lambda,
                                             float studentTemperature, float teacherTemperature, int reversed, int weighted) {
  for (size_t r = 0; r < rows; r++) {
    float *z = logits + r * vocabulary, *y = teacher + r * vocabulary;
    if (targets[r] < 0) {
      losses[r] = divergences[r] = 0;
      if (gradient != 0) __builtin_memset(z, 0, vocabulary * sizeof(float));
    } else if (studentTemperature == 1) {
      divergences[r] =
          anneal_row(z, y, vocabulary, targets[r], losses + r, gradient, lambda, 1 / teacherTemperature, reversed, weighted);
    } else {
      divergences[r] = anneal_row_tempered(z, y, vocabulary, targets[r], losses + r, gradient, lambda, 1 / studentTemperature,
                                           1 / teacherTemperature, reversed, weighted);
    }
  }
}


enum { cached_limit = 256 };

/// One row against a teacher of which only the k most probable tokens are known. All other tokens count as one event, so the divergence
/// is at most that from the whole teacher.
WEIR_INLINE float anneal_row_cached(float *z, const int32_t *ids, const float *logs, size_t k, size_t n, int32_t target, float *loss,
                                    float gradient, float lambda, float student, int reversed, int weighted) {
  // At least what rounding leaves, so that the logarithms are finite.
  const float least = 1e-7f;
  float top = row_max(z, n), goal = z[target], total = row_sum_exp(z, n, 1, top), corrections[cached_limit];
  float norm = WEIR_LOG(total), normQ = student == 1 ? top + norm : top * student + WEIR_LOG(row_sum_exp(z, n, student, top * student));
  *loss = (top - goal) + norm;
  float known = 0, knownTeacher = 0, divergence = 0;
  for (size_t i = 0; i < k; i++) {
    float logQ = z[ids[i]] * student - normQ, q = scalar_exp(logQ), r = scalar_exp(logs[i]);
    known += q;
    knownTeacher += r;
    divergence += reversed ? r * (logs[i] - logQ) : q * (logQ - logs[i]);
  }
  float others = known < 1 - least ? 1 - known : least, othersTeacher = knownTeacher < 1 - least ? 1 - knownTeacher : least;
  float difference = WEIR_LOG(others) - WEIR_LOG(othersTeacher);
  divergence += reversed ? -othersTeacher * difference : others * difference;
  // The gradient of the divergence is q·slope for the other tokens, and q·slope plus a correction for the known ones.
  float slope = reversed ? 1 - othersTeacher / others : difference - divergence;
  for (size_t i = 0; i < k; i++) {
    float logQ = z[ids[i]] * student - normQ, q = scalar_exp(logQ);
    corrections[i] = (reversed ? q - scalar_exp(logs[i]) : q * ((logQ - logs[i]) - divergence)) - q * slope;
  }
  float factor = gradient / total, pull = gradient * lambda * student, weight = weighted ? scalar_exp(goal - top) / total : 1;
  if (weighted) factor *= weight;
  size_t j = 0;
  for (; j + 16 <= n; j += 16) {
    v16 a = *(const u16 *)(z + j), p = a - top, q = a * student - normQ;
    vector_exp(&p);
    if (student == 1) {
      *(u16 *)(z + j) = p * factor + p * (pull * slope / total);
      continue;
    }
    vector_exp(&q);
    *(u16 *)(z + j) = p * factor + q * (pull * slope);
  }
  for (; j < n; j++) {
    float p = scalar_exp(z[j] - top), q = student == 1 ? p / total : scalar_exp(z[j] * student - normQ);
    z[j] = p * factor + q * (pull * slope);
  }
  for (size_t i = 0; i < k; i++) z[ids[i]] += pull * corrections[i];
  z[target] -= gradient * weight;
  return divergence;
}

WEIR_CLONES void weir_cross_entropy_cached(float *logits, const int64_t *places, const int32_t *ids, const float *logs, size_t k,
                                           size_t rows, size_t vocabulary, const int32_t *targets, float *losses, float *divergences,
                                           float gradient, float lambda, float studentTemperature, int reversed, int weighted) {
  for (size_t r = 0; r < rows; r++) {
    float *z = logits + r * vocabulary;
    if (targets[r] < 0) {
      losses[r] = divergences[r] = 0;
      if (gradient != 0) __builtin_memset(z, 0, vocabulary * sizeof(float));
      continue;
    }
    size_t place = (size_t)places[r] * k;
    divergences[r] = anneal_row_cached(z, ids + place, logs + place, k, vocabulary, targets[r], losses + r, gradient, lambda,
                                       1 / studentTemperature, reversed, weighted);
  }
}

WEIR_CLONES void weir_top_log_softmax(const float *logits, size_t rows, size_t vocabulary, float temperature, size_t k, int32_t *ids,
                                      float *logs) {
  float scale = 1 / temperature;
  for (size_t r = 0; r < rows; r++) {
    const float *z = logits + r * vocabulary;
    int32_t *best = ids + r * k;
    float *values = logs + r * k, top = row_max(z, vocabulary);
    float norm = top * scale + WEIR_LOG(row_sum_exp(z, vocabulary, scale, top * scale));
    // In descending order; of equal logits, the first comes first.
    size_t count = 0;
    for (size_t j = 0; j < vocabulary; j++) {
      if (count == k && z[j] <= values[k - 1]) continue;
      size_t at = count < k ? count++ : k - 1;
      for (; at > 0 && z[j] > values[at - 1]; at--) {
        values[at] = values[at - 1];
        best[at] = best[at - 1];
      }
      values[at] = z[j];
      best[at] = (int32_t)j;
    }
    for (size_t i = 0; i < k; i++) values[i] = values[i] * scale - norm;
  }
}
