// Encoding: pre-tokens, batch by batch, through a cache of their tokens.
//
// A batch is cut, then all its keys are made and their lines asked for, then all are looked up, then the tokens are written: loops
// without a branch that depends on the text, so that neither a miss of a branch nor one of the cache is waited for alone. A pre-token of up to
// seven bytes is one word with its length, up to three tokens are another one; four of each fill a line. What the first loop does not find, 15 in
// 100, is collected and goes through the table of longer ones in the same way; what that does not have, one by one, through a ring of what is
// longer still, to the merges.
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

enum { SHORT = 7, MIDDLE = 15, LONG = 63, LONG_WAYS = 4, BATCH = 192, TOKEN_BITS = 20 };

// Tokens are packed in three fields of 20 bits, their number above them; no tokens, no pre-token.
typedef struct short_set {
  uint64_t keys[4], values[4];
} short_set;

// Up to six tokens.
typedef struct middle_slot {
  uint64_t low, high, value, more;
} middle_slot;

// Where a longer pre-token is in the ring: its place in eights of bytes since the beginning of time, and bits of its hash.
typedef struct long_slot {
  uint32_t place, tag;
} long_slot;

// What the ring holds: the bytes are followed by the tokens, at the next multiple of four.
typedef struct entry {
  uint8_t length, count, bytes[];
} entry;

// Pre-tokens, with their keys and the sets where they may be: number i is in ends[i] ..< ends[i + 1] of the text.
typedef struct batch {
  size_t count, ends[BATCH + 1];
  uint64_t keys[BATCH], values[BATCH];
  uint32_t places[BATCH];
} batch;

struct weir_token_cache {
  short_set *sets;
  middle_slot *middles;
  long_slot *longs;
  // The ring: 64 bytes a long pre-token, used round and round; `head` is where the next one goes.
  uint8_t *ring;
  uint32_t head, ring_eights;
  int short_shift, middle_shift, long_shift;
  size_t size, mapped, misses;
  void *memory;
  // The batch at hand and the next one.
  batch batches[2];
  // Those of the batch at hand that the first table does not have, and those that need more than one word of tokens.
  uint32_t lost[BATCH], rare[BATCH];
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
  size_t shorts = sizeof(short_set) << short_bits, middles = 2 * sizeof(middle_slot) << middle_bits;
  size_t longs = LONG_WAYS * sizeof(long_slot) << long_bits, ring = LONG_WAYS * (size_t)64 << long_bits;
  if (ring < 4096) ring = 4096;
  cache->size = shorts + middles + longs + ring;
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
  cache->ring = first + shorts + middles + longs;
  cache->ring_eights = (uint32_t)(ring / 8);
  cache->head = cache->ring_eights;
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

void weir_token_cache_clear(weir_token_cache *cache) {
  memset(cache->sets, 0, cache->size);
  cache->head = cache->ring_eights;
}

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

typedef struct long_key {
  size_t set;
  uint32_t tag;
} long_key;

ALWAYS long_key long_key_of(const weir_token_cache *cache, const uint8_t *word, size_t length) {
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
  return (long_key){LONG_WAYS * (size_t)(hash >> cache->long_shift), (uint32_t)hash};
}

ALWAYS size_t entry_eights(size_t length, size_t count) { return (((2 + length + 3) & ~(size_t)3) + 4 * count + 7) / 8; }
ALWAYS uint32_t *entry_tokens(entry *e) { return (uint32_t *)((uint8_t *)e + ((2 + (size_t)e->length + 3) & ~(size_t)3)); }

// The entry of a slot; what has been written over since then is none.
ALWAYS entry *entry_at(const weir_token_cache *cache, const long_slot *slot) {
  if (slot->place == 0 || cache->head - slot->place > cache->ring_eights) return NULL;
  return (entry *)(cache->ring + 8 * (size_t)(slot->place % cache->ring_eights));
}

// MARK: what is not there

ALWAYS uint64_t pack(const uint32_t *tokens, size_t count) {
  uint64_t value = (uint64_t)count << 60;
  for (size_t i = 0; i < count; i++) value |= (uint64_t)tokens[i] << TOKEN_BITS * i;
  return value;
}

// Two lines side by side are a set of four: what is not in its own line may be in the other one.
ALWAYS middle_slot *other_line(const weir_token_cache *cache, middle_slot *set) { return cache->middles + ((size_t)(set - cache->middles) ^ 2); }

// Frees the first slot of a line: an older pre-token moves to the other line.
ALWAYS void make_room(const weir_token_cache *cache, middle_slot *set) {
  middle_slot *other = other_line(cache, set);
  if (set[1].high) other[other[0].high != 0] = set[1];
  set[1] = set[0];
}

static void put_long(weir_token_cache *cache, const uint8_t *word, size_t length, const uint32_t *tokens, size_t count) {
  size_t size = entry_eights(length, count), left = cache->ring_eights - cache->head % cache->ring_eights;
  // An entry does not go over the ring's end; after 32 GB time begins anew.
  if (size > left) cache->head += (uint32_t)left;
  if (cache->head > UINT32_MAX - 2 * cache->ring_eights) weir_token_cache_clear(cache);
  entry *e = (entry *)(cache->ring + 8 * (size_t)(cache->head % cache->ring_eights));
  long_key key = long_key_of(cache, word, length);
  long_slot *set = cache->longs + key.set;
  for (int i = LONG_WAYS - 1; i > 0; i--) set[i] = set[i - 1];
  set[0] = (long_slot){cache->head, key.tag};
  e->length = (uint8_t)length;
  e->count = (uint8_t)count;
  memcpy(e->bytes, word, length);
  memcpy(entry_tokens(e), tokens, 4 * count);
  cache->head += (uint32_t)size;
}

// Remembers the tokens of a pre-token of up to LONG bytes, in place of another one.
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
    make_room(cache, set);
    set[0] = (middle_slot){low, high, pack(tokens, count < 3 ? count : 3), count > 3 ? pack(tokens + 3, count - 3) : 0};
  } else {
    put_long(cache, word, length, tokens, count);
  }
}

// The tokens of a pre-token of up to LONG bytes that is in neither of the first tables.
__attribute__((noinline)) static size_t find_or_merge(
    weir_token_cache *cache, const weir_merges *merges, const uint8_t *word, size_t length, uint32_t *tokens) {
  long_key key = long_key_of(cache, word, length);
  for (int i = 0; i < LONG_WAYS; i++) {
    const long_slot *slot = cache->longs + key.set + i;
    entry *e = slot->tag == key.tag ? entry_at(cache, slot) : NULL;
    if (!e || e->length != length || memcmp(e->bytes, word, length) != 0) continue;
    memcpy(tokens, entry_tokens(e), 4 * (size_t)e->count);
    return e->count;
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

// A text, and its last 32 bytes with zeros behind them, so that sixteen bytes can be read from wherever a pre-token begins.
typedef struct source {
  const uint8_t *text;
  size_t size, near_start;
  uint8_t near[48];
} source;

ALWAYS const uint8_t *word_at(const source *s, size_t start) {
  return start + 16 <= s->size ? s->text + start : s->near + (start - s->near_start);
}

// Makes the keys and asks for the lines.
ALWAYS void prepare(const weir_token_cache *cache, batch *b, const source *s) {
  for (size_t i = 0; i < b->count; i++) {
    size_t start = b->ends[i];
    uint64_t key = short_key(word_at(s, start), b->ends[i + 1] - start);
    size_t place = short_place(cache, key);
    __builtin_prefetch(cache->sets + place);
    b->keys[i] = key;
    b->places[i] = (uint32_t)place;
  }
}

// Writes the tokens.
ALWAYS uint32_t *finish(weir_token_cache *cache, const weir_merges *merges, batch *b, const source *s, uint32_t *out, finder find) {
  size_t lost = 0, rare = 0, many = 0, count = b->count;
  for (size_t i = 0; i < count; i++) {
    uint64_t value;
    int found = find(cache->sets + b->places[i], b->keys[i], &value);
    b->values[i] = value;
    cache->lost[lost] = (uint32_t)i;
    lost += !found;
  }
  for (size_t j = 0; j < lost; j++) {
    size_t i = cache->lost[j], start = b->ends[i], length = b->ends[i + 1] - start;
    // What is longer has a key without a length, which nobody has.
    uint64_t low, high;
    middle_key(word_at(s, start), length <= MIDDLE ? length : 0, &low, &high);
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
    b->values[cache->lost[j]] = slot->value;
    cache->rare[rare] = (uint32_t)j;
    rare += !(first | second) | (slot->more != 0);
  }
  for (size_t k = 0; k < rare; k++) {
    size_t j = cache->rare[k], i = cache->lost[j];
    __builtin_prefetch(cache->middles + (cache->middle[j].place ^ 2));
    __builtin_prefetch(cache->longs + long_key_of(cache, s->text + b->ends[i], b->ends[i + 1] - b->ends[i]).set);
  }
  for (size_t k = 0; k < rare; k++) {
    size_t j = cache->rare[k], i = cache->lost[j], made;
    uint32_t *tokens = cache->many + many;
    uint64_t low = cache->middle[j].low, high = cache->middle[j].high;
    middle_slot *line = cache->middles + cache->middle[j].place, *set = line, *other = other_line(cache, line);
    if (set->low != low || set->high != high) set = line + 1;
    if (set->low != low || set->high != high) {
      set = other[0].low == low && other[0].high == high ? other : other + 1;
      if (set->low == low && set->high == high) {
        // It goes back to its line, in exchange.
        middle_slot found = *set;
        *set = line[1];
        line[1] = line[0];
        line[0] = found;
        set = line;
      }
    }
    if (set->low == low && set->high == high) {
      made = (set->value >> 60) + (set->more >> 60);
      for (size_t n = 0; n < 3; n++) {
        tokens[n] = set->value >> TOKEN_BITS * n & ((1 << TOKEN_BITS) - 1);
        tokens[n + 3] = set->more >> TOKEN_BITS * n & ((1 << TOKEN_BITS) - 1);
      }
    } else {
      made = find_or_merge(cache, merges, s->text + b->ends[i], b->ends[i + 1] - b->ends[i], tokens);
    }
    b->values[i] = (uint64_t)many << 8 | made;
    many += made;
  }
  for (size_t i = 0; i < count; i++) {
    uint64_t value = b->values[i];
    if (__builtin_expect(value >> 60 == 0, 0)) {
      size_t made = value & 0xFF;
      const uint32_t *tokens = cache->many + (value >> 8);
      for (size_t n = 0; n < made; n++) out[n] = tokens[n];
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

// A batch is prepared before the one at hand is finished, so that its lines have the time to come.
ALWAYS size_t encode(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done,
    finder find) {
  uint32_t *out = tokens;
  batch *here = cache->batches, *next = here + 1;
  source s = {cutter->text, cutter->count, cutter->count > 32 ? cutter->count - 32 : 0, {0}};
  memcpy(s.near, s.text + s.near_start, s.size - s.near_start);
  *start = *end = 0;
  *done = 0;
  here->count = 0;
  // Never more tokens than bytes; three are written at a time.
  size_t promised = 3;
  while (1) {
    size_t begin = cutter->at, count = weir_pretokens(cutter, next->ends + 1, BATCH), longest = 0;
    next->ends[0] = begin;
    next->count = count;
    for (size_t i = 0; i < count; i++) longest |= next->ends[i + 1] - next->ends[i];
    if (__builtin_expect(longest > LONG, 0)) {
      for (next->count = 0; next->ends[next->count + 1] - next->ends[next->count] <= LONG;) next->count++;
    }
    size_t bytes = next->ends[next->count] - begin;
    int full = promised + bytes > room;
    if (!full) prepare(cache, next, &s);
    out = finish(cache, merges, here, &s, out, find);
    if (full) {
      cutter->at = begin;
      break;
    }
    promised += bytes;
    if (count == 0) {
      *done = 1;
      break;
    }
    if (__builtin_expect(next->count < count, 0)) {
      out = finish(cache, merges, next, &s, out, find);
      *start = next->ends[next->count];
      *end = cutter->at = next->ends[next->count + 1];
      break;
    }
    batch *last = here;
    here = next;
    next = last;
  }
  return (size_t)(out - tokens);
}

static size_t encode_any(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done) {
  return encode(cache, merges, cutter, tokens, room, start, end, done, find_any);
}

#if defined(__linux__) && defined(__x86_64__)
WEIR_V3 static size_t encode_v3(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done) {
  return encode(cache, merges, cutter, tokens, room, start, end, done, find_v3);
}
#endif

size_t weir_encode(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done) {
#if defined(__linux__) && defined(__x86_64__)
  if (cutter->level > 0) return encode_v3(cache, merges, cutter, tokens, room, start, end, done);
#endif
  return encode_any(cache, merges, cutter, tokens, room, start, end, done);
}
