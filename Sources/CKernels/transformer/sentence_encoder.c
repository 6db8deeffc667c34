// The sentence encoder, on the register tiles of tile.c. Weights are in panels of 32 outputs; a panel stays in the L1 cache for a block of rows, and the
// results of a block stay in the L2 cache until the next product reads them.
#include "weir_sentence_encoder.h"
#include "weir_gemm.h"
#include "../linalg/tile_bf16.h"
#include <math.h>

enum { panel = 32, depth_most = 384, block_rows = 132, long_window = 96, head = 32 };

size_t weir_linear_floats(size_t outputs, size_t inputs, int half) { return outputs * inputs / (half ? 2 : 1); }

void weir_linear_pack(const float *w, size_t outputs, size_t inputs, int half, float *out) {
  for (size_t n = 0; n < outputs; n++) {
    float *to = out + n / panel * panel * inputs / (half ? 2 : 1) + n % panel;
    for (size_t k = 0; k < inputs; k += half ? 2 : 1) {
      if (!half) {
        to[k * panel] = w[n * inputs + k];
        continue;
      }
      uint32_t pair = weir_bfloat16(w[n * inputs + k]) | (uint32_t)weir_bfloat16(w[n * inputs + k + 1]) << 16;
      __builtin_memcpy(to + k / 2 * panel, &pair, 4);
    }
  }
}

#ifdef WEIR_HAS_BF16
WEIR_TILE16(tiles16, lda, 1)

WEIR_BF16 static void linear16(const float *x, size_t rows, size_t inputs, const float *packed, size_t outputs, float *out) {
  size_t pairs = inputs / 2, pitch = pairs + 16;
  uint32_t *a = (uint32_t *)weir_scratch(0, block_rows * pitch);
  for (size_t start = 0; start < rows; start += block_rows) {
    size_t count = rows - start < block_rows ? rows - start : block_rows;
    for (size_t r = 0; r < count; r++) weir_bfloat16_row(x + (start + r) * inputs, inputs, a + r * pitch);
    for (size_t n = 0; n < outputs; n += panel)
      for (size_t r = 0; r < count; r += height16)
        tiles16(count - r < height16 ? count - r : height16, pairs, a + r * pitch, pitch, (const uint32_t *)packed + n * pairs,
                out + (start + r) * outputs + n, outputs, 0);
  }
}
#endif

void weir_linear(const float *x, size_t rows, size_t inputs, const float *packed, size_t outputs, int half, float *out) {
#ifdef WEIR_HAS_BF16
  if (half) {
    linear16(x, rows, inputs, packed, outputs, out);
    return;
  }
#endif
  const weir_tiles *tiles = weir_tiles_at(2);
  for (size_t start = 0; start < rows; start += block_rows) {
    size_t count = rows - start < block_rows ? rows - start : block_rows;
    for (size_t first = 0; first < inputs; first += depth_most) {
      size_t depth = inputs - first < depth_most ? inputs - first : depth_most;
      for (size_t n = 0; n < outputs; n += panel)
        for (size_t r = 0; r < count; r += tiles->height)
          for (size_t j = 0; j < panel; j += tiles->width)
            tiles->rows(count - r < tiles->height ? count - r : tiles->height, depth, x + (start + r) * inputs + first, inputs,
                        packed + n * inputs + first * panel + j, panel, out + (start + r) * outputs + n + j, outputs, first > 0);
    }
  }
}

/// x ← norm(x + add + bias) of one row; add and bias may be NULL.
WEIR_INLINE void norm_row(float *x, const float *add, const float *bias, const float *gain, const float *shift, size_t width, float epsilon) {
  v16 sum = {0}, square = {0};
  for (size_t j = 0; j < width; j += 16) {
    v16 a = *(u16 *)(x + j);
    if (add) a += *(const u16 *)(add + j) + *(const u16 *)(bias + j);
    *(u16 *)(x + j) = a;
    sum += a;
  }
  float mean = fold_sum(&sum) / (float)width;
  for (size_t j = 0; j < width; j += 16) {
    v16 a = *(u16 *)(x + j) - mean;
    square += a * a;
  }
  float scale = 1.0f / WEIR_SQRT(fold_sum(&square) / (float)width + epsilon);
  for (size_t j = 0; j < width; j += 16)
    *(u16 *)(x + j) = (*(u16 *)(x + j) - mean) * scale * *(const u16 *)(gain + j) + *(const u16 *)(shift + j);
}

WEIR_CLONES static void norm_rows(float *x, const float *add, const float *bias, const float *gain, const float *shift, size_t rows,
                                  size_t width, float epsilon) {
  for (size_t r = 0; r < rows; r++) norm_row(x + r * width, add ? add + r * width : NULL, bias, gain, shift, width, epsilon);
}

WEIR_CLONES static void add_bias(float *x, const float *bias, size_t rows, size_t width) {
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < width; j += 16) *(u16 *)(x + r * width + j) += *(const u16 *)(bias + j);
}

// Maximum and minimum in one instruction each; __builtin_elementwise_max takes three, to handle NaN.
typedef float lanes16 __attribute__((ext_vector_type(16)));
#define LARGER(a, b) ({ lanes16 one = (lanes16)(a), other = (lanes16)(b); (v16)(one > other ? one : other); })
#define SMALLER(a, b) ({ lanes16 one = (lanes16)(a), other = (lanes16)(b); (v16)(one < other ? one : other); })

/// x ← gelu(x + bias). Φ(a) − ½ is an odd polynomial of a, minimax on |a| ≤ 5 (1.6e-7), as a times one of t = 2a²/25 − 1.
WEIR_CLONES static void gelu_rows(float *x, const float *bias, size_t rows, size_t width) {
  static const float term[13] = {0.14136378f, -0.07029628f, 0.051520523f, -0.040442616f, 0.03144219f, -0.023268592f, 0.016402073f,
                                 -0.01116451f, 0.0064107575f, -0.0026853734f, 0.0017225282f, -0.0016133506f, 0.0006088363f};
  const v16 most = (v16){0} + 5.0f;
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < width; j += 16) {
      v16 a = *(u16 *)(x + r * width + j) + *(const u16 *)(bias + j);
      v16 near = SMALLER(LARGER(a, -most), most), t = near * near * 0.08f - 1.0f;
      v16 p = (v16){0} + term[12];
#pragma unroll
      for (int i = 11; i >= 0; i--) p = p * t + term[i];
      *(u16 *)(x + r * width + j) = a * (near * p + 0.5f);
    }
}

/// x with every lane replaced by the FOLD of all lanes. Not through memory as in `fold_sum`, because a row of scores is short.
#define FOLDED(x, FOLD)                                                                                         \
  ({                                                                                                            \
    v16 all = (x);                                                                                              \
    all = FOLD(all, __builtin_shufflevector(all, all, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));   \
    all = FOLD(all, __builtin_shufflevector(all, all, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));   \
    all = FOLD(all, __builtin_shufflevector(all, all, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));   \
    FOLD(all, __builtin_shufflevector(all, all, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));         \
  })
#define PLUS(a, b) ((a) + (b))

/// Rows of scores become 2^((score − the row's largest) · scale), and the inverse of their sum goes to `inverse`. The row
/// is padded to a multiple of 16 with values that are zero or negligible. The power is a polynomial on [−½, ½] (error 7.5e-8), and its exponent is added as bits.
WEIR_CLONES static void softmax_rows(float *scores, size_t rows, size_t tokens, size_t pitch, float scale, float *inverse) {
  const v16 least = (v16){0} - 126.0f;
  for (size_t r = 0; r < rows; r++) {
    float *row = scores + r * pitch;
    size_t full = (tokens + 15) / 16 * 16;
    for (size_t j = tokens; j < full; j++) row[j] = -INFINITY;
    v16 most = *(u16 *)row, sum = {0};
    for (size_t j = 16; j < full; j += 16) most = LARGER(most, *(u16 *)(row + j));
    v16 top = FOLDED(most, LARGER) * scale;
    for (size_t j = 0; j < full; j += 16) {
      v16 a = LARGER(*(u16 *)(row + j) * scale - top, least), shifted = a + 12582912.0f;
      v16 f = a - (shifted - 12582912.0f);
      v16 p = ((((0.0013276472f * f + 0.009675541f) * f + 0.05550713f) * f + 0.2402212f) * f + 0.69314694f) * f + 1.0000001f;
      i16x bits, exponent;
      __builtin_memcpy(&bits, &p, 64);
      __builtin_memcpy(&exponent, &shifted, 64);
      bits += exponent << 23;
      __builtin_memcpy(&p, &bits, 64);
      *(u16 *)(row + j) = p;
      sum += p;
    }
    sum = FOLDED(sum, PLUS);
    inverse[r] = 1.0f / sum[0];
  }
}

/// 1 / √32, times log₂ e because the softmax uses powers of two.
static const float attention_scale = 0.17677669529663687f * 1.4426950408889634f;

#ifdef WEIR_HAS_BF16
/// `attend` with bfloat16 products. Keys are in panels, as weights are; a pair of values belongs to two tokens.
WEIR_BF16 static void attend16(const float *q, const float *k, const float *v, size_t stride, size_t tokens, float *out, size_t width,
                               float *room) {
  enum { words = head / 2 };
  size_t columns = (tokens + panel - 1) / panel * panel, pitch = columns + 16, pairs = (tokens + 1) / 2, weights = pairs + 16;
  float *scores = room, *result = scores + height16 * pitch, inverse[height16];
  uint32_t *keys = (uint32_t *)(result + height16 * head), *values = keys + columns * words, *left = values + pairs * head;
  uint32_t *left16 = left + height16 * weights;
  for (size_t t = 0; t < columns; t += 16)
    weir_pack_across(k + t * stride, stride, t < tokens ? tokens - t : 0, head, keys + t / panel * panel * words + t % panel, panel);
  weir_pack_along(v, stride, tokens, head, head / 16, values, head);
  for (size_t r = 0; r < tokens; r += height16) {
    size_t count = tokens - r < height16 ? tokens - r : height16;
    for (size_t i = 0; i < count; i++) weir_bfloat16_row(q + (r + i) * stride, head, left16 + i * words);
    for (size_t j = 0; j < columns; j += panel) tiles16(count, words, left16, words, keys + j * words, scores + j, pitch, 0);
    softmax_rows(scores, count, tokens, pitch, attention_scale, inverse);
    for (size_t i = 0; i < count; i++) weir_bfloat16_row(scores + i * pitch, tokens, left + i * weights);
    tiles16(count, pairs, left, weights, values, result, head, 0);
    for (size_t i = 0; i < count; i++)
      for (size_t j = 0; j < head; j++) out[(r + i) * width + j] = result[i * head + j] * inverse[i];
  }
}
#endif

/// Attention of one head of one window: q, k, v of rows of 3·width; out of rows of width.
WEIR_CLONES static void attend(const weir_tiles *tiles, const float *q, const float *k, const float *v, size_t stride, size_t tokens, float *out,
                               size_t width, float *room) {
  size_t columns = (tokens + panel - 1) / panel * panel, pitch = columns + 16;
  float *keys = room, *values = keys + columns * head, *scores = values + columns * head, *result = scores + 12 * pitch, inverse[12];
  for (size_t t = 0; t < columns; t++)
    for (size_t i = 0; i < head; i++) {
      keys[t / panel * panel * head + i * panel + t % panel] = t < tokens ? k[t * stride + i] : 0;
      values[t * head + i] = t < tokens ? v[t * stride + i] : 0;
    }
  for (size_t r = 0; r < tokens; r += tiles->height) {
    size_t count = tokens - r < tiles->height ? tokens - r : tiles->height;
    for (size_t j = 0; j < columns; j += tiles->width)
      tiles->rows(count, head, q + r * stride, stride, keys + j / panel * panel * head + j % panel, panel, scores + j, pitch, 0);
    softmax_rows(scores, count, tokens, pitch, attention_scale, inverse);
    for (size_t j = 0; j < head; j += tiles->width) tiles->rows(count, tokens, scores, pitch, values + j, head, result + j, head, 0);
    for (size_t i = 0; i < count; i++)
      for (size_t j = 0; j < head; j++) out[(r + i) * width + j] = result[i * head + j] * inverse[i];
  }
}

WEIR_CLONES static void pool_rows(const float *x, size_t rows, size_t width, float *out) {
  for (size_t j = 0; j < width; j++) out[j] = 0;
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < width; j += 16) *(u16 *)(out + j) += *(const u16 *)(x + r * width + j);
  double square = 0;
  for (size_t j = 0; j < width; j++) square += (double)out[j] * (double)out[j];
  double length = WEIR_SQRT(square);
  if (length > 0)
    for (size_t j = 0; j < width; j++) out[j] = (float)((double)out[j] / length);
}

/// Rows that share a product: rows of one long window (with `weir_strassen`), or of several short windows.
typedef struct {
  size_t start, count;
  int halves;
} block;

/// Cuts the rows of the windows into blocks; how a long window is cut depends on its length alone.
static size_t cut(const weir_encoder *e, const uint32_t *lengths, size_t windows, block *blocks) {
  int fits = !e->half && weir_strassen_fits(e->width, e->inner) && weir_strassen_fits(e->inner, e->width);
  size_t made = 0, start = 0;
  for (size_t w = 0; w < windows; start += lengths[w++]) {
    int halves = fits && lengths[w] >= long_window;
    size_t pieces = halves ? (lengths[w] + WEIR_STRASSEN_ROWS - 1) / WEIR_STRASSEN_ROWS : 1;
    for (size_t p = 0; halves && p < pieces; p++) {
      size_t begin = lengths[w] * p / pieces, end = lengths[w] * (p + 1) / pieces;
      blocks[made++] = (block){start + begin, end - begin, 1};
    }
    for (size_t left = halves ? 0 : lengths[w]; left > 0;) {
      block *last = made > 0 && !blocks[made - 1].halves && blocks[made - 1].count < block_rows ? blocks + made - 1 : NULL;
      if (!last) blocks[made++] = (block){start + lengths[w] - left, 0, 0}, last = blocks + made - 1;
      size_t count = left < block_rows - last->count ? left : block_rows - last->count;
      last->count += count;
      left -= count;
    }
  }
  return made;
}

/// The product for the rows of a block.
static void multiply(const weir_encoder *e, const block *b, const float *x, size_t inputs, const float *packed, size_t outputs, float *out) {
  if (b->halves)
    weir_strassen(x, b->count, inputs, packed + weir_linear_floats(outputs, inputs, 0), outputs, out);
  else
    weir_linear(x, b->count, inputs, packed, outputs, e->half, out);
}

void weir_encoder_run(const weir_encoder *e, const int32_t *pieces, const uint32_t *lengths, size_t windows, float *out) {
  size_t rows = 0, longest = 0, width = e->width;
  for (size_t w = 0; w < windows; w++) {
    rows += lengths[w];
    longest = lengths[w] > longest ? lengths[w] : longest;
  }
  size_t wide = 3 * width > e->inner ? 3 * width : e->inner, pitch = longest + panel + 16;
  float *x = weir_scratch(1, 2 * rows * width + rows * wide + 2 * pitch * head + 24 * pitch + 24 * head);
  float *y = x + rows * width, *z = y + rows * width, *room = z + rows * wide;
  const weir_tiles *tiles = weir_tiles_at(2);
  block blocks[windows + rows / (block_rows / 2) + 1];
  size_t made = cut(e, lengths, windows, blocks);
  for (size_t w = 0, r = 0; w < windows; w++)
    for (size_t t = 0; t < lengths[w]; t++, r++)
      for (size_t j = 0; j < width; j++) x[r * width + j] = e->words[(size_t)pieces[r] * width + j] + e->places[t * width + j];
  norm_rows(x, NULL, NULL, e->norm, e->normBias, rows, width, e->epsilon);
  for (size_t l = 0; l < e->layers; l++) {
    const weir_encoder_layer *layer = e->layer + l;
    for (const block *b = blocks; b < blocks + made; b++)
      multiply(e, b, x + b->start * width, width, layer->qkv, 3 * width, z + b->start * 3 * width);
    add_bias(z, layer->qkvBias, rows, 3 * width);
    for (size_t w = 0, first = 0; w < windows; first += lengths[w++])
      for (size_t h = 0; h < e->heads; h++) {
        const float *q = z + first * 3 * width + h * head;
        float *to = y + first * width + h * head;
#ifdef WEIR_HAS_BF16
        if (e->half) {
          attend16(q, q + width, q + 2 * width, 3 * width, lengths[w], to, width, room);
          continue;
        }
#endif
        attend(tiles, q, q + width, q + 2 * width, 3 * width, lengths[w], to, width, room);
      }
    for (const block *b = blocks; b < blocks + made; b++) {
      float *rowsX = x + b->start * width, *rowsY = y + b->start * width;
      // Block by block, the attention output in y is read before z is overwritten.
      multiply(e, b, rowsY, width, layer->join, width, z);
      norm_rows(rowsX, z, layer->joinBias, layer->norm, layer->normBias, b->count, width, e->epsilon);
      multiply(e, b, rowsX, width, layer->up, e->inner, z);
      gelu_rows(z, layer->upBias, b->count, e->inner);
      multiply(e, b, z, e->inner, layer->down, width, rowsY);
      norm_rows(rowsX, rowsY, layer->downBias, layer->lastNorm, layer->lastNormBias, b->count, width, e->epsilon);
    }
  }
  for (size_t w = 0, first = 0; w < windows; first += lengths[w++]) pool_rows(x + first * width, lengths[w], width, out + w * width);
}
