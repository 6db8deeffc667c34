#pragma once
#include <stddef.h>
#include <stdint.h>
// Kernels of embedding and clustering. Every sum has one fixed order and no contraction: the same bits on every instruction set.
/// out[columns] = Σ_i weight[i] · matrix[index[i], :], in the order of i; matrix is row-major with `columns` columns.
void weir_gather_rows(const uint32_t *index, const float *weight, size_t count, const float *matrix, size_t columns, float *out);
/// The most columns of a panel of the sparse products; `blocks` of them are 32 columns each, 1…3.
enum { WEIR_PANEL = 96 };
/// Columns first… of dense [rows, width] as a table [rows, 32·blocks], zeros behind the last; bfloat16 where `half`.
void weir_sparse_table(const float *dense, size_t rows, size_t width, size_t first, int blocks, int half, void *out);
/// out[r] = Σ weight · table[index], over the entries offsets[r·step]…offsets[r·step + 1]; out [rows, 32·blocks] is coded as the table.
void weir_sparse_rows(const uint32_t *index, const float *weight, const ptrdiff_t *offsets, size_t rows, size_t step, const void *table,
                      int blocks, int half, void *out);
/// out[column[c]·stride…] += Σ weight · table[index], over the entries end[c − 1]…end[c], the first from 0; out is single precision.
void weir_sparse_columns(const uint32_t *column, const uint32_t *end, size_t columns, const uint16_t *index, const float *weight,
                         const void *table, int blocks, int half, float *out, size_t stride);
/// x[d] scaled to length 1 in place (in double); a zero vector stays. Returns the former length.
double weir_normalize(float *x, size_t d);
