#pragma once
#include <stddef.h>
#include <stdint.h>
// Fused float32 kernels of a Llama decoder. All arrays are row-major; every sum has a fixed order, so equal inputs give equal bits.

/// out[t,j] = x[t,j]·rstd[t]·gain[j], rstd[t] = 1/√(mean x² + epsilon); rstd may be NULL.
void weir_rmsnorm_forward(const float *x, const float *gain, float *out, float *rstd, size_t tokens, size_t width, float epsilon);
/// dx = residual + the gradient through the norm of dy (residual may be NULL); dgain[j] = Σ_t dy·x·rstd over these tokens, overwritten.
void weir_rmsnorm_backward(const float *x, const float *gain, const float *rstd, const float *dy, const float *residual, float *dx,
                           float *dgain, size_t tokens, size_t width);
/// QK-norm: RMSNorm of each of `heads` consecutive heads of `head` values, in place, `stride` floats between tokens:
/// x ← x·rstd·gain[head]. Unless NULL, unit [tokens, heads·head] receives x·rstd and rstd [tokens, heads] the factor, with `unitStride`
/// and `rstdStride` floats between tokens.
void weir_head_norm_forward(float *x, size_t stride, size_t heads, size_t head, const float *gain, float *unit, size_t unitStride,
                            float *rstd, size_t rstdStride, size_t tokens, float epsilon);
/// Its gradient: dx holds dy and is overwritten in place; dgain[head] = Σ dy·unit over these tokens and heads, overwritten.
void weir_head_norm_backward(float *dx, size_t stride, size_t heads, size_t head, const float *gain, const float *unit, size_t unitStride,
                             const float *rstd, size_t rstdStride, float *dgain, size_t tokens);
/// Rotates `heads` heads of `head` values in place, `stride` floats between tokens; cosines and sines are [tokens, head/2] for these
/// tokens; direction is +1 for the forward rotation, −1 for its inverse; values i and i + head/2 form a pair.
void weir_rope(float *x, size_t stride, size_t heads, size_t head, const float *cosines, const float *sines, size_t tokens, float direction);
/// x[t,j] += bias[j].
void weir_add_bias(float *x, const float *bias, size_t tokens, size_t width);
/// Inverted dropout: out[t,j] = x[t,j] / (1 − rate), or 0 with probability `rate`, a function of (key, first + t, j) alone; added to out
/// where `add` ≠ 0. x may be out unless `add` ≠ 0.
void weir_dropout(const float *x, float *out, size_t tokens, size_t width, uint64_t key, uint64_t first, float rate, int add);
/// out[t,j] = silu(gate)·up, gateup [tokens, 2·width] holding gate then up.
void weir_swiglu_forward(const float *gateup, float *out, size_t tokens, size_t width);
/// dgateup of dout; dgateup may not alias gateup.
void weir_swiglu_backward(const float *gateup, const float *dout, float *dgateup, size_t tokens, size_t width);

/// Causal attention of one head of one row. q, k, v, out with `stride`, `stride`, `stride`, `outStride` floats between tokens; position t
/// attends starts[t]…t (starts[t] in 0…t). lse[t·lseStride] receives the log-sum-exp.
void weir_attention_forward(const float *q, const float *k, const float *v, size_t stride, const int32_t *starts, size_t tokens,
                            size_t head, float scale, float *out, size_t outStride, float *lse, size_t lseStride);
/// Gradients of one key–value head and the `group` query heads that share it (consecutive in q, out, dout, dq; lse consecutive).
/// dq, dk, dv are overwritten.
void weir_attention_backward(const float *q, const float *k, const float *v, size_t stride, const int32_t *starts, size_t tokens,
                             size_t head, size_t group, float scale, const float *out, const float *dout, size_t outStride,
                             const float *lse, size_t lseStride, float *dq, float *dk, float *dv);
/// One query against `count` cached keys and values (`stride` floats between positions); `scores` is scratch of `count` floats.
void weir_attention_step(const float *q, const float *k, const float *v, size_t stride, size_t count, size_t head, float scale,
                         float *scores, float *out);

/// Softmax cross-entropy of rows of logits. losses[r] = −log p(target), 0 where target < 0. With gradient ≠ 0 the logits become
/// gradient·(p − onehot), zero rows where target < 0. z ≠ 0 adds the gradient of z·ln²(Σ e^logit); squares[r] receives ln² (0 where
/// target < 0) unless it is NULL. `weighted` multiplies the gradient of each row by its p(target), a constant of the row.
void weir_cross_entropy(float *logits, size_t rows, size_t vocabulary, const int32_t *targets, float *losses, float gradient, float z,
                        float *squares, int weighted);
/// The same plus λ·KL between softmax(z/studentTemperature) and softmax(z0/teacherTemperature): KL(student‖teacher), or
/// KL(teacher‖student) if `reversed`; `weighted` does not apply to it. Both arrays of logits are overwritten, the first by its gradient;
/// divergences[r] receives the KL divergence (0 where target < 0). With λ = 0, the gradient has the bits of `weir_cross_entropy`.
void weir_cross_entropy_annealed(float *logits, float *teacher, size_t rows, size_t vocabulary, const int32_t *targets, float *losses,
                                 float *divergences, float gradient, float lambda, float studentTemperature, float teacherTemperature,
                                 int reversed, int weighted);

/// The same against k ≤ 256 tokens of the teacher per row, ids and log-probabilities [·, k] at row places[r]; its other tokens count as one.
void weir_cross_entropy_cached(float *logits, const int64_t *places, const int32_t *ids, const float *logs, size_t k, size_t rows,
                               size_t vocabulary, const int32_t *targets, float *losses, float *divergences, float gradient, float lambda,
                               float studentTemperature, int reversed, int weighted);
/// The k ≤ vocabulary largest log-probabilities of softmax(logits/temperature) of each row, in descending order, and their tokens.
void weir_top_log_softmax(const float *logits, size_t rows, size_t vocabulary, float temperature, size_t k, int32_t *ids, float *logs);

/// out[t] = table[tokens[t]].
void weir_gather(const float *table, const int32_t *tokens, float *out, size_t count, size_t width);
/// table[tokens[t]] += x[t] for the tokens in low..<high, in order of t.
void weir_scatter_add(float *table, const int32_t *tokens, const float *x, size_t count, size_t width, int32_t low, int32_t high);
