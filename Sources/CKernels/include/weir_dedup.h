#pragma once
#include <stddef.h>
#include <stdint.h>

/// Copies UTF-8 text with every run of Unicode white space as one blank, and none at the ends.
/// `out` has room for `count + 64` bytes. Returns the number of bytes written.
size_t weir_collapse_space(const uint8_t *text, size_t count, uint8_t *out);

/// Where the lines of a text are that are not blank (have a byte above 0x20): bounds[2i] ..< bounds[2i + 1], without the newline.
/// `bounds` has room for two numbers a newline and two more. Returns the number of lines.
size_t weir_text_lines(const uint8_t *text, size_t count, size_t *bounds);

/// The same of paragraphs, which blank lines part.
size_t weir_text_paragraphs(const uint8_t *text, size_t count, size_t *bounds);

/// Fingerprints of the word n-grams of a text, in the order of the text, repeated ones included; the normalisation is described in words.h.
/// A text of 1 … n−1 words gives one fingerprint, of all of them; a text without words none.
/// `out` has room for `count / 2 + 1` values, `scratch` for `count + count / 2 + 128` bytes: a letter before each
/// word of one code point gets two blanks for four bytes. Returns the number of fingerprints.
size_t weir_shingles(const uint8_t *text, size_t count, size_t n, uint8_t *scratch, uint64_t *out);

/// Fingerprints of the words of a text, normalised likewise but for numbers, which stand for themselves, and the byte where each begins.
/// Both have room for `count` values. Returns the number of words.
size_t weir_word_hashes(const uint8_t *text, size_t count, uint64_t *out, size_t *starts);

/// Fingerprints of the n-grams of `count` words; those of different n differ. Returns their number, 0 where there are fewer words than n.
size_t weir_ngrams(const uint64_t *words, size_t count, size_t n, uint64_t *out);

/// signature[p] = min over i of (multipliers[p] · hashes[i] + offsets[p]) mod 2^64; `permutations` is a multiple of 8. All ones for count = 0.
void weir_minhash(const uint64_t *hashes, size_t count, const uint64_t *multipliers, const uint64_t *offsets, size_t permutations,
                  uint64_t *signature);

/// Sorts keys that are spread evenly over 32 bits and takes repeated ones out. `scratch` has room for 2 · count + 1 values.
/// Returns the number of different keys.
size_t weir_sort_unique(uint32_t *keys, size_t count, uint32_t *scratch);

/// The number of values that two strictly ascending lists share.
size_t weir_intersection(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count);

/// Sorts `values` by `keys`, stable; both scratch arrays have room for `count`.
void weir_sort_pairs(uint64_t *keys, uint32_t *values, size_t count, uint64_t *key_scratch, uint32_t *value_scratch);

/// Adds 128-bit digests (two words each) to a table of `slots` digests, open addressing with linear probing by the upper word of a digest,
/// an empty slot all zeros. fresh[i] tells whether digests[i] was new; all-zero digests are none, are not added, and are always fresh.
/// The table has more empty slots than `count`. Returns the number of those added.
size_t weir_digests_insert(uint64_t *table, size_t slots, const uint64_t *digests, size_t count, uint8_t *fresh);

/// The same without adding: fresh[i] tells whether digests[i] is not in the table.
void weir_digests_find(const uint64_t *table, size_t slots, const uint64_t *digests, size_t count, uint8_t *fresh);
