// Matrix products whose operands are rounded to bfloat16 when they are packed; sums are float32 (the dot product of pairs in AVX512-BF16). The structure is
// that of gemm.c, with pairs along k in place of single numbers.
#include "weir_gemm.h"
#include "tile_bf16.h"
#ifdef WEIR_HAS_BF16

enum { depth16 = 512, columns16 = 384, panels16 = 8 };

int weir_bf16_supported(void) { return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16"); }
int weir_bf16_pays(void) { return weir_bf16_supported() && !__builtin_cpu_is("intel"); }

WEIR_TILE16(rows16, lda, 1)
WEIR_TILE16(columns_of16, 1, 16)

WEIR_BF16 void weir_gemm_bf16(int transposeA, int transposeB, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                              size_t ldb, float *c, size_t ldc, int add) {
  if (k == 0) {
    weir_gemm(transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc, add);
    return;
  }
  size_t blocks = (k + depth16 - 1) / depth16, depth = ((k + blocks - 1) / blocks + 1) / 2 * 2;
  uint32_t *left = (uint32_t *)weir_scratch(0, 16 * panels16 * depth16 / 2 + depth16 / 2 * columns16 + height16 * width16);
  uint32_t *right = left + 16 * panels16 * depth16 / 2;
  float *edge = (float *)(right + depth16 / 2 * columns16);
  for (size_t first = 0; first < k; first += depth) {
    size_t deep = k - first < depth ? k - first : depth, pairs = (deep + 1) / 2;
    int sum = add || first > 0;
    for (size_t begin = 0; begin < n; begin += columns16) {
      size_t end = begin + columns16 < n ? begin + columns16 : n;
      for (size_t j = begin; j < end; j += width16) {
        uint32_t *panel = right + (j - begin) * pairs;
        if (transposeB) {
          for (size_t i = 0; i < width16; i += 16)
            for (size_t q = 0; q < deep; q += 32)
              weir_pack_across(b + (j + i) * ldb + first + q, ldb, end > j + i ? end - j - i : 0, deep - q < 32 ? deep - q : 32,
                          panel + q / 2 * width16 + i, width16);
        } else {
          weir_pack_along(b + first * ldb + j, ldb, deep, end - j, width16 / 16, panel, width16);
        }
      }
      for (size_t i = 0; i < m; i += height16) {
        size_t count = m - i < height16 ? m - i : height16;
        const uint32_t *rows = left;
        if (transposeA) {
          if (i / height16 % panels16 == 0)
            // Pair by pair, because panels share cache lines.
            for (size_t q = 0; q < deep; q += 2) {
              for (size_t ahead = 8; ahead < 10 && q + ahead < deep; ahead++)
                for (size_t z = 0; z < panels16 * height16 && i + z < m; z += 16) __builtin_prefetch(a + (first + q + ahead) * lda + i + z);
              for (size_t p = 0; p < panels16 && i + p * height16 < m; p++)
                weir_pack_along(a + (first + q) * lda + i + p * height16, lda, deep - q < 2 ? 1 : 2, m - i - p * height16, 1,
                           left + (p * pairs + q / 2) * 16, 16);
            }
          rows = left + i / height16 % panels16 * pairs * 16;
        } else {
          for (size_t z = 0; z < count; z++) weir_bfloat16_row(a + (i + z) * lda + first, deep, left + z * pairs);
        }
        for (size_t j = begin; j < end; j += width16) {
          const uint32_t *panel = right + (j - begin) * pairs;
          float *out = c + i * ldc + j;
          size_t columns = end - j < width16 ? end - j : width16;
          int whole = columns == width16;
          (transposeA ? columns_of16 : rows16)(count, pairs, rows, pairs, panel, whole ? out : edge, whole ? ldc : width16, whole && sum);
          if (!whole)
            for (size_t z = 0; z < count; z++)
              for (size_t q = 0; q < columns; q++) out[z * ldc + q] = (sum ? out[z * ldc + q] : 0) + edge[z * width16 + q];
        }
      }
    }
  }
}
#else
int weir_bf16_supported(void) { return 0; }
int weir_bf16_pays(void) { return 0; }
void weir_gemm_bf16(int transposeA, int transposeB, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                    float *c, size_t ldc, int add) {
  weir_gemm(transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc, add);
}
#endif
