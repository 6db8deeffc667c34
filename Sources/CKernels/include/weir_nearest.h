#pragma once
#include <stddef.h>
#include <stdint.h>
// Exact nearest-centroid search. Products of 8-bit codes (of floats where the processor has no 8-bit dot product) with a proven error bound leave a few
// candidates, which `weir_dot` compares. Labels and scores are the same on every instruction set.

/// Centroids laid out for the search.
typedef struct weir_centroids weir_centroids;

/// Packs [k, d] centroids with [k] biases, which searches read too: both must outlive the pack. The score of a centroid c is x·c + bias. `level` is as in
/// `weir_gemm_at`, or 3 for 8-bit products. Returns NULL if memory is short.
weir_centroids *weir_centroids_pack(const float *centroids, const float *bias, size_t k, size_t d, int level);
void weir_centroids_free(weir_centroids *pack);
/// The number of groups of consecutive centroids for which bounds are kept, and the size of each group but the last.
size_t weir_centroid_groups(const weir_centroids *pack);
size_t weir_centroid_group_size(const weir_centroids *pack);

/// Σ x·y in 16 lanes, folded by halves, without fused multiply-add.
float weir_dot(const float *x, const float *y, size_t d);
/// out[i] = x[i]·x[i] for [rows, d].
void weir_squares(const float *x, size_t rows, size_t d, float *out);
/// score[i] = x[i]·centroids[label[i]] + bias[label[i]].
void weir_own_scores(const float *x, size_t rows, size_t d, const float *centroids, const float *bias, const uint32_t *label, float *score);

/// Row i is x + d · (index ? index[i] : i). label[i] and score[i] hold the best centroid so far (score −∞: none). If a centroid j has a higher score, the
/// best one (the first among equals) replaces them, with the label base + j.
///
/// `bounds` [rows, groups], unless NULL, holds lower bounds of the distance from row i to any centroid of a group other than its own, label[i]. The bounds
/// are lowered by drift[group]; groups that cannot contain a nearer centroid are skipped, and the others get new bounds (Elkan 2003; Ding et al. 2015,
/// "Yinyang", with consecutive centroids as groups). This requires base 0, squares [rows], and biases of −|c|²/2, or one bias for all centroids if they
/// have the same length; `halfSquare` is bias + |c|²/2 (0 in the first case).
void weir_nearest(const weir_centroids *pack, const float *x, const uint32_t *index, size_t rows, uint32_t base, uint32_t *label,
                  float *score, float *bounds, const float *drift, const float *squares, float halfSquare);

/// sum[d] += Σ x[index[i], :] in order.
void weir_sum_indexed(const float *x, size_t d, const uint32_t *index, size_t count, double *sum);
