#pragma once
#include <stddef.h>
#include <stdint.h>
// Weighted sums of matrix rows: products of a sparse and a dense matrix. Sums have a fixed order and use no fused multiply-add, so the bits are the same
// on every instruction set.

/// out[columns] = Σ_i weight[i] · matrix[index[i], :], in the order of i; matrix is row-major with `columns` columns.
void weir_gather_rows(const uint32_t *index, const float *weight, size_t count, const float *matrix, size_t columns, float *out);
/// Number of 32-bit words that hold a row of `columns` values as bfloat16 pairs: 16 words per block of 32 columns, with columns 0…15 of the block in the
/// lower halves and columns 16…31 in the upper halves.
static inline size_t weir_pairs(size_t columns) { return (columns + 31) / 32 * 16; }
/// Rounds row[columns] to bfloat16 and writes it to pairs[weir_pairs(columns)], padded with zeros.
void weir_pair_row(const float *row, size_t columns, uint32_t *pairs);
/// `weir_gather_rows` for rows of bfloat16 pairs; sums are single precision.
void weir_gather_pairs(const uint32_t *index, const float *weight, size_t count, const uint32_t *pairs, size_t columns, float *out);
/// Number of columns of `table` and `out` in the two functions below.
enum { WEIR_SPARSE_WIDTH = 32 };
/// out[r] = Σ weight · table[index], over the entries offsets[r·step] ..< offsets[r·step + 1]. Rows of table and out have 32 columns.
void weir_sparse_rows(const uint32_t *index, const float *weight, const ptrdiff_t *offsets, size_t rows, size_t step, const float *table,
                      float *out);
/// out[column[c]] += Σ weight · table[index], over the entries end[c − 1] ..< end[c]; the first range starts at 0.
void weir_sparse_columns(const uint32_t *column, const uint32_t *end, size_t columns, const uint16_t *index, const float *weight,
                         const float *table, float *out);
/// Scales x[d] to length 1 in place, computing in double precision; a zero vector is left alone. Returns the original length.
double weir_normalize(float *x, size_t d);
