// A table of fingerprints of n-grams, numbered in the order in which they came. A slot has the upper half of a fingerprint and its number + 1, so that most
// searches touch one slot. The home slot is the lower bits, and the upper bits find the word of a Bloom filter in which two bits are set.
//
// A text that shares many n-grams in a row with another finds them under consecutive numbers: after one, the next is a look at the next fingerprint.
#include "weir_dedup.h"

enum { BLOCK = 256, AHEAD = 8 };

static inline uint64_t filter_bits(uint64_t gram) { return 1ull << (gram & 63) | 1ull << (gram >> 6 & 63); }

// The number of the fingerprint, or `table->count`; `slot` is where it is or belongs.
static inline size_t probe(const weir_gram_table *table, uint64_t gram, size_t *place) {
  size_t slot = gram & table->mask;
  for (; table->slots[slot]; slot = (slot + 1) & table->mask) {
    size_t number = (uint32_t)table->slots[slot] - 1;
    if ((table->slots[slot] ^ gram) >> 32 == 0 && table->keys[number] == gram) {
      *place = slot;
      return number;
    }
  }
  *place = slot;
  return table->count;
}

void weir_grams_insert(weir_gram_table *table, const uint64_t *grams, size_t count, uint32_t *numbers) {
  for (size_t i = 0; i < count; i++) {
    if (i + AHEAD < count) __builtin_prefetch(table->slots + (grams[i + AHEAD] & table->mask), 1);
    size_t slot, number = probe(table, grams[i], &slot);
    numbers[i] = (uint32_t)number;
    if (number < table->count) continue;
    table->slots[slot] = grams[i] >> 32 << 32 | (number + 1);
    table->keys[number] = grams[i];
    table->filter[grams[i] >> table->filter_shift] |= filter_bits(grams[i]);
    table->count++;
  }
}

size_t weir_grams_find(const weir_gram_table *table, const uint64_t *grams, size_t count, uint32_t *places, uint32_t *numbers) {
  uint32_t passed[BLOCK];
  size_t found = 0;
  if (table->count == 0) return 0;
  for (size_t start = 0; start < count; start += BLOCK) {
    size_t end = start + BLOCK < count ? start + BLOCK : count, candidates = 0;
    for (size_t i = start; i < end; i++) {
      uint64_t bits = filter_bits(grams[i]);
      passed[candidates] = (uint32_t)i;
      candidates += (table->filter[grams[i] >> table->filter_shift] & bits) == bits;
    }
    for (size_t k = 0; k < candidates; k++) {
      // What follows the last n-gram that was found.
      size_t next = found ? numbers[found - 1] + (size_t)(passed[k] - places[found - 1]) : 0;
      if (k + AHEAD < candidates) {
        uint64_t gram = grams[passed[k + AHEAD]];
        if (next + AHEAD >= table->count || table->keys[next + AHEAD] != gram) __builtin_prefetch(table->slots + (gram & table->mask));
      }
      uint64_t gram = grams[passed[k]];
      size_t slot, number = next < table->count && table->keys[next] == gram ? next : probe(table, gram, &slot);
      if (number == table->count) continue;
      places[found] = passed[k];
      numbers[found++] = (uint32_t)number;
    }
  }
  return found;
}
