#pragma once
#include <stddef.h>
#include <stdint.h>
// The hot loops of quality filters: the shape of a text (lines, words as spaCy's English tokenizer cuts them, counts), repeated n-grams, phrases.
// Texts have fewer than 2³² bytes. What memory cannot be had for ends the process, as in Swift.

/// Bits that say what a character is; the bits of Swift's `CharacterClass`, which computes them and explains them.
enum {
  WEIR_SPACE = 1, WEIR_LINE_BREAK = 1 << 1, WEIR_LETTER = 1 << 2, WEIR_CONTENT = 1 << 3, WEIR_DIGIT = 1 << 5, WEIR_LOWER = 1 << 6,
  WEIR_UPPER = 1 << 7, WEIR_EDGE = 1 << 8, WEIR_OPENING = 1 << 9, WEIR_CURRENCY = 1 << 10, WEIR_ICON = 1 << 11, WEIR_QUOTE = 1 << 12,
  WEIR_BEFORE_DOT = 1 << 13, WEIR_PUNCTUATION = 1 << 14, WEIR_SENTENCE_END = 1 << 15, WEIR_TERMINAL = 1 << 16, WEIR_ACTIVE = 1 << 17,
  WEIR_CASED = WEIR_LOWER | WEIR_UPPER,
};

/// Words that are cut, or kept whole, against the rules for marks. Made once, then shared by threads.
typedef struct weir_word_forms weir_word_forms;

/// `ascii`: [128] classes. Forms: scalars and their classes one form behind another, `counts[i]` of them each, and the lengths of the `parts[i]`
/// words each is cut into, one form behind another. Units are such as may follow a digit. No form has more than 63 scalars or 20 parts.
weir_word_forms *weir_word_forms_create(
    const uint32_t *ascii, const uint32_t *scalars, const uint32_t *classes, const uint8_t *counts, const uint8_t *lengths, const uint8_t *parts,
    size_t form_count, const uint32_t *units, const uint8_t *unit_counts, size_t unit_count);
void weir_word_forms_destroy(weir_word_forms *forms);

/// A word: fingerprint of its bytes, where it starts, and the code points of all words before it.
typedef struct weir_word {
  uint64_t hash;
  uint32_t start, before;
} weir_word;

/// What stands between newlines: fingerprint, bytes, code points; whether it holds nothing but white space, and whether its last character has
/// Unicode's Sentence_Terminal.
typedef struct weir_line {
  uint64_t hash;
  uint32_t start, end, characters;
  uint8_t blank, terminal;
} weir_line;

/// What stands between line ends of all kinds (`\r\n` is one), without white space around it; start = end where nothing does.
typedef struct weir_row {
  uint32_t start, end;
  /// Stretches without white space, where the last one starts, and the code points of the longest.
  uint32_t stretches, last, longest;
  uint32_t sentences;
} weir_row;

/// The shape of the last text that was measured; arrays hold until the next one. There is one word more, of no bytes, behind the last.
typedef struct weir_shape {
  const weir_word *words;
  const weir_line *lines;
  const weir_row *rows;
  size_t word_count, line_count, row_count;
  /// Code points, newlines, `#`, and `...` (not overlapping) and `…`.
  size_t characters, newlines, hashes, ellipses;
  /// Words with something else than punctuation, their code points; words with a letter.
  size_t content_words, content_characters, letter_words;
} weir_shape;

/// Gives the classes of the 256 code points from page · 256.
typedef void (*weir_class_source)(uint32_t page, uint32_t *classes);

/// What takes shapes, with a table of stretches it has seen; for one thread at a time. `forms` must outlive it.
typedef struct weir_shaper weir_shaper;
weir_shaper *weir_shaper_create(const weir_word_forms *forms, weir_class_source source);
void weir_shaper_destroy(weir_shaper *shaper);
/// Takes the shape of a text. `level`: of vector instructions, at most weir_simd_level(); all give the same.
void weir_shaper_measure(weir_shaper *shaper, const uint8_t *text, size_t count, int level);
const weir_shape *weir_shaper_shape(const weir_shaper *shaper);
/// The fingerprint that words and lines of the bytes low ..< high of a text have.
uint64_t weir_fingerprint_of(const uint8_t *text, size_t count, size_t low, size_t high);

/// Counts of fingerprints and of n-grams.
typedef struct weir_repetition weir_repetition;
weir_repetition *weir_repetition_create(void);
void weir_repetition_destroy(weir_repetition *repetition);
/// Empties the table for at most `count` different fingerprints; then seen tells whether one was there before, and adds it.
void weir_repetition_reset(weir_repetition *repetition, size_t count);
int weir_repetition_seen(weir_repetition *repetition, uint64_t fingerprint);
/// Counts all n-grams of `count` ≥ n words, with one word behind them; next goes on to n + 1.
void weir_repetition_start(weir_repetition *repetition, const weir_word *words, size_t count, size_t n);
void weir_repetition_next(weir_repetition *repetition);
/// Code points of the most frequent n-gram, of the first one where several are, blanks between its words included, times its occurrences.
uint64_t weir_repetition_top(const weir_repetition *repetition);
/// Code points of the words in repeated n-grams that do not overlap, from the left.
uint64_t weir_repetition_repeated(weir_repetition *repetition);

/// Phrases of C4's rules.
enum { WEIR_LOREM = 1, WEIR_JAVASCRIPT = 2, WEIR_CURLY = 4, WEIR_POLICY = 8 };
/// Those that the text holds, whatever the case.
int weir_phrases(const uint8_t *text, size_t count, int level);
