// MinHash signatures and the set arithmetic of near-duplicate search.
//
// MinHash applies the family a·h + b mod 2^52, a odd, to fingerprints h of the shingles: bijections of 52 bits, for which processors with AVX512-IFMA have an
// instruction. Others compute them in the upper 52 bits of 64. h comes from a finalizer, so it is spread evenly already.
#include "weir_dedup.h"
#include "../shared/simd.h"
#include "wide.h"
#include <string.h>

typedef uint64_t lanes __attribute__((vector_size(64), aligned(8)));
typedef int64_t signed_lanes __attribute__((vector_size(64), aligned(8)));

enum { UPPER = 12 };  // 52 bits are shifted by this

// `vectors` times 8 permutations. With the sign inverted, signed values order as unsigned ones do; AVX2 compares only signed ones.
WEIR_INLINE void minhash_part(
  const uint64_t *hashes, size_t count, const uint64_t *multipliers, const uint64_t *offsets, int vectors, uint64_t *signature) {
  const uint64_t sign = 1ull << 63;
  lanes a[4], b[4];
  signed_lanes least[4];
  for (int k = 0; k < vectors; k++) {
    memcpy(&a[k], multipliers + 8 * k, sizeof *a);
    memcpy(&b[k], offsets + 8 * k, sizeof *b);
    b[k] = b[k] << UPPER ^ sign;
    least[k] = (signed_lanes)(~sign - (lanes){0});
  }
  for (size_t i = 0; i < count; i++) {
    uint64_t h = hashes[i] << UPPER;
    for (int k = 0; k < vectors; k++) least[k] = __builtin_elementwise_min(least[k], (signed_lanes)(a[k] * h + b[k]));
  }
  for (int k = 0; k < vectors; k++) {
    lanes result = (lanes)least[k] ^ sign;
    memcpy(signature + 8 * k, &result, sizeof result);
  }
}

WEIR_CLONES
static void minhash(const uint64_t *hashes, size_t count, const uint64_t *multipliers, const uint64_t *offsets, size_t permutations, uint64_t *signature) {
  size_t p = 0;
  // 32 permutations at a time stay in registers during a pass over the fingerprints.
  for (; p + 32 <= permutations; p += 32) minhash_part(hashes, count, multipliers + p, offsets + p, 4, signature + p);
  for (; p < permutations; p += 8) minhash_part(hashes, count, multipliers + p, offsets + p, 1, signature + p);
}

#ifdef WEIR_WIDE
#define WEIR_IFMA __attribute__((target("arch=x86-64-v4,avx512ifma"), min_vector_width(512)))

// `vectors` times 8 permutations. A sum that begins with b − 2^52 has the value mod 2^52 in its lower 52 bits, and those with a carry, whose upper bits are
// zeros, come before the others, as they do among the values: the minimum needs no mask.
WEIR_IFMA static inline __attribute__((always_inline)) void minhash_ifma_part(
  const uint64_t *hashes, size_t count, const uint64_t *multipliers, const uint64_t *offsets, int vectors, uint64_t *signature) {
  const __m512i upper = _mm512_set1_epi64((long long)(~0ull << 52));
  __m512i a[7], b[7], least[7];
  for (int k = 0; k < vectors; k++) {
    a[k] = _mm512_loadu_si512(multipliers + 8 * k);
    b[k] = _mm512_or_si512(upper, _mm512_loadu_si512(offsets + 8 * k));
    least[k] = _mm512_set1_epi64(-1);
  }
  for (size_t i = 0; i < count; i++) {
    __m512i h = _mm512_set1_epi64((long long)hashes[i]);
    for (int k = 0; k < vectors; k++) least[k] = _mm512_min_epu64(least[k], _mm512_madd52lo_epu64(b[k], a[k], h));
  }
  for (int k = 0; k < vectors; k++) _mm512_storeu_si512(signature + 8 * k, _mm512_slli_epi64(least[k], UPPER));
}

WEIR_IFMA static void minhash_ifma(const uint64_t *hashes, size_t count, const uint64_t *multipliers, const uint64_t *offsets, size_t permutations,
                                   uint64_t *signature) {
  size_t p = 0;
  for (; p + 56 <= permutations; p += 56) minhash_ifma_part(hashes, count, multipliers + p, offsets + p, 7, signature + p);
  for (; p + 32 <= permutations; p += 32) minhash_ifma_part(hashes, count, multipliers + p, offsets + p, 4, signature + p);
  for (; p < permutations; p += 8) minhash_ifma_part(hashes, count, multipliers + p, offsets + p, 1, signature + p);
}
#endif

void weir_minhash(const uint64_t *hashes, size_t count, const uint64_t *multipliers, const uint64_t *offsets, size_t permutations,
                  uint64_t *signature) {
#ifdef WEIR_WIDE
  if (count > 0 && wide() && __builtin_cpu_supports("avx512ifma")) {
    minhash_ifma(hashes, count, multipliers, offsets, permutations, signature);
    return;
  }
#endif
  minhash(hashes, count, multipliers, offsets, permutations, signature);
}

size_t weir_sort_unique(uint32_t *keys, size_t count, uint32_t *scratch) {
  if (count == 0) return 0;
  // One scatter by the top bits leaves about two keys per bucket; insertion sort does the rest.
  int bits = 0;
  while (bits < 20 && ((size_t)2 << bits) < count) bits++;
  if (bits > 2) {
    uint32_t *starts = scratch + count;
    size_t buckets = (size_t)1 << bits;
    int shift = 32 - bits;
    memset(starts, 0, (buckets + 1) * sizeof *starts);
    for (size_t i = 0; i < count; i++) starts[(keys[i] >> shift) + 1]++;
    for (size_t i = 1; i <= buckets; i++) starts[i] += starts[i - 1];
    for (size_t i = 0; i < count; i++) scratch[starts[keys[i] >> shift]++] = keys[i];
    memcpy(keys, scratch, count * sizeof *keys);
  }
  for (size_t i = 1; i < count; i++) {
    uint32_t key = keys[i];
    size_t j = i;
    while (j > 0 && keys[j - 1] > key) {
      keys[j] = keys[j - 1];
      j--;
    }
    keys[j] = key;
  }
  size_t kept = 1;
  for (size_t i = 1; i < count; i++)
    if (keys[i] != keys[kept - 1]) keys[kept++] = keys[i];
  return kept;
}

size_t weir_intersection(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count) {
  size_t i = 0, j = 0, shared = 0;
  while (i < a_count && j < b_count) {
    uint32_t x = a[i], y = b[j];
    shared += x == y;
    i += x <= y;
    j += y <= x;
  }
  return shared;
}

void weir_sort_pairs(uint64_t *keys, uint32_t *values, size_t count, uint64_t *key_scratch, uint32_t *value_scratch) {
  uint64_t *from = keys, *to = key_scratch;
  uint32_t *values_from = values, *values_to = value_scratch;
  for (int shift = 0; shift < 64; shift += 8) {
    size_t starts[257] = {0};
    for (size_t i = 0; i < count; i++) starts[(from[i] >> shift & 0xFF) + 1]++;
    int trivial = 0;
    for (int i = 1; i <= 256; i++) {
      trivial |= starts[i] == count;
      starts[i] += starts[i - 1];
    }
    if (trivial) continue;
    for (size_t i = 0; i < count; i++) {
      size_t place = starts[from[i] >> shift & 0xFF]++;
      to[place] = from[i];
      values_to[place] = values_from[i];
    }
    uint64_t *k = from;
    from = to;
    to = k;
    uint32_t *v = values_from;
    values_from = values_to;
    values_to = v;
  }
  if (from != keys) {
    memcpy(keys, from, count * sizeof *keys);
    memcpy(values, values_from, count * sizeof *values);
  }
}
