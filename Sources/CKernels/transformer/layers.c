// Fused kernels of the layers of a Llama decoder: norms, rotary positions, SwiGLU, embedding lookup. Reductions keep 16 lanes of sums and fold them in a
// fixed tree, so the order of a sum depends on its length alone.
#include "weir_transformer.h"
#include "../shared/vector.h"

WEIR_CLONES void weir_rmsnorm_forward(const float *x, const float *gain, float *out, float *rstd, size_t tokens, size_t width,
                                      float epsilon) {
  for (size_t t = 0; t < tokens; t++) {
    const float *row = x + t * width;
    float *o = out + t * width;
    float r = 1.0f / WEIR_SQRT(row_dot(row, row, width) / (float)width + epsilon);
    if (rstd) rstd[t] = r;
    for (size_t j = 0; j < width; j++) o[j] = row[j] * r * gain[j];
  }
}

WEIR_CLONES void weir_rmsnorm_backward(const float *x, const float *gain, const float *rstd, const float *dy, const float *residual,
                                       float *dx, float *dgain, size_t tokens, size_t width) {
  for (size_t j = 0; j < width; j++) dgain[j] = 0;
  for (size_t t = 0; t < tokens; t++) {
    const float *row = x + t * width, *d = dy + t * width;
    float *o = dx + t * width;
    float r = rstd[t];
    v16 sum = {0};
    size_t j = 0;
    for (; j + 16 <= width; j += 16) {
      v16 a = *(const u16 *)(row + j), b = *(const u16 *)(d + j), g = *(const u16 *)(gain + j);
      sum += a * b * g;
    }
    float dot = fold_sum(&sum);
    for (; j < width; j++) dot += row[j] * d[j] * gain[j];
    float c = dot * r * r * r / (float)width;
    for (j = 0; j < width; j++) dgain[j] += d[j] * row[j] * r;
    if (residual) {
      const float *res = residual + t * width;
      for (j = 0; j < width; j++) o[j] = res[j] + (d[j] * gain[j] * r - row[j] * c);
    } else {
      for (j = 0; j < width; j++) o[j] = d[j] * gain[j] * r - row[j] * c;
    }
  }
}

WEIR_CLONES void weir_head_norm_forward(float *x, size_t stride, size_t heads, size_t head, const float *gain, float *unit,
                                        size_t unitStride, float *rstd, size_t rstdStride, size_t tokens, float epsilon) {
  for (size_t t = 0; t < tokens; t++)
    for (size_t h = 0; h < heads; h++) {
      float *row = x + t * stride + h * head;
      float r = 1.0f / WEIR_SQRT(row_dot(row, row, head) / (float)head + epsilon);
      if (unit) {
        float *u = unit + t * unitStride + h * head;
        rstd[t * rstdStride + h] = r;
        for (size_t j = 0; j < head; j++) u[j] = row[j] * r;
      }
      for (size_t j = 0; j < head; j++) row[j] = row[j] * r * gain[j];
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

WEIR_CLONES void weir_rope(float *x, size_t stride, size_t heads, size_t head, const float *cosines, const float *sines, size_t tokens,
                           float direction) {
  size_t half = head / 2;
  for (size_t t = 0; t < tokens; t++) {
    const float *c = cosines + t * half, *s = sines + t * half;
    for (size_t h = 0; h < heads; h++) {
      float *restrict a = x + t * stride + h * head, *restrict b = a + half;
      for (size_t i = 0; i < half; i++) {
        float p = a[i], q = b[i], sine = s[i] * direction;
        a[i] = p * c[i] - q * sine;
        b[i] = q * c[i] + p * sine;
      }
    }
  }
}

WEIR_CLONES void weir_add_bias(float *restrict x, const float *restrict bias, size_t tokens, size_t width) {
  for (size_t t = 0; t < tokens; t++)
    for (size_t j = 0; j < width; j++) x[t * width + j] += bias[j];
}

/// The SplitMix64 finalizer.
WEIR_INLINE uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

WEIR_CLONES void weir_dropout(const float *x, float *out, size_t tokens, size_t width, uint64_t key, uint64_t first, float rate, int add) {
  uint32_t threshold = (uint32_t)((double)rate * 4294967296.0);
  float scale = 1.0f / (1.0f - rate);
  for (size_t t = 0; t < tokens; t++) {
    const float *row = x + t * width;
    float *o = out + t * width;
    uint64_t bits = mix(key ^ mix(first + t + 0x9E3779B97F4A7C15u));
    uint32_t low = (uint32_t)bits, high = (uint32_t)(bits >> 32);
    for (size_t j = 0; j < width; j++) {
      // 32-bit hash with 32-bit keys, because 64-bit products do not vectorize on older processors.
      uint32_t h = (uint32_t)j * 0x9E3779B1u + low;
      h = (h ^ (h >> 16)) * 0x7FEB352Du;
      h = ((h ^ (h >> 15)) + high) * 0x846CA68Bu;
      h ^= h >> 16;
      float kept = h >= threshold ? row[j] * scale : 0.0f;
      o[j] = add ? o[j] + kept : kept;
    }
  }
}

WEIR_CLONES void weir_swiglu_forward(const float *gateup, float *out, size_t tokens, size_t width) {
  for (size_t t = 0; t < tokens; t++) {
    const float *gate = gateup + t * 2 * width, *up = gate + width;
    float *o = out + t * width;
    size_t j = 0;
    for (; j + 16 <= width; j += 16) {
      v16 g = *(const u16 *)(gate + j), u = *(const u16 *)(up + j), e = -g;
      vector_exp(&e);
      *(u16 *)(o + j) = g * u / (1.0f + e);
    }
    for (; j < width; j++) o[j] = gate[j] * up[j] / (1.0f + scalar_exp(-gate[j]));
  }
}

WEIR_CLONES void weir_swiglu_backward(const float *gateup, const float *dout, float *dgateup, size_t tokens, size_t width) {
  for (size_t t = 0; t < tokens; t++) {
    const float *gate = gateup + t * 2 * width, *up = gate + width, *d = dout + t * width;
    float *dgate = dgateup + t * 2 * width, *dup = dgate + width;
    size_t j = 0;
    for (; j + 16 <= width; j += 16) {
      v16 g = *(const u16 *)(gate + j), u = *(const u16 *)(up + j), dy = *(const u16 *)(d + j), e = -g;
      vector_exp(&e);
      v16 s = 1.0f / (1.0f + e);
      *(u16 *)(dup + j) = dy * g * s;
      *(u16 *)(dgate + j) = dy * u * s * (1.0f + g * (1.0f - s));
    }
    for (; j < width; j++) {
      float s = 1.0f / (1.0f + scalar_exp(-gate[j]));
      dup[j] = d[j] * gate[j] * s;
      dgate[j] = d[j] * up[j] * s * (1.0f + gate[j] * (1.0f - s));
    }
  }
}

void weir_gather(const float *table, const int32_t *tokens, float *out, size_t count, size_t width) {
  for (size_t t = 0; t < count; t++) __builtin_memcpy(out + t * width, table + (size_t)tokens[t] * width, width * sizeof(float));
}

WEIR_CLONES void weir_scatter_add(float *table, const int32_t *tokens, const float *x, size_t count, size_t width, int32_t low,
                                  int32_t high) {
  for (size_t t = 0; t < count; t++) {
    if (tokens[t] < low || tokens[t] >= high) continue;
    float *restrict row = table + (size_t)tokens[t] * width;
    const float *restrict source = x + t * width;
    for (size_t j = 0; j < width; j++) row[j] += source[j];
  }
}
