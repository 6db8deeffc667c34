// Matrix products by OpenBLAS (by Accelerate on macOS, untested). The library is loaded at the first product: a linked one would start its threads in every
// process, and they spin for 50 ms even if nothing is multiplied. Without the library, plain loops compute the same, slowly.
#pragma once

/// C ← α·op(A)·op(B) + β·C, row-major: op(A) [m, k], op(B) [k, n], C [m, n], leading dimensions in elements. Runs on the caller's thread.
void weir_sgemm(
    int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *_Nonnull a, int lda, const float *_Nonnull b, int ldb, float beta,
    float *_Nonnull c, int ldc);
