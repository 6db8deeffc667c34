// Cuts a text into pre-tokens: the scalar cutter, which is also the reference for the tests, and the dispatch by SIMD level.
#include "pretokens.h"
#include "weir_simd.h"

// MARK: characters

typedef struct character {
  uint32_t class, length;
} character;

// The well-formed sequences of Unicode's table 3-7; anything else is one symbol of one byte.
WEIR_INLINE character look_wide(const weir_pattern *p, const uint8_t *t, size_t left) {
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

WEIR_INLINE character look(const weir_pattern *p, const uint8_t *t, size_t n, size_t i) {
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

#if defined(__linux__) && defined(__x86_64__)
WEIR_INLINE uint64_t letters_of(const uint8_t *text) {
  uint64_t found = 0;
  for (int i = 0; i < BLOCK; i += 16) {
    found |= between(_mm_or_si128(_mm_loadu_si128((const __m128i *)(text + i)), _mm_set1_epi8(0x20)), 'a', 26) << i;
  }
  return found;
}
#else
WEIR_INLINE uint64_t letters_of(const uint8_t *text) {
  uint64_t found = 0;
  for (int i = 0; i < BLOCK; i++) found |= (uint64_t)((uint8_t)((text[i] | 0x20) - 'a') < 26) << i;
  return found;
}
#endif

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

// White space at `start`. gpt2: all of it, or all but the last character before something visible, other than a single digit. Others: up to the last
// newline first.
static size_t white_space(const weir_pattern *p, const uint8_t *t, size_t n, size_t start) {
  size_t i = start, last = start, newline = 0;
  while (i < n) {
    character next = look(p, t, n, i);
    if (p->family == WEIR_PATTERN_GPT2 && p->digits == 1 && next.class == NUMBER) return i;
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
    if (next.class < SPACE && !(p->digits == 1 && next.class == NUMBER)) {
      first = next;
      i++;
    }
  }
  if (p->digits == 1 && first.class == NUMBER) return i + first.length;
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
  // A symbol, or whitespace other than a newline, joins the letters after it; a space also joins symbols.
  if (first.class != NEWLINE && after < n) {
    character next = look(p, t, n, after);
    if (next.class == LETTER) return run(p, t, n, after + next.length, LETTER);
    if (next.class == OTHER && t[start] == ' ') return newlines(t, n, run(p, t, n, after + next.length, OTHER));
  }
  if (first.class == OTHER) return newlines(t, n, run(p, t, n, after, OTHER));
  return white_space(p, t, n, start);
}

// The next blank that begins a pre-token.
static size_t end_words(const weir_pattern *p, const uint8_t *t, size_t n, size_t start) {
  for (size_t i = start + 1; p->pairs && i < n; i++) {
    if (parts_at(p->pairs, t + start, n - i, i - start)) return i;
  }
  if (p->pairs) return n;
  for (size_t i = start + 1; i < n; i++) {
    const uint8_t *next = memchr(t + i, ' ', n - i);
    if (!next) return n;
    i = (size_t)(next - t);
    if (!p->joins || (t[i - 1] != ' ' && !p->joins[t[i - 1]])) return i;
  }
  return n;
}

size_t weir_pretoken_end(const weir_pattern *p, const uint8_t *t, size_t n, size_t start) {
  switch (p->family) {
  case WEIR_PATTERN_GPT2: return end_gpt2(p, t, n, start);
  case WEIR_PATTERN_WORDS: return end_words(p, t, n, start);
  default: return end_modern(p, t, n, start);
  }
}

void weir_pairs_join(uint8_t *pairs, uint32_t left, uint32_t right) {
  size_t slot = pair_slot(left, right);
  if ((left | right) < 0x80) pairs[left << 7 | right] = 1;
  else pairs[(1 << 14) + (slot >> 3)] |= (uint8_t)(1 << (slot & 7));
}

// MARK: wide characters and numbers

uint64_t weir_classify_wide(const weir_pattern *p, const uint8_t *t, masks *m) {
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

uint64_t weir_number_groups(uint64_t digit, uint64_t rest, int most) {
  uint64_t found = 0, before = 0;
  int taken = 0;
  for (uint64_t left = digit & ~rest; left; left &= left - 1) {
    uint64_t bit = left & -left;
    // A preceding digit ends exactly here.
    if (bit == 1 || !(digit & bit >> 1) || !before) taken = 0;
    if (taken % most == 0) found |= bit;
    taken++;
    before = bit;
  }
  return found;
}

// MARK: levels

WEIR_INLINE void nothing(void *state, size_t first, size_t end) { (void)state, (void)first, (void)end; }

static size_t cut_plain(weir_cutter *c, size_t *ends, size_t room) {
  size_t found = 0;
  if (c->pattern->family == WEIR_PATTERN_AUTOMATA) {
    weir_pattern plain = *c->pattern;
    plain.style = 0;
    return cut_by_automata(c, &plain, ends, room, classify, list, nothing, NULL);
  }
  while (c->at < c->visible && found + BLOCK + 4 <= room) {
    c->at = ends[found++] = weir_pretoken_end(c->pattern, c->text, c->visible, c->at);
  }
  if (c->at >= c->visible && c->visible < c->count) found = pretokens_behind(c, ends, found, nothing, NULL);
  return found;
}

static size_t cut_any(weir_cutter *c, size_t *ends, size_t room) { return pretokens(c, ends, room, classify, list, nothing, NULL); }
#if defined(__linux__) && defined(__x86_64__)
WEIR_V3 static size_t cut_v3(weir_cutter *c, size_t *ends, size_t room) { return pretokens(c, ends, room, classify_v3, list, nothing, NULL); }
WEIR_V4 static size_t cut_v4(weir_cutter *c, size_t *ends, size_t room) { return pretokens(c, ends, room, classify_v4, list, nothing, NULL); }
WEIR_V5 static size_t cut_v5(weir_cutter *c, size_t *ends, size_t room) { return pretokens(c, ends, room, classify_v4, list_v5, nothing, NULL); }
#endif

int weir_cutter_level(void) {
  int level = weir_simd_level();
#if defined(__linux__) && defined(__x86_64__)
  if (level == 2 && __builtin_cpu_supports("avx512vbmi2")) return 3;
#endif
  return level;
}

void weir_cutter_start(weir_cutter *c, const weir_pattern *p, const uint8_t *text, size_t count) {
  *c = (weir_cutter){p, text, count, count, 0, 0, weir_cutter_level(), {0}};
  if (p->family != WEIR_PATTERN_CL100K) return;
  // In cl100k, trailing white space is one pre-token: the rest is cut as if the text ended before it.
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
  switch (c->level) {
#if defined(__linux__) && defined(__x86_64__)
  case 3: return cut_v5(c, ends, room);
  case 2: return cut_v4(c, ends, room);
  case 1: return cut_v3(c, ends, room);
#endif
  case 0: return cut_any(c, ends, room);
  default: return cut_plain(c, ends, room);
  }
}
