// The memory of the cache, and insertion.
#include "token_cache.h"
#include "weir_pages.h"
#include <stdlib.h>

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
  // Fresh pages are zero already, and large ones spare most of the address translations.
  cache->mapped = cache->size >= LARGE_PAGE;
  cache->memory = cache->mapped ? weir_map_zeros(cache->size) : NULL;
  if (!cache->memory) {
    cache->mapped = 0;
    cache->memory = aligned_alloc(64, cache->size);
    if (!cache->memory) {
      free(cache);
      return NULL;
    }
    memset(cache->memory, 0, cache->size);
  }
  uint8_t *first = cache->memory;
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
  if (cache->mapped) weir_unmap(cache->memory, cache->size);
  else free(cache->memory);
  free(cache);
}

void weir_token_cache_clear(weir_token_cache *cache) {
  memset(cache->sets, 0, cache->size);
  cache->head = cache->ring_eights;
}

size_t weir_token_cache_misses(const weir_token_cache *cache) { return cache->misses; }

// MARK: insertion

WEIR_INLINE uint64_t pack(const uint32_t *tokens, size_t count) {
  uint64_t value = (uint64_t)count << 60;
  for (size_t i = 0; i < count; i++) value |= (uint64_t)tokens[i] << TOKEN_BITS * i;
  return value;
}

// Frees the first slot of a line; an older entry moves to the other line.
WEIR_INLINE void make_room(const weir_token_cache *cache, middle_slot *set) {
  middle_slot *other = other_line(cache, set);
  if (set[1].high) other[other[0].high != 0] = set[1];
  set[1] = set[0];
}

static void put_long(weir_token_cache *cache, const uint8_t *word, size_t length, const uint32_t *tokens, size_t count) {
  size_t size = entry_eights(length, count), left = cache->ring_eights - (cache->head & (cache->ring_eights - 1));
  // An entry does not wrap around the end of the ring. Positions have 32 bits, so the cache is cleared after 32 GB.
  if (size > left) cache->head += (uint32_t)left;
  if (cache->head > UINT32_MAX - 2 * cache->ring_eights) weir_token_cache_clear(cache);
  entry *e = ring_at(cache, cache->head);
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

// Caches the tokens of a pre-token of up to LONG bytes, replacing another entry.
static void put(weir_token_cache *cache, const uint8_t *word, size_t length, const uint32_t *tokens, size_t count) {
  uint32_t bits = 0;
  for (size_t i = 0; i < count; i++) bits |= tokens[i];
  int packs = bits >> TOKEN_BITS == 0;
  if (length <= SHORT && count <= 3 && packs) {
    uint8_t bytes[8] = {0};
    memcpy(bytes, word, length);
    uint64_t key = short_key(bytes, length);
    short_set *set = cache->sets + short_place(cache, key);
    // It may occur twice in one batch.
    for (int i = 0; i < 4; i++) {
      if (set->keys[i] == key) return;
    }
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

size_t weir_find_or_merge(
    weir_token_cache *cache, const weir_merges *merges, const uint8_t *word, size_t length, uint32_t *tokens) {
  long_key key = long_key_of(cache, word, length);
  for (int i = 0; i < LONG_WAYS; i++) {
    const long_slot *slot = cache->longs + key.set + i;
    entry *e = slot->tag == key.tag ? entry_at(cache, slot->place) : NULL;
    if (!is_entry(e, word, length)) continue;
    memcpy(tokens, entry_tokens(e), 4 * (size_t)e->count);
    return e->count;
  }
  cache->misses++;
  size_t count = 1;
  tokens[0] = weir_merges_find(merges, word, length);
  if (tokens[0] == UINT32_MAX) {
    count = weir_merge_short(merges, word, length, tokens);
    if (weir_merges_replaces(merges, tokens, count)) {
      uint32_t parts[WEIR_SHORT_WORD];
      memcpy(parts, tokens, count * sizeof *parts);
      count = weir_merges_finish(merges, word, parts, count, tokens);
    }
  }
  put(cache, word, length, tokens, count);
  return count;
}
