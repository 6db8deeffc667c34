// Word n-grams, MinHash signatures and the set arithmetic of near-duplicate search.
//
// MinHash applies the family a·h + b mod 2^64, a odd, to the 64-bit fingerprints h of the shingles: bijections that keep 64 bits and vectorize, unlike a
// prime modulus. h comes from a finalizer, so it is spread evenly already.
#include "weir_dedup.h"
#include "../shared/simd.h"
#include "word_folding.h"
#include <string.h>

// The fingerprint of the current word, computed eight bytes at a time.
typedef struct {
  uint64_t hash, block;
  size_t length;
} word;

static inline void put(word *w, uint8_t byte) {
  w->block = w->block << 8 | byte;
  if ((++w->length & 7) == 0) {
    w->hash = (w->hash ^ w->block) * 0x9FB21C651E98DF25ull;
    w->hash ^= w->hash >> 29;
    w->block = 0;
  }
}

static inline void put_scalar(word *w, uint32_t scalar) {
  for (int shift = 16; shift >= 0; shift -= 8) put(w, (uint8_t)(scalar >> shift));
}

static inline uint64_t close_word(word *w) {
  uint64_t value = finish((w->hash ^ w->block) * 0x9FB21C651E98DF25ull + w->length);
  *w = (word){0};
  return value;
}

size_t weir_word_hashes(const uint8_t *text, size_t count, uint64_t *out, size_t *starts) {
  size_t words = 0, began = 0;
  word w = {0};
#define CLOSE()                        \
  do {                                 \
    starts[words] = began;             \
    out[words++] = close_word(&w);     \
  } while (0)
  for (size_t i = 0; i < count;) {
    uint8_t byte = text[i];
    if (w.length == 0) began = i;
    if (byte < 0x80) {
      i++;
      uint8_t kind = ascii[byte];
      if (kind > ' ') {
        put(&w, kind == '0' ? byte : kind);
      } else if (kind == ' ' && w.length > 0) {
        CLOSE();
      }
      continue;
    }
    size_t width, at = i;
    uint32_t scalar = fold(weir_scalar(text + i, count - i, &width));
    i += width;
    if (scalar == DROP) continue;
    if (scalar == SPACE) {
      if (w.length > 0) CLOSE();
    } else if (stands_alone(scalar)) {
      if (w.length > 0) CLOSE();
      began = at;
      put_scalar(&w, scalar);
      CLOSE();
    } else {
      if (scalar < 0x80) put(&w, (uint8_t)scalar);
      else put_scalar(&w, scalar);
    }
  }
  if (w.length > 0) CLOSE();
#undef CLOSE
  return words;
}

// The fingerprint at i is (n·M + w[i])·M + … + w[i + n − 1] mod 2^64, finalized: a rolling hash.
// `out` may be `words`.
size_t weir_ngrams(const uint64_t *words, size_t count, size_t n, uint64_t *out) {
  const uint64_t multiplier = 0xD1342543DE82EF95ull;
  if (n == 0 || count < n) return 0;
  uint64_t power = 1, base = n, sum = 0;
  for (size_t k = 0; k < n; k++) {
    power *= multiplier;
    sum = sum * multiplier + words[k];
  }
  base *= power;
  for (size_t i = 0; i + n <= count; i++) {
    uint64_t first = words[i];
    out[i] = finish(base + sum);
    if (i + n < count) sum = sum * multiplier + words[i + n] - first * power;
  }
  return count - n + 1;
}

typedef uint64_t lanes __attribute__((vector_size(64), aligned(8)));

WEIR_CLONES
void weir_minhash(const uint64_t *hashes, size_t count, const uint64_t *multipliers, const uint64_t *offsets, size_t permutations,
                  uint64_t *signature) {
  size_t p = 0;
  // 32 permutations at a time stay in registers during a pass over the fingerprints.
  for (; p + 32 <= permutations; p += 32) {
    lanes a[4], b[4], least[4];
    memcpy(a, multipliers + p, sizeof a);
    memcpy(b, offsets + p, sizeof b);
    memset(least, 0xFF, sizeof least);
    for (size_t i = 0; i < count; i++) {
      uint64_t h = hashes[i];
      for (int k = 0; k < 4; k++) least[k] = __builtin_elementwise_min(least[k], a[k] * h + b[k]);
    }
    memcpy(signature + p, least, sizeof least);
  }
  for (; p < permutations; p += 8) {
    lanes a, b, least;
    memcpy(&a, multipliers + p, sizeof a);
    memcpy(&b, offsets + p, sizeof b);
    memset(&least, 0xFF, sizeof least);
    for (size_t i = 0; i < count; i++) least = __builtin_elementwise_min(least, a * hashes[i] + b);
    memcpy(signature + p, &least, sizeof least);
  }
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
