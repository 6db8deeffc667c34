// Symmetric eigenproblems in double precision: Gram matrices, tridiagonalization, and the transformations of eigenvectors. Sums have a fixed order and use no
// fused multiply-add, so the bits are the same on every instruction set.
#include "weir_eigen.h"
#include "../shared/vector.h"
#pragma clang fp contract(off)

typedef double v8d __attribute__((vector_size(64)));
typedef double u8d __attribute__((vector_size(64), aligned(8), may_alias));
enum { TILE = 4, BLOCK = 128 };

WEIR_CLONES
void weir_gram(const float *a, size_t rows, size_t columns, double *scratch, double *out) {
  size_t padded = (columns + 15) / 16 * 16;
  for (size_t first = 0; first < rows; first += BLOCK) {
    size_t count = rows - first < BLOCK ? rows - first : BLOCK;
    for (size_t r = 0; r < count; r++) {
      const float *row = a + (first + r) * columns;
      for (size_t c = 0; c < columns; c++) scratch[r * padded + c] = row[c];
      for (size_t c = columns; c < padded; c++) scratch[r * padded + c] = 0;
    }
    for (size_t i = 0; i < columns; i += TILE) {
      for (size_t j = i / 16 * 16; j < columns; j += 16) {
        v8d sum[TILE][2] = {{{0}}};
        for (size_t r = 0; r < count; r++) {
          const double *row = scratch + r * padded;
          v8d low = *(const u8d *)(row + j), high = *(const u8d *)(row + j + 8);
#pragma unroll
          for (int t = 0; t < TILE; t++) {
            sum[t][0] += row[i + (size_t)t] * low;
            sum[t][1] += row[i + (size_t)t] * high;
          }
        }
        for (size_t t = 0; t < TILE && i + t < columns; t++)
          for (size_t c = j; c < j + 16 && c < columns; c++) out[(i + t) * columns + c] += sum[t][(c - j) / 8][(c - j) % 8];
      }
    }
  }
}

static double dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/// Updates a row of the trailing matrix by the previous reflection; the second function also adds its part of the product with the next one.
WEIR_INLINE void change(double *restrict row, const double *restrict u, const double *restrict w, double us, double ws, size_t n) {
  for (size_t j = 0; j < n; j++) row[j] -= us * w[j] + ws * u[j];
}

WEIR_INLINE void change_and_add(double *restrict row, const double *restrict u, const double *restrict w, double us, double ws, double next,
                                double *restrict p, size_t n) {
  for (size_t j = 0; j < n; j++) {
    row[j] -= us * w[j] + ws * u[j];
    p[j] += next * row[j];
  }
}

WEIR_CLONES
void weir_tridiagonal(double *a, size_t n, double *scratch, double *diagonal, double *below, double *beta) {
  // The update by reflection k and the product with reflection k + 1 share one pass over the matrix.
  double *u = scratch, *w = u + n, *next = w + n, *p = next + n;
  for (size_t i = 0; i < n; i++) u[i] = w[i] = 0;
  for (size_t k = 0; k < n; k++) {
    double *row = a + k * n;
    change(row + k, u + k, w + k, u[k], w[k], n - k);
    diagonal[k] = row[k];
    below[k] = beta[k] = 0;
    if (k + 1 == n) return;
    size_t first = k + 1, count = n - first;
    double norm = WEIR_SQRT(dot(row + first, row + first, count)), head = row[first], square = 0;
    below[k] = head;
    for (size_t i = 0; i < n; i++) next[i] = p[i] = 0;
    if (k + 2 < n && norm > 0) {
      double alpha = head > 0 ? -norm : norm;
      for (size_t i = first; i < n; i++) next[i] = row[i];
      next[first] -= alpha;
      square = dot(next + first, next + first, count);
      if (square > 0) {
        beta[k] = 2 / square;
        below[k] = alpha;
      } else {
        next[first] = 0;
      }
    }
    for (size_t i = first; i < n; i++) change_and_add(a + i * n + first, u + first, w + first, u[i], w[i], next[i], p + first, count);
    double half = beta[k] * beta[k] * dot(p + first, next + first, count) / 2;
    for (size_t i = 0; i < n; i++) {
      u[i] = next[i];
      w[i] = beta[k] * p[i] - half * u[i];
    }
    // The reflection stays in the row that is done.
    for (size_t i = first; i < n; i++) row[i] = next[i];
  }
}

/// Rotations of 32 columns: a row that the next rotation turns as well stays in registers.
WEIR_INLINE void rotate_strip(const weir_rotation *rotations, size_t count, double *v, size_t stride) {
  v8d kept[4];
  for (size_t r = 0; r < count; r++) {
    double c = rotations[r].cosine, s = rotations[r].sine, *one = v + rotations[r].row * stride, *other = one + stride;
    int goes_on = r > 0 && rotations[r - 1].row == rotations[r].row + 1, stays = r + 1 < count && rotations[r + 1].row + 1 == rotations[r].row;
#pragma unroll
    for (int z = 0; z < 4; z++) {
      v8d x = *(u8d *)(one + 8 * z), y = goes_on ? kept[z] : *(u8d *)(other + 8 * z);
      *(u8d *)(other + 8 * z) = s * x + c * y;
      kept[z] = c * x - s * y;
      if (!stays) *(u8d *)(one + 8 * z) = kept[z];
    }
  }
}

WEIR_CLONES
void weir_rotate(const weir_rotation *rotations, size_t count, double *v, size_t columns, size_t stride) {
  if (columns == 32) {
    rotate_strip(rotations, count, v, stride);
    return;
  }
  for (size_t r = 0; r < count; r++) {
    double c = rotations[r].cosine, s = rotations[r].sine;
    double *restrict one = v + rotations[r].row * stride, *restrict other = one + stride;
    for (size_t j = 0; j < columns; j++) {
      double x = one[j], y = other[j];
      other[j] = s * x + c * y;
      one[j] = c * x - s * y;
    }
  }
}

WEIR_CLONES
void weir_reflect(const double *reflections, const double *beta, size_t n, double *x, size_t columns, size_t stride, double *sum) {
  for (size_t k = n; k-- > 0;) {
    if (beta[k] == 0) continue;
    const double *u = reflections + k * n;
    for (size_t j = 0; j < columns; j++) sum[j] = 0;
    for (size_t i = k + 1; i < n; i++) {
      const double *restrict row = x + i * stride;
      double *restrict s = sum;
      for (size_t j = 0; j < columns; j++) s[j] += u[i] * row[j];
    }
    for (size_t i = k + 1; i < n; i++) {
      double *restrict row = x + i * stride, scale = beta[k] * u[i];
      const double *restrict s = sum;
      for (size_t j = 0; j < columns; j++) row[j] -= scale * s[j];
    }
  }
}
