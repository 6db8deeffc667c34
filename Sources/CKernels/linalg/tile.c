// Register tiles for each instruction set, chosen at run time.
#include "tile.h"
#include "weir_simd.h"
#include <pthread.h>
#include <stdlib.h>

WEIR_INLINE void tile(const int R, const int V, size_t depth, const float *a, size_t ra, size_t ca, const float *b, size_t ldb, float *c,
                      size_t ldc, int add) {
  v16 sum[14][2];
#pragma unroll
  for (int i = 0; i < R; i++)
    for (int j = 0; j < V; j++) sum[i][j] = (v16){0};
  for (size_t k = 0; k < depth; k++) {
    v16 right[2];
#pragma unroll
    for (int j = 0; j < V; j++) right[j] = *(const u16 *)(b + k * ldb + 16 * j);
#pragma unroll
    for (int i = 0; i < R; i++) {
      float left = a[(size_t)i * ra + k * ca];
#pragma unroll
      for (int j = 0; j < V; j++) sum[i][j] += left * right[j];
    }
  }
#pragma unroll
  for (int i = 0; i < R; i++) {
#pragma unroll
    for (int j = 0; j < V; j++) {
      u16 *out = (u16 *)(c + (size_t)i * ldc + 16 * j);
      *out = add ? *out + sum[i][j] : sum[i][j];
    }
  }
}

#define WEIR_CASE(R, V, RA, CA)                              \
  case R:                                                    \
    tile(R, V, depth, a, RA, CA, b, ldb, c, ldc, add);       \
    break;
#define WEIR_CASES6(V, RA, CA) \
  WEIR_CASE(1, V, RA, CA) WEIR_CASE(2, V, RA, CA) WEIR_CASE(3, V, RA, CA) WEIR_CASE(4, V, RA, CA) WEIR_CASE(5, V, RA, CA) WEIR_CASE(6, V, RA, CA)
#define WEIR_CASES12(V, RA, CA)                                                                                                \
  WEIR_CASES6(V, RA, CA)                                                                                                       \
  WEIR_CASE(7, V, RA, CA) WEIR_CASE(8, V, RA, CA) WEIR_CASE(9, V, RA, CA) WEIR_CASE(10, V, RA, CA) WEIR_CASE(11, V, RA, CA)   \
  WEIR_CASE(12, V, RA, CA)
#define WEIR_TILE(NAME, ATTRIBUTE, CASES, V, RA, CA)                                                                              \
  ATTRIBUTE static void NAME(size_t count, size_t depth, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc, \
                             int add) {                                                                                           \
    switch (count) { CASES(V, RA, CA) }                                                                                           \
  }

WEIR_TILE(rows_any, , WEIR_CASES6, 1, lda, 1)
WEIR_TILE(columns_any, , WEIR_CASES6, 1, 1, lda)
WEIR_TILE(rows_v3, WEIR_V3, WEIR_CASES6, 1, lda, 1)
WEIR_TILE(columns_v3, WEIR_V3, WEIR_CASES6, 1, 1, lda)
WEIR_TILE(rows_v4, WEIR_V4, WEIR_CASES12, 2, lda, 1)
WEIR_TILE(columns_v4, WEIR_V4, WEIR_CASES12, 2, 1, lda)

const weir_tiles *weir_tiles_at(int level) {
  static const weir_tiles tiles[3] = {{6, 16, rows_any, columns_any}, {6, 16, rows_v3, columns_v3}, {12, 32, rows_v4, columns_v4}};
  int best = weir_simd_level();
  return &tiles[level < 0 ? 0 : level < best ? level : best];
}

static pthread_key_t scratch_keys[2];
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static void make_keys(void) {
  for (int i = 0; i < 2; i++) pthread_key_create(&scratch_keys[i], free);
}

float *weir_scratch(int slot, size_t floats) {
  pthread_once(&scratch_once, make_keys);
  size_t *held = pthread_getspecific(scratch_keys[slot]);
  if (held && *held >= floats) return (float *)((char *)held + 64);
  free(held);
  held = aligned_alloc(64, ((floats * sizeof(float) + 63) / 64 + 1) * 64);
  if (!held) abort();
  *held = floats;
  pthread_setspecific(scratch_keys[slot], held);
  return (float *)((char *)held + 64);
}
