// Matches of a regular expression, one at a time, and searches that step over text quickly.
#include "automaton.h"
#include <string.h>

size_t weir_automaton_match(const weir_automaton *a, const uint8_t *text, size_t count, size_t at) {
  size_t last = at;
  uint32_t row = a->initial;
  for (size_t i = at, width; i < count; i += width) {
    uint32_t entry = a->steps[row + class_at(a, text, count, i, &width)];
    if (entry & (WEIR_MARK | WEIR_EMIT)) last = i;
    if (entry & (WEIR_EMIT | WEIR_STOP)) return last;
    row = entry & WEIR_ROW;
  }
  return a->steps[row + a->end] & WEIR_MARK ? count : last;
}

size_t weir_automaton_find(const weir_automaton *a, const uint8_t *text, size_t count, size_t *at) {
  const uint32_t *first = a->steps + a->initial;
  for (size_t width; *at < count; *at += width) {
    // Steps over ASCII that begins no match.
    while (*at + 8 <= count) {
      const uint8_t *t = text + *at;
      uint32_t any = 0;
      for (int i = 0; i < 8; i++) any |= (uint32_t)(t[i] >= 0x80 || !(first[a->classes[t[i] & 0x7F]] & WEIR_STOP)) << i;
      *at += any ? (size_t)__builtin_ctz(any) : 8;
      if (any) break;
    }
    if (*at == count) break;
    if (first[class_at(a, text, count, *at, &width)] & WEIR_STOP) continue;
    size_t end = weir_automaton_match(a, text, count, *at);
    if (end > *at) return end;
  }
  return count;
}

size_t weir_find_pair(const uint8_t *text, size_t count, size_t at, const uint8_t *first, const uint8_t *second) {
  for (; at + 9 <= count; at += 8) {
    const uint8_t *t = text + at;
    uint8_t any = 0;
    for (int i = 0; i < 8; i++) any |= first[t[i]] & second[t[i + 1]];
    if (!any) continue;
    while (!(first[text[at]] & second[text[at + 1]])) at++;
    return at;
  }
  for (; at < count; at++) {
    if (first[text[at]] & second[at + 1 < count ? text[at + 1] : 256]) return at;
  }
  return count;
}

typedef uint8_t vector __attribute__((vector_size(32)));

WEIR_INLINE size_t find_pairs(const uint8_t *text, size_t count, size_t at, const uint8_t *pairs, int number) {
  vector first[WEIR_FEW_PAIRS], second[WEIR_FEW_PAIRS];
  for (int p = 0; p < number; p++) {
    first[p] = pairs[p] - (vector){0};
    second[p] = pairs[WEIR_FEW_PAIRS + p] - (vector){0};
  }
  for (; at + 33 <= count; at += 32) {
    vector here, next, any = {0};
    memcpy(&here, text + at, 32);
    memcpy(&next, text + at + 1, 32);
    for (int p = 0; p < number; p++) any |= (vector)(here == first[p]) & (vector)(next == second[p]);
    uint64_t words[4];
    memcpy(words, &any, 32);
    if (!(words[0] | words[1] | words[2] | words[3])) continue;
    for (int word = 0; word < 4; word++) {
      if (words[word]) return at + 8 * (size_t)word + (size_t)__builtin_ctzll(words[word]) / 8;
    }
  }
  for (; at + 1 < count; at++) {
    for (int p = 0; p < number; p++) {
      if (text[at] == pairs[p] && text[at + 1] == pairs[WEIR_FEW_PAIRS + p]) return at;
    }
  }
  return count;
}

// Compiled for several numbers, so that the vectors are in registers.
WEIR_CLONES size_t weir_find_pairs(const uint8_t *text, size_t count, size_t at, const uint8_t *pairs, int number) {
  if (number <= 2) return find_pairs(text, count, at, pairs, 2);
  if (number <= 4) return find_pairs(text, count, at, pairs, 4);
  return find_pairs(text, count, at, pairs, WEIR_FEW_PAIRS);
}

size_t weir_find_blank_mark(const uint8_t *text, size_t count, size_t at) {
  for (; at + 3 <= count; at++) {
    const uint8_t *found = memchr(text + at, 0xE2, count - at - 2);
    if (!found) return count;
    at = (size_t)(found - text);
    if (found[1] == 0x96 && found[2] == 0x81) return at;
  }
  return count;
}

size_t weir_find_flagged(const uint8_t *text, size_t count, size_t at, const uint8_t *flags, uint32_t limit, uint8_t bits) {
  while (at < count) {
    uint64_t eight;
    if (at + 8 <= count) {
      memcpy(&eight, text + at, 8);
      if (!(eight & 0x8080808080808080)) {
        at += 8;
        continue;
      }
    }
    if (text[at] < 0x80) {
      at++;
      continue;
    }
    size_t width;
    uint32_t scalar = weir_scalar(text + at, count - at, &width);
    if (scalar < limit && flags[scalar] & bits) return at;
    at += width;
  }
  return count;
}
