#pragma once
#include <stddef.h>
#include <stdint.h>

/// Copies UTF-8 text with every run of Unicode white space collapsed to one blank, and none at the ends.
/// `out` has room for `count + 64` bytes. Returns the number of bytes written.
size_t weir_collapse_space(const uint8_t *text, size_t count, uint8_t *out);

/// The byte ranges bounds[2i] ..< bounds[2i + 1] of the lines that have a byte above 0x20, without the newline.
/// `bounds` has room for two values per newline and two more. Returns the number of lines.
size_t weir_text_lines(const uint8_t *text, size_t count, size_t *bounds);

/// The same for paragraphs, which blank lines separate.
size_t weir_text_paragraphs(const uint8_t *text, size_t count, size_t *bounds);

/// What counts in a text; dedup/word_folding.h describes the normalization.
enum {
  /// Symbols are words, as in shingles.
  WEIR_SYMBOLS = 1,
  /// All punctuation and symbols are words.
  WEIR_ALL_PUNCTUATION = 2,
  /// A run of digits becomes one 0.
  WEIR_NUMBERS_ALIKE = 4,
};

/// Normalizes a text: a blank, then every word with a blank after it, then eight bytes of zeros. `unspaced` is set if a word is a character of a script
/// without spaces. Returns the number of bytes without the zeros; 0 if `capacity` is too small, which `12 * count + 512` never is.
size_t weir_fold(const uint8_t *text, size_t count, unsigned flags, uint8_t *out, size_t capacity, int *unspaced);

/// Where the words of `weir_fold` begin and end in the text: bounds[2i] ..< bounds[2i + 1]. Returns their number; 0 if `capacity` is too small.
size_t weir_fold_bounds(const uint8_t *text, size_t count, unsigned flags, uint8_t *out, size_t capacity, size_t *bounds);

/// Fingerprints of the words of a normalized text, at most `end / 2`, and, unless null, their weights: 12 for a word, 6 for a Han character, 4 for a kana,
/// 3 for a character of Thai and similar scripts. Returns the number of words.
size_t weir_folded_words(const uint8_t *folded, size_t end, uint64_t *out, uint8_t *weights);

/// Fingerprints of the n-grams of `count` words; the fingerprint depends on n. Returns their number, 0 if there are fewer words than n.
size_t weir_ngrams(const uint64_t *words, size_t count, size_t n, uint64_t *out);

/// Fingerprints of the shortest runs of words that weigh at least `budget`, from each word on; a run of n words has the fingerprint of that n-gram.
/// Returns the number of words with such a run.
size_t weir_weighted_ngrams(const uint64_t *words, const uint8_t *weights, size_t count, size_t budget, uint64_t *out);

/// A hash table of n-grams by fingerprint.
typedef struct {
  /// 2^(64 − filter_shift) words, zeros at first.
  uint64_t *filter;
  /// `mask` + 1 slots, a power of two and more than there are n-grams; zeros at first.
  uint64_t *slots;
  /// The fingerprints by number.
  uint64_t *keys;
  size_t mask, count;
  unsigned filter_shift;
} weir_gram_table;

/// Adds n-grams and finds their numbers, which are given from 0 on in the order in which n-grams come; fewer than 2^32 − 1.
void weir_grams_insert(weir_gram_table *table, const uint64_t *grams, size_t count, uint32_t *numbers);

/// Finds which of fewer than 2^32 n-grams are in the table: their places in `grams`, ascending, and their numbers. Returns how many.
size_t weir_grams_find(const weir_gram_table *table, const uint64_t *grams, size_t count, uint32_t *places, uint32_t *numbers);

/// signature[p] = 2^12 · min over i of (multipliers[p] · hashes[i] + offsets[p]) mod 2^52; `permutations` is a multiple of 8. All ones for count = 0.
void weir_minhash(const uint64_t *hashes, size_t count, const uint64_t *multipliers, const uint64_t *offsets, size_t permutations,
                  uint64_t *signature);

/// Sorts keys that are spread evenly over 32 bits and removes duplicates. `scratch` has room for 2 · count + 1 values.
/// Returns the number of distinct keys.
size_t weir_sort_unique(uint32_t *keys, size_t count, uint32_t *scratch);

/// The number of values that two strictly ascending lists have in common.
size_t weir_intersection(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count);

/// Stable sort of `values` by `keys`; both scratch arrays have room for `count`.
void weir_sort_pairs(uint64_t *keys, uint32_t *values, size_t count, uint64_t *key_scratch, uint32_t *value_scratch);

/// Adds 128-bit digests (two words each) to a hash table of `slots` digests: open addressing, linear probing, empty slots are all zeros. fresh[i] is
/// whether digests[i] was new. All-zero digests are never added and always fresh. The table has more than `count` empty slots. Returns the number added.
size_t weir_digests_insert(uint64_t *table, size_t slots, const uint64_t *digests, size_t count, uint8_t *fresh);

/// Looks digests up without adding them: fresh[i] is whether digests[i] is not in the table.
void weir_digests_find(const uint64_t *table, size_t slots, const uint64_t *digests, size_t count, uint8_t *fresh);
