#pragma once
// Cuts text into pre-tokens, 64 bytes at a time; private to this target. `pretokens` calls a visitor for the pre-tokens while they are cut.
//
// A match of the pattern does not depend on what comes before it. So the 64 bytes from the start of a pre-token become one bit mask per character class, and
// a few shifts of these masks tell where the pre-tokens inside begin; the last certain one starts the next 64 bytes. No branch depends on the length of a
// pre-token. A pre-token of more than 64 bytes is cut character by character.
#include "../shared/byte_masks.h"
#include "automaton.h"
#include <string.h>
#if defined(__linux__) && defined(__x86_64__)
#define WEIR_V5 __attribute__((target("arch=x86-64-v4,avx512vbmi2"), min_vector_width(512)))
#endif

enum { OTHER = 0, LETTER = 1, NUMBER = 2, SPACE = 3, NEWLINE = 4 };

// One bit per byte and class; `wide` is not ASCII. `space` includes newlines and blanks.
typedef struct masks {
  uint64_t letter, digit, space, newline, blank, quote, wide, upper, slash, control;
} masks;

enum { BLOCK = 64, MARGIN = 4 };

#if defined(__linux__) && defined(__x86_64__)

// Bits of the bytes in first ..< first + size.
WEIR_INLINE uint64_t between(__m128i bytes, int first, int size) {
  __m128i moved = _mm_sub_epi8(bytes, _mm_set1_epi8((char)(first + 128)));
  return (uint64_t)_mm_movemask_epi8(_mm_cmplt_epi8(moved, _mm_set1_epi8((char)(size - 128))));
}

WEIR_INLINE uint64_t equal(__m128i bytes, int byte) { return (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)byte))); }

WEIR_INLINE masks classify(const uint8_t *text) {
  masks found = {0};
  for (int i = 0; i < BLOCK; i += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(text + i));
    found.letter |= between(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26) << i;
    found.digit |= between(bytes, '0', 10) << i;
    found.newline |= (equal(bytes, 0x0A) | equal(bytes, 0x0D)) << i;
    found.space |= between(bytes, 9, 5) << i;
    found.blank |= equal(bytes, ' ') << i;
    found.quote |= equal(bytes, '\'') << i;
    found.upper |= between(bytes, 'A', 26) << i;
    found.slash |= equal(bytes, '/') << i;
    found.control |= (between(bytes, 0, 32) | equal(bytes, 0x7F)) << i;
    found.wide |= (uint64_t)_mm_movemask_epi8(bytes) << i;
  }
  found.space |= found.blank;
  return found;
}

WEIR_V3 WEIR_INLINE uint64_t equal_v3(__m256i bytes, int byte) {
  return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8((char)byte)));
}

WEIR_V3 WEIR_INLINE masks classify_v3(const uint8_t *text) {
  masks found = {0};
  for (int i = 0; i < BLOCK; i += 32) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(text + i));
    found.letter |= in_range_v3(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), 'a', 26) << i;
    found.digit |= in_range_v3(bytes, '0', 10) << i;
    found.newline |= (equal_v3(bytes, 0x0A) | equal_v3(bytes, 0x0D)) << i;
    found.space |= in_range_v3(bytes, 9, 5) << i;
    found.blank |= equal_v3(bytes, ' ') << i;
    found.quote |= equal_v3(bytes, '\'') << i;
    found.upper |= in_range_v3(bytes, 'A', 26) << i;
    found.slash |= equal_v3(bytes, '/') << i;
    found.control |= (in_range_v3(bytes, 0, 32) | equal_v3(bytes, 0x7F)) << i;
    found.wide |= (uint64_t)(uint32_t)_mm256_movemask_epi8(bytes) << i;
  }
  found.space |= found.blank;
  return found;
}

WEIR_V4 WEIR_INLINE masks classify_v4(const uint8_t *text) {
  __m512i bytes = _mm512_loadu_si512(text);
  masks found;
  found.letter = in_range_v4(_mm512_or_si512(bytes, _mm512_set1_epi8(0x20)), 'a', 26);
  found.digit = in_range_v4(bytes, '0', 10);
  found.newline = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(0x0A)) | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(0x0D));
  found.blank = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(' '));
  found.space = in_range_v4(bytes, 9, 5) | found.blank;
  found.quote = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\''));
  found.upper = in_range_v4(bytes, 'A', 26);
  found.slash = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('/'));
  found.control = in_range_v4(bytes, 0, 32) | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(0x7F));
  found.wide = _mm512_movepi8_mask(bytes);
  return found;
}
#else
WEIR_INLINE masks classify(const uint8_t *text) {
  masks found = {0};
  for (int i = 0; i < BLOCK; i++) {
    uint8_t byte = text[i];
    found.letter |= (uint64_t)((uint8_t)((byte | 0x20) - 'a') < 26) << i;
    found.digit |= (uint64_t)((uint8_t)(byte - '0') < 10) << i;
    found.newline |= (uint64_t)(byte == 0x0A || byte == 0x0D) << i;
    found.blank |= (uint64_t)(byte == ' ') << i;
    found.space |= (uint64_t)(byte == ' ' || (uint8_t)(byte - 9) < 5) << i;
    found.quote |= (uint64_t)(byte == '\'') << i;
    found.upper |= (uint64_t)((uint8_t)(byte - 'A') < 26) << i;
    found.slash |= (uint64_t)(byte == '/') << i;
    found.control |= (uint64_t)(byte < 32 || byte == 0x7F) << i;
    found.wide |= (uint64_t)(byte >> 7) << i;
  }
  return found;
}
#endif

// Gives every byte of a non-ASCII character its class; returns the continuation bytes. Reads up to MARGIN - 1 bytes past the block.
uint64_t weir_classify_wide(const weir_pattern *p, const uint8_t *t, masks *m);
// Groups of at most `most` digits: a bit where each group begins.
uint64_t weir_number_groups(uint64_t digit, uint64_t rest, int most);
// The end of the pre-token that begins at `start`, character by character.
size_t weir_pretoken_end(const weir_pattern *p, const uint8_t *t, size_t n, size_t start);

// The length of the contraction at an apostrophe with `left` bytes, or 0. U+017F (long s) counts as an s if case is ignored.
WEIR_INLINE size_t contraction(const uint8_t *t, size_t left, int caseless) {
  if (left < 2) return 0;
  uint8_t fold = caseless ? 0x20 : 0, first = t[1] | fold;
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (left < 3) return 0;
  if (caseless && t[1] == 0xC5 && t[2] == 0xBF) return 3;
  uint8_t second = t[2] | fold;
  return (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l') ? 3 : 0;
}

WEIR_INLINE size_t newlines(const uint8_t *t, size_t n, size_t i) {
  while (i < n && (t[i] == 0x0A || t[i] == 0x0D)) i++;
  return i;
}

WEIR_INLINE size_t pair_slot(uint32_t left, uint32_t right) {
  uint32_t hash = left * 0x9E3779B1u ^ right * 0x85EBCA6Bu;
  hash = (hash ^ hash >> 15) * 0xC2B2AE35u;
  return hash >> (32 - WEIR_PAIR_BITS);
}

WEIR_INLINE int is_letter(uint8_t byte) { return (uint8_t)((byte | 0x20) - 'a') < 26; }
WEIR_INLINE int is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }

// Whether a pre-token of WORDS begins at i > 0, by the pairs that merges join. Within letters and within digits, none begins.
WEIR_INLINE int parts_at(const uint8_t *pairs, const uint8_t *t, size_t left, size_t i) {
  uint8_t here = t[i], before = t[i - 1];
  if (__builtin_expect((here | before) < 0x80, 1)) {
    if ((is_letter(here) && (is_letter(before) || before == ' ')) || (is_digit(here) && is_digit(before))) return 0;
    return !pairs[(size_t)before << 7 | here];
  }
  if ((here & 0xC0) == 0x80) return 0;
  size_t width = 1, first = i - 1;
  while (first > 0 && i - first < 4 && (t[first] & 0xC0) == 0x80) first--;
  uint32_t a = before < 0x80 ? before : weir_scalar(t + first, i - first, &width);
  if (width != (before < 0x80 ? 1 : i - first)) a = END + before;
  uint32_t b = here < 0x80 ? here : weir_scalar(t + i, left, &width);
  size_t slot = pair_slot(a, b);
  return !(pairs[(1 << 14) + (slot >> 3)] >> (slot & 7) & 1);
}

// Where white space after the last newline of its run begins, which is a pre-token of its own.
WEIR_INLINE uint64_t white_space_anew(uint64_t space, uint64_t newline, uint64_t taken) {
  uint64_t anew = space & (newline & ~taken) << 1;
  uint64_t wrong = (space + anew) & newline;
  while (__builtin_expect(wrong != 0, 0)) {
    uint64_t below = (wrong & -wrong) - 1, outside = ~space & below;
    anew &= ~(below & ~(outside ? ~0ull >> __builtin_clzll(outside) : 0));
    wrong &= wrong - 1;
  }
  return anew;
}

// The starts without those in white space that may continue past the block, of which only the first is certain.
WEIR_INLINE uint64_t before_open_space(uint64_t starts, uint64_t space) {
  uint64_t run = ~space ? (uint64_t)-1 << (63 - __builtin_clzll(~space)) << 1 : ~0ull;
  uint64_t inside = starts & run;
  return inside ? starts & (inside ^ (inside - 1)) : starts;
}

// One bit per byte where a pre-token begins, given that one begins at the first byte. `valid`: the bytes that exist; `closed`: whether the text ends after
// them. If not, starts that depend on what follows are left out.
WEIR_INLINE uint64_t begins(const weir_pattern *p, const uint8_t *t, masks m, uint64_t valid, int closed, int family) {
  uint64_t rest = 0;
  const int gpt2 = family == WEIR_PATTERN_GPT2;
  if (family == WEIR_PATTERN_WORDS) {
    uint64_t starts = m.blank & valid & ~1ull;
    if (p->pairs) {
      uint64_t letters = m.letter & (m.letter | m.blank) << 1, digits = m.digit & m.digit << 1;
      uint64_t found = 0;
      for (uint64_t left = valid & ~1ull & ~letters & ~digits; left; left &= left - 1) {
        size_t i = (size_t)__builtin_ctzll(left);
        found |= (uint64_t)parts_at(p->pairs, t, BLOCK + MARGIN - i, i) << i;
      }
      return found;
    }
    if (!p->joins) return starts;
    starts &= ~(m.blank << 1);
    for (uint64_t left = starts; left; left &= left - 1) {
      if (p->joins[t[__builtin_ctzll(left) - 1]]) starts ^= left & -left;
    }
    return starts;
  }
  if (__builtin_expect((m.wide & valid) != 0, 0)) {
    m.wide &= valid;
    rest = weir_classify_wide(p, t, &m);
  }
  m.letter &= valid;
  m.digit &= valid;
  m.space &= valid;
  uint64_t other = ~(m.letter | m.digit | m.space) & valid;
  uint64_t visible = m.letter | m.digit | other;
  uint64_t newline = gpt2 ? 0 : m.newline & valid, space = m.space & ~newline;
  // Symbols stay together, a blank goes with them.
  uint64_t starts = other & ~(other << 1) & ~(m.blank << 1);
  uint64_t quotes = starts & m.quote & m.letter >> 1;
  // The last white space before something visible, at its first byte.
  uint64_t last = space & visible >> 1;
  const int single = gpt2 && p->digits == 1;
  if (single) last = space & (visible & ~m.digit) >> 1;
  if (__builtin_expect((last & rest) != 0, 0)) {
    for (int i = 0; i < 3; i++) last = (last & ~rest) | (last & rest) >> 1;
  }
  if (gpt2) {
    starts |= m.letter & ~(m.letter << 1) & ~(m.blank << 1);
    starts |= single ? m.digit & ~rest : m.digit & ~(m.digit << 1) & ~(m.blank << 1);
    starts |= m.space & ~(m.space << 1);
  } else {
    // A single symbol goes with the letters after it.
    uint64_t joins = starts;
    if (__builtin_expect(rest != 0, 0)) {
      for (int i = 0; i < 3; i++) joins |= joins << 1 & rest;
    }
    starts |= m.letter & ~(m.letter << 1) & ~(joins << 1) & ~(space << 1);
    uint64_t digits = m.digit;
    if (p->digits == 1) {
      starts |= digits & ~rest;
    } else if (__builtin_expect((digits & rest) != 0 || p->digits != 3, 0)) {
      starts |= weir_number_groups(digits, rest, p->digits);
    } else {
      uint64_t first = digits & ~(digits << 1), four = digits & digits << 1 & digits << 2 & digits << 3;
      for (uint64_t next = first; four && next;) {
        next = next << 3 & four;
        first |= next;
      }
      starts |= first;
    }
    // Newlines go with the symbols before them.
    uint64_t taken = newline & other << 1;
    taken = newline & ~(newline + taken);
    uint64_t left = m.space & ~taken;
    starts |= left & ~(left << 1);
    starts |= white_space_anew(space, newline, taken);
  }
  starts |= last;
  for (; __builtin_expect(quotes != 0, 0); quotes &= quotes - 1) {
    int at = __builtin_ctzll(quotes);
    size_t length = contraction(t + at, BLOCK + MARGIN - (size_t)at, !gpt2);
    if (length == 0) continue;
    starts &= ~(1ull << at << 1);
    if (at + length < BLOCK) starts |= 1ull << (at + length) & valid;
  }
  if (!closed && m.space >> 63) starts = before_open_space(starts, m.space);
  return starts & ~1ull;
}

// `begins` for the styles of AUTOMATA: the starts before the first character that is not ASCII, without the last one, which may depend on it. 0 leaves the
// text to the automata.
WEIR_INLINE uint64_t begins_in_ascii(const weir_pattern *p, const uint8_t *t, masks m) {
  uint64_t stop = m.wide | (p->style & WEIR_STYLE_APART ? m.control & ~m.space : 0);
  uint64_t valid = stop ? (stop & -stop) - 1 : ~0ull;
  uint64_t letter = m.letter & valid, digit = m.digit & valid, all_space = m.space & valid;
  uint64_t other = ~(letter | digit | all_space) & valid, visible = letter | digit | other;
  uint64_t newline = m.newline & valid, space = all_space & ~newline;
  uint64_t starts = other & ~(other << 1) & ~(m.blank << 1), joins = starts;
  uint64_t last = space & (p->style & WEIR_STYLE_APART ? visible & ~digit : visible) >> 1;
  starts |= letter & ~(letter << 1) & ~(joins << 1) & ~(space << 1);
  if (p->style & WEIR_STYLE_CASED) starts |= m.upper & valid & (letter & ~m.upper) << 1;
  if (p->digits == 1) {
    starts |= digit;
  } else {
    starts |= weir_number_groups(digit, 0, p->digits);
  }
  uint64_t taken = newline & other << 1;
  taken = newline & ~(newline + taken);
  if (p->style & WEIR_STYLE_CASED && taken << 1 & m.slash) return 0;
  uint64_t left = all_space & ~taken;
  starts |= left & ~(left << 1);
  starts |= white_space_anew(space, newline, taken) | last;
  if (p->style & WEIR_STYLE_SUFFIXED) {
    size_t end = 0;
    for (uint64_t quotes = m.quote & letter << 1 & letter >> 1; quotes; quotes &= quotes - 1) {
      size_t at = (size_t)__builtin_ctzll(quotes), length = at == end ? 0 : contraction(t + at, BLOCK + MARGIN - at, 1);
      if (length == 0) continue;
      end = at + length;
      starts &= ~(((1ull << length) - 1) << at);
      if (end < BLOCK) starts |= 1ull << end & valid;
    }
  }
  if (!stop && m.space >> 63) starts = before_open_space(starts, m.space);
  starts &= ~1ull;
  // A contraction may continue behind the block.
  if (starts && (stop || m.quote >> 61)) starts &= ~(1ull << 63 >> __builtin_clzll(starts));
  return starts;
}

// Writes base + the position of each bit; may write up to three more values.
WEIR_INLINE size_t list(uint64_t bits, size_t base, size_t *ends) {
  size_t count = (size_t)__builtin_popcountll(bits);
  for (size_t i = 0; i < count; i += 4) {
    for (size_t j = 0; j < 4; j++) {
      ends[i + j] = base + (size_t)__builtin_ctzll(bits | 1ull << 63);
      bits &= bits - 1;
    }
  }
  return count;
}

#if defined(__linux__) && defined(__x86_64__)
// The same without a branch for up to 32 bits, by compressing byte positions. Always writes 32 or 64 values.
WEIR_V5 WEIR_INLINE size_t list_v5(uint64_t bits, size_t base, size_t *ends) {
  const __m512i bytes = _mm512_set_epi64(
      0x3F3E3D3C3B3A3938, 0x3736353433323130, 0x2F2E2D2C2B2A2928, 0x2726252423222120, 0x1F1E1D1C1B1A1918, 0x1716151413121110, 0x0F0E0D0C0B0A0908,
      0x0706050403020100);
  size_t count = (size_t)__builtin_popcountll(bits);
  __m512i places = _mm512_maskz_compress_epi8(bits, bytes), first = _mm512_set1_epi64((long long)base);
  for (size_t i = 0; i == 0 || __builtin_expect(i < count, 0); i += 32) {
    __m256i some = i == 0 ? _mm512_castsi512_si256(places) : _mm512_extracti64x4_epi64(places, 1);
    __m128i low = _mm256_castsi256_si128(some), high = _mm256_extracti128_si256(some, 1);
    _mm512_storeu_si512(ends + i, _mm512_add_epi64(_mm512_cvtepu8_epi64(low), first));
    _mm512_storeu_si512(ends + i + 8, _mm512_add_epi64(_mm512_cvtepu8_epi64(_mm_unpackhi_epi64(low, low)), first));
    _mm512_storeu_si512(ends + i + 16, _mm512_add_epi64(_mm512_cvtepu8_epi64(high), first));
    _mm512_storeu_si512(ends + i + 24, _mm512_add_epi64(_mm512_cvtepu8_epi64(_mm_unpackhi_epi64(high, high)), first));
  }
  return count;
}
#endif

typedef masks (*classifier)(const uint8_t *text);
typedef size_t (*lister)(uint64_t bits, size_t base, size_t *ends);
// Called with the pre-tokens first ..< end as soon as their ends are known; may be called again for one whose end has changed.
typedef void (*visitor)(void *state, size_t first, size_t end);

// The next 64 bytes depend on the end of this computation; the work of `visit` fills the latency.
WEIR_INLINE size_t cut(
    weir_cutter *c, const weir_pattern *p, size_t *ends, size_t room, int family, classifier look_at, lister list_ends, visitor visit, void *state) {
  const uint8_t *t = c->text;
  size_t at = c->at, n = c->visible, found = 0;
  while (at < n && found + BLOCK + 4 <= room) {
    uint64_t bits;
    // Among all the lookups, the hardware prefetcher does not follow the text.
    __builtin_prefetch(t + at + 1024);
    if (__builtin_expect(n - at >= BLOCK + MARGIN, 1)) {
      bits = begins(p, t + at, look_at(t + at), ~0ull, 0, family);
    } else {
      // Zeros end every character and belong to no class.
      uint8_t end[BLOCK + MARGIN] = {0};
      memcpy(end, t + at, n - at);
      if (n - at >= BLOCK) {
        bits = begins(p, end, look_at(end), ~0ull, 0, family);
      } else {
        size_t made = list_ends(begins(p, end, look_at(end), (1ull << (n - at)) - 1, 1, family), at, ends + found);
        found += made;
        at = ends[found++] = n;
        visit(state, found - made - 1, found);
        break;
      }
    }
    if (__builtin_expect(bits == 0, 0)) {
      at = ends[found++] = weir_pretoken_end(p, t, n, at);
      visit(state, found - 1, found);
    } else {
      size_t made = list_ends(bits, at, ends + found);
      at += 63 - (size_t)__builtin_clzll(bits);
      visit(state, found, found + made);
      found += made;
    }
  }
  c->at = at;
  return found;
}

// The trailing white space of a text, after its last visible pre-token.
WEIR_INLINE size_t pretokens_behind(weir_cutter *c, size_t *ends, size_t found, visitor visit, void *state) {
  // Newlines go with symbols.
  if (c->symbol && found > 0) {
    c->at = ends[found - 1] = newlines(c->text, c->count, c->at);
    visit(state, found - 1, found);
  }
  if (c->at < c->count) {
    c->at = ends[found++] = c->count;
    visit(state, found - 1, found);
  }
  return found;
}

// Cuts by the tables. Every stage cuts a piece of the stage before it.
WEIR_INLINE size_t cut_by_automata(
    weir_cutter *c, const weir_pattern *p, size_t *ends, size_t room, classifier look_at, lister list_ends, visitor visit, void *state) {
  size_t found = 0;
  int inner = p->stages - 1;
  while (c->at < c->count && found + BLOCK + 4 <= room) {
    size_t limit = c->count, most = room - BLOCK - 4 - found + 1;
    if (p->style) {
      uint64_t bits = 0;
      if (limit - c->at >= BLOCK + MARGIN) bits = begins_in_ascii(p, c->text + c->at, look_at(c->text + c->at));
      if (__builtin_expect(bits != 0, 1)) {
        size_t made = list_ends(bits, c->at, ends + found);
        c->at += 63 - (size_t)__builtin_clzll(bits);
        visit(state, found, found + made);
        found += made;
        continue;
      }
      // Then the masks are tried again.
      most = most < 8 ? most : 8;
    }
    for (int k = 0; k < inner; k++) {
      if (c->bounds[k] <= c->at) {
        size_t two[2], at = c->at;
        automaton_ends(p->automata + k, c->text, limit, &at, two, 1);
        c->bounds[k] = at;
      }
      limit = c->bounds[k];
    }
    size_t made = automaton_ends(p->automata + inner, c->text, limit, &c->at, ends + found, most);
    visit(state, found, found + made);
    found += made;
  }
  return found;
}

// weir_pretokens with a visitor.
WEIR_INLINE size_t pretokens(
    weir_cutter *c, size_t *ends, size_t room, classifier look_at, lister list_ends, visitor visit, void *state) {
  const weir_pattern *p = c->pattern;
  size_t found = 0;
  if (c->at < c->visible) {
    switch (p->family) {
    case WEIR_PATTERN_GPT2: found = cut(c, p, ends, room, WEIR_PATTERN_GPT2, look_at, list_ends, visit, state); break;
    case WEIR_PATTERN_WORDS: found = cut(c, p, ends, room, WEIR_PATTERN_WORDS, look_at, list_ends, visit, state); break;
    case WEIR_PATTERN_AUTOMATA: found = cut_by_automata(c, p, ends, room, look_at, list_ends, visit, state); break;
    default: found = cut(c, p, ends, room, WEIR_PATTERN_LLAMA3, look_at, list_ends, visit, state);
    }
  }
  if (c->at >= c->visible && c->visible < c->count) found = pretokens_behind(c, ends, found, visit, state);
  return found;
}
