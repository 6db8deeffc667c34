#pragma once
#include <stddef.h>
#include <stdint.h>
// A BERT-like encoder (Devlin et al. 2019, section 3; post-norm, GELU by erf), forward only: windows of pieces become the mean of their last
// vectors, scaled to length 1. Rows of short windows go through the products together, those of a long one alone; a window's bits do not
// depend on its neighbours.

/// A layer's weights: matrices packed by `weir_linear_pack` and, where they fit and are not halves, by `weir_strassen_pack` behind it,
/// [outputs, inputs]; q, k and v one below the other.
typedef struct {
  const float *qkv, *qkvBias, *join, *joinBias, *norm, *normBias, *up, *upBias, *down, *downBias, *lastNorm, *lastNormBias;
} weir_encoder_layer;

typedef struct {
  /// Width and inner width are multiples of 32, a head has 32 dimensions.
  size_t width, heads, inner, layers;
  float epsilon;
  /// Whether matrices are packed as bfloat16; those of attention are rounded to it then, too.
  int half;
  /// [vocabulary, width], [positions, width] with the type's vector added, and the norm after their sum.
  const float *words, *places, *norm, *normBias;
  const weir_encoder_layer *layer;
} weir_encoder;

/// Floats that a packed [outputs, inputs] matrix takes; outputs a multiple of 32, inputs even.
size_t weir_linear_floats(size_t outputs, size_t inputs, int half);
void weir_linear_pack(const float *weights, size_t outputs, size_t inputs, int half, float *out);
/// out [rows, outputs] = x [rows, inputs] · weightsᵀ of packed weights. `half` wants `weir_bf16_supported`.
void weir_linear(const float *x, size_t rows, size_t inputs, const float *packed, size_t outputs, int half, float *out);

/// The most rows of a product by halves.
enum { WEIR_STRASSEN_ROWS = 264 };
/// Whether a matrix can be halved: outputs a multiple of 64, inputs of 32.
int weir_strassen_fits(size_t outputs, size_t inputs);
/// Floats that such a packed matrix takes.
size_t weir_strassen_floats(size_t outputs, size_t inputs);
void weir_strassen_pack(const float *weights, size_t outputs, size_t inputs, float *out);
/// The same product as `weir_linear` of at most so many rows, with an eighth of the multiplications less; errors are a few times larger,
/// and a row's depends on the others.
void weir_strassen(const float *x, size_t rows, size_t inputs, const float *packed, size_t outputs, float *out);

/// Vectors [windows, width] of windows of pieces that stand one after another in `pieces`; lengths[i] ≥ 1 and at most the positions.
void weir_encoder_run(const weir_encoder *encoder, const int32_t *pieces, const uint32_t *lengths, size_t windows, float *out);
