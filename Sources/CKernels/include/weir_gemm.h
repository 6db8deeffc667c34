#pragma once
#include <stddef.h>
// Single-precision matrix products on one thread, for the transformer's shapes: the sum over k runs in order within blocks of k whose
// cut depends on k alone, so that equal inputs give equal bits however rows and columns are divided among threads.

/// C [m, n] = op(A)·op(B), added to C where `add` ≠ 0; row-major with leading dimensions in floats. op(A) [m, k] is A, or Aᵀ of A [k, m];
/// op(B) [k, n] is B, or Bᵀ of B [n, k]. C overlaps neither.
void weir_gemm(int transposeA, int transposeB, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
               float *c, size_t ldc, int add);
/// The same with the instructions of a level: 0 any processor's, 1 AVX2, 2 AVX-512; a level the processor lacks falls to its best.
void weir_gemm_at(int level, int transposeA, int transposeB, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                  size_t ldb, float *c, size_t ldc, int add);

/// Whether the processor has AVX512-BF16.
int weir_bf16_supported(void);
/// Whether they are faster than single precision: not on Intel's, whose dot product of pairs takes twice the time of a multiplication.
int weir_bf16_pays(void);
/// The product of operands rounded to bfloat16, summed in float32; wants `weir_bf16_supported`. Denormal numbers count as 0.
void weir_gemm_bf16(int transposeA, int transposeB, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                    float *c, size_t ldc, int add);
