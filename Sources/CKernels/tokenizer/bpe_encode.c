// BPE encoding: pre-tokens are cut in batches and looked up in a cache of their tokens.
//
// Three batches are in flight. While one is cut, the keys of its pre-tokens are computed and their cache lines prefetched; then its pre-tokens are looked up;
// once the next batch has been cut, its tokens are written. No loop has a branch that depends on the text, so mispredictions and cache misses overlap. A
// pre-token of up to seven bytes is one word with its length, and up to three tokens are another; four of each fill a cache line. Pre-tokens that are not
// found (15 %) go to the table of longer ones, those missing there (1 %) to a ring of still longer ones, and the rest to the merges.
#include "token_cache.h"

WEIR_INLINE int find_any(const short_set *set, uint64_t key, uint64_t *value) {
  size_t a = set->keys[0] == key, b = set->keys[1] == key, c = set->keys[2] == key;
  *value = set->values[a ? 0 : b ? 1 : c ? 2 : 3];
  return (int)(a | b | c | (set->keys[3] == key));
}

#if defined(__linux__) && defined(__x86_64__)
WEIR_V3 WEIR_INLINE int find_v3(const short_set *set, uint64_t key, uint64_t *value) {
  __m256i same = _mm256_cmpeq_epi64(_mm256_load_si256((const __m256i *)set->keys), _mm256_set1_epi64x((long long)key));
  uint32_t bits = (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(same));
  *value = set->values[__builtin_ctz(bits | 8)];
  return bits != 0;
}
#endif

typedef int (*finder)(const short_set *set, uint64_t key, uint64_t *value);

// A text, and a copy of its last 32 bytes padded with zeros, so that 16 bytes can be read at the start of any pre-token.
typedef struct source {
  const uint8_t *text;
  size_t size, near_start;
  uint8_t near[48];
} source;

WEIR_INLINE const uint8_t *word_at(const source *s, size_t start) {
  return start + 16 <= s->size ? s->text + start : s->near + (start - s->near_start);
}

// A batch that is being cut.
typedef struct preparation {
  const weir_token_cache *cache;
  batch *b;
  const source *s;
} preparation;

// Computes the keys and prefetches their cache lines.
WEIR_INLINE void prepare(void *state, size_t first, size_t end) {
  const preparation *p = state;
  batch *b = p->b;
  const source *s = p->s;
  const uint8_t *text = s->text;
  const short_set *sets = p->cache->sets;
  // Kept in locals, because the stores may alias memory.
  int shift = p->cache->short_shift, near = b->ends[end] + 16 > s->size;
  size_t longest = 0, start = b->ends[first];
  for (size_t i = first; i < end; i++) {
    size_t next = b->ends[i + 1], length = next - start;
    uint64_t key = short_key(__builtin_expect(near, 0) ? word_at(s, start) : text + start, length);
    size_t place = (size_t)(key * SECOND_PRIME >> shift);
    __builtin_prefetch(sets + place);
    b->keys[i] = key;
    b->places[i] = (uint32_t)place;
    longest |= length;
    start = next;
  }
  b->longest |= longest;
}

// Writes the tokens of a slot, up to six; always writes six. Returns their number.
WEIR_INLINE size_t unpack(const middle_slot *slot, uint32_t *tokens) {
  for (int n = 0; n < 3; n++) {
    tokens[n] = slot->value >> TOKEN_BITS * n & ((1 << TOKEN_BITS) - 1);
    tokens[n + 3] = slot->more >> TOKEN_BITS * n & ((1 << TOKEN_BITS) - 1);
  }
  return (slot->value >> 60) + (slot->more >> 60);
}

WEIR_INLINE int is_slot(const middle_slot *slot, uint64_t low, uint64_t high) { return (slot->low == low) & (slot->high == high); }

// Looks up in the first table, and prefetches from the second.
WEIR_INLINE void look_up(const weir_token_cache *cache, batch *b, const source *s, finder find) {
  size_t lost = 0, count = b->count;
  for (size_t i = 0; i < count; i++) {
    uint64_t value;
    int found = find(cache->sets + b->places[i], b->keys[i], &value);
    b->values[i] = value;
    b->lost[lost] = (uint32_t)i;
    lost += !found;
  }
  b->losts = lost;
  for (size_t j = 0; j < lost; j++) {
    size_t i = b->lost[j], start = b->ends[i], length = b->ends[i + 1] - start;
    // A longer pre-token gets a key without a length, which never occurs.
    uint64_t low, high;
    middle_key(word_at(s, start), length <= MIDDLE ? length : 0, &low, &high);
    low |= (uint64_t)(length > MIDDLE);
    size_t place = middle_place(cache, low, high);
    __builtin_prefetch(cache->middles + place);
    b->middle[j].low = low;
    b->middle[j].high = high;
    b->middle[j].place = place;
  }
}

// Looks up the longer pre-tokens, merges those that are not cached, writes the tokens.
WEIR_INLINE uint32_t *finish(weir_token_cache *cache, const weir_merges *merges, batch *b, const source *s, uint32_t *out) {
  size_t lost = b->losts, rare = 0, far = 0, many = 0, count = b->count;
  for (size_t j = 0; j < lost; j++) {
    uint64_t low = b->middle[j].low, high = b->middle[j].high;
    const middle_slot *set = cache->middles + b->middle[j].place;
    int first = is_slot(set, low, high), second = is_slot(set + 1, low, high);
    const middle_slot *slot = set + second;
    size_t made = unpack(slot, cache->many + many);
    b->values[b->lost[j]] = slot->more ? (uint64_t)many << 8 | made : slot->value;
    many += made * (size_t)((first | second) & (slot->more != 0));
    cache->rare[rare] = (uint32_t)j;
    rare += !(first | second);
  }
  for (size_t k = 0; k < rare; k++) {
    size_t j = cache->rare[k], i = b->lost[j];
    __builtin_prefetch(cache->middles + (b->middle[j].place ^ 2));
    cache->keys[k] = long_key_of(cache, s->text + b->ends[i], b->ends[i + 1] - b->ends[i]);
    __builtin_prefetch(cache->longs + cache->keys[k].set);
  }
  for (size_t k = 0; k < rare; k++) {
    size_t j = cache->rare[k], i = b->lost[j];
    uint64_t low = b->middle[j].low, high = b->middle[j].high;
    middle_slot *line = cache->middles + b->middle[j].place, *other = other_line(cache, line);
    middle_slot *set = other + !is_slot(other, low, high);
    if (is_slot(set, low, high)) {
      // Found in the other line: swap it back into its own.
      middle_slot found = *set;
      *set = line[1];
      line[1] = line[0];
      line[0] = found;
    }
    if (is_slot(line, low, high)) {
      size_t made = unpack(line, cache->many + many);
      b->values[i] = (uint64_t)many << 8 | made;
      many += made;
      continue;
    }
    const long_slot *ways = cache->longs + cache->keys[k].set;
    uint32_t tag = cache->keys[k].tag, place = 0;
    for (int way = LONG_WAYS - 1; way >= 0; way--) place = ways[way].tag == tag ? ways[way].place : place;
    __builtin_prefetch(ring_at(cache, place));
    __builtin_prefetch((const uint8_t *)ring_at(cache, place) + 64);
    cache->far[far] = (uint32_t)i;
    cache->places[far++] = place;
  }
  for (size_t k = 0; k < far; k++) {
    size_t i = cache->far[k], length = b->ends[i + 1] - b->ends[i], made;
    const uint8_t *word = s->text + b->ends[i];
    uint32_t *tokens = cache->many + many;
    // A newer entry may have overwritten it.
    entry *e = entry_at(cache, cache->places[k]);
    if (is_entry(e, word, length)) {
      made = e->count;
      const uint32_t *from = entry_tokens(e);
      for (size_t n = 0; n < made; n++) tokens[n] = from[n];
    } else {
      made = weir_find_or_merge(cache, merges, word, length, tokens);
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

WEIR_INLINE void ignore(void *state, size_t first, size_t end) { (void)state, (void)first, (void)end; }

// Moves the cutter back to the end of a pre-token that it has cut since `before`.
WEIR_INLINE void move_back(weir_cutter *cutter, const weir_cutter *before, size_t end) {
  if (cutter->pattern->family == WEIR_PATTERN_AUTOMATA && cutter->pattern->stages > 1) {
    weir_pattern plain = *cutter->pattern;
    plain.style = 0;
    *cutter = *before;
    // One pre-token at a time, so that the bounds of the outer stages are those at `end`.
    for (size_t ends[BLOCK + 4]; cutter->at < end;) cut_by_automata(cutter, &plain, ends, BLOCK + 4, classify, list, ignore, NULL);
  }
  cutter->at = end;
}

// Three batches are in flight, so prefetches have time to complete.
WEIR_INLINE size_t encode(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done,
    finder find, classifier look_at, lister list_ends) {
  uint32_t *out = tokens;
  batch *last = cache->batches, *here = last + 1, *next = here + 1;
  source s = {cutter->text, cutter->count, cutter->count > 32 ? cutter->count - 32 : 0, {0}};
  memcpy(s.near, s.text + s.near_start, s.size - s.near_start);
  *start = *end = 0;
  *done = 0;
  last->count = last->losts = here->count = 0;
  // Never more tokens than bytes; three are written at a time.
  size_t promised = 3;
  while (1) {
    size_t begin = cutter->at, count;
    weir_cutter before = *cutter;
    preparation state = {cache, next, &s};
    next->ends[0] = begin;
    next->longest = 0;
    count = pretokens(cutter, next->ends + 1, BATCH, look_at, list_ends, prepare, &state);
    next->count = count;
    if (__builtin_expect(next->longest > LONG, 0)) {
      for (next->count = 0; next->ends[next->count + 1] - next->ends[next->count] <= LONG;) next->count++;
    }
    size_t bytes = next->ends[next->count] - begin;
    int full = promised + bytes > room;
    look_up(cache, here, &s, find);
    out = finish(cache, merges, last, &s, out);
    if (full || count == 0 || next->count < count) {
      out = finish(cache, merges, here, &s, out);
      if (full) {
        *cutter = before;
      } else if (count == 0) {
        *done = 1;
      } else {
        look_up(cache, next, &s, find);
        out = finish(cache, merges, next, &s, out);
        *start = next->ends[next->count];
        *end = next->ends[next->count + 1];
        move_back(cutter, &before, *end);
      }
      break;
    }
    promised += bytes;
    batch *free = last;
    last = here;
    here = next;
    next = free;
  }
  return (size_t)(out - tokens);
}

static size_t encode_any(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done) {
  return encode(cache, merges, cutter, tokens, room, start, end, done, find_any, classify, list);
}

#if defined(__linux__) && defined(__x86_64__)
WEIR_V3 static size_t encode_v3(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done) {
  return encode(cache, merges, cutter, tokens, room, start, end, done, find_v3, classify_v3, list);
}

WEIR_V4 static size_t encode_v4(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done) {
  return encode(cache, merges, cutter, tokens, room, start, end, done, find_v3, classify_v4, list);
}

WEIR_V5 static size_t encode_v5(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done) {
  return encode(cache, merges, cutter, tokens, room, start, end, done, find_v3, classify_v4, list_v5);
}
#endif

size_t weir_encode(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done) {
#if defined(__linux__) && defined(__x86_64__)
  if (cutter->level == 3) return encode_v5(cache, merges, cutter, tokens, room, start, end, done);
  if (cutter->level == 2) return encode_v4(cache, merges, cutter, tokens, room, start, end, done);
  if (cutter->level == 1) return encode_v3(cache, merges, cutter, tokens, room, start, end, done);
#endif
  return encode_any(cache, merges, cutter, tokens, room, start, end, done);
}
