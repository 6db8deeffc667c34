// Exponentials, Huber losses and products over the points of a fit, eight at a time.
#include "weir_law.h"
#include "../shared/simd.h"
#include <stdint.h>

typedef double v8 __attribute__((vector_size(64)));
typedef int64_t i8x __attribute__((vector_size(64)));
typedef double u8 __attribute__((vector_size(64), aligned(8), may_alias));

// Added to a double of small magnitude, it leaves the rounded integer in the low bits.
#define WEIR_ROUND 0x1.8p52

/// e^x in place: range reduction by ln 2 in two parts, then the Taylor polynomial of degree 12, whose error is below 2^−52 there.
WEIR_INLINE void exponential(v8 *x) {
  const v8 top = {708, 708, 708, 708, 708, 708, 708, 708};
  v8 a = __builtin_elementwise_min(__builtin_elementwise_max(*x, -top), top);
  v8 shifted = a * 0x1.71547652b82fep0 + WEIR_ROUND, n = shifted - WEIR_ROUND;
  v8 r = (a - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  v8 p = r * (1.0 / 479001600) + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  i8x bits;
  v8 power;
  __builtin_memcpy(&bits, &shifted, 64);
  bits = (bits + 1023) << 52;
  __builtin_memcpy(&power, &bits, 64);
  *x = p * power;
}

/// ln x in place for finite x above 0: x = 2^e·(1 + f), then the series in f/(2 + f) with the coefficients of fdlibm.
WEIR_INLINE void logarithm(v8 *x) {
  i8x bits, half, exponent;
  __builtin_memcpy(&bits, x, 64);
  half = (bits - 0x3fe6a09e667f3bcd) >> 52;
  bits -= half << 52;
  v8 f, e;
  __builtin_memcpy(&f, &bits, 64);
  f -= 1.0;
  exponent = half + 0x4338000000000000;
  __builtin_memcpy(&e, &exponent, 64);
  e -= WEIR_ROUND;
  v8 s = f / (f + 2.0), z = s * s;
  v8 p = z * 1.479819860511658591e-01 + 1.531383769920937332e-01;
  p = p * z + 1.818357216161805012e-01;
  p = p * z + 2.222219843214978396e-01;
  p = p * z + 2.857142874366239149e-01;
  p = p * z + 3.999999999940941908e-01;
  p = p * z + 6.666666666666735130e-01;
  v8 square = f * f * 0.5;
  *x = e * 0x1.62e42feep-1 - ((square - (s * (square + p * z) + e * 0x1.a39ef35793c76p-33)) - f);
}

/// Σ of the lanes, by halving.
WEIR_INLINE double fold(const v8 *x) {
  double a[8];
  __builtin_memcpy(a, x, 64);
  for (int w = 4; w > 0; w /= 2)
    for (int i = 0; i < w; i++) a[i] += a[i + w];
  return a[0];
}

WEIR_CLONES void weir_law_exponentials(const double *x, double factor, double *out, size_t count) {
  for (size_t i = 0; i < count; i += 8) {
    v8 a = *(const u8 *)(x + i) * factor;
    exponential(&a);
    *(u8 *)(out + i) = a;
  }
}

WEIR_CLONES void weir_law_logarithms(const double *x, double factor, double *out, size_t count) {
  for (size_t i = 0; i < count; i += 8) {
    v8 a = *(const u8 *)(x + i) * factor + 1.0;
    logarithm(&a);
    *(u8 *)(out + i) = a;
  }
}

WEIR_CLONES double weir_law_huber(const double *losses, const double *logs, const double *weights, double *slopes, size_t count,
                                  double delta) {
  v8 sum = {0}, high = {delta, delta, delta, delta, delta, delta, delta, delta};
  for (size_t i = 0; i < count; i += 8) {
    v8 loss = *(const u8 *)(losses + i), weight = *(const u8 *)(weights + i), residual = loss;
    logarithm(&residual);
    residual -= *(const u8 *)(logs + i);
    v8 clamped = __builtin_elementwise_min(__builtin_elementwise_max(residual, -high), high);
    // r²/2 inside, δ·|r| − δ²/2 outside: both are c·r − c²/2 with r clamped to c.
    sum += weight * clamped * (residual - clamped * 0.5);
    *(u8 *)(slopes + i) = weight * clamped / loss;
  }
  return fold(&sum);
}

WEIR_CLONES double weir_law_product(const double *a, const double *b, size_t count) {
  v8 sum = {0};
  for (size_t i = 0; i < count; i += 8) sum += *(const u8 *)(a + i) * *(const u8 *)(b + i);
  return fold(&sum);
}
