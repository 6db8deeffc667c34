// Fused kernels of a Llama decoder: norms, rotary positions, SwiGLU, losses, AdamW. Vectors of 16 lanes; reductions keep 16 lane
// accumulators and fold them in a fixed tree, so that the order of a sum depends on its length alone.
#include "weir_transformer.h"
#include "vector.h"

WEIR_CLONES void weir_rmsnorm_forward(const float *x, const float *gain, float *out, float *rstd, size_t tokens, size_t width,
                                      float epsilon) {
  for (size_t t = 0; t < tokens; t++) {
    const float *row = x + t * width;
    float *o = out + t * width;
    v16 sum = {0};
    size_t j = 0;
    for (; j + 16 <= width; j += 16) {
      v16 a = *(const u16 *)(row + j);
      sum += a * a;
    }
    float square = fold_sum(&sum);
    for (; j < width; j++) square += row[j] * row[j];
    float r = 1.0f / __builtin_sqrtf(square / (float)width + epsilon);
    if (rstd) rstd[t] = r;
    for (j = 0; j < width; j++) o[j] = row[j] * r * gain[j];
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

WEIR_CLONES double weir_sum_squares(const float *x, size_t count) {
  double lanes[8] = {0};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t j = 0; j < 8; j++) lanes[j] += (double)x[i + j] * (double)x[i + j];
  double sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  for (; i < count; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}

WEIR_CLONES void weir_adamw(float *restrict p, const float *restrict g, float *restrict m, float *restrict v, size_t count,
                            float gradientScale, float learningRate, float beta1, float beta2, float epsilon, float decay,
                            float correction1, float correction2) {
  float shrink = 1.0f - learningRate * decay, step = learningRate / correction1, root = 1.0f / __builtin_sqrtf(correction2);
  for (size_t i = 0; i < count; i++) {
    float gradient = g[i] * gradientScale;
    float first = beta1 * m[i] + (1.0f - beta1) * gradient;
    float second = beta2 * v[i] + (1.0f - beta2) * gradient * gradient;
    m[i] = first;
    v[i] = second;
    p[i] = p[i] * shrink - step * first / (__builtin_sqrtf(second) * root + epsilon);
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

WEIR_CLONES void weir_sum_parts(const float *parts, size_t count, size_t width, float *restrict out) {
  for (size_t j = 0; j < width; j++) out[j] = 0;
  for (size_t p = 0; p < count; p++)
    for (size_t j = 0; j < width; j++) out[j] += parts[p * width + j];
}

WEIR_CLONES double weir_pull(float *y, const float *p, const float *anchor, size_t count, float scale) {
  double lanes[8] = {0}, sum;
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t j = 0; j < 8; j++) {
      float difference = p[i + j] - anchor[i + j];
      y[i + j] += scale * difference;
      lanes[j] += (double)difference * (double)difference;
    }
  sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  for (; i < count; i++) {
    float difference = p[i] - anchor[i];
    y[i] += scale * difference;
    sum += (double)difference * (double)difference;
  }
  return sum;
}
