// Cutting text into pre-tokens, merging them, and a cache of their tokens: the hot loops of tokenization.
#ifndef WEIR_TOKENIZER_H
#define WEIR_TOKENIZER_H
#include <stddef.h>
#include <stdint.h>

// Families of pre-tokenizer patterns; patterns of one family differ only in how they group digits.
enum { WEIR_PATTERN_GPT2 = 0, WEIR_PATTERN_CL100K = 1, WEIR_PATTERN_LLAMA3 = 2 };

// How a text is cut. `classes`: the class of every scalar below `limit`, as in CharacterClass.swift; `digits`: the maximum number of digits in a pre-token.
typedef struct weir_pattern {
  const uint8_t *classes;
  uint32_t limit;
  int32_t family;
  int32_t digits;
} weir_pattern;

// A text that is being cut. To continue elsewhere, set `at` to an offset where a pre-token begins.
typedef struct weir_cutter {
  const weir_pattern *pattern;
  const uint8_t *text;
  // Bytes of the text, with and without the trailing white space that forms one pre-token.
  size_t count, visible;
  size_t at;
  // Whether the last visible character is a symbol.
  int symbol;
  // SIMD level, at most weir_cutter_level(), or -1 for the scalar reference. The result does not depend on it.
  int level;
} weir_cutter;

// The best level of this processor: weir_simd_level(), or 3 if it supports AVX512-VBMI2.
int weir_cutter_level(void);
void weir_cutter_start(weir_cutter *cutter, const weir_pattern *pattern, const uint8_t *text, size_t count);

// Minimum room for the ends of pre-tokens.
enum { WEIR_PRETOKENS = 128 };

// Writes the end offsets of the next pre-tokens, at most `room`; returns their number, 0 at the end of the text.
size_t weir_pretokens(weir_cutter *cutter, size_t *ends, size_t room);

// The merges of a BPE vocabulary, by rank.
typedef struct weir_merges weir_merges;

// `byte_tokens`: [256]. `merges`: [count, 3] left, right and product, in order of rank; there are fewer than 2²⁴ merges and tokens. If a pair has
// several merges, the last one holds, and `*repeated` is the first repetition, otherwise `count`. `offsets`: [tokens + 1] where the bytes of each token
// begin. Returns NULL if memory is short.
weir_merges *weir_merges_create(
    const uint32_t *byte_tokens, const uint32_t *merges, size_t count, const uint32_t *offsets, size_t tokens, size_t *repeated);
void weir_merges_destroy(weir_merges *merges);
// Makes a pre-token one token, whatever the merges say. Returns 0 if memory is short.
int weir_merges_word(weir_merges *merges, const uint8_t *word, size_t length, uint32_t token);

// A cache from pre-tokens to their tokens, of fixed size. Not thread-safe.
typedef struct weir_token_cache weir_token_cache;

// Has room for 4 << short_bits pre-tokens of up to 7 bytes (16 bytes of memory each), 2 << middle_bits of up to 15 bytes (32 each) and
// 4 << long_bits of up to 63 bytes (about 72 each).
weir_token_cache *weir_token_cache_create(int short_bits, int middle_bits, int long_bits);
void weir_token_cache_destroy(weir_token_cache *cache);
void weir_token_cache_clear(weir_token_cache *cache);
// The number of pre-tokens that were not in the cache and had to be merged.
size_t weir_token_cache_misses(const weir_token_cache *cache);

// Minimum room for tokens.
enum { WEIR_TOKENS = 16384 };

// Writes the tokens of the next pre-tokens until the text ends, a pre-token has more than 63 bytes, or `room` runs out. Returns the number of tokens.
// *start and *end become the range of the long pre-token, which the cutter has then passed, or 0 if there is none; *done becomes whether the text is at
// its end.
size_t weir_encode(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done);

// The number of bytes of a long word that are merged at a time.
enum { WEIR_STRETCH = 96 };

// Continues encoding a word of any length at *at; tokens[0 ..< count] are the tokens of the bytes before. Stops when fewer than WEIR_STRETCH of `room`
// are left or the word is done (*at == length). Returns the number of tokens, or SIZE_MAX if memory is short. Linear in the length.
size_t weir_encode_word(
    const weir_merges *merges, const uint8_t *word, size_t length, size_t *at, uint32_t *tokens, size_t count, size_t room);
#endif
