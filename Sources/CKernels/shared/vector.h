#pragma once
// Vectors of 16 floats, private to this target. Helpers take pointers: a vector passed by value would give the clones of a function different calling
// conventions.
#include "simd.h"
#include <stddef.h>
#include <stdint.h>
typedef float v16 __attribute__((vector_size(64)));
typedef int32_t i16x __attribute__((vector_size(64)));
typedef uint32_t u32x __attribute__((vector_size(64)));
/// The same lanes at any address.
typedef float u16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint32_t u32u __attribute__((vector_size(64), aligned(4), may_alias));

/// Σ of the lanes, by halving.
WEIR_INLINE float fold_sum(const v16 *x) {
  float a[16];
  __builtin_memcpy(a, x, 64);
  for (int w = 8; w > 0; w /= 2)
    for (int i = 0; i < w; i++) a[i] += a[i + w];
  return a[0];
}

/// The largest lane.
WEIR_INLINE float fold_max(const v16 *x) {
  float a[16];
  __builtin_memcpy(a, x, 64);
  for (int w = 8; w > 0; w /= 2)
    for (int i = 0; i < w; i++) a[i] = a[i] > a[i + w] ? a[i] : a[i + w];
  return a[0];
}

/// Σ x·y of two rows.
WEIR_INLINE float row_dot(const float *x, const float *y, size_t n) {
  v16 sum = {0};
  size_t i = 0;
  for (; i + 16 <= n; i += 16) sum += *(const u16 *)(x + i) * *(const u16 *)(y + i);
  float dot = fold_sum(&sum);
  for (; i < n; i++) dot += x[i] * y[i];
  return dot;
}

/// e^x in place, relative error about 1e-7 (range reduction by ln 2 in two parts, polynomial of degree 7 after Cephes' expf).
WEIR_INLINE void vector_exp(v16 *x) {
  const v16 low = {-87.0f, -87.0f, -87.0f, -87.0f, -87.0f, -87.0f, -87.0f, -87.0f,
                   -87.0f, -87.0f, -87.0f, -87.0f, -87.0f, -87.0f, -87.0f, -87.0f};
  v16 a = __builtin_elementwise_min(__builtin_elementwise_max(*x, low), -low);
  v16 n = (a * 1.44269504088896341f + 12582912.0f) - 12582912.0f;
  v16 r = (a - n * 0.693359375f) + n * 2.12194440e-4f;
  v16 p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  i16x exponent = (__builtin_convertvector(n, i16x) + 127) << 23;
  v16 power;
  __builtin_memcpy(&power, &exponent, 64);
  *x = p * power;
}

/// The same for one value.
WEIR_INLINE float scalar_exp(float x) {
  v16 a = {x};
  vector_exp(&a);
  return a[0];
}
