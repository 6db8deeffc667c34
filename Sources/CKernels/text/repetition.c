// Repeated n-grams, for the Gopher rules (Rae et al. 2112.11446, table A1).
//
// A repeated n-gram contains two repeated (n − 1)-grams, so each n looks only at the positions that survived n − 1. After the shortest n-gram, few are left.
#include "../shared/simd.h"
#include "word_cutter.h"

// A fingerprint, its count (0: the slot is free), and its first position; weir_repetition_repeated replaces the position with MARKED.
typedef struct slot {
  uint64_t key;
  uint32_t count, first;
} slot;

enum { MARKED = 0xFFFFFFFF };

// A position where an n-gram starts that may repeat.
typedef struct place {
  uint64_t hash;
  uint32_t word, slot;
} place;

struct weir_repetition {
  slot *slots;
  place *places;
  size_t slot_room, place_room, place_count;
  uint32_t mask;
  const weir_word *words;
  size_t word_count, n;
  // The most frequent n-gram, the first among equals: its count and where it starts.
  uint32_t best, best_first;
};

weir_repetition *weir_repetition_create(void) {
  weir_repetition *r = weir_room(NULL, sizeof *r);
  memset(r, 0, sizeof *r);
  return r;
}

void weir_repetition_destroy(weir_repetition *r) {
  if (!r) return;
  free(r->slots);
  free(r->places);
  free(r);
}

void weir_repetition_reset(weir_repetition *r, size_t count) {
  size_t size = 16;
  while (size < 2 * count) size *= 2;
  if (size > r->slot_room) {
    free(r->slots);
    r->slots = weir_room(NULL, size * sizeof *r->slots);
    r->slot_room = size;
  }
  r->mask = (uint32_t)(size - 1);
  memset(r->slots, 0, size * sizeof *r->slots);
}

// The slot of a fingerprint, or the free slot where it belongs.
WEIR_INLINE uint32_t find(const weir_repetition *r, uint64_t key) {
  // The high bits of a product depend on all bits of the fingerprint.
  uint32_t at = (uint32_t)(key * 0x9E3779B97F4A7C15ull >> 32) & r->mask;
  while (r->slots[at].count && r->slots[at].key != key) at = (at + 1) & r->mask;
  return at;
}

int weir_repetition_seen(weir_repetition *r, uint64_t fingerprint) {
  slot *found = &r->slots[find(r, fingerprint)];
  found->key = fingerprint;
  return found->count++ > 0;
}

WEIR_INLINE uint32_t add(weir_repetition *r, uint64_t key, uint32_t word) {
  uint32_t at = find(r, key);
  slot *found = &r->slots[at];
  if (!found->count) {
    found->key = key;
    found->first = word;
  }
  found->count++;
  if (found->count > r->best || (found->count == r->best && found->first < r->best_first)) {
    r->best = found->count;
    r->best_first = found->first;
  }
  return at;
}

static const uint64_t base = 0xD6E8FEB86659FD93ull;

static void count_places(weir_repetition *r) {
  weir_repetition_reset(r, r->place_count);
  // If no n-gram repeats, the first one counts as the most frequent.
  r->best = 1;
  r->best_first = 0;
  for (size_t i = 0; i < r->place_count; i++) r->places[i].slot = add(r, r->places[i].hash, r->places[i].word);
}

void weir_repetition_start(weir_repetition *r, const weir_word *words, size_t count, size_t n) {
  r->words = words;
  r->word_count = count;
  r->n = n;
  r->place_count = count - n + 1;
  if (r->place_count > r->place_room) {
    r->place_room = r->place_count + r->place_count / 2 + 64;
    free(r->places);
    r->places = weir_room(NULL, r->place_room * sizeof *r->places);
  }
  for (size_t i = 0; i < r->place_count; i++) {
    uint64_t hash = 0;
    for (size_t k = 0; k < n; k++) hash = hash * base + words[i + k].hash;
    r->places[i] = (place){hash, (uint32_t)i, 0};
  }
  count_places(r);
}

void weir_repetition_next(weir_repetition *r) {
  size_t n = ++r->n, kept = 0;
  place at = {0};
  int repeats = 0;
  for (size_t i = 0; i < r->place_count; i++) {
    place next = r->places[i];
    int again = r->slots[next.slot].count > 1;
    if (repeats && again && next.word == at.word + 1)
      r->places[kept++] = (place){at.hash * base + r->words[at.word + n - 1].hash, at.word, 0};
    at = next;
    repeats = again;
  }
  r->place_count = kept;
  count_places(r);
}

WEIR_INLINE uint64_t characters(const weir_repetition *r, size_t word) { return r->words[word + r->n].before - r->words[word].before; }

uint64_t weir_repetition_top(const weir_repetition *r) { return r->best * (characters(r, r->best_first) + r->n - 1); }

uint64_t weir_repetition_repeated(weir_repetition *r) {
  uint64_t sum = 0, next = 0;
  for (size_t i = 0; i < r->place_count; i++) {
    place at = r->places[i];
    if (at.word < next) continue;
    slot *found = &r->slots[at.slot];
    if (found->first == MARKED) {
      sum += characters(r, at.word);
      next = at.word + r->n;
    }
    found->first = MARKED;
  }
  return sum;
}
