#pragma once
// Cuts a text by a table that was made from a regular expression; private to this target.
//
// One look-up per character gives the next state and whether a match has ended before the character. Where it has, the entry is already the state after
// the first character of the next match, so that the loop has no branch that depends on the text, except at the rare places where a match ends before the
// characters that were read (STOP).
#include "../shared/simd.h"
#include "../shared/utf8.h"
#include "weir_tokenizer.h"

WEIR_INLINE uint32_t wide_class(const weir_automaton *a, const uint8_t *text, size_t count, size_t at, size_t *width) {
  uint32_t scalar = weir_scalar(text + at, count - at, width);
  return scalar >= END ? a->malformed : a->classes[256 * (size_t)a->pages[scalar >> 8] + (scalar & 255)];
}

WEIR_INLINE uint32_t class_at(const weir_automaton *a, const uint8_t *text, size_t count, size_t at, size_t *width) {
  *width = 1;
  return __builtin_expect(text[at] < 0x80, 1) ? a->classes[text[at]] : wide_class(a, text, count, at, width);
}

// Writes the ends of at most `room` pre-tokens from *at on, which is then the last of them. What lies between matches is a pre-token as well.
WEIR_INLINE size_t automaton_ends(const weir_automaton *a, const uint8_t *text, size_t count, size_t *at, size_t *ends, size_t room) {
  // Kept in locals, because the stores may alias the automaton.
  const uint32_t *steps = a->steps;
  const uint8_t *classes = a->classes;
  size_t found = 0, start = *at, i = start, last = start;
  uint32_t row = a->initial;
  while (found < room && start < count) {
    if (__builtin_expect(i < count, 1)) {
      size_t width = 1;
      uint32_t class = classes[text[i] & 0x7F];
      if (__builtin_expect(text[i] >= 0x80, 0)) class = wide_class(a, text, count, i, &width);
      uint32_t entry = steps[row + class];
      int emits = (entry & WEIR_EMIT) != 0;
      last = entry & (WEIR_MARK | WEIR_EMIT) ? i : last;
      start = emits ? i : start;
      ends[found] = i;
      found += (size_t)emits;
      row = entry & WEIR_ROW;
      if (__builtin_expect(!(entry & WEIR_STOP), 1)) {
        i += width;
        continue;
      }
    } else if (steps[row + a->end] & WEIR_MARK) {
      last = count;
    }
    if (found == room) break;
    if (last == start) {
      size_t next = start;
      class_at(a, text, count, start, &next);
      last = start + next;
      weir_automaton_find(a, text, count, &last);
    }
    ends[found++] = start = i = last;
    row = a->initial;
  }
  *at = start;
  return found;
}
