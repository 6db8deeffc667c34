#pragma once
// The definition of a word for near-duplicate detection and decontamination; private to this target.
//
// Text is normalized before shingling, after datatrove's text simplification. Words are separated by Unicode white space. Letters are lowercased and lose
// their diacritics (ASCII, Latin-1, Latin Extended-A, combining marks U+0300–036F); Greek and Cyrillic are only lowercased. Punctuation, symbols and control
// characters of ASCII, Latin-1, General Punctuation, CJK and full-width forms are removed without separating words. A run of digits becomes one 0. Words that
// are empty after that do not count. Code points of scripts written without blanks (Han, kana, Thai, Lao, Myanmar, Khmer) are words of their own. Everything
// else is kept, malformed bytes too.
#include "../shared/utf8.h"

static inline int is_space(uint32_t scalar) {
  return scalar == 0x85 || scalar == 0xA0 || scalar == 0x1680 || (scalar >= 0x2000 && scalar <= 0x200A) || scalar == 0x2028 ||
         scalar == 0x2029 || scalar == 0x202F || scalar == 0x205F || scalar == 0x3000;
}

// Lower case and without diacritics, U+00C0 … U+017F; '.' if the letter has no ASCII base.
static const char folded[] =
    "aaaaaa.ceeeeiiii.nooooo..uuuuy..aaaaaa.ceeeeiiii.nooooo..uuuuy.y"
    "aaaaaaccccccccdd..eeeeeeeeeegggggggghh..iiiiiiiii...jjkk.llllll."
    "...nnnnnn...oooooo..rrrrrrsssssssstttt..uuuuuuuuuuuuwwyyyzzzzzz.";

_Static_assert(sizeof folded == 0x180 - 0xC0 + 1, "one character per code point");

enum { DROP = END + 0x100, SPACE = END + 0x101 };

static inline int stands_alone(uint32_t s) {
  return (s >= 0x3400 && s <= 0x9FFF && !(s >= 0x4DC0 && s < 0x4E00)) || (s >= 0x3041 && s <= 0x30FF) || (s >= 0x0E01 && s <= 0x0EFF) ||
         (s >= 0x1000 && s <= 0x109F) || (s >= 0x1780 && s <= 0x17FF) || (s >= 0xF900 && s <= 0xFAFF) || (s >= 0x20000 && s <= 0x3FFFF);
}

// The folded form of a non-ASCII code point.
static inline uint32_t fold(uint32_t s) {
  if (is_space(s)) return SPACE;
  if (s < 0xC0) return s == 0xAA || s == 0xB5 || s == 0xBA ? s : DROP;
  if (s < 0x180) {
    if (s == 0xD7 || s == 0xF7) return DROP;
    char base = folded[s - 0xC0];
    if (base != '.') return (uint32_t)base;
    if (s < 0xE0) return s + 0x20;
    if (s < 0x100 || s == 0x138 || s == 0x149 || s == 0x17F) return s;
    return s > 0x138 && s < 0x149 ? s + (s & 1) : s | 1;  // pairs begin at odd code points there, at even ones elsewhere
  }
  if (s >= 0x300 && s < 0x370) return DROP;
  if (s >= 0x391 && s <= 0x3A9) return s + 0x20;
  if (s >= 0x410 && s <= 0x42F) return s + 0x20;
  if (s >= 0x400 && s <= 0x40F) return s + 0x50;
  if (s >= 0x2000 && s < 0x2070) return DROP;
  if (s >= 0x3001 && s < 0x3040 && s != 0x3005 && s != 0x3007) return DROP;
  if (s >= 0xFE00 && s < 0xFE70) return DROP;
  if (s == 0xFEFF || (s >= 0xFF01 && s <= 0xFF0F) || (s >= 0xFF1A && s <= 0xFF20) || (s >= 0xFF3B && s <= 0xFF40) ||
      (s >= 0xFF5B && s <= 0xFF65))
    return DROP;
  return s;
}

static inline uint64_t finish(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// The folded form of an ASCII byte: 0 removed, ' ' white space, '0' a digit, otherwise a letter.
static const uint8_t ascii[128] __attribute__((aligned(64))) = {
    ['\t'] = ' ', ['\n'] = ' ', [11] = ' ', ['\f'] = ' ', ['\r'] = ' ', [' '] = ' ',
    ['0'] = '0', ['1'] = '0', ['2'] = '0', ['3'] = '0', ['4'] = '0', ['5'] = '0', ['6'] = '0', ['7'] = '0', ['8'] = '0', ['9'] = '0',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i',
    ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z',
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i',
    ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r',
    ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};
