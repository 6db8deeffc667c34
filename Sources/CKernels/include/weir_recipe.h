#pragma once
#include <stddef.h>
// Parts of a training recipe beside the decoder itself: sums of gradients, averages of weights, norms of single heads.

/// y += x.
void weir_add(float *y, const float *x, size_t count);
/// average += rate·(x − average).
void weir_move_average(float *average, const float *x, size_t count, float rate);
/// 1 where every value is finite.
int weir_all_finite(const float *x, size_t count);

/// RMSNorm of each of `heads` consecutive heads of `head` values, in place, `stride` floats between tokens:
/// x ← x·rstd·gain[head]. Unless NULL, unit [tokens, heads·head] gets x·rstd, rstd [tokens, heads] its factor, both with `unitStride`
/// and `rstdStride` floats between tokens.
void weir_head_norm_forward(float *x, size_t stride, size_t heads, size_t head, const float *gain, float *unit, size_t unitStride,
                            float *rstd, size_t rstdStride, size_t tokens, float epsilon);
/// Its gradient: dx, in place, of dy; dgain[head] = Σ dy·unit over these tokens and heads, overwritten.
void weir_head_norm_backward(float *dx, size_t stride, size_t heads, size_t head, const float *gain, const float *unit, size_t unitStride,
                             const float *rstd, size_t rstdStride, float *dgain, size_t tokens);
