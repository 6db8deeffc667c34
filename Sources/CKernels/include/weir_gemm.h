#pragma once
#include <stddef.h>
// Single-precision matrix products on one thread, for the shapes of a transformer. The sum over k runs in order within blocks whose size depends on k
// alone, so equal inputs give equal bits however rows and columns are divided among threads.

/// C [m, n] = op(A)·op(B), added to C where `add` ≠ 0; row-major with leading dimensions in floats. op(A) [m, k] is A, or Aᵀ of A [k, m];
/// op(B) [k, n] is B, or Bᵀ of B [n, k]. C overlaps neither.
void weir_gemm(int transposeA, int transposeB, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
               float *c, size_t ldc, int add);
/// The same at a given SIMD level (see `weir_simd_level`), lowered to what the processor supports.
void weir_gemm_at(int level, int transposeA, int transposeB, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                  size_t ldb, float *c, size_t ldc, int add);

/// Whether the processor supports AVX512-BF16.
int weir_bf16_supported(void);
/// Whether bfloat16 products are faster than single precision. On Intel they are not: a dot product of pairs takes twice as long as a multiplication.
int weir_bf16_pays(void);
/// The product of operands rounded to bfloat16, summed in float32; requires `weir_bf16_supported`. Subnormal values count as 0.
void weir_gemm_bf16(int transposeA, int transposeB, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                    float *c, size_t ldc, int add);
