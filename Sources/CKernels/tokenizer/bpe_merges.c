// Byte-pair merges. Every loop applies the merge of the lowest rank, the leftmost among equals, until none is left.
//
// For a word of up to 64 bytes, the candidate at each position is one number (rank in the high bits, position in the low bits), and every eight positions
// keep their minimum: finding the next merge takes a few comparisons, and a merge updates at most three minima. A longer word is merged in parts, whose
// seams are then repaired.
#include "bpe_merges.h"
#include "../shared/simd.h"
#include <stdlib.h>
#include <string.h>

#define PRIME 0x9E3779B97F4A7C15u

enum { NEVER = 0xFFFFFF, SIDE_BY_SIDE = 2, PART = WEIR_STRETCH / SIDE_BY_SIDE };

typedef struct whole {
  size_t start;
  uint32_t length, token;
} whole;

struct weir_merges {
  // Open addressing. A pair is 48 bits, mixed by a bijection: the top bits select the home bucket, and the lower 40 are stored in the slot, above the
  // rank. The bits that are not stored are the same for all pairs within probing distance.
  uint64_t *slots;
  size_t mask;
  int shift;
  // The products, by rank.
  uint32_t *products;
  // The merge of each two bytes, and the bytes' tokens.
  uint32_t *of_bytes;
  uint32_t byte_tokens[256];
  // The length in bytes, by token.
  uint32_t *lengths;
  // Words that are tokens as a whole: open addressing, empty where the length is 0; their bytes.
  whole *words;
  uint8_t *bytes;
  size_t word_count, word_room, byte_count, byte_room;
  // Tokens that are replaced in the end.
  const uint32_t *replacements;
  uint32_t replaced, unknown;
  int fuses;
};

WEIR_INLINE uint64_t mix(uint32_t left, uint32_t right) { return ((uint64_t)left << 24 | right) * PRIME & 0xFFFFFFFFFFFF; }

// The rank of a pair, or NEVER. Compares four slots without a branch; few buckets are full.
WEIR_INLINE uint32_t rank_of(const weir_merges *m, uint32_t left, uint32_t right) {
  uint64_t mixed = mix(left, right), tag = mixed << 24;
  size_t at = (size_t)(mixed >> m->shift);
  uint32_t rank = NEVER;
  while (1) {
    const uint64_t *slots = m->slots + 4 * at;
    for (int i = 0; i < 4; i++) {
      uint64_t slot = slots[i];
      rank = (slot ^ tag) >> 24 == 0 ? (uint32_t)slot & NEVER : rank;
    }
    if (__builtin_expect(slots[3] == UINT64_MAX || rank != NEVER, 1)) return rank;
    at = (at + 1) & m->mask;
  }
}

// Fills the table; returns whether every pair is close enough to its home bucket for the bits that are not stored.
static int fill(weir_merges *m, const uint32_t *merges, size_t count, size_t *repeated) {
  *repeated = count;
  memset(m->slots, 0xFF, 4 * sizeof(uint64_t) * (m->mask + 1));
  size_t furthest = 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t mixed = mix(merges[3 * i], merges[3 * i + 1]), tag = mixed << 24;
    size_t at = (size_t)(mixed >> m->shift), steps = 0, k = 0;
    uint64_t *slots = m->slots + 4 * at;
    while (slots[k] != UINT64_MAX && (slots[k] ^ tag) >> 24) {
      if (++k < 4) continue;
      steps++;
      slots = m->slots + 4 * ((at + steps) & m->mask);
      k = 0;
    }
    if (slots[k] != UINT64_MAX && *repeated == count) *repeated = i;
    slots[k] = tag | i;
    furthest = steps > furthest ? steps : furthest;
  }
  return furthest < (m->mask + 1) >> 9;
}

weir_merges *weir_merges_create(
    const uint32_t *byte_tokens, const uint32_t *merges, size_t count, const uint32_t *offsets, size_t tokens, size_t *repeated) {
  *repeated = count;
  weir_merges *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  int bits = 11;
  while ((size_t)4 << bits < 2 * count) bits++;
  m->products = malloc(sizeof(uint32_t) * (count + 1));
  m->of_bytes = malloc(sizeof(uint32_t) << 16);
  m->lengths = malloc(sizeof(uint32_t) * (tokens + 1));
  int filled = 0;
  if (m->products && m->of_bytes && m->lengths && count < NEVER) {
    for (; !filled && bits < 38; bits++) {
      free(m->slots);
      m->slots = aligned_alloc(64, 4 * sizeof(uint64_t) << bits);
      if (!m->slots) break;
      m->mask = ((size_t)1 << bits) - 1;
      m->shift = 48 - bits;
      filled = fill(m, merges, count, repeated);
    }
  }
  if (!filled) {
    weir_merges_destroy(m);
    return NULL;
  }
  m->replaced = UINT32_MAX;
  memcpy(m->byte_tokens, byte_tokens, sizeof m->byte_tokens);
  for (size_t i = 0; i < tokens; i++) m->lengths[i] = offsets[i + 1] - offsets[i];
  for (size_t i = 0; i < count; i++) m->products[i] = merges[3 * i + 2];
  for (size_t i = 0; i < 65536; i++) m->of_bytes[i] = rank_of(m, byte_tokens[i >> 8], byte_tokens[i & 255]);
  return m;
}

void weir_merges_destroy(weir_merges *m) {
  if (!m) return;
  free(m->slots);
  free(m->products);
  free(m->of_bytes);
  free(m->lengths);
  free(m->words);
  free(m->bytes);
  free(m);
}

// MARK: replacements

void weir_merges_replace(weir_merges *m, uint32_t first, const uint32_t *replacements, uint32_t unknown, int fuses) {
  m->replaced = first;
  m->replacements = replacements;
  m->unknown = unknown;
  m->fuses = fuses;
}

int weir_merges_replaces(const weir_merges *m, const uint32_t *tokens, size_t count) {
  if (m->replaced == UINT32_MAX) return 0;
  uint32_t most = 0;
  for (size_t i = 0; i < count; i++) most = tokens[i] > most ? tokens[i] : most;
  return most >= m->replaced;
}

size_t weir_merges_finish(const weir_merges *m, const uint8_t *word, const uint32_t *tokens, size_t count, uint32_t *output) {
  size_t made = 0, at = 0;
  int after_unknown = 0;
  for (size_t i = 0; i < count; i++) {
    size_t length = m->lengths[tokens[i]];
    int unknown = 0;
    if (tokens[i] < m->replaced) {
      output[made++] = tokens[i];
    } else {
      const uint32_t *some = m->replacements + 3 * (size_t)(tokens[i] - m->replaced);
      unknown = some[0] == UINT32_MAX;
      for (int k = 0; k < 3 && some[k] != UINT32_MAX; k++) output[made++] = some[k];
      // An unknown character counts where it begins.
      for (size_t k = 0; unknown && m->unknown != UINT32_MAX && k < length; k++) {
        if ((word[at + k] & 0xC0) == 0x80 || (m->fuses && (after_unknown || k > 0))) continue;
        output[made++] = m->unknown;
      }
    }
    after_unknown = unknown;
    at += length;
  }
  return made;
}

// MARK: whole words

WEIR_INLINE size_t word_hash(const uint8_t *word, size_t length) {
  uint64_t hash = length, tail = 0;
  size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    uint64_t eight;
    memcpy(&eight, word + i, 8);
    hash = (hash ^ eight) * PRIME;
    hash ^= hash >> 32;
  }
  memcpy(&tail, word + i, length - i);
  hash = (hash ^ tail) * PRIME;
  return (size_t)(hash ^ hash >> 32);
}

static whole *place(const weir_merges *m, const uint8_t *word, size_t length) {
  size_t at = word_hash(word, length) & (m->word_room - 1);
  while (m->words[at].length && (m->words[at].length != length || memcmp(m->bytes + m->words[at].start, word, length) != 0)) {
    at = (at + 1) & (m->word_room - 1);
  }
  return m->words + at;
}

int weir_merges_word(weir_merges *m, const uint8_t *word, size_t length, uint32_t token) {
  if (length == 0 || length > UINT32_MAX) return 1;
  if (2 * (m->word_count + 1) > m->word_room) {
    whole *old = m->words;
    size_t room = m->word_room;
    whole *fresh = calloc(room ? 2 * room : 1024, sizeof(whole));
    if (!fresh) return 0;
    m->words = fresh;
    m->word_room = room ? 2 * room : 1024;
    for (size_t i = 0; i < room; i++) {
      if (old[i].length) *place(m, m->bytes + old[i].start, old[i].length) = old[i];
    }
    free(old);
  }
  if (m->byte_count + length > m->byte_room) {
    size_t room = 2 * (m->byte_count + length);
    uint8_t *fresh = realloc(m->bytes, room);
    if (!fresh) return 0;
    m->bytes = fresh;
    m->byte_room = room;
  }
  whole *found = place(m, word, length);
  m->word_count += found->length == 0;
  *found = (whole){m->byte_count, (uint32_t)length, token};
  memcpy(m->bytes + m->byte_count, word, length);
  m->byte_count += length;
  return 1;
}

uint32_t weir_merges_find(const weir_merges *m, const uint8_t *word, size_t length) {
  if (!m->words) return UINT32_MAX;
  const whole *found = place(m, word, length);
  return found->length ? found->token : UINT32_MAX;
}

// MARK: short words

WEIR_INLINE uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }
// Scalar loads: a vector load would stall on the single keys that have just been stored.
WEIR_INLINE uint32_t load(const uint32_t *key) {
  uint32_t value = *key;
  __asm__("" : "+r"(value));
  return value;
}
WEIR_INLINE uint32_t least8(const uint32_t *k) {
  uint32_t a = least(load(k), load(k + 1)), b = least(load(k + 2), load(k + 3));
  uint32_t c = least(load(k + 4), load(k + 5)), d = least(load(k + 6), load(k + 7));
  return least(least(a, b), least(c, d));
}

WEIR_INLINE uint32_t key_of(uint32_t rank, size_t at) { return rank == NEVER ? UINT32_MAX : rank << 7 | (uint32_t)at; }

// A word being merged, at positions 1 ... length. The sentinels on both sides merge with nothing, so the ends need no branch.
typedef struct parts {
  size_t length, eights;
  uint32_t keys[WEIR_SHORT_WORD + 8], symbols[WEIR_SHORT_WORD + 2], mins[WEIR_SHORT_WORD / 8 + 1];
  uint8_t next[WEIR_SHORT_WORD + 2], previous[WEIR_SHORT_WORD + 3];
} parts;

WEIR_INLINE void take_apart(parts *p, const weir_merges *m, const uint8_t *word, size_t length) {
  p->length = length;
  p->eights = length / 8 + 1;
  for (size_t i = 0; i < 8 * p->eights; i++) p->keys[i] = UINT32_MAX;
  p->symbols[0] = p->symbols[length + 1] = 0;
  for (size_t i = 1; i <= length; i++) {
    p->symbols[i] = m->byte_tokens[word[i - 1]];
    p->next[i] = (uint8_t)(i + 1);
    p->previous[i] = (uint8_t)(i - 1);
  }
  p->next[length + 1] = (uint8_t)(length + 1);
  for (size_t i = 1; i < length; i++) p->keys[i] = key_of(m->of_bytes[(size_t)word[i - 1] << 8 | word[i]], i);
  for (size_t i = 0; i < p->eights; i++) p->mins[i] = least8(p->keys + 8 * i);
}

// The next merge; UINT32_MAX for none.
WEIR_INLINE uint32_t best_of(const parts *p) {
  uint32_t best = p->mins[0];
  for (size_t i = 1; i < p->eights; i++) best = least(best, load(p->mins + i));
  return best;
}

WEIR_INLINE void apply(parts *p, const weir_merges *m, uint32_t best) {
  size_t at = best & 127, right = p->next[at], after = p->next[right], before = p->previous[at];
  uint32_t symbol = m->products[best >> 7];
  p->symbols[at] = symbol;
  p->next[at] = (uint8_t)after;
  p->previous[after] = (uint8_t)at;
  p->keys[right] = UINT32_MAX;
  p->keys[at] = key_of(rank_of(m, symbol, p->symbols[after]), at) | -(uint32_t)(after > p->length);
  p->keys[before] = key_of(rank_of(m, p->symbols[before], symbol), before) | -(uint32_t)(before == 0);
  p->mins[right / 8] = least8(p->keys + 8 * (right / 8));
  p->mins[before / 8] = least8(p->keys + 8 * (before / 8));
  p->mins[at / 8] = least8(p->keys + 8 * (at / 8));
}

WEIR_INLINE size_t gather(const parts *p, uint32_t *tokens) {
  size_t count = 0;
  for (size_t i = 1; i <= p->length; i = p->next[i]) tokens[count++] = p->symbols[i];
  return count;
}

size_t weir_merge_short(const weir_merges *m, const uint8_t *word, size_t length, uint32_t *tokens) {
  parts p;
  take_apart(&p, m, word, length);
  for (uint32_t best; (best = best_of(&p)) != UINT32_MAX;) apply(&p, m, best);
  return gather(&p, tokens);
}

// MARK: long words

// A word of any length: a heap of candidates (rank, then position) and a linked list. O(n log n); see merge_long for the memory.
typedef struct chain {
  uint64_t *heap;
  size_t count;
  uint32_t *symbols, *ranks, *next, *previous;
} chain;

static void sink(chain *c, size_t at) {
  uint64_t value = c->heap[at];
  while (1) {
    size_t child = 2 * at + 1;
    if (child >= c->count) break;
    child += child + 1 < c->count && c->heap[child + 1] < c->heap[child];
    if (c->heap[child] >= value) break;
    c->heap[at] = c->heap[child];
    at = child;
  }
  c->heap[at] = value;
}

static void refresh(chain *c, const weir_merges *m, size_t at, size_t length) {
  size_t next = c->next[at];
  c->ranks[at] = next < length ? rank_of(m, c->symbols[at], c->symbols[next]) : NEVER;
  if (c->ranks[at] == NEVER) return;
  uint64_t value = (uint64_t)c->ranks[at] << 32 | at;
  size_t i = c->count++;
  for (; i > 0 && c->heap[(i - 1) / 2] > value; i = (i - 1) / 2) c->heap[i] = c->heap[(i - 1) / 2];
  c->heap[i] = value;
}

static size_t merge_long(const weir_merges *m, const uint8_t *word, size_t length, uint32_t *tokens) {
  // Each merge removes a candidate permanently and adds two. Memory: 40 bytes per byte of the word.
  chain c = {malloc(8 * 3 * length + 16 * (length + 1)), 0, NULL, NULL, NULL, NULL};
  if (!c.heap) return SIZE_MAX;
  c.symbols = (uint32_t *)(c.heap + 3 * length);
  c.ranks = c.symbols + length + 1;
  c.next = c.ranks + length + 1;
  c.previous = c.next + length + 1;
  for (size_t i = 0; i < length; i++) {
    c.symbols[i] = m->byte_tokens[word[i]];
    c.next[i] = (uint32_t)(i + 1);
    c.previous[i + 1] = (uint32_t)i;
  }
  for (size_t i = 0; i < length; i++) {
    c.ranks[i] = i + 1 < length ? m->of_bytes[(size_t)word[i] << 8 | word[i + 1]] : NEVER;
    if (c.ranks[i] != NEVER) c.heap[c.count++] = (uint64_t)c.ranks[i] << 32 | i;
  }
  for (size_t i = c.count / 2; i-- > 0;) sink(&c, i);
  while (c.count > 0) {
    uint64_t best = c.heap[0];
    c.heap[0] = c.heap[--c.count];
    if (c.count > 0) sink(&c, 0);
    size_t at = best & UINT32_MAX, right = c.next[at];
    if (c.ranks[at] != best >> 32) continue;
    c.symbols[at] = m->products[best >> 32];
    c.ranks[right] = NEVER;
    c.next[at] = c.next[right];
    c.previous[c.next[at]] = (uint32_t)at;
    refresh(&c, m, at, length);
    if (at > 0) refresh(&c, m, c.previous[at], length);
  }
  size_t count = 0;
  for (size_t i = 0; i < length; i = c.next[i]) tokens[count++] = c.symbols[i];
  free(c.heap);
  return count;
}

static size_t merge_any(const weir_merges *m, const uint8_t *word, size_t length, uint32_t *tokens) {
  return length <= WEIR_SHORT_WORD ? weir_merge_short(m, word, length, tokens) : merge_long(m, word, length, tokens);
}

WEIR_INLINE size_t bytes_of(const weir_merges *m, const uint32_t *tokens, size_t count) {
  size_t sum = 0;
  for (size_t i = 0; i < count; i++) sum += m->lengths[tokens[i]];
  return sum;
}

// Whether the merges turn the bytes of two tokens that meet at `border` into these two tokens; -1 if memory is short.
static int holds(const weir_merges *m, const uint8_t *border, uint32_t left, uint32_t right) {
  uint32_t few[WEIR_SHORT_WORD], *made = few;
  size_t before = m->lengths[left], length = before + m->lengths[right];
  if (length > WEIR_SHORT_WORD && !(made = malloc(4 * length))) return -1;
  size_t count = merge_any(m, border - before, length, made);
  int same = count == SIZE_MAX ? -1 : count == 2 && made[0] == left && made[1] == right;
  if (made != few) free(made);
  return same;
}

// Joins the `count` tokens before `border` with those of the part after it; returns the total number.
//
// A sequence of tokens is the result of the merges if and only if that holds for every two neighbors alone, because the first merge across a border would
// also happen between the two neighbors alone. So only the tokens at the seam are merged again, more and more of them until both their borders hold.
static size_t join(
    const weir_merges *m, const uint8_t *border, uint32_t *tokens, size_t count, const uint32_t *part, size_t part_count) {
  size_t left = count > 0, right = left;
  while (left > 0) {
    uint32_t few[WEIR_SHORT_WORD], *middle = few;
    size_t before = bytes_of(m, tokens + count - left, left), behind = bytes_of(m, part, right);
    if (before + behind > WEIR_SHORT_WORD && !(middle = malloc(4 * (before + behind)))) return SIZE_MAX;
    size_t made = merge_any(m, border - before, before + behind, middle);
    int fits = made == SIZE_MAX ? -1 : 0, holds_left = 1, holds_right = 1;
    // Where the tokens at the seam changed, the borders to the tokens that stay must hold too.
    if (fits == 0) {
      int same = made == left + right && memcmp(middle, tokens + count - left, 4 * left) == 0 && memcmp(middle + left, part, 4 * right) == 0;
      if (!same && left < count) holds_left = holds(m, border - before, tokens[count - left - 1], middle[0]);
      if (!same && right < part_count) holds_right = holds(m, border + behind, middle[made - 1], part[right]);
      fits = holds_left < 0 || holds_right < 0 ? -1 : holds_left && holds_right;
    }
    if (fits > 0) {
      count -= left;
      memcpy(tokens + count, middle, 4 * made);
      count += made;
    }
    if (middle != few) free(middle);
    if (fits < 0) return SIZE_MAX;
    if (fits > 0) break;
    if (!holds_left) left = 2 * left < count ? 2 * left : count;
    if (!holds_right) right = 2 * right < part_count ? 2 * right : part_count;
  }
  memcpy(tokens + count, part + right, 4 * (part_count - right));
  return count + part_count - right;
}

size_t weir_encode_word(const weir_merges *m, const uint8_t *word, size_t length, size_t *at, uint32_t *tokens, size_t count, size_t room) {
  if (*at == 0 && count == 0) {
    uint32_t token = weir_merges_find(m, word, length);
    if (token != UINT32_MAX) {
      *at = length;
      tokens[0] = token;
      return 1;
    }
  }
  while (*at < length && count + WEIR_STRETCH <= room) {
    parts p[SIDE_BY_SIDE];
    uint32_t best[SIDE_BY_SIDE], going = 0;
    size_t size[SIDE_BY_SIDE], begin = *at;
    for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
      size[i] = length - begin < PART ? length - begin : PART;
      take_apart(p + i, m, word + begin, size[i]);
      begin += size[i];
    }
    // Each merge depends on the one before it; merging several parts in turn overlaps their latencies.
    do {
      going = UINT32_MAX;
      for (size_t i = 0; i < SIDE_BY_SIDE; i++) best[i] = best_of(p + i);
      for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
        if (best[i] != UINT32_MAX) apply(p + i, m, best[i]);
        going &= best[i];
      }
    } while (going != UINT32_MAX);
    for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
      uint32_t part[PART];
      size_t made = gather(p + i, part);
      count = made ? join(m, word + *at, tokens, count, part, made) : count;
      if (count == SIZE_MAX) return SIZE_MAX;
      *at += size[i];
    }
  }
  return count;
}
