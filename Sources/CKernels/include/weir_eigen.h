#pragma once
#include <stddef.h>
// Kernels for symmetric eigenproblems: dense row-major matrices in double precision.

/// out [columns, columns] += the upper triangle of AᵀA (entries below the diagonal are undefined). A [rows, columns] is single
/// precision. scratch: 128 · (columns rounded up to a multiple of 16) doubles.
void weir_gram(const float *a, size_t rows, size_t columns, double *scratch, double *out);

/// Householder tridiagonalization of the symmetric A [n, n]. In row k of A, the entries right of the diagonal become the vector u of the reflection
/// I − beta[k]·u·uᵀ; below[k] is the entry (k + 1, k). scratch: 4·n doubles.
void weir_tridiagonal(double *a, size_t n, double *scratch, double *diagonal, double *below, double *beta);

/// A Givens rotation: replaces rows x = `row` and y = `row + 1` of a matrix with cosine·x − sine·y and sine·x + cosine·y.
typedef struct {
  size_t row;
  double cosine, sine;
} weir_rotation;
/// Applies the rotations in order to `columns` columns of v; `stride` is the distance between rows.
void weir_rotate(const weir_rotation *rotations, size_t count, double *v, size_t columns, size_t stride);

/// Multiplies x [n, columns] (row stride `stride`) from the left by the product of the reflections of `weir_tridiagonal`. sum: scratch of `columns` doubles.
void weir_reflect(const double *reflections, const double *beta, size_t n, double *x, size_t columns, size_t stride, double *sum);
