#pragma once
#include <stddef.h>
#include <stdint.h>
// A BERT-style sentence encoder, forward only (Devlin et al. 2019, section 3; post-norm, GELU by erf): a window of tokens becomes the mean of its last
// hidden states, scaled to length 1. Short windows share a matrix product, a long window has its own; the result for a window does not depend on the
// windows beside it.

/// Weights of a layer. Matrices [outputs, inputs] are packed by `weir_linear_pack`; a matrix in single precision whose shape `weir_strassen_fits` accepts
/// is followed by the same matrix packed by `weir_strassen_pack`. `qkv` stacks the query, key and value matrices.
typedef struct {
  const float *qkv, *qkvBias, *join, *joinBias, *norm, *normBias, *up, *upBias, *down, *downBias, *lastNorm, *lastNormBias;
} weir_encoder_layer;

typedef struct {
  /// Width and inner width are multiples of 32; the head dimension is 32.
  size_t width, heads, inner, layers;
  float epsilon;
  /// Whether matrices are packed as bfloat16; attention then rounds its operands to bfloat16 too.
  int half;
  /// Token embeddings [vocabulary, width], position embeddings [positions, width] with the token-type embedding added, and the norm of their sum.
  const float *words, *places, *norm, *normBias;
  const weir_encoder_layer *layer;
} weir_encoder;

/// Size in floats of a packed [outputs, inputs] matrix; outputs is a multiple of 32, inputs is even.
size_t weir_linear_floats(size_t outputs, size_t inputs, int half);
void weir_linear_pack(const float *weights, size_t outputs, size_t inputs, int half, float *out);
/// out [rows, outputs] = x [rows, inputs] · weightsᵀ, with packed weights. `half` requires `weir_bf16_supported`.
void weir_linear(const float *x, size_t rows, size_t inputs, const float *packed, size_t outputs, int half, float *out);

/// Maximum number of rows of `weir_strassen`.
enum { WEIR_STRASSEN_ROWS = 264 };
/// Whether the shape suits `weir_strassen`: outputs is a multiple of 64, inputs of 32.
int weir_strassen_fits(size_t outputs, size_t inputs);
/// Size in floats of a matrix packed by `weir_strassen_pack`.
size_t weir_strassen_floats(size_t outputs, size_t inputs);
void weir_strassen_pack(const float *weights, size_t outputs, size_t inputs, float *out);
/// The product of `weir_linear` for at most WEIR_STRASSEN_ROWS rows with an eighth fewer multiplications. Rounding errors are a few times larger, and those of
/// a row depend on the other rows.
void weir_strassen(const float *x, size_t rows, size_t inputs, const float *packed, size_t outputs, float *out);

/// Embeds windows: out [windows, width]. `pieces` holds the tokens of all windows one after another; lengths[i] is at least 1 and at most the number of
/// positions.
void weir_encoder_run(const weir_encoder *encoder, const int32_t *pieces, const uint32_t *lengths, size_t windows, float *out);
