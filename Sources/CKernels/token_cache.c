// Encoding: pre-tokens, batch by batch, through a cache of their tokens.
//
// A batch is cut, then all its keys are made and their lines asked for, then all are looked up, then the tokens are written: loops
// without a branch that depends on the text, so that neither a miss of a branch nor one of the cache is waited for alone. A pre-token of up to
// seven bytes is one word with its length, up to three tokens are another one; four of each fill a line. What the first loop does not find, 15 in
// 100, is collected and goes through the table of longer ones in the same way; what that does not have, one by one.
#include "merges.h"
#include "tile.h"
#include "weir_gemm.h"
#include <stdlib.h>
#include <string.h>
#if defined(__linux__) || defined(__APPLE__)
#include <sys/mman.h>
#endif
#if defined(__linux__) && defined(__x86_64__)
#include <immintrin.h>
#endif

#define ALWAYS static inline __attribute__((always_inline))
#define FIRST_PRIME 0xD6E8FEB86659FD93u
#define SECOND_PRIME 0x9E3779B97F4A7C15u

enum { SHORT = 7, MIDDLE = 15, LONG = 63, LONG_TOKENS = 16, BATCH = 192, TOKEN_BITS = 20 };

// Tokens are packed in three fields of 20 bits, their number above them; no tokens, no pre-token.
typedef struct short_set {
  uint64_t keys[4], values[4];
} short_set;

// Up to six tokens.
typedef struct middle_slot {
  uint64_t low, high, value, more;
} middle_slot;

typedef struct long_slot {
  uint8_t length, bytes[LONG];
  uint32_t tokens[LONG_TOKENS];
} long_slot;

struct weir_token_cache {
  short_set *sets;
  middle_slot *middles;
  long_slot *longs;
  int short_shift, middle_shift, long_shift;
  size_t size, mapped, misses;
  void *memory;
  // A batch: ends and keys of pre-tokens, the sets where they may be, and the numbers of those that are elsewhere.
  size_t ends[BATCH + 1];
  uint64_t keys[BATCH], values[BATCH];
  uint32_t places[BATCH], lost[BATCH], rare[BATCH];
  struct {
    uint64_t low, high;
    size_t place;
  } middle[BATCH];
  // Tokens of those that have more than three.
  uint32_t many[BATCH * (LONG + 1)];
};

// MARK: memory

enum { LARGE_PAGE = 1 << 21 };

weir_token_cache *weir_token_cache_create(int short_bits, int middle_bits, int long_bits) {
  weir_token_cache *cache = calloc(1, sizeof *cache);
  if (!cache) return NULL;
  if (short_bits < 1) short_bits = 1;
  if (middle_bits < 1) middle_bits = 1;
  if (long_bits < 1) long_bits = 1;
  size_t shorts = sizeof(short_set) << short_bits, middles = 2 * sizeof(middle_slot) << middle_bits, longs = sizeof(long_slot) << long_bits;
  cache->size = shorts + middles + longs;
#if defined(__linux__) || defined(__APPLE__)
  // Fresh memory is zero already, and large pages spare most of the look-ups of addresses.
  if (cache->size >= LARGE_PAGE) {
    cache->mapped = (cache->size + 2 * LARGE_PAGE - 1) & ~(size_t)(LARGE_PAGE - 1);
    cache->memory = mmap(NULL, cache->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (cache->memory == MAP_FAILED) cache->memory = NULL;
#if defined(__linux__)
    if (cache->memory) madvise(cache->memory, cache->mapped, MADV_HUGEPAGE);
#endif
  }
#endif
  uint8_t *first = cache->memory;
  if (first) {
    first = (uint8_t *)(((uintptr_t)first + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1));
  } else {
    cache->mapped = 0;
    cache->memory = first = aligned_alloc(64, cache->size);
    if (!first) {
      free(cache);
      return NULL;
    }
    memset(first, 0, cache->size);
  }
  cache->sets = (short_set *)first;
  cache->middles = (middle_slot *)(first + shorts);
  cache->longs = (long_slot *)(first + shorts + middles);
  cache->short_shift = 64 - short_bits;
  cache->middle_shift = 64 - middle_bits;
  cache->long_shift = 64 - long_bits;
  return cache;
}

void weir_token_cache_destroy(weir_token_cache *cache) {
  if (!cache) return;
#if defined(__linux__) || defined(__APPLE__)
  if (cache->mapped) munmap(cache->memory, cache->mapped);
#endif
  if (!cache->mapped) free(cache->memory);
  free(cache);
}

void weir_token_cache_clear(weir_token_cache *cache) { memset(cache->sets, 0, cache->size); }

size_t weir_token_cache_misses(const weir_token_cache *cache) { return cache->misses; }

// MARK: keys

// Bytes 0 ..< length of each word.
static const uint64_t low_masks[16] = {
    0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull,
    ~0ull, ~0ull};
static const uint64_t high_masks[16] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF};

// The bytes of a pre-token with its length above them: two different ones never look the same. What is longer than seven bytes gets a key that
// nobody has. Reads eight bytes.
ALWAYS uint64_t short_key(const uint8_t *word, size_t length) {
  uint64_t key;
  memcpy(&key, word, 8);
  length = length < SHORT + 1 ? length : SHORT + 1;
  return (key & low_masks[length] & low_masks[SHORT]) | (uint64_t)length << 56;
}

ALWAYS size_t short_place(const weir_token_cache *cache, uint64_t key) { return (size_t)(key * SECOND_PRIME >> cache->short_shift); }

// Reads sixteen bytes.
ALWAYS void middle_key(const uint8_t *word, size_t length, uint64_t *low, uint64_t *high) {
  memcpy(low, word, 8);
  memcpy(high, word + 8, 8);
  *low &= low_masks[length];
  *high = (*high & high_masks[length]) | (uint64_t)length << 56;
}

ALWAYS size_t middle_place(const weir_token_cache *cache, uint64_t low, uint64_t high) {
  uint64_t hash = (low ^ high * FIRST_PRIME) * SECOND_PRIME;
  hash = (hash ^ hash >> 32) * FIRST_PRIME;
  return 2 * (size_t)(hash >> cache->middle_shift);
}

static long_slot *long_place(const weir_token_cache *cache, const uint8_t *word, size_t length) {
  uint64_t hash = SECOND_PRIME ^ length, tail = 0;
  size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    uint64_t eight;
    memcpy(&eight, word + i, 8);
    hash = (hash ^ eight) * FIRST_PRIME;
    hash ^= hash >> 32;
  }
  memcpy(&tail, word + i, length - i);
  hash = (hash ^ tail) * FIRST_PRIME;
  hash = (hash ^ hash >> 32) * SECOND_PRIME;
  return cache->longs + (hash >> cache->long_shift);
}

// MARK: what is not there

ALWAYS uint64_t pack(const uint32_t *tokens, size_t count) {
  uint64_t value = (uint64_t)count << 60;
  for (size_t i = 0; i < count; i++) value |= (uint64_t)tokens[i] << TOKEN_BITS * i;
  return value;
}

// Remembers the tokens of a pre-token of up to LONG bytes, in place of another one, unless they are too many.
static void put(weir_token_cache *cache, const uint8_t *word, size_t length, const uint32_t *tokens, size_t count) {
  uint32_t bits = 0;
  for (size_t i = 0; i < count; i++) bits |= tokens[i];
  int packs = bits >> TOKEN_BITS == 0;
  if (length <= SHORT && count <= 3 && packs) {
    uint8_t bytes[8] = {0};
    memcpy(bytes, word, length);
    uint64_t key = short_key(bytes, length);
    short_set *set = cache->sets + short_place(cache, key);
    // It may have come twice in one batch.
    if (set->keys[0] == key) return;
    for (int i = 3; i > 0; i--) {
      set->keys[i] = set->keys[i - 1];
      set->values[i] = set->values[i - 1];
    }
    set->keys[0] = key;
    set->values[0] = pack(tokens, count);
  } else if (length <= MIDDLE && count <= 6 && packs) {
    uint8_t bytes[16] = {0};
    uint64_t low, high;
    memcpy(bytes, word, length);
    middle_key(bytes, length, &low, &high);
    middle_slot *set = cache->middles + middle_place(cache, low, high);
    if (set[0].low == low && set[0].high == high) return;
    set[1] = set[0];
    set[0] = (middle_slot){low, high, pack(tokens, count < 3 ? count : 3), count > 3 ? pack(tokens + 3, count - 3) : 0};
  } else if (count <= LONG_TOKENS) {
    long_slot *slot = long_place(cache, word, length);
    slot->length = (uint8_t)length;
    memcpy(slot->bytes, word, length);
    memcpy(slot->tokens, tokens, 4 * count);
    slot->tokens[0] |= (uint32_t)count << 24;
  }
}

// The tokens of a pre-token of up to LONG bytes that is in neither of the first tables.
__attribute__((noinline)) static size_t find_or_merge(
    weir_token_cache *cache, const weir_merges *merges, const uint8_t *word, size_t length, uint32_t *tokens) {
  const long_slot *slot = long_place(cache, word, length);
  if (slot->length == length && memcmp(slot->bytes, word, length) == 0) {
    size_t count = slot->tokens[0] >> 24;
    memcpy(tokens, slot->tokens, 4 * count);
    tokens[0] &= 0xFFFFFF;
    return count;
  }
  cache->misses++;
  size_t count = 1;
  tokens[0] = weir_merges_find(merges, word, length);
  if (tokens[0] == UINT32_MAX) count = weir_merge_short(merges, word, length, tokens);
  put(cache, word, length, tokens, count);
  return count;
}

// MARK: a batch

ALWAYS int find_any(const short_set *set, uint64_t key, uint64_t *value) {
  size_t b = set->keys[1] == key, c = set->keys[2] == key, d = set->keys[3] == key;
  *value = set->values[b + 2 * c + 3 * d];
  return (int)((set->keys[0] == key) | b | c | d);
}

#if defined(__linux__) && defined(__x86_64__)
WEIR_V3 ALWAYS int find_v3(const short_set *set, uint64_t key, uint64_t *value) {
  __m256i same = _mm256_cmpeq_epi64(_mm256_load_si256((const __m256i *)set->keys), _mm256_set1_epi64x((long long)key));
  uint32_t bits = (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(same));
  *value = set->values[__builtin_ctz(bits | 8)];
  return bits != 0;
}
#endif

typedef int (*finder)(const short_set *set, uint64_t key, uint64_t *value);

// The tokens of the pre-tokens that end at ends[1 ... count] of a text, the first one begins at ends[0]. `near`: the last 32 bytes of the text, from
// `near_start` on, and zeros.
ALWAYS uint32_t *encode_batch(
    weir_token_cache *cache, const weir_merges *merges, const uint8_t *text, size_t size, const uint8_t *near, size_t near_start, size_t count,
    uint32_t *out, finder find) {
  size_t lost = 0, rare = 0, many = 0;
  for (size_t i = 0; i < count; i++) {
    size_t start = cache->ends[i];
    const uint8_t *word = start + 16 <= size ? text + start : near + (start - near_start);
    uint64_t key = short_key(word, cache->ends[i + 1] - start);
    size_t place = short_place(cache, key);
    __builtin_prefetch(cache->sets + place);
    cache->keys[i] = key;
    cache->places[i] = (uint32_t)place;
  }
  for (size_t i = 0; i < count; i++) {
    uint64_t value;
    int found = find(cache->sets + cache->places[i], cache->keys[i], &value);
    cache->values[i] = value;
    cache->lost[lost] = (uint32_t)i;
    lost += !found;
  }
  for (size_t j = 0; j < lost; j++) {
    size_t i = cache->lost[j], start = cache->ends[i], length = cache->ends[i + 1] - start;
    const uint8_t *word = start + 16 <= size ? text + start : near + (start - near_start);
    // What is longer has a key without a length, which nobody has.
    uint64_t low, high;
    middle_key(word, length <= MIDDLE ? length : 0, &low, &high);
    low |= (uint64_t)(length > MIDDLE);
    size_t place = middle_place(cache, low, high);
    __builtin_prefetch(cache->middles + place);
    cache->middle[j].low = low;
    cache->middle[j].high = high;
    cache->middle[j].place = place;
  }
  for (size_t j = 0; j < lost; j++) {
    uint64_t low = cache->middle[j].low, high = cache->middle[j].high;
    const middle_slot *set = cache->middles + cache->middle[j].place;
    int first = (set[0].low == low) & (set[0].high == high), second = (set[1].low == low) & (set[1].high == high);
    const middle_slot *slot = set + second;
    cache->values[cache->lost[j]] = slot->value;
    cache->rare[rare] = (uint32_t)j;
    rare += !(first | second) | (slot->more != 0);
  }
  for (size_t k = 0; k < rare; k++) {
    size_t j = cache->rare[k], i = cache->lost[j], made;
    uint32_t *tokens = cache->many + many;
    const middle_slot *set = cache->middles + cache->middle[j].place;
    if (set[0].low != cache->middle[j].low || set[0].high != cache->middle[j].high) set++;
    if (set->low == cache->middle[j].low && set->high == cache->middle[j].high) {
      made = (set->value >> 60) + (set->more >> 60);
      for (size_t n = 0; n < 3; n++) {
        tokens[n] = set->value >> TOKEN_BITS * n & ((1 << TOKEN_BITS) - 1);
        tokens[n + 3] = set->more >> TOKEN_BITS * n & ((1 << TOKEN_BITS) - 1);
      }
    } else {
      made = find_or_merge(cache, merges, text + cache->ends[i], cache->ends[i + 1] - cache->ends[i], tokens);
    }
    cache->values[i] = (uint64_t)many << 8 | made;
    many += made;
  }
  for (size_t i = 0; i < count; i++) {
    uint64_t value = cache->values[i];
    if (__builtin_expect(value >> 60 == 0, 0)) {
      size_t made = value & 0xFF;
      memcpy(out, cache->many + (value >> 8), 4 * made);
      out += made;
    } else {
      out[0] = value & ((1 << TOKEN_BITS) - 1);
      out[1] = value >> TOKEN_BITS & ((1 << TOKEN_BITS) - 1);
      out[2] = value >> 2 * TOKEN_BITS & ((1 << TOKEN_BITS) - 1);
      out += value >> 60;
    }
  }
  return out;
}

#define WEIR_BATCH(NAME, ATTRIBUTE, FIND)                                                                                                  \
  ATTRIBUTE static uint32_t *NAME(                                                                                                          \
      weir_token_cache *cache, const weir_merges *merges, const uint8_t *text, size_t size, const uint8_t *near, size_t near_start,         \
      size_t count, uint32_t *out) {                                                                                                        \
    return encode_batch(cache, merges, text, size, near, near_start, count, out, FIND);                                                     \
  }

WEIR_BATCH(batch_any, , find_any)
#if defined(__linux__) && defined(__x86_64__)
WEIR_BATCH(batch_v3, WEIR_V3, find_v3)
#endif

size_t weir_encode(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done) {
  const uint8_t *text = cutter->text;
  size_t size = cutter->count, near_start = size > 32 ? size - 32 : 0;
  uint8_t near[48] = {0};
  uint32_t *out = tokens;
  memcpy(near, text + near_start, size - near_start);
  *start = *end = 0;
  *done = 0;
  while (1) {
    size_t begin = cutter->at, count = weir_pretokens(cutter, cache->ends + 1, BATCH), cut = count, longest = 0;
    if (count == 0) {
      *done = 1;
      break;
    }
    cache->ends[0] = begin;
    for (size_t i = 0; i < count; i++) longest |= cache->ends[i + 1] - cache->ends[i];
    if (__builtin_expect(longest > LONG, 0)) {
      for (cut = 0; cut < count && cache->ends[cut + 1] - cache->ends[cut] <= LONG;) cut++;
    }
    // Never more tokens than bytes; three are written at a time.
    if (cache->ends[cut] - begin + 3 > room - (size_t)(out - tokens)) {
      cutter->at = begin;
      break;
    }
#if defined(__linux__) && defined(__x86_64__)
    if (cutter->level > 0) {
      out = batch_v3(cache, merges, text, size, near, near_start, cut, out);
    } else {
      out = batch_any(cache, merges, text, size, near, near_start, cut, out);
    }
#else
    out = batch_any(cache, merges, text, size, near, near_start, cut, out);
#endif
    if (cut < count) {
      *start = cache->ends[cut];
      *end = cutter->at = cache->ends[cut + 1];
      break;
    }
  }
  return (size_t)(out - tokens);
}
