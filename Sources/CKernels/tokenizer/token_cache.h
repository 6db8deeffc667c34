#pragma once
// The cache from pre-tokens to tokens as the encoder uses it, private to this target: three tables by length, and their keys.
#include "bpe_merges.h"
#include "pretokens.h"

#define FIRST_PRIME 0xD6E8FEB86659FD93u
#define SECOND_PRIME 0x9E3779B97F4A7C15u

enum { SHORT = 7, MIDDLE = 15, LONG = 63, LONG_WAYS = 4, BATCH = 192, TOKEN_BITS = 20 };

// Tokens are packed in three fields of 20 bits with their number above; a number of 0 marks an empty slot.
typedef struct short_set {
  uint64_t keys[4], values[4];
} short_set;

// Up to six tokens.
typedef struct middle_slot {
  uint64_t low, high, value, more;
} middle_slot;

// Where a longer pre-token is in the ring: its position in units of 8 bytes since the ring was last cleared, and bits of its hash.
typedef struct long_slot {
  uint32_t place, tag;
} long_slot;

// An entry of the ring: the bytes, then the tokens at the next multiple of four.
typedef struct entry {
  uint8_t length, count, bytes[];
} entry;

typedef struct long_key {
  size_t set;
  uint32_t tag;
} long_key;

// Pre-tokens with their keys and sets: number i is ends[i] ..< ends[i + 1] of the text. `longest` is the bitwise or of the lengths.
typedef struct batch {
  size_t count, longest, ends[BATCH + 1];
  uint64_t keys[BATCH], values[BATCH];
  uint32_t places[BATCH];
  // Pre-tokens that are not in the first table, and their keys and places in the second.
  size_t losts;
  uint32_t lost[BATCH];
  struct {
    uint64_t low, high;
    size_t place;
  } middle[BATCH];
} batch;

struct weir_token_cache {
  short_set *sets;
  middle_slot *middles;
  long_slot *longs;
  // The ring: 64 bytes per long pre-token; `head` is where the next entry goes.
  uint8_t *ring;
  uint32_t head, ring_eights;
  int short_shift, middle_shift, long_shift;
  size_t size, misses;
  // Whether the memory is of weir_map_zeros, not of aligned_alloc.
  int mapped;
  void *memory;
  // The batches being cut, looked up in the first table, and finished.
  batch batches[3];
  // In the batch being finished: pre-tokens that are not in their line of the second table; those that are in neither line, and where they may be in the
  // ring.
  uint32_t rare[BATCH], far[BATCH], places[BATCH];
  long_key keys[BATCH];
  // Tokens of pre-tokens that have more than three.
  uint32_t many[BATCH * (LONG + 1) + 6];
};

// MARK: keys

// Masks of the first `length` bytes, in the low and the high word.
static const uint64_t low_masks[16] = {
    0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull,
    ~0ull, ~0ull};
static const uint64_t high_masks[16] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF};

// The bytes of a pre-token with its length above them, so keys are unique. A pre-token of more than seven bytes gets a key that never occurs. Reads eight
// bytes.
WEIR_INLINE uint64_t short_key(const uint8_t *word, size_t length) {
  uint64_t key;
  memcpy(&key, word, 8);
  length = length < SHORT + 1 ? length : SHORT + 1;
  return (key & low_masks[length] & low_masks[SHORT]) | (uint64_t)length << 56;
}

WEIR_INLINE size_t short_place(const weir_token_cache *cache, uint64_t key) { return (size_t)(key * SECOND_PRIME >> cache->short_shift); }

// Reads sixteen bytes.
WEIR_INLINE void middle_key(const uint8_t *word, size_t length, uint64_t *low, uint64_t *high) {
  memcpy(low, word, 8);
  memcpy(high, word + 8, 8);
  *low &= low_masks[length];
  *high = (*high & high_masks[length]) | (uint64_t)length << 56;
}

WEIR_INLINE size_t middle_place(const weir_token_cache *cache, uint64_t low, uint64_t high) {
  uint64_t hash = (low ^ high * FIRST_PRIME) * SECOND_PRIME;
  hash = (hash ^ hash >> 32) * FIRST_PRIME;
  return 2 * (size_t)(hash >> cache->middle_shift);
}

WEIR_INLINE long_key long_key_of(const weir_token_cache *cache, const uint8_t *word, size_t length) {
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

WEIR_INLINE size_t entry_eights(size_t length, size_t count) { return (((2 + length + 3) & ~(size_t)3) + 4 * count + 7) / 8; }
WEIR_INLINE uint32_t *entry_tokens(entry *e) { return (uint32_t *)((uint8_t *)e + ((2 + (size_t)e->length + 3) & ~(size_t)3)); }

// The ring entry at a position; the ring size is a power of two.
WEIR_INLINE entry *ring_at(const weir_token_cache *cache, uint32_t place) {
  return (entry *)(cache->ring + 8 * (size_t)(place & (cache->ring_eights - 1)));
}

// The entry at a position, or NULL if it has been overwritten.
WEIR_INLINE entry *entry_at(const weir_token_cache *cache, uint32_t place) {
  return place == 0 || cache->head - place > cache->ring_eights ? NULL : ring_at(cache, place);
}

WEIR_INLINE int is_entry(const entry *e, const uint8_t *word, size_t length) {
  return e && e->length == length && memcmp(e->bytes, word, length) == 0;
}

// Two adjacent lines form a set of four: an entry that is not in its own line may be in the other.
WEIR_INLINE middle_slot *other_line(const weir_token_cache *cache, middle_slot *set) { return cache->middles + ((size_t)(set - cache->middles) ^ 2); }

// The tokens of a pre-token of up to LONG bytes that is in neither of the first two tables; adds it to the cache. Returns their number.
size_t weir_find_or_merge(weir_token_cache *cache, const weir_merges *merges, const uint8_t *word, size_t length, uint32_t *tokens);
