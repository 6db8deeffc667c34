#pragma once
#include <stddef.h>
// Kernels for fitting scaling laws, in double precision. Counts are multiples of 8, and every sum has a fixed order.

/// out[i] = e^(factor·x[i]), with the exponent clamped to ±708.
void weir_law_exponentials(const double *x, double factor, double *out, size_t count);
/// out[i] = ln(1 + factor·x[i]), with an absolute error of about 2^−53.
void weir_law_logarithms(const double *x, double factor, double *out, size_t count);
/// The Huber losses of the residuals ln losses[i] − logs[i], summed with their weights. slopes[i] receives the derivative by losses[i].
double weir_law_huber(const double *losses, const double *logs, const double *weights, double *slopes, size_t count, double delta);
/// Σ a·b.
double weir_law_product(const double *a, const double *b, size_t count);
