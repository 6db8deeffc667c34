// Cutting text into pre-tokens, merging them, and a cache of their tokens: the hot loops of tokenization.
#ifndef WEIR_TOKENIZER_H
#define WEIR_TOKENIZER_H
#include <stddef.h>
#include <stdint.h>

// The families of patterns that differ in more than the digits.
enum { WEIR_PATTERN_GPT2 = 0, WEIR_PATTERN_CL100K = 1, WEIR_PATTERN_LLAMA3 = 2 };

// How a text is cut. `classes`: the class of every scalar below `limit`, as in CharacterClass.swift; digits: most numbers in one pre-token.
typedef struct weir_pattern {
  const uint8_t *classes;
  uint32_t limit;
  int32_t family;
  int32_t digits;
} weir_pattern;

// A text that is being cut; whoever wants to go on elsewhere sets `at`, where a pre-token has to begin.
typedef struct weir_cutter {
  const weir_pattern *pattern;
  const uint8_t *text;
  // Bytes of the text, and without the white space at the end that is one pre-token.
  size_t count, visible;
  size_t at;
  // Whether the last visible character is a symbol.
  int symbol;
  // Of vector instructions, at most weir_cutter_level(); -1 cuts the plain way. All cut alike.
  int level;
} weir_cutter;

// The best level of this processor: weir_simd_level(), 3 where AVX-512 also compresses bytes.
int weir_cutter_level(void);
void weir_cutter_start(weir_cutter *cutter, const weir_pattern *pattern, const uint8_t *text, size_t count);

// The least room for the ends of pre-tokens.
enum { WEIR_PRETOKENS = 128 };

// The ends of the next pre-tokens, `room` at most; returns their number, 0 at the end of the text.
size_t weir_pretokens(weir_cutter *cutter, size_t *ends, size_t room);

// The merges of a vocabulary: which two tokens become one, in what order.
typedef struct weir_merges weir_merges;

// `byte_tokens`: [256]. `merges`: [count, 3] left, right and product, in order of rank, fewer than 2²⁴ as are tokens; of several merges of one
// pair the last one holds, and `*repeated` is the first that comes again, else `count`. `offsets`: [tokens + 1] where the bytes of each token
// begin. NULL where memory is short.
weir_merges *weir_merges_create(
    const uint32_t *byte_tokens, const uint32_t *merges, size_t count, const uint32_t *offsets, size_t tokens, size_t *repeated);
void weir_merges_destroy(weir_merges *merges);
// A pre-token that is one token, whatever its merges say. Returns whether there was memory.
int weir_merges_word(weir_merges *merges, const uint8_t *word, size_t length, uint32_t token);

// A cache of the tokens of pre-tokens: memory of fixed size, for one thread at a time.
typedef struct weir_token_cache weir_token_cache;

// Places for 4 << short_bits pre-tokens of up to 7 bytes (16 bytes of memory each), 2 << middle_bits of up to 15 (32) and 4 << long_bits of up to
// 63 (about 72).
weir_token_cache *weir_token_cache_create(int short_bits, int middle_bits, int long_bits);
void weir_token_cache_destroy(weir_token_cache *cache);
void weir_token_cache_clear(weir_token_cache *cache);
// How many pre-tokens were merged because they were not there.
size_t weir_token_cache_misses(const weir_token_cache *cache);

// The least room for tokens.
enum { WEIR_TOKENS = 16384 };

// Writes the tokens of the next pre-tokens until the text ends, one of more than 63 bytes comes, or room is short. Returns the number of tokens;
// sets *start and *end to the long pre-token behind them, which is then taken as done, both to 0 where there is none, and *done to whether the
// text is at its end.
size_t weir_encode(
    weir_token_cache *cache, const weir_merges *merges, weir_cutter *cutter, uint32_t *tokens, size_t room, size_t *start, size_t *end, int *done);

// A long word is merged by so many bytes at a time.
enum { WEIR_STRETCH = 96 };

// Goes on with a word of any length at *at: tokens[0 ..< count] are what its bytes before are made of. Stops where fewer than WEIR_STRETCH of `room`
// places are left or the word is done (*at == length). Returns the number of tokens, SIZE_MAX where memory is short. Linear in the length.
size_t weir_encode_word(
    const weir_merges *merges, const uint8_t *word, size_t length, size_t *at, uint32_t *tokens, size_t count, size_t room);
#endif
