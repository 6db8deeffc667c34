#pragma once
#include <stddef.h>
// Dense matrices in double precision, row-major.

/// out [columns, columns] += the upper triangle of AᵀA (what stands below the diagonal is not to be read); A [rows, columns] is single
/// precision. scratch: 128 · columns rounded up to 16.
void weir_gram(const float *a, size_t rows, size_t columns, double *scratch, double *out);

/// Householder's tridiagonalisation of the symmetric A [n, n]: row k of A becomes, right of the diagonal, the vector u of reflection
/// I − beta[k]·u·uᵀ; below[k] is the entry (k + 1, k). scratch: 4·n.
void weir_tridiagonal(double *a, size_t n, double *scratch, double *diagonal, double *below, double *beta);

/// Turns rows `row` and `row + 1` of a matrix into cosine·x − sine·y and sine·x + cosine·y.
typedef struct {
  size_t row;
  double cosine, sine;
} weir_rotation;
/// Rotations in order, of `columns` columns of v, whose rows lie `stride` apart.
void weir_rotate(const weir_rotation *rotations, size_t count, double *v, size_t columns, size_t stride);

/// x [n, columns], rows `stride` apart ← the product of `weir_tridiagonal`'s reflections · x. sum: `columns`.
void weir_reflect(const double *reflections, const double *beta, size_t n, double *x, size_t columns, size_t stride, double *sum);
