#pragma once
#include <stddef.h>
#include <stdint.h>
// The hot loops of the quality filters: the shape of a text (lines, words as spaCy's English tokenizer cuts them, counts), repeated n-grams, phrases.
// Texts have fewer than 2³² bytes. A failed allocation ends the process, as in Swift.

/// Character classes, with the bits of Swift's `CharacterClass`, which computes and documents them.
enum {
  WEIR_SPACE = 1, WEIR_LINE_BREAK = 1 << 1, WEIR_LETTER = 1 << 2, WEIR_CONTENT = 1 << 3, WEIR_DIGIT = 1 << 5, WEIR_LOWER = 1 << 6,
  WEIR_UPPER = 1 << 7, WEIR_EDGE = 1 << 8, WEIR_OPENING = 1 << 9, WEIR_CURRENCY = 1 << 10, WEIR_ICON = 1 << 11, WEIR_QUOTE = 1 << 12,
  WEIR_BEFORE_DOT = 1 << 13, WEIR_PUNCTUATION = 1 << 14, WEIR_SENTENCE_END = 1 << 15, WEIR_TERMINAL = 1 << 16, WEIR_ACTIVE = 1 << 17,
  WEIR_CASED = WEIR_LOWER | WEIR_UPPER,
};

/// Exceptions to the punctuation rules: words that are always cut in a given way or kept whole. Created once, then shared by threads.
typedef struct weir_word_forms weir_word_forms;

/// `ascii`: [128] classes. `scalars` and `classes` hold the forms one after another, counts[i] scalars for form i; `lengths` holds the lengths of the
/// parts[i] words that form i is cut into. Units are suffixes that may follow a digit. A form has at most 63 scalars and 20 parts.
weir_word_forms *weir_word_forms_create(
    const uint32_t *ascii, const uint32_t *scalars, const uint32_t *classes, const uint8_t *counts, const uint8_t *lengths, const uint8_t *parts,
    size_t form_count, const uint32_t *units, const uint8_t *unit_counts, size_t unit_count);
void weir_word_forms_destroy(weir_word_forms *forms);

/// A word: fingerprint of its bytes, byte offset, and the number of code points in all words before it.
typedef struct weir_word {
  uint64_t hash;
  uint32_t start, before;
} weir_word;

/// A line between newlines: fingerprint, byte range, code points, whether it is only white space, and whether its last character has the Unicode property
/// Sentence_Terminal.
typedef struct weir_line {
  uint64_t hash;
  uint32_t start, end, characters;
  uint8_t blank, terminal;
} weir_line;

/// A line between line breaks of any kind (`\r\n` is one), without surrounding white space; start = end if it is blank.
typedef struct weir_row {
  uint32_t start, end;
  /// Number of spans without white space, byte offset of the last one, and code points in the longest one.
  uint32_t spans, last, longest;
  uint32_t sentences;
} weir_row;

/// The shape of the last text measured, valid until the next one. The words are followed by an empty sentinel word.
typedef struct weir_shape {
  const weir_word *words;
  const weir_line *lines;
  const weir_row *rows;
  size_t word_count, line_count, row_count;
  /// Number of code points, newlines, `#`, and ellipses (`…` and non-overlapping `...`).
  size_t characters, newlines, hashes, ellipses;
  /// Number of words that are not only punctuation, their code points, and number of words with a letter.
  size_t content_words, content_characters, letter_words;
} weir_shape;

/// Fills in the classes of the 256 code points from page · 256 on.
typedef void (*weir_class_source)(uint32_t page, uint32_t *classes);

/// Measures shapes, with a cache of the spans it has cut. Not thread-safe. `forms` must outlive it.
typedef struct weir_shaper weir_shaper;
weir_shaper *weir_shaper_create(const weir_word_forms *forms, weir_class_source source);
void weir_shaper_destroy(weir_shaper *shaper);
/// Measures a text. `level` is at most weir_simd_level(); the result does not depend on it.
void weir_shaper_measure(weir_shaper *shaper, const uint8_t *text, size_t count, int level);
const weir_shape *weir_shaper_shape(const weir_shaper *shaper);
/// The fingerprint of a word or line with the bytes low ..< high of a text.
uint64_t weir_fingerprint_of(const uint8_t *text, size_t count, size_t low, size_t high);

/// Counts fingerprints and word n-grams.
typedef struct weir_repetition weir_repetition;
weir_repetition *weir_repetition_create(void);
void weir_repetition_destroy(weir_repetition *repetition);
/// `reset` empties the table and makes room for `count` distinct fingerprints; `seen` returns whether a fingerprint was there before, and adds it.
void weir_repetition_reset(weir_repetition *repetition, size_t count);
int weir_repetition_seen(weir_repetition *repetition, uint64_t fingerprint);
/// `start` counts the n-grams of `count` ≥ n words, which a sentinel word follows; `next` moves on to n + 1.
void weir_repetition_start(weir_repetition *repetition, const weir_word *words, size_t count, size_t n);
void weir_repetition_next(weir_repetition *repetition);
/// Code points in the most frequent n-gram (the first one among equals), with the blanks between its words, times its occurrences.
uint64_t weir_repetition_top(const weir_repetition *repetition);
/// Code points of the words in repeated n-grams, taken from the left without overlap.
uint64_t weir_repetition_repeated(weir_repetition *repetition);

/// Phrases that the C4 rules look for.
enum { WEIR_LOREM = 1, WEIR_JAVASCRIPT = 2, WEIR_CURLY = 4, WEIR_POLICY = 8 };
/// The phrases in the text, as a bit set; case is ignored.
int weir_phrases(const uint8_t *text, size_t count, int level);
