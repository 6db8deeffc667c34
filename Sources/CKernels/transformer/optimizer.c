// The optimizer's side of training: gradient sums and norms, AdamW, weight averages. Reductions have a fixed order.
#include "weir_optimizer.h"
#include "../shared/vector.h"

WEIR_CLONES void weir_add(float *restrict y, const float *restrict x, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

WEIR_CLONES void weir_sum_parts(const float *parts, size_t count, size_t width, float *restrict out) {
  for (size_t j = 0; j < width; j++) out[j] = 0;
  for (size_t p = 0; p < count; p++)
    for (size_t j = 0; j < width; j++) out[j] += parts[p * width + j];
}

WEIR_CLONES double weir_sum_squares(const float *x, size_t count) {
  double lanes[8] = {0};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t j = 0; j < 8; j++) lanes[j] += (double)x[i + j] * (double)x[i + j];
  double sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  for (; i < count; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}

WEIR_CLONES int weir_all_finite(const float *x, size_t count) {
  // Exponents of all ones are infinities and NaN.
  int32_t bad = 0;
  for (size_t i = 0; i < count; i++) {
    int32_t bits;
    __builtin_memcpy(&bits, x + i, 4);
    bad |= (bits & 0x7F800000) == 0x7F800000;
  }
  return !bad;
}

WEIR_CLONES void weir_adamw(float *restrict p, const float *restrict g, float *restrict m, float *restrict v, size_t count,
                            float gradientScale, float learningRate, float beta1, float beta2, float epsilon, float decay,
                            float correction1, float correction2) {
  float shrink = 1.0f - learningRate * decay, step = learningRate / correction1, root = 1.0f / WEIR_SQRT(correction2);
  for (size_t i = 0; i < count; i++) {
    float gradient = g[i] * gradientScale;
    float first = beta1 * m[i] + (1.0f - beta1) * gradient;
    float second = beta2 * v[i] + (1.0f - beta2) * gradient * gradient;
    m[i] = first;
    v[i] = second;
    p[i] = p[i] * shrink - step * first / (WEIR_SQRT(second) * root + epsilon);
  }
}

WEIR_CLONES void weir_move_average(float *restrict average, const float *restrict x, size_t count, float rate) {
  for (size_t i = 0; i < count; i++) average[i] += rate * (x[i] - average[i]);
}

WEIR_CLONES void weir_pull(float *restrict y, const float *restrict p, const float *restrict anchor, const float *restrict weights,
                           size_t count, float scale, float weight) {
  if (!weights) {
    for (size_t i = 0; i < count; i++) y[i] += scale * (p[i] - anchor[i]);
    return;
  }
  for (size_t i = 0; i < count; i++) y[i] += (scale + weight * weights[i]) * (p[i] - anchor[i]);
}

WEIR_CLONES void weir_add_squares(float *restrict y, const float *restrict x, size_t count, float scale) {
  for (size_t i = 0; i < count; i++) y[i] += scale * (x[i] * x[i]);
}
