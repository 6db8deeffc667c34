// Cutting a text into pre-tokens.
//
// A pattern's matches depend on nothing before them: where a pre-token begins, a text might begin. So 64 bytes from there on become bits, one word
// of them for each class of characters, and a few shifts of these words tell where all the pre-tokens inside begin; the last one that is
// certain begins the next 64 bytes. No branch depends on a pre-token's length. What spans more than 64 bytes goes the plain way, character by
// character, which is also what the tests compare with.
#include "weir_tokenizer.h"
#include "tile.h"
#include "weir_gemm.h"
#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))

enum { OTHER = 0, LETTER = 1, NUMBER = 2, SPACE = 3, NEWLINE = 4 };

// MARK: characters

typedef struct character {
  uint32_t class, length;
} character;

// The well-formed sequences of Unicode's table 3-7; anything else is one symbol of one byte.
ALWAYS character look_wide(const weir_pattern *p, const uint8_t *t, size_t left) {
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

// The character that ends at `end` > 0.
static character look_back(const weir_pattern *p, const uint8_t *t, size_t end) {
  for (size_t length = 1; length <= 4 && length <= end; length++) {
    character found = look(p, t, end, end - length);
    if (found.length == length && (length > 1 || t[end - 1] < 0x80)) return found;
  }
  return (character){OTHER, 1};
}

// MARK: patterns, the plain way

ALWAYS uint64_t letters_of(const uint8_t *text);

// The end of the run of `class` from i.
static size_t run(const weir_pattern *p, const uint8_t *t, size_t n, size_t i, uint32_t class) {
  while (i < n) {
    if (class == LETTER && i + 64 <= n) {
      uint64_t others = ~letters_of(t + i);
      i += others ? (size_t)__builtin_ctzll(others) : 64;
      if (others == 0) continue;
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

// The length of the contraction at an apostrophe with `left` bytes, 0 where there is none. Without regard to case U+017F (long s) is an s, too.
ALWAYS size_t contraction(const uint8_t *t, size_t left, int caseless) {
  if (left < 2) return 0;
  uint8_t fold = caseless ? 0x20 : 0, first = t[1] | fold;
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (left < 3) return 0;
  if (caseless && t[1] == 0xC5 && t[2] == 0xBF) return 3;
  uint8_t second = t[2] | fold;
  return (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l') ? 3 : 0;
}

// White space at `start`. gpt2: all of it, or all but the last character before something visible. Others: up to the last newline first.
static size_t white_space(const weir_pattern *p, const uint8_t *t, size_t n, size_t start) {
  size_t i = start, last = start, newline = 0;
  while (i < n) {
    character next = look(p, t, n, i);
    if (next.class < SPACE) break;
    last = i;
    i += next.length;
    if (next.class == NEWLINE) newline = i;
  }
  if (p->family != WEIR_PATTERN_GPT2 && newline > 0) return newline;
  return i == n || last == start ? i : last;
}

static size_t end_gpt2(const weir_pattern *p, const uint8_t *t, size_t n, size_t start) {
  if (t[start] == '\'') {
    size_t length = contraction(t + start, n - start, 0);
    if (length > 0) return start + length;
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
    size_t length = contraction(t + start, n - start, 1);
    if (length > 0) return start + length;
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

__attribute__((noinline)) static size_t end_plain(const weir_pattern *p, const uint8_t *t, size_t n, size_t start) {
  return p->family == WEIR_PATTERN_GPT2 ? end_gpt2(p, t, n, start) : end_modern(p, t, n, start);
}

// MARK: classes of 64 bytes

// A bit for each of 64 bytes: class by class, and what is not ASCII. `space` has the newlines and the blanks, too.
typedef struct masks {
  uint64_t letter, digit, space, newline, blank, quote, wide;
} masks;

enum { BLOCK = 64, MARGIN = 4 };

#if defined(__linux__) && defined(__x86_64__)
#include <immintrin.h>

// Bits of the bytes in first ..< first + size.
ALWAYS uint64_t between(__m128i bytes, int first, int size) {
  __m128i moved = _mm_sub_epi8(bytes, _mm_set1_epi8((char)(first + 128)));
  return (uint64_t)_mm_movemask_epi8(_mm_cmplt_epi8(moved, _mm_set1_epi8((char)(size - 128))));
}

ALWAYS uint64_t equal(__m128i bytes, int byte) { return (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)byte))); }

ALWAYS masks classify(const uint8_t *text) {
  masks found = {0};
  for (int i = 0; i < BLOCK; i += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(text + i));
    found.letter |= between(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26) << i;
    found.digit |= between(bytes, '0', 10) << i;
    found.newline |= (equal(bytes, 0x0A) | equal(bytes, 0x0D)) << i;
    found.space |= between(bytes, 9, 5) << i;
    found.blank |= equal(bytes, ' ') << i;
    found.quote |= equal(bytes, '\'') << i;
    found.wide |= (uint64_t)_mm_movemask_epi8(bytes) << i;
  }
  found.space |= found.blank;
  return found;
}

ALWAYS uint64_t letters_of(const uint8_t *text) {
  uint64_t found = 0;
  for (int i = 0; i < BLOCK; i += 16) {
    found |= between(_mm_or_si128(_mm_loadu_si128((const __m128i *)(text + i)), _mm_set1_epi8(0x20)), 'a', 26) << i;
  }
  return found;
}

WEIR_V3 ALWAYS uint64_t between_v3(__m256i bytes, int first, int size) {
  __m256i moved = _mm256_sub_epi8(bytes, _mm256_set1_epi8((char)(first + 128)));
  return (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8((char)(size - 128)), moved));
}

WEIR_V3 ALWAYS uint64_t equal_v3(__m256i bytes, int byte) {
  return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8((char)byte)));
}

WEIR_V3 ALWAYS masks classify_v3(const uint8_t *text) {
  masks found = {0};
  for (int i = 0; i < BLOCK; i += 32) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(text + i));
    found.letter |= between_v3(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), 'a', 26) << i;
    found.digit |= between_v3(bytes, '0', 10) << i;
    found.newline |= (equal_v3(bytes, 0x0A) | equal_v3(bytes, 0x0D)) << i;
    found.space |= between_v3(bytes, 9, 5) << i;
    found.blank |= equal_v3(bytes, ' ') << i;
    found.quote |= equal_v3(bytes, '\'') << i;
    found.wide |= (uint64_t)(uint32_t)_mm256_movemask_epi8(bytes) << i;
  }
  found.space |= found.blank;
  return found;
}

WEIR_V4 ALWAYS uint64_t between_v4(__m512i bytes, int first, int size) {
  return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8((char)first)), _mm512_set1_epi8((char)size));
}

WEIR_V4 ALWAYS masks classify_v4(const uint8_t *text) {
  __m512i bytes = _mm512_loadu_si512(text);
  masks found;
  found.letter = between_v4(_mm512_or_si512(bytes, _mm512_set1_epi8(0x20)), 'a', 26);
  found.digit = between_v4(bytes, '0', 10);
  found.newline = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(0x0A)) | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(0x0D));
  found.blank = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(' '));
  found.space = between_v4(bytes, 9, 5) | found.blank;
  found.quote = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\''));
  found.wide = _mm512_movepi8_mask(bytes);
  return found;
}
#else
ALWAYS masks classify(const uint8_t *text) {
  masks found = {0};
  for (int i = 0; i < BLOCK; i++) {
    uint8_t byte = text[i];
    found.letter |= (uint64_t)((uint8_t)((byte | 0x20) - 'a') < 26) << i;
    found.digit |= (uint64_t)((uint8_t)(byte - '0') < 10) << i;
    found.newline |= (uint64_t)(byte == 0x0A || byte == 0x0D) << i;
    found.blank |= (uint64_t)(byte == ' ') << i;
    found.space |= (uint64_t)(byte == ' ' || (uint8_t)(byte - 9) < 5) << i;
    found.quote |= (uint64_t)(byte == '\'') << i;
    found.wide |= (uint64_t)(byte >> 7) << i;
  }
  return found;
}

ALWAYS uint64_t letters_of(const uint8_t *text) {
  uint64_t found = 0;
  for (int i = 0; i < BLOCK; i++) found |= (uint64_t)((uint8_t)((text[i] | 0x20) - 'a') < 26) << i;
  return found;
}
#endif

// All bytes of a wide character get its class; returns those that are not its first. Reads up to MARGIN - 1 bytes behind the block.
__attribute__((noinline)) static uint64_t classify_wide(const weir_pattern *p, const uint8_t *t, masks *m) {
  uint64_t by_class[5] = {0}, rest = 0;
  for (uint64_t left = m->wide; left;) {
    int at = __builtin_ctzll(left);
    character found = look_wide(p, t + at, 4);
    uint64_t bits = ((1ull << found.length) - 1) << at;
    by_class[found.class] |= bits;
    rest |= bits & ~(1ull << at);
    left &= ~bits;
  }
  m->letter |= by_class[LETTER];
  m->digit |= by_class[NUMBER];
  m->space |= by_class[SPACE];
  return rest;
}

// MARK: pre-tokens of 64 bytes

// Numbers in groups: a bit where each group begins.
static uint64_t groups(uint64_t digit, uint64_t rest, int most) {
  uint64_t found = 0, before = 0;
  int taken = 0;
  for (uint64_t left = digit & ~rest; left; left &= left - 1) {
    uint64_t bit = left & -left;
    // The character before, if it is a number, ends right here.
    if (bit == 1 || !(digit & bit >> 1) || !before) taken = 0;
    if (taken % most == 0) found |= bit;
    taken++;
    before = bit;
  }
  return found;
}

// A bit for each byte where a pre-token begins, given that one begins at the first byte. `valid`: the bytes that are there; `closed`: whether the
// text ends behind them, otherwise those that depend on what follows are left out.
ALWAYS uint64_t begins(const weir_pattern *p, const uint8_t *t, masks m, uint64_t valid, int closed, int gpt2) {
  uint64_t rest = 0;
  if (__builtin_expect((m.wide & valid) != 0, 0)) {
    m.wide &= valid;
    rest = classify_wide(p, t, &m);
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
  // The last white space before something visible: by its first byte.
  uint64_t last = space & visible >> 1;
  if (__builtin_expect((last & rest) != 0, 0)) {
    for (int i = 0; i < 3; i++) last = (last & ~rest) | (last & rest) >> 1;
  }
  if (gpt2) {
    starts |= m.letter & ~(m.letter << 1) & ~(m.blank << 1);
    starts |= m.digit & ~(m.digit << 1) & ~(m.blank << 1);
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
      starts |= groups(digits, rest, p->digits);
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
    // After its last newline white space begins anew.
    uint64_t anew = space & (newline & ~taken) << 1;
    uint64_t wrong = (space + anew) & newline;
    while (__builtin_expect(wrong != 0, 0)) {
      uint64_t below = (wrong & -wrong) - 1, outside = ~space & below;
      anew &= ~(below & ~(outside ? ~0ull >> __builtin_clzll(outside) : 0));
      wrong &= wrong - 1;
    }
    starts |= anew;
  }
  starts |= last;
  for (; __builtin_expect(quotes != 0, 0); quotes &= quotes - 1) {
    int at = __builtin_ctzll(quotes);
    size_t length = contraction(t + at, BLOCK + MARGIN - (size_t)at, !gpt2);
    if (length == 0) continue;
    starts &= ~(1ull << at << 1);
    if (at + length < BLOCK) starts |= 1ull << (at + length) & valid;
  }
  if (!closed && m.space >> 63) {
    // White space that may go on: only where it begins is certain.
    uint64_t run = ~m.space ? (uint64_t)-1 << (63 - __builtin_clzll(~m.space)) << 1 : ~0ull;
    uint64_t inside = starts & run;
    if (inside) starts &= inside ^ (inside - 1);
  }
  return starts & ~1ull;
}

// Writes base + the position of each bit; may write up to three more.
ALWAYS size_t list(uint64_t bits, size_t base, size_t *ends) {
  size_t count = (size_t)__builtin_popcountll(bits);
  for (size_t i = 0; i < count; i += 4) {
    for (size_t j = 0; j < 4; j++) {
      ends[i + j] = base + (size_t)__builtin_ctzll(bits | 1ull << 63);
      bits &= bits - 1;
    }
  }
  return count;
}

typedef masks (*classifier)(const uint8_t *text);

ALWAYS size_t cut(weir_cutter *c, const weir_pattern *p, size_t *ends, size_t room, int gpt2, classifier look_at) {
  const uint8_t *t = c->text;
  size_t at = c->at, n = c->visible, found = 0;
  while (at < n && found + BLOCK + 4 <= room) {
    uint64_t bits;
    if (__builtin_expect(n - at >= BLOCK + MARGIN, 1)) {
      bits = begins(p, t + at, look_at(t + at), ~0ull, 0, gpt2);
    } else {
      // Zeros end every character, and are nobody's.
      uint8_t end[BLOCK + MARGIN] = {0};
      memcpy(end, t + at, n - at);
      if (n - at >= BLOCK) {
        bits = begins(p, end, look_at(end), ~0ull, 0, gpt2);
      } else {
        size_t made = list(begins(p, end, look_at(end), (1ull << (n - at)) - 1, 1, gpt2), at, ends + found);
        found += made;
        at = ends[found++] = n;
        break;
      }
    }
    if (__builtin_expect(bits == 0, 0)) {
      at = ends[found++] = end_plain(p, t, n, at);
    } else {
      found += list(bits, at, ends + found);
      at = ends[found - 1];
    }
  }
  c->at = at;
  return found;
}

#if defined(__linux__) && defined(__x86_64__)
WEIR_V3 static size_t cut_v3(weir_cutter *c, const weir_pattern *p, size_t *ends, size_t room) {
  return p->family == WEIR_PATTERN_GPT2 ? cut(c, p, ends, room, 1, classify_v3) : cut(c, p, ends, room, 0, classify_v3);
}

WEIR_V4 static size_t cut_v4(weir_cutter *c, const weir_pattern *p, size_t *ends, size_t room) {
  return p->family == WEIR_PATTERN_GPT2 ? cut(c, p, ends, room, 1, classify_v4) : cut(c, p, ends, room, 0, classify_v4);
}
#endif

static size_t cut_any(weir_cutter *c, const weir_pattern *p, size_t *ends, size_t room) {
  return p->family == WEIR_PATTERN_GPT2 ? cut(c, p, ends, room, 1, classify) : cut(c, p, ends, room, 0, classify);
}

void weir_cutter_start(weir_cutter *c, const weir_pattern *p, const uint8_t *text, size_t count) {
  *c = (weir_cutter){p, text, count, count, 0, 0, weir_simd_level()};
  if (p->family != WEIR_PATTERN_CL100K) return;
  // cl100k takes white space at the end of a text as a whole: the rest is cut as if the text ended before it.
  while (c->visible > 0) {
    character before = look_back(p, text, c->visible);
    if (before.class < SPACE) {
      c->symbol = before.class == OTHER;
      break;
    }
    c->visible -= before.length;
  }
}

size_t weir_pretokens(weir_cutter *c, size_t *ends, size_t room) {
  size_t found = 0;
  if (c->at < c->visible) {
    if (c->level < 0) {
      while (c->at < c->visible && found + BLOCK + 4 <= room) c->at = ends[found++] = end_plain(c->pattern, c->text, c->visible, c->at);
#if defined(__linux__) && defined(__x86_64__)
    } else if (c->level == 2) {
      found = cut_v4(c, c->pattern, ends, room);
    } else if (c->level == 1) {
      found = cut_v3(c, c->pattern, ends, room);
#endif
    } else {
      found = cut_any(c, c->pattern, ends, room);
    }
    if (c->at < c->visible || c->visible == c->count) return found;
    // Newlines go with symbols.
    if (c->symbol) c->at = ends[found - 1] = newlines(c->text, c->count, c->at);
  }
  if (c->at < c->count) c->at = ends[found++] = c->count;
  return found;
}
