#pragma once
#include <stddef.h>
#include <stdint.h>
// Kernels of embedding and clustering. Every sum has one fixed order and no contraction: the same bits on every instruction set.
/// out[columns] = Σ_i weight[i] · matrix[index[i], :], in the order of i; matrix is row-major with `columns` columns.
void weir_gather_rows(const uint32_t *index, const float *weight, size_t count, const float *matrix, size_t columns, float *out);
/// Columns of a panel of weir_gram_rows.
enum { WEIR_PANEL = 32 };
/// out += AᵀA · in, for the rows offsets[0]…offsets[rows] of a sparse matrix A; in and out are [columns of A, WEIR_PANEL].
void weir_gram_rows(const uint32_t *index, const float *weight, const ptrdiff_t *offsets, size_t rows, const float *in, float *out);
/// x[d] scaled to length 1 in place (in double); a zero vector stays. Returns the former length.
double weir_normalize(float *x, size_t d);
