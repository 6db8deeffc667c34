#pragma once
#include <stddef.h>
// Optimizer kernels: gradient sums and norms, AdamW, weight averages. Every sum has a fixed order.

/// y += x.
void weir_add(float *y, const float *x, size_t count);
/// average += rate·(x − average).
void weir_move_average(float *average, const float *x, size_t count, float rate);
/// 1 where every value is finite.
int weir_all_finite(const float *x, size_t count);
/// out[j] = Σ_p parts[p, j], in order of p.
void weir_sum_parts(const float *parts, size_t count, size_t width, float *out);
/// Σ x² in double, fixed order.
double weir_sum_squares(const float *x, size_t count);
/// One AdamW update (PyTorch's form): decay, moments, bias-corrected step; g is multiplied by gradientScale first.
void weir_adamw(float *p, const float *g, float *m, float *v, size_t count, float gradientScale, float learningRate, float beta1,
                float beta2, float epsilon, float decay, float correction1, float correction2);
/// y += (scale + weight·weights)·(p − anchor), the gradient of a pull toward an anchor; weights may be NULL for zeros.
void weir_pull(float *y, const float *p, const float *anchor, const float *weights, size_t count, float scale, float weight);
/// y += scale·x².
void weir_add_squares(float *y, const float *x, size_t count, float scale);
