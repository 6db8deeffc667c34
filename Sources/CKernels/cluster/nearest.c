// Nearest-centroid search: cheap products with an error bound select candidates, and exact products compare them.
//
// Codes: x ≈ s·q with q in −127…127. x·c − (s q)·(t r) = x̂·(c − ĉ) + (x − x̂)·c, so |error| ≤ |x̂||c − ĉ| + |x − x̂||c|, and all four lengths are known.
// A panel of 32 centroids stays in the L1 cache for a block of rows.
#include "weir_nearest.h"
#include "weir_simd.h"
#include "../linalg/tile.h"
#include <math.h>
#include <stdlib.h>
#if defined(__linux__) && defined(__x86_64__)
#include <immintrin.h>
#define WEIR_HAS_VNNI 1
#define WEIR_VNNI __attribute__((target("arch=x86-64-v4,avx512vnni"), min_vector_width(512)))
#endif
#pragma clang fp contract(off)

enum { panel = 32, block_rows = 192, most_groups = 32, height8 = 12 };

struct weir_centroids {
  const float *centroids, *bias;
  size_t k, d, depth, panels, perGroup;
  int level;
  /// The largest length of a centroid, error of a code, and absolute bias.
  float longest, error, bulk;
  /// [panels][32] scales of the codes, and biases padded with −∞.
  float *scale, *padded;
  /// [panels] of codes + 128 as [depth / 4][32][4], or of floats as [d][32].
  void *panels_;
};

WEIR_INLINE float dot(const float *x, const float *y, size_t d) {
  v16 a = {0};
  size_t j = 0;
  for (; j + 16 <= d; j += 16) a += *(const u16 *)(x + j) * *(const u16 *)(y + j);
  float sum = fold_sum(&a);
  for (; j < d; j++) sum += x[j] * y[j];
  return sum;
}

WEIR_CLONES float weir_dot(const float *x, const float *y, size_t d) { return dot(x, y, d); }

WEIR_CLONES void weir_squares(const float *x, size_t rows, size_t d, float *out) {
  for (size_t i = 0; i < rows; i++) out[i] = dot(x + i * d, x + i * d, d);
}

WEIR_CLONES void weir_own_scores(const float *x, size_t rows, size_t d, const float *centroids, const float *bias, const uint32_t *label,
                                 float *score) {
  for (size_t i = 0; i < rows; i++) score[i] = dot(x + i * d, centroids + (size_t)label[i] * d, d) + bias[label[i]];
}

WEIR_CLONES void weir_sum_indexed(const float *x, size_t d, const uint32_t *index, size_t count, double *sum) {
  for (size_t i = 0; i < count; i++) {
    const float *row = x + (size_t)index[i] * d;
    if (i + 2 < count)
      for (size_t j = 0; j < d; j += 16) __builtin_prefetch(x + (size_t)index[i + 2] * d + j);
    for (size_t j = 0; j < d; j++) sum[j] += (double)row[j];
  }
}

/// The codes of a row, padded with zeros. Returns the scale; `error` and `length` become |x − x̂| and |x|, rounded up.
WEIR_INLINE float encode(const float *x, size_t d, size_t depth, int8_t *out, float *error, float *length, int32_t *total) {
  v16 most = {0};
  size_t j = 0;
  for (; j + 16 <= d; j += 16) most = __builtin_elementwise_max(most, __builtin_elementwise_abs(*(const v16 *)&*(const u16 *)(x + j)));
  float top = fold_max(&most);
  for (; j < d; j++) top = fabsf(x[j]) > top ? fabsf(x[j]) : top;
  if (top < 1e-15f) {
    // Squares would underflow: the codes are zero, and the whole row is error.
    __builtin_memset(out, 0, depth);
    *error = *length = top * WEIR_SQRT((float)d) * 1.001f;
    *total = 0;
    return 0;
  }
  float scale = top / 127.0f, inverse = 127.0f / top, gap = 0, square = 0;
  int32_t sum = 0;
  v16 gaps = {0}, squares = {0};
  i16x sums = {0};
  const v16 magic = (v16){0} + 12582912.0f;
  for (j = 0; j + 16 <= d; j += 16) {
    v16 a = *(const u16 *)(x + j), q = (a * inverse + magic) - magic, e = a - q * scale;
    gaps += e * e;
    squares += a * a;
    i16x code = __builtin_convertvector(q, i16x);
    sums += code;
    int8_t __attribute__((vector_size(16))) bytes = __builtin_convertvector(code, int8_t __attribute__((vector_size(16))));
    __builtin_memcpy(out + j, &bytes, 16);
  }
  gap = fold_sum(&gaps);
  square = fold_sum(&squares);
  for (int i = 0; i < 16; i++) sum += sums[i];
  for (; j < d; j++) {
    float q = (x[j] * inverse + 12582912.0f) - 12582912.0f, e = x[j] - q * scale;
    gap += e * e;
    square += x[j] * x[j];
    sum += (int32_t)q;
    out[j] = (int8_t)q;
  }
  for (; j < depth; j++) out[j] = 0;
  *error = WEIR_SQRT(gap) * 1.001f;
  *length = WEIR_SQRT(square) * 1.001f;
  *total = sum;
  return scale;
}

WEIR_CLONES static float encode_row(const float *x, size_t d, size_t depth, int8_t *out, float *error, float *length, int32_t *total) {
  return encode(x, d, depth, out, error, length, total);
}

#ifdef WEIR_HAS_VNNI
/// out [R, 32] = Σ codes of rows · codes of the panel, corrected for the offset of 128 in the panel.
WEIR_VNNI static inline __attribute__((always_inline)) void tile8(const int R, size_t quads, const int8_t *rows, size_t stride,
                                                                  const uint8_t *b, const int32_t *total, float *out) {
  __m512i sum[height8][2];
#pragma unroll
  for (int i = 0; i < R; i++) sum[i][0] = sum[i][1] = _mm512_setzero_si512();
  for (size_t q = 0; q < quads; q++) {
    __m512i x = _mm512_loadu_si512(b + q * 128), y = _mm512_loadu_si512(b + q * 128 + 64);
#pragma unroll
    for (int i = 0; i < R; i++) {
      int32_t four;
      __builtin_memcpy(&four, rows + (size_t)i * stride + 4 * q, 4);
      __m512i left = _mm512_set1_epi32(four);
      sum[i][0] = _mm512_dpbusd_epi32(sum[i][0], x, left);
      sum[i][1] = _mm512_dpbusd_epi32(sum[i][1], y, left);
    }
  }
#pragma unroll
  for (int i = 0; i < R; i++) {
    __m512i shift = _mm512_set1_epi32(128 * total[i]);
    _mm512_storeu_ps(out + i * panel, _mm512_cvtepi32_ps(_mm512_sub_epi32(sum[i][0], shift)));
    _mm512_storeu_ps(out + i * panel + 16, _mm512_cvtepi32_ps(_mm512_sub_epi32(sum[i][1], shift)));
  }
}

#define WEIR_ROW8(R) \
  case R: tile8(R, quads, rows, stride, b, total, out); break;
WEIR_VNNI static void tiles8(size_t count, size_t quads, const int8_t *rows, size_t stride, const uint8_t *b, const int32_t *total, float *out) {
  switch (count) {
    WEIR_ROW8(1) WEIR_ROW8(2) WEIR_ROW8(3) WEIR_ROW8(4) WEIR_ROW8(5) WEIR_ROW8(6) WEIR_ROW8(7) WEIR_ROW8(8) WEIR_ROW8(9) WEIR_ROW8(10)
    WEIR_ROW8(11) WEIR_ROW8(12)
  }
}
#endif

static int best_level(void) {
#ifdef WEIR_HAS_VNNI
  if (weir_simd_level() == 2 && __builtin_cpu_supports("avx512vnni")) return 3;
#endif
  return weir_simd_level();
}

weir_centroids *weir_centroids_pack(const float *centroids, const float *bias, size_t k, size_t d, int level) {
  weir_centroids *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  int best = best_level();
  *p = (weir_centroids){centroids, bias, k, d, (d + 3) / 4 * 4, (k + panel - 1) / panel, 1, level < best ? level : best, 0, 0, 0, 0, 0, 0};
  p->perGroup = (p->panels + most_groups - 1) / most_groups;
  size_t bytes = p->level == 3 ? p->depth : d * sizeof(float);
  p->scale = malloc(2 * p->panels * panel * sizeof(float));
  p->panels_ = aligned_alloc(64, p->panels * panel * bytes + 64 - p->panels * panel * bytes % 64);
  int8_t *codes = malloc(p->depth + 16);
  if (!p->scale || !p->panels_ || !codes) {
    free(codes);
    weir_centroids_free(p);
    return NULL;
  }
  p->padded = p->scale + p->panels * panel;
  for (size_t c = 0; c < p->panels * panel; c++) {
    int there = c < k;
    float error = 0, length = 0;
    int32_t total;
    p->scale[c] = 1;
    p->padded[c] = there ? bias[c] : -INFINITY;
    if (there) {
      float scale = encode_row(centroids + c * d, d, p->depth, codes, &error, &length, &total);
      if (p->level == 3) p->scale[c] = scale;
      p->longest = length > p->longest ? length : p->longest;
      p->error = error > p->error ? error : p->error;
      p->bulk = fabsf(bias[c]) > p->bulk ? fabsf(bias[c]) : p->bulk;
    }
    if (p->level == 3) {
      uint8_t *out = (uint8_t *)p->panels_ + c / panel * panel * p->depth + c % panel * 4;
      for (size_t j = 0; j < p->depth; j++) out[j / 4 * 4 * panel + j % 4] = there ? (uint8_t)(codes[j] + 128) : 128;
    } else {
      float *out = (float *)p->panels_ + c / panel * panel * d + c % panel;
      for (size_t j = 0; j < d; j++) out[j * panel] = there ? centroids[c * d + j] : 0;
    }
  }
  free(codes);
  return p;
}

void weir_centroids_free(weir_centroids *p) {
  if (!p) return;
  free(p->scale);
  free(p->panels_);
  free(p);
}

size_t weir_centroid_groups(const weir_centroids *p) { return p->panels ? (p->panels + p->perGroup - 1) / p->perGroup : 0; }
size_t weir_centroid_group_size(const weir_centroids *p) { return p->perGroup * panel; }

/// The search state of a row.
typedef struct {
  /// The exact score is at least `low`; a column whose value is below `least` is not a candidate.
  float low, least, margin, scale;
  uint32_t candidates, own;
} row_state;

typedef struct {
  float value;
  uint32_t column;
} candidate;

/// Collects the candidates among the 32 values of a row; raises `largest` to the largest value outside the row's own column.
WEIR_INLINE void sift(row_state *s, candidate *found, const float *values, const float *scale, const float *bias, uint32_t first,
                      float *largest) {
  v16 value[panel / 16], least = (v16){0} + s->least, most = (v16){0} - INFINITY;
  i16x hit = {0};
  for (int h = 0; h < panel / 16; h++) {
    value[h] = *(const u16 *)(values + 16 * h) * *(const u16 *)(scale + 16 * h) * s->scale + *(const u16 *)(bias + 16 * h);
    hit |= value[h] >= least;
  }
  if (largest) {
    uint32_t own = s->own - first;
    float kept[panel];
    __builtin_memcpy(kept, value, sizeof kept);
    if (own < panel) kept[own] = -INFINITY;
    for (int h = 0; h < panel / 16; h++) most = __builtin_elementwise_max(most, (v16) * (u16 *)(kept + 16 * h));
    float top = fold_max(&most);
    *largest = top > *largest ? top : *largest;
  }
  if (!__builtin_reduce_or(hit)) return;
  for (uint32_t j = 0; j < panel; j++) {
    float v = value[j / 16][j % 16];
    // Padding is never a candidate, even if a value overflowed.
    if (!(v >= s->least) || bias[j] == -INFINITY) continue;
    found[s->candidates++] = (candidate){v, first + j};
    if (v - s->margin > s->low) {
      s->low = v - s->margin;
      s->least = s->low - s->margin;
    }
  }
}

WEIR_CLONES static void sift_rows(row_state *s, const uint32_t *active, size_t count, candidate *found, size_t k, const float *values,
                                  const float *scale, const float *bias, uint32_t first, float *largest) {
  for (size_t i = 0; i < count; i++) {
    size_t r = active[i];
    sift(s + r, found + r * k, values + i * panel, scale, bias, first, largest ? largest + r : NULL);
  }
}

/// Compares the candidates of the rows exactly.
WEIR_CLONES static void settle(const weir_centroids *p, const float *const *rows, size_t count, const row_state *s, const candidate *found,
                               size_t width, uint32_t base, uint32_t *label, float *score) {
  for (size_t r = 0; r < count; r++)
    for (uint32_t i = 0; i < s[r].candidates; i++) {
      candidate c = found[r * width + i];
      if (c.value < s[r].least) continue;
      float exact = dot(rows[r], p->centroids + (size_t)c.column * p->d, p->d) + p->bias[c.column];
      if (exact > score[r]) {
        score[r] = exact;
        label[r] = base + c.column;
      }
    }
}

void weir_nearest(const weir_centroids *p, const float *x, const uint32_t *index, size_t rows, uint32_t base, uint32_t *label, float *score,
                  float *bounds, const float *drift, const float *squares, float halfSquare) {
  size_t d = p->d, depth = p->depth, groups = weir_centroid_groups(p);
  size_t width = p->panels * panel, most = block_rows;
  while (most > height8 && most * width > 196608) most = most / 2 / height8 * height8;
  if (most < height8) most = height8;
  // Scratch: the codes of the rows or the rows themselves, the rows of a tile, its values, the candidates.
  size_t rowFloats = p->level == 3 ? (depth + 31) / 4 : d, tileFloats = height8 * rowFloats;
  float *room = weir_scratch(0, most * rowFloats + tileFloats + height8 * panel + most * width * 2 + 64);
  float *gathered = room, *few = gathered + most * rowFloats, *values = few + tileFloats;
  candidate *found = (candidate *)(values + height8 * panel);
  row_state state[block_rows];
  const float *row[block_rows];
  int32_t total[block_rows], fewTotals[height8];
  uint32_t active[block_rows], old[block_rows];
  float largest[block_rows], reach[block_rows], before[block_rows], loose[block_rows];
  float slop = ((float)d * 1.1f + 40) * 0x1p-24f, biasSlop = p->bulk * 8 * 0x1p-24f;
  const weir_tiles *tiles = weir_tiles_at(p->level < 2 ? p->level : 2);
  size_t height = p->level == 3 ? height8 : tiles->height;
  for (size_t start = 0; start < rows; start += most) {
    size_t count = rows - start < most ? rows - start : most;
    for (size_t r = 0; r < count; r++) {
      size_t at = index ? index[start + r] : start + r;
      row[r] = x + at * d;
      float error = 0, length = 0;
      float scale = encode_row(row[r], d, depth, (int8_t *)(gathered + r * rowFloats), &error, &length, &total[r]);
      if (p->level != 3) {
        __builtin_memcpy(gathered + r * rowFloats, row[r], d * sizeof(float));
        scale = 1;
        error = 0;
      }
      float coded = p->level == 3 ? (length + error) * p->error + error * p->longest : 0;
      float margin = coded * 1.001f + slop * length * p->longest + biasSlop + 1e-37f, low = score[start + r];
      state[r] = (row_state){low, low - margin, margin, scale, 0, label[start + r] - base};
      old[r] = label[start + r];
      before[r] = low;
      if (bounds) {
        loose[r] = slop * length * length;
        float square = squares[start + r] + loose[r] + 2 * (halfSquare - low) + 2 * (slop * length * p->longest + biasSlop);
        reach[r] = WEIR_SQRT(square > 0 ? square : 0) * (1 + 4e-7f);
        for (size_t g = 0; g < groups; g++) bounds[(start + r) * groups + g] -= drift[g];
      }
    }
    for (size_t first = 0; first < p->panels; first += p->perGroup) {
      size_t group = first / p->perGroup, end = first + p->perGroup < p->panels ? first + p->perGroup : p->panels, n = 0;
      for (size_t r = 0; r < count; r++)
        if (!bounds || !(bounds[(start + r) * groups + group] > reach[r])) {
          active[n++] = (uint32_t)r;
          largest[r] = -INFINITY;
        }
      for (size_t at = first; at < end; at++)
        for (size_t i = 0; i < n; i += height) {
          size_t some = n - i < height ? n - i : height;
          const float *left = gathered + active[i] * rowFloats;
          const int32_t *sums = total + active[i];
          if (active[i + some - 1] - active[i] + 1 != some) {
            for (size_t z = 0; z < some; z++) {
              __builtin_memcpy(few + z * rowFloats, gathered + active[i + z] * rowFloats, rowFloats * sizeof(float));
              fewTotals[z] = total[active[i + z]];
            }
            left = few;
            sums = fewTotals;
          }
#ifdef WEIR_HAS_VNNI
          if (p->level == 3)
            tiles8(some, depth / 4, (const int8_t *)left, rowFloats * 4, (const uint8_t *)p->panels_ + at * panel * depth, sums, values);
          else
#endif
            for (size_t j = 0; j < panel; j += tiles->width)
              tiles->rows(some, d, left, rowFloats, (const float *)p->panels_ + at * panel * d + j, panel, values + j, panel, 0);
          sift_rows(state, active + i, some, found, width, values, p->scale + at * panel, p->padded + at * panel, (uint32_t)(at * panel),
                    bounds ? largest : NULL);
        }
      if (bounds)
        for (size_t i = 0; i < n; i++) {
          size_t r = active[i];
          float square = squares[start + r] - loose[r] + 2 * (halfSquare - largest[r] - state[r].margin);
          bounds[(start + r) * groups + group] = WEIR_SQRT(square > 0 ? square : 0) * (1 - 4e-7f);
        }
    }
    settle(p, row, count, state, found, width, base, label + start, score + start);
    if (bounds)
      for (size_t r = 0; r < count; r++)
        if (label[start + r] != old[r]) {
          // The previous own centroid now counts for the bound of its group.
          float square = squares[start + r] - loose[r] + 2 * (halfSquare - before[r]) - 2 * state[r].margin;
          float *bound = bounds + (start + r) * groups + (old[r] - base) / panel / p->perGroup;
          float distance = WEIR_SQRT(square > 0 ? square : 0) * (1 - 4e-7f);
          *bound = *bound < distance ? *bound : distance;
        }
  }
}
