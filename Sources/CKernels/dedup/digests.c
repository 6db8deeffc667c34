// A hash table of 128-bit digests. The home slot is proportional to the upper word of a digest, so digests in ascending order, as when a table grows, fill
// it from front to back. A probe waits for memory, so slots are prefetched.
#include "weir_dedup.h"

enum { AHEAD = 16 };

static inline size_t slot_of(uint64_t high, size_t slots) { return (size_t)((unsigned __int128)high * slots >> 64); }

// The slot of the digest, or the empty slot where it belongs.
static inline size_t probe(const uint64_t *table, size_t slots, uint64_t high, uint64_t low) {
  size_t slot = slot_of(high, slots);
  while ((table[2 * slot] != high || table[2 * slot + 1] != low) && (table[2 * slot] | table[2 * slot + 1])) {
    if (++slot == slots) slot = 0;
  }
  return slot;
}

size_t weir_digests_insert(uint64_t *table, size_t slots, const uint64_t *digests, size_t count, uint8_t *fresh) {
  size_t added = 0;
  for (size_t i = 0; i < count; i++) {
    if (i + AHEAD < count) __builtin_prefetch(table + 2 * slot_of(digests[2 * (i + AHEAD)], slots), 1);
    uint64_t high = digests[2 * i], low = digests[2 * i + 1];
    fresh[i] = 1;
    if (!(high | low)) continue;
    size_t slot = probe(table, slots, high, low);
    fresh[i] = !(table[2 * slot] | table[2 * slot + 1]);
    table[2 * slot] = high;
    table[2 * slot + 1] = low;
    added += fresh[i];
  }
  return added;
}

void weir_digests_find(const uint64_t *table, size_t slots, const uint64_t *digests, size_t count, uint8_t *fresh) {
  for (size_t i = 0; i < count; i++) {
    if (i + AHEAD < count) __builtin_prefetch(table + 2 * slot_of(digests[2 * (i + AHEAD)], slots), 0);
    uint64_t high = digests[2 * i], low = digests[2 * i + 1];
    size_t slot = high | low ? probe(table, slots, high, low) : 0;
    fresh[i] = !(high | low) || !(table[2 * slot] | table[2 * slot + 1]);
  }
}
