#pragma once
#include <stddef.h>
#include <stdint.h>
// Kernels of embedding and clustering. Every sum has one fixed order and no contraction: the same bits on every instruction set.
/// out[columns] = Σ_i weight[i] · matrix[index[i], :], in the order of i; matrix is row-major with `columns` columns.
void weir_gather_rows(const uint32_t *index, const float *weight, size_t count, const float *matrix, size_t columns, float *out);
/// scores[rows, k] = x[rows, d] · transposed[d, k], each entry summed in the order of d (a row's result does not depend on the others).
void weir_scores(const float *x, size_t rows, size_t d, const float *transposed, size_t k, float *scores);
/// label[i] = the first argmax_j scores[i, j] + bias[j]; best[i] = that maximum. `best` may be NULL.
void weir_argmax(const float *scores, size_t rows, size_t k, const float *bias, uint32_t *label, float *best);
/// sums[label[i], :] += x[i, :] for every i, in order; sums is [k, d] in double.
void weir_sum_rows(const float *x, size_t rows, size_t d, const uint32_t *label, double *sums);
/// distance[i] = min(distance[i], |x[i] − center|²).
void weir_min_distance(const float *x, size_t rows, size_t d, const float *center, float *distance);
/// x[d] scaled to length 1 in place (in double); a zero vector stays. Returns the former length.
double weir_normalize(float *x, size_t d);
