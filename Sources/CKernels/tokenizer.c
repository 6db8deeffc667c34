// The hot loops of tokenization.
//
// A pre-token that is ASCII and shorter than 16 bytes, nearly all of them, is found without a loop: 16 bytes are classified at once
// and the length of the run is a count of trailing ones, so that no branch depends on it. Everything else goes the plain way, character by
// character. The cache has sets of two in one line of 64 bytes; the hit is chosen by arithmetic, its tokens are stored four at a time.
// 64 pre-tokens are cut before the first of them is looked up, so that their lines are there by then: most of the time went into waiting.
#include "weir_tokenizer.h"
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { OTHER = 0, LETTER = 1, NUMBER = 2, SPACE = 3, NEWLINE = 4 };

#define ALWAYS static inline __attribute__((always_inline))

// MARK: classes of 16 bytes

typedef struct masks {
  uint32_t letter, digit, space, wide;
} masks;

#if defined(__SSE2__)
// Bits of the bytes in first ..< first + size.
ALWAYS uint32_t between(__m128i bytes, int first, int size) {
  __m128i moved = _mm_sub_epi8(bytes, _mm_set1_epi8((char)(first + 128)));
  return (uint32_t)_mm_movemask_epi8(_mm_cmplt_epi8(moved, _mm_set1_epi8((char)(size - 128))));
}

ALWAYS uint32_t letters_of(const uint8_t *text) {
  return between(_mm_or_si128(_mm_loadu_si128((const __m128i *)text), _mm_set1_epi8(0x20)), 'a', 26);
}

ALWAYS masks classify(const uint8_t *text) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)text);
  uint32_t blank = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x20)));
  return (masks){
      between(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26), between(bytes, '0', 10), blank | between(bytes, 9, 5),
      (uint32_t)_mm_movemask_epi8(bytes)};
}
#else
ALWAYS masks classify(const uint8_t *text) {
  masks found = {0, 0, 0, 0};
  for (int i = 0; i < 16; i++) {
    uint8_t byte = text[i];
    found.letter |= (uint32_t)((uint8_t)((byte | 0x20) - 'a') < 26) << i;
    found.digit |= (uint32_t)((uint8_t)(byte - '0') < 10) << i;
    found.space |= (uint32_t)(byte == 0x20 || (uint8_t)(byte - 9) < 5) << i;
    found.wide |= (uint32_t)(byte >> 7) << i;
  }
  return found;
}

ALWAYS uint32_t letters_of(const uint8_t *text) { return classify(text).letter; }
#endif

// The number of ones at the low end of 16 bits.
ALWAYS uint32_t ones(uint32_t mask) { return (uint32_t)__builtin_ctz(~mask | 0x10000); }

// MARK: characters

typedef struct character {
  uint32_t class, length;
} character;

// The well-formed sequences of Unicode's table 3-7; anything else is one symbol of one byte.
static character look_wide(const weir_pattern *p, const uint8_t *t, size_t left) {
  const character other = {OTHER, 1};
  uint32_t lead = t[0];
  if (lead < 0xC2 || lead > 0xF4 || left < 2 || (t[1] & 0xC0) != 0x80) return other;
  uint32_t second = t[1];
  if (lead < 0xE0) return (character){p->classes[(lead & 0x1F) << 6 | (second & 0x3F)], 2};
  if (left < 3 || (t[2] & 0xC0) != 0x80) return other;
  uint32_t third = t[2];
  if (lead < 0xF0) {
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return other;
    return (character){p->classes[(lead & 0x0F) << 12 | (second & 0x3F) << 6 | (third & 0x3F)], 3};
  }
  if (left < 4 || (t[3] & 0xC0) != 0x80) return other;
  if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return other;
  uint32_t scalar = (lead & 0x07) << 18 | (second & 0x3F) << 12 | (third & 0x3F) << 6 | (t[3] & 0x3F);
  return (character){scalar < p->limit ? p->classes[scalar] : OTHER, 4};
}

ALWAYS character look(const weir_pattern *p, const uint8_t *t, size_t n, size_t i) {
  if (t[i] < 0x80) return (character){p->classes[t[i]], 1};
  return look_wide(p, t + i, n - i);
}

// The end of the run of `class` from i.
static size_t run(const weir_pattern *p, const uint8_t *t, size_t n, size_t i, uint32_t class) {
  while (i < n) {
    if (class == LETTER && i + 16 <= n) {
      uint32_t length = ones(letters_of(t + i));
      i += length;
      if (length == 16) continue;
    }
    character next = look(p, t, n, i);
    if (next.class != class) break;
    i += next.length;
  }
  return i;
}

static size_t newlines(const uint8_t *t, size_t n, size_t i) {
  while (i < n && (t[i] == 0x0A || t[i] == 0x0D)) i++;
  return i;
}

// The end of the contraction at an apostrophe, 0 where there is none. Without regard to case U+017F (long s) is an s, too.
static size_t contraction(const uint8_t *t, size_t n, size_t i, int caseless) {
  if (i + 1 >= n) return 0;
  uint8_t fold = caseless ? 0x20 : 0, first = t[i + 1] | fold;
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return i + 2;
  if (i + 2 >= n) return 0;
  if (caseless && t[i + 1] == 0xC5 && t[i + 2] == 0xBF) return i + 3;
  uint8_t second = t[i + 2] | fold;
  return (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l') ? i + 3 : 0;
}

// White space at `start`. gpt2: all of it, or all but the last character before something visible. Others: up to the last newline first;
// cl100k takes all of it at the end of the text.
static size_t white_space(const weir_pattern *p, const uint8_t *t, size_t n, size_t start) {
  size_t i = start, last = start, newline = 0;
  while (i < n) {
    character next = look(p, t, n, i);
    if (next.class < SPACE) break;
    last = i;
    i += next.length;
    if (next.class == NEWLINE) newline = i;
  }
  if (p->family == WEIR_PATTERN_CL100K && i == n) return n;
  if (p->family != WEIR_PATTERN_GPT2 && newline > 0) return newline;
  return i == n || last == start ? i : last;
}

// MARK: patterns, the plain way

static size_t end_gpt2(const weir_pattern *p, const uint8_t *t, size_t n, size_t start) {
  if (t[start] == '\'') {
    size_t end = contraction(t, n, start, 0);
    if (end > 0) return end;
  }
  character first = look(p, t, n, start);
  size_t i = start;
  if (t[start] == ' ' && start + 1 < n) {
    character next = look(p, t, n, start + 1);
    if (next.class < SPACE) {
      first = next;
      i++;
    }
  }
  return first.class < SPACE ? run(p, t, n, i + first.length, first.class) : white_space(p, t, n, start);
}

static size_t end_modern(const weir_pattern *p, const uint8_t *t, size_t n, size_t start) {
  character first = look(p, t, n, start);
  size_t after = start + first.length;
  if (first.class == LETTER) return run(p, t, n, after, LETTER);
  if (first.class == NUMBER) {
    for (int taken = 1; taken < p->digits && after < n; taken++) {
      character next = look(p, t, n, after);
      if (next.class != NUMBER) break;
      after += next.length;
    }
    return after;
  }
  if (t[start] == '\'') {
    size_t end = contraction(t, n, start, 1);
    if (end > 0) return end;
  }
  // A symbol or a white space that is no newline goes with the letters after it, a blank also with symbols.
  if (first.class != NEWLINE && after < n) {
    character next = look(p, t, n, after);
    if (next.class == LETTER) return run(p, t, n, after + next.length, LETTER);
    if (next.class == OTHER && t[start] == ' ') return newlines(t, n, run(p, t, n, after + next.length, OTHER));
  }
  if (first.class == OTHER) return newlines(t, n, run(p, t, n, after, OTHER));
  return white_space(p, t, n, start);
}

// Not inlined: the fast path keeps the registers.
__attribute__((noinline)) static size_t end_slow(const weir_pattern *p, const uint8_t *t, size_t n, size_t start) {
  return p->family == WEIR_PATTERN_GPT2 ? end_gpt2(p, t, n, start) : end_modern(p, t, n, start);
}

// MARK: patterns, the fast way

// `start + 32 <= n`.
ALWAYS size_t end_fast(const weir_pattern *p, const uint8_t *t, size_t n, size_t start, int gpt2, uint32_t digits) {
  const uint8_t *at = t + start;
  uint8_t byte = at[0];
  masks m = classify(at);
  uint32_t symbol = ~(m.letter | m.digit | m.space | m.wide) & 0xFFFF;
  uint32_t blank = byte == ' ';
  // The first byte may lead letters: a blank; in modern patterns anything but a number or a newline. An apostrophe goes the plain way.
  uint32_t lead = gpt2 ? blank : (~(m.digit | m.wide) & 1) & (uint32_t)((byte != 0x0A) & (byte != 0x0D));
  uint32_t letters = m.letter | lead;
  uint32_t length;
  if (__builtin_expect(byte == '\'', 0)) return end_slow(p, t, n, start);
  if ((m.letter & 3) && (letters & 1)) {
    length = ones(letters);
  } else if (symbol & (1 + 2 * blank)) {
    length = ones(symbol | blank);
    if (!gpt2 && length < 16) {
      while (length < 16 && (at[length] == 0x0A || at[length] == 0x0D)) length++;
      // Nothing that follows newlines can join them.
      if (length < 16 && (at[length - 1] == 0x0A || at[length - 1] == 0x0D)) return start + length;
    }
  } else if (gpt2 ? (m.digit & (1 + 2 * blank)) : (m.digit & 1)) {
    length = ones(m.digit | (gpt2 ? blank : 0));
    if (!gpt2 && length >= digits) return start + digits;
  } else if (m.space & 1) {
    length = ones(m.space);
    if (length == 16 || (m.wide >> length & 1)) return end_slow(p, t, n, start);
    if (!gpt2) {
      uint32_t run = (1u << length) - 1, newline = 0;
#if defined(__SSE2__)
      __m128i bytes = _mm_loadu_si128((const __m128i *)at);
      newline = (uint32_t)_mm_movemask_epi8(
          _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x0A)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x0D)))) & run;
#else
      for (uint32_t i = 0; i < length; i++) newline |= (uint32_t)(at[i] == 0x0A || at[i] == 0x0D) << i;
#endif
      if (newline) return start + 32 - (size_t)__builtin_clz(newline);
    }
    return start + (length == 1 ? 1 : length - 1);
  } else {
    return end_slow(p, t, n, start);
  }
  // A run of 16 may go on, and what is not ASCII may belong to it.
  if (length == 16 || (m.wide >> length & 1)) return end_slow(p, t, n, start);
  return start + length;
}

ALWAYS size_t cut(
    const weir_pattern *p, const uint8_t *t, size_t n, size_t start, size_t *ends, size_t room, int gpt2, uint32_t digits) {
  size_t found = 0;
  while (start < n && found < room) {
    start = start + 32 <= n ? end_fast(p, t, n, start, gpt2, digits) : end_slow(p, t, n, start);
    ends[found++] = start;
  }
  return found;
}

size_t weir_pretokens(const weir_pattern *pattern, const uint8_t *text, size_t count, size_t start, size_t *ends, size_t room) {
  if (pattern->family == WEIR_PATTERN_GPT2) return cut(pattern, text, count, start, ends, room, 1, 0);
  return cut(pattern, text, count, start, ends, room, 0, (uint32_t)pattern->digits);
}

// MARK: cache

struct weir_token_cache {
  weir_short_slot *sets;
  weir_long_slot *slots;
  int short_bits, long_bits;
};

enum { SHORT = 15, SHORT_TOKENS = 4, LONG = 63, LONG_TOKENS = 16 };

#define FIRST_PRIME 0xD6E8FEB86659FD93u
#define SECOND_PRIME 0x9E3779B97F4A7C15u

typedef struct key {
  uint64_t low, high;
} key;

// Bytes 0 ..< length of each word.
static const uint64_t low_masks[16] = {
    0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull,
    ~0ull, ~0ull};
static const uint64_t high_masks[16] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF};

// The bytes of a short pre-token with its length above them: two different ones never look the same. The words' order of bytes does
// not matter, as long as it is the same everywhere: little-endian.
ALWAYS key key_of(const uint8_t *word, size_t length, int wide) {
  key k;
  if (wide) {
    memcpy(&k.low, word, 8);
    memcpy(&k.high, word + 8, 8);
  } else {
    uint8_t bytes[16] = {0};
    memcpy(bytes, word, length);
    memcpy(&k.low, bytes, 8);
    memcpy(&k.high, bytes + 8, 8);
  }
  k.low &= low_masks[length];
  k.high = (k.high & high_masks[length]) | (uint64_t)length << 56;
  return k;
}

// The first slot of the set that a short pre-token belongs to.
ALWAYS size_t set_of(const weir_token_cache *cache, key k) {
  uint64_t hash = (k.low ^ k.high * FIRST_PRIME) * SECOND_PRIME;
  hash = (hash ^ hash >> 32) * FIRST_PRIME;
  return 2 * (size_t)(hash >> (64 - cache->short_bits));
}

static weir_long_slot *slot_of(const weir_token_cache *cache, const uint8_t *word, size_t length) {
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
  return cache->slots + (hash >> (64 - cache->long_bits));
}

weir_token_cache *weir_token_cache_create(int short_bits, int long_bits) {
  weir_token_cache *cache = malloc(sizeof *cache);
  if (!cache) return NULL;
  cache->short_bits = short_bits < 1 ? 1 : short_bits;
  cache->long_bits = long_bits < 1 ? 1 : long_bits;
  cache->sets = aligned_alloc(64, sizeof(weir_short_slot) * 2 << cache->short_bits);
  cache->slots = aligned_alloc(64, sizeof(weir_long_slot) << cache->long_bits);
  if (!cache->sets || !cache->slots) {
    weir_token_cache_destroy(cache);
    return NULL;
  }
  weir_token_cache_clear(cache);
  return cache;
}

void weir_token_cache_destroy(weir_token_cache *cache) {
  if (!cache) return;
  free(cache->sets);
  free(cache->slots);
  free(cache);
}

// A pre-token has at least one byte, so that zeros are nobody's.
void weir_token_cache_clear(weir_token_cache *cache) {
  memset(cache->sets, 0, sizeof(weir_short_slot) * 2 << cache->short_bits);
  memset(cache->slots, 0, sizeof(weir_long_slot) << cache->long_bits);
}

void weir_token_cache_put(weir_token_cache *cache, const uint8_t *word, size_t length, const uint32_t *tokens, size_t count) {
  if (length == 0 || length > LONG || count == 0 || count > LONG_TOKENS) return;
  if (length <= SHORT) {
    // A short pre-token of many tokens has a short slot without tokens, which points to the long one; without either it is not here.
    key k = key_of(word, length, 0);
    weir_short_slot *set = cache->sets + set_of(cache, k), fresh = {k.low, k.high, {0}};
    if (count <= SHORT_TOKENS) {
      memcpy(fresh.tokens, tokens, 4 * count);
      fresh.tokens[0] |= (uint32_t)count << 24;
    }
    if (set[0].low != k.low || set[0].high != k.high) set[1] = set[0];
    set[0] = fresh;
    if (count <= SHORT_TOKENS) return;
  }
  weir_long_slot *slot = slot_of(cache, word, length);
  slot->length = (uint8_t)length;
  memcpy(slot->bytes, word, length);
  memcpy(slot->tokens, tokens, 4 * count);
  slot->tokens[0] |= (uint32_t)count << 24;
}

// The tokens of a pre-token that has no short slot; 0 where it has no long one.
__attribute__((noinline)) static size_t encode_long(const weir_token_cache *cache, const uint8_t *word, size_t length, uint32_t *tokens) {
  if (length > LONG) return 0;
  const weir_long_slot *slot = slot_of(cache, word, length);
  if (slot->length != length || memcmp(slot->bytes, word, length) != 0) return 0;
  size_t count = slot->tokens[0] >> 24;
  memcpy(tokens, slot->tokens, 4 * count);
  tokens[0] &= 0xFFFFFF;
  return count;
}

// Cuts the next pre-tokens and asks for their places in the cache, so that nobody waits for them later.
ALWAYS void scan(
    const weir_token_cache *cache, const weir_pattern *p, const uint8_t *t, size_t n, weir_words *words, int gpt2, uint32_t digits) {
  enum { ROOM = sizeof words->word / sizeof words->word[0] };
  size_t at = words->scanned, count = 0;
  while (at < n && count < ROOM) {
    int wide = at + 32 <= n;
    size_t end = wide ? end_fast(p, t, n, at, gpt2, digits) : end_slow(p, t, n, at);
    size_t length = end - at;
    words->word[count].start = at;
    if (__builtin_expect(length <= SHORT, 1)) {
      key k = wide ? key_of(t + at, length, 1) : key_of(t + at, length, 0);
      size_t set = set_of(cache, k);
      __builtin_prefetch(cache->sets + set);
      words->word[count].low = k.low;
      words->word[count].high = k.high;
      words->word[count].set = set;
    } else {
      // No short pre-token has a length of 0.
      words->word[count].low = 0;
      words->word[count].high = 0;
      words->word[count].set = SIZE_MAX;
    }
    count++;
    at = end;
  }
  words->scanned = at;
  words->count = count;
  words->next = 0;
}

size_t weir_encode_cached(
    weir_token_cache *cache, const weir_pattern *pattern, const uint8_t *text, size_t count, weir_words *words, uint32_t *tokens, size_t room,
    size_t *start, size_t *end, int *done) {
  const weir_token_cache here = *cache;
  uint32_t *out = tokens;
  const uint32_t *limit = tokens + room - LONG_TOKENS;
  *start = *end = 0;
  *done = 0;
  if (room < LONG_TOKENS) return 0;
  while (1) {
    size_t next = words->next, all = words->count;
    for (; next < all; next++) {
      if (out > limit) {
        words->next = next;
        return (size_t)(out - tokens);
      }
      uint64_t low = words->word[next].low, high = words->word[next].high;
      size_t place = words->word[next].set;
      size_t from = words->word[next].start, to = next + 1 < all ? words->word[next + 1].start : words->scanned, made = 0;
      if (__builtin_expect(place != SIZE_MAX, 1)) {
        const weir_short_slot *set = here.sets + place;
        size_t first = (set[0].low == low) & (set[0].high == high);
        size_t second = (set[1].low == low) & (set[1].high == high);
        if (__builtin_expect(first | second, 1)) {
          const weir_short_slot *slot = set + (first ^ 1);
          uint32_t head = slot->tokens[0];
          memcpy(out, slot->tokens, sizeof slot->tokens);
          *out = head & 0xFFFFFF;
          made = head >> 24;
          out += made;
          if (__builtin_expect(made != 0, 1)) continue;
          made = encode_long(&here, text + from, to - from, out);
        }
      } else {
        made = encode_long(&here, text + from, to - from, out);
      }
      if (made == 0) {
        *start = from;
        *end = to;
        words->next = next + 1;
        return (size_t)(out - tokens);
      }
      out += made;
    }
    if (words->scanned >= count) {
      words->next = next;
      *done = 1;
      return (size_t)(out - tokens);
    }
    if (pattern->family == WEIR_PATTERN_GPT2) {
      scan(&here, pattern, text, count, words, 1, 0);
    } else {
      scan(&here, pattern, text, count, words, 0, (uint32_t)pattern->digits);
    }
  }
}
