#pragma once
#include <stddef.h>
#include <stdint.h>
// The nearest of many centroids, exactly: products of eight-bit codes (or of floats, where the processor lacks them) with a proven bound of
// their error leave a few candidates, and those are compared by `weir_dot`. Labels and scores are the same on every instruction set.

/// Centroids laid out for the search.
typedef struct weir_centroids weir_centroids;

/// Packs [k, d] centroids with [k] biases; both are read by later searches and must outlive the pack. A score is x·c + bias. `level` as in
/// `weir_gemm_at`, 3 = eight-bit products. NULL where there is no memory.
weir_centroids *weir_centroids_pack(const float *centroids, const float *bias, size_t k, size_t d, int level);
void weir_centroids_free(weir_centroids *pack);
/// Groups of consecutive centroids that bounds are kept for, and the number of centroids in each but the last.
size_t weir_centroid_groups(const weir_centroids *pack);
size_t weir_centroid_group_size(const weir_centroids *pack);

/// Σ x·y in sixteen lanes folded by halves, without contraction.
float weir_dot(const float *x, const float *y, size_t d);
/// out[i] = x[i]·x[i] for [rows, d].
void weir_squares(const float *x, size_t rows, size_t d, float *out);
/// score[i] = x[i]·centroids[label[i]] + bias[label[i]].
void weir_own_scores(const float *x, size_t rows, size_t d, const float *centroids, const float *bias, const uint32_t *label, float *score);

/// Row i is x + d · (index ? index[i] : i). label[i] and score[i] hold the best so far (score −∞: none); where a centroid j's score is
/// higher, the first of the highest replaces them, as label base + j.
///
/// `bounds` [rows, groups], where not NULL, holds lower bounds of the distance to any centroid of a group but row i's own, label[i]; they
/// are lowered by drift[group], groups that cannot hold a nearer centroid are passed over, and the others get new bounds (Elkan 2003 and
/// Ding et al. 2015, "Yinyang", with the groups as they come). Wants base 0, squares [rows], and biases of −|c|²/2, or any one number
/// where all centroids have the same length; `halfSquare` is bias + |c|²/2 (0 for the former).
void weir_nearest(const weir_centroids *pack, const float *x, const uint32_t *index, size_t rows, uint32_t base, uint32_t *label,
                  float *score, float *bounds, const float *drift, const float *squares, float halfSquare);

/// sum[d] += Σ x[index[i], :] in order.
void weir_sum_indexed(const float *x, size_t d, const uint32_t *index, size_t count, double *sum);
