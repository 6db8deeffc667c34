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

/// Fingerprints of the word n-grams of a text, in the order of the text, repeated ones included; word_folding.h describes the normalization.
/// A text of 1 … n − 1 words has one fingerprint, of all its words; a text without words has none.
/// `out` has room for `count / 2 + 1` values, `scratch` for `count + count / 2 + 128` bytes: a letter before each
/// word of one code point gets two blanks for four bytes. Returns the number of fingerprints.
size_t weir_shingles(const uint8_t *text, size_t count, size_t n, uint8_t *scratch, uint64_t *out);

/// Fingerprints of the words of a text, normalized likewise but for numbers, which stand for themselves, and the byte where each begins.
/// Both have room for `count` values. Returns the number of words.
size_t weir_word_hashes(const uint8_t *text, size_t count, uint64_t *out, size_t *starts);

/// Fingerprints of the n-grams of `count` words; the fingerprint depends on n. Returns their number, 0 if there are fewer words than n.
size_t weir_ngrams(const uint64_t *words, size_t count, size_t n, uint64_t *out);

/// signature[p] = min over i of (multipliers[p] · hashes[i] + offsets[p]) mod 2^64; `permutations` is a multiple of 8. All ones for count = 0.
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
