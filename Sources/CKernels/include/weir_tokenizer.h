// Cutting text into pre-tokens, and a cache of their tokens: the hot loops of tokenization.
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

// A pre-token of up to 15 bytes: its bytes and length in two words, up to four tokens; their number in the top byte of the first.
typedef struct weir_short_slot {
  uint64_t low, high;
  uint32_t tokens[4];
} weir_short_slot;

// A pre-token of up to 63 bytes, up to 16 tokens, counted like those of a short slot.
typedef struct weir_long_slot {
  uint8_t length;
  uint8_t bytes[63];
  uint32_t tokens[16];
} weir_long_slot;

// A cache of 2 << short_bits short and 1 << long_bits long pre-tokens: one allocation of fixed size, for one thread at a time.
typedef struct weir_token_cache weir_token_cache;

weir_token_cache *weir_token_cache_create(int short_bits, int long_bits);
void weir_token_cache_destroy(weir_token_cache *cache);
void weir_token_cache_clear(weir_token_cache *cache);
// Remembers the tokens of a pre-token, in place of another one; not where they are too many or too long.
void weir_token_cache_put(weir_token_cache *cache, const uint8_t *word, size_t length, const uint32_t *tokens, size_t count);

// The ends of the pre-tokens from `start` on, `room` at most; returns their number.
size_t weir_pretokens(const weir_pattern *pattern, const uint8_t *text, size_t count, size_t start, size_t *ends, size_t room);

// Pre-tokens of a text that are cut but not yet encoded. Zeros at the beginning of a text.
typedef struct weir_words {
  size_t count, next, scanned;
  struct {
    uint64_t low, high;
    size_t start, set;
  } word[64];
} weir_words;

// Writes the tokens of the next pre-tokens until the text ends, one is not in the cache, or fewer than 16 of `room` places are left.
// Returns the number of tokens; sets *start and *end to the pre-token that is missing and is then taken as done, both to 0 where none is, and
// *done to whether the text is at its end.
size_t weir_encode_cached(
    weir_token_cache *cache, const weir_pattern *pattern, const uint8_t *text, size_t count, weir_words *words, uint32_t *tokens, size_t room,
    size_t *start, size_t *end, int *done);
#endif
