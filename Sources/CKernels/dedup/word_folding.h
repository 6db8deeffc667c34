#pragma once
// The words of a text, for near-duplicate detection and decontamination; private to this target.
//
// A text is normalized first: full case folding and compatibility decomposition (NFKD), without diacritics, in every script. Marks that spell stay: vowel
// signs and viramas of the scripts of India and Southeast Asia, Thai tones, the voicing of kana. Format characters, elongations of Arabic and other
// characters that are not shown are removed. Decimal digits of all scripts become ASCII digits; dotless i and j become i and j.
//
// Letters, numbers and marks make words; everything else separates them. A comma in a number such as 1,000 is left out; superscript digits and
// fractions begin a new word after a digit. Characters of scripts without spaces between words are words of their own, with the marks after them. Private
// and unassigned characters and malformed bytes count as letters.
//
// For decontamination, the targets of Markdown links, HTML tags and character references are left out.
//
// Shingles also count symbols, a run of them as one word: currency, arithmetic, emoji and the like, and of ASCII all of $%&+/<=>@\^|~, and where they are
// not typography or markup: ! before =, a letter or a digit, # beside one, * between blanks, - before a number. Texts that are too short otherwise count
// all punctuation likewise.
#include "../shared/utf8.h"

// What becomes of a code point: class, what it becomes << 4, and for marks their order << 25. Classes as in scripts/folding.
enum fold_class { WORD, SPACE, MARKER, SYMBOL, DROP, OVERLAY, MARK, HAN, KANA, CLUSTER, SEQUENCE };

// 12 per word; characters of scripts without spaces count for less.
enum { WORD_WEIGHT = 12, HAN_WEIGHT = 6, KANA_WEIGHT = 4, CLUSTER_WEIGHT = 3 };

static inline uint64_t finish(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}
