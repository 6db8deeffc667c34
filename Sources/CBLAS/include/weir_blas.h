// Matrix products of OpenBLAS (of Accelerate on macOS, untested), which is loaded at the first product: a library that is linked starts its threads with every process, where
// they spin for 50 ms though nothing is multiplied. Where it is not there, plain loops do the same, slowly.
#pragma once

/// C ← α·op(A)·op(B) + β·C, row-major: op(A) [m, k], op(B) [k, n], C [m, n], leading dimensions in elements. On the caller's thread.
void weir_sgemm(
    int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *_Nonnull a, int lda, const float *_Nonnull b, int ldb, float beta,
    float *_Nonnull c, int ldc);
