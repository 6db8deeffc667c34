#pragma once
#include <stddef.h>
#include <stdint.h>
// Kernels of embedding and clustering. Every sum has one fixed order and no contraction: the same bits on every instruction set.
/// out[columns] = Σ_i weight[i] · matrix[index[i], :], in the order of i; matrix is row-major with `columns` columns.
void weir_gather_rows(const uint32_t *index, const float *weight, size_t count, const float *matrix, size_t columns, float *out);
/// 32-bit words of a row of `columns` numbers rounded to bfloat16: sixteen words a block of 32 columns, its first half in the lower bits.
static inline size_t weir_pairs(size_t columns) { return (columns + 31) / 32 * 16; }
/// pairs[weir_pairs(columns)] = row[columns], rounded; zeros behind it.
void weir_pair_row(const float *row, size_t columns, uint32_t *pairs);
/// `weir_gather_rows` of rows of pairs, sums in single precision.
void weir_gather_pairs(const uint32_t *index, const float *weight, size_t count, const uint32_t *pairs, size_t columns, float *out);
/// Columns of the dense matrices of the sparse products.
enum { WEIR_SPARSE_WIDTH = 32 };
/// out[r] = Σ weight · table[index], over the entries offsets[r·step]…offsets[r·step + 1]; table and out have rows of 32.
void weir_sparse_rows(const uint32_t *index, const float *weight, const ptrdiff_t *offsets, size_t rows, size_t step, const float *table,
                      float *out);
/// out[column[c]] += Σ weight · table[index], over the entries end[c − 1]…end[c], the first from 0.
void weir_sparse_columns(const uint32_t *column, const uint32_t *end, size_t columns, const uint16_t *index, const float *weight,
                         const float *table, float *out);
/// x[d] scaled to length 1 in place (in double); a zero vector stays. Returns the former length.
double weir_normalize(float *x, size_t d);
