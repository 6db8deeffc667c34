// Parts of a training recipe: see the header.
#include "weir_recipe.h"
#include "vector.h"

WEIR_CLONES void weir_add(float *restrict y, const float *restrict x, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

WEIR_CLONES void weir_move_average(float *restrict average, const float *restrict x, size_t count, float rate) {
  for (size_t i = 0; i < count; i++) average[i] += rate * (x[i] - average[i]);
}

WEIR_CLONES int weir_all_finite(const float *x, size_t count) {
  // Exponents of all ones stand for infinities and what is no number.
  int32_t bad = 0;
  for (size_t i = 0; i < count; i++) {
    int32_t bits;
    __builtin_memcpy(&bits, x + i, 4);
    bad |= (bits & 0x7F800000) == 0x7F800000;
  }
  return !bad;
}

WEIR_CLONES void weir_head_norm_forward(float *x, size_t stride, size_t heads, size_t head, const float *gain, float *unit,
                                        size_t unitStride, float *rstd, size_t rstdStride, size_t tokens, float epsilon) {
  for (size_t t = 0; t < tokens; t++)
    for (size_t h = 0; h < heads; h++) {
      float *row = x + t * stride + h * head;
      v16 sum = {0};
      size_t j = 0;
      for (; j + 16 <= head; j += 16) {
        v16 a = *(const u16 *)(row + j);
        sum += a * a;
      }
      float square = fold_sum(&sum);
      for (; j < head; j++) square += row[j] * row[j];
      float r = 1.0f / __builtin_sqrtf(square / (float)head + epsilon);
      if (unit) {
        float *u = unit + t * unitStride + h * head;
        rstd[t * rstdStride + h] = r;
        for (j = 0; j < head; j++) u[j] = row[j] * r;
      }
      for (j = 0; j < head; j++) row[j] = row[j] * r * gain[j];
    }
}

WEIR_CLONES void weir_head_norm_backward(float *dx, size_t stride, size_t heads, size_t head, const float *gain, const float *unit,
                                         size_t unitStride, const float *rstd, size_t rstdStride, float *dgain, size_t tokens) {
  for (size_t j = 0; j < head; j++) dgain[j] = 0;
  for (size_t t = 0; t < tokens; t++)
    for (size_t h = 0; h < heads; h++) {
      float *d = dx + t * stride + h * head;
      const float *u = unit + t * unitStride + h * head;
      v16 sum = {0};
      size_t j = 0;
      for (; j + 16 <= head; j += 16) sum += *(const u16 *)(d + j) * *(const u16 *)(gain + j) * *(const u16 *)(u + j);
      float dot = fold_sum(&sum);
      for (; j < head; j++) dot += d[j] * gain[j] * u[j];
      float r = rstd[t * rstdStride + h], c = dot / (float)head;
      for (j = 0; j < head; j++) {
        dgain[j] += d[j] * u[j];
        d[j] = r * (d[j] * gain[j] - u[j] * c);
      }
    }
}
