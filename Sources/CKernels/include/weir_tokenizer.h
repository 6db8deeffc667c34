// Cutting text into pre-tokens, merging them, and a cache of their tokens: the hot loops of tokenization.
#ifndef WEIR_TOKENIZER_H
#define WEIR_TOKENIZER_H
#include <stddef.h>
#include <stdint.h>

// Families of pre-tokenizer patterns; patterns of one family differ only in how they group digits. WORDS begins a pre-token at blanks; AUTOMATA follows
// tables that were made from regular expressions.
enum { WEIR_PATTERN_GPT2 = 0, WEIR_PATTERN_CL100K = 1, WEIR_PATTERN_LLAMA3 = 2, WEIR_PATTERN_WORDS = 3, WEIR_PATTERN_AUTOMATA = 4 };

// A regular expression as a table (PatternAutomaton.swift). The class of a scalar is classes[256 * pages[scalar >> 8] + (scalar & 255)], pages[0] is 0. An
// entry of `steps` is at the row of the state plus the class of the next character, or plus `end` at the end of the text: the row of the next state, with
// flags.
typedef struct weir_automaton {
  const uint16_t *pages;
  const uint8_t *classes;
  const uint32_t *steps;
  uint32_t initial, end;
  // The class of a byte that is not UTF-8.
  uint32_t malformed;
} weir_automaton;

// MARK: a match may end before this character. EMIT: it ends there, and the next one has begun with the character. STOP: no match can continue.
enum { WEIR_MARK = 1 << 30, WEIR_EMIT = 1 << 29, WEIR_STOP = 1 << 28, WEIR_ROW = (1 << 28) - 1 };

// The end of the match that begins exactly at `at`, or `at` if there is none.
size_t weir_automaton_match(const weir_automaton *automaton, const uint8_t *text, size_t count, size_t at);
// The end of the first match that begins at *at or later, which *at is set to; *at is `count` if there is none.
size_t weir_automaton_find(const weir_automaton *automaton, const uint8_t *text, size_t count, size_t *at);

enum { WEIR_STAGES = 8 };

// CASED: words end before an upper-case letter after a lower-case one, and slashes go with newlines after symbols. SUFFIXED: contractions go with the word
// before them. APART: digits are cut before all else.
enum { WEIR_STYLE_ASCII = 1, WEIR_STYLE_CASED = 2, WEIR_STYLE_SUFFIXED = 4, WEIR_STYLE_APART = 8 };

// How a text is cut. GPT2, CL100K and LLAMA3 use `classes`: the class of every scalar below `limit`, as in CharacterClass.swift; and `digits`: the maximum
// number of digits in a pre-token (GPT2: 1, or any number). WORDS begins a pre-token where no merge joins the characters on both sides, by `pairs`; or at
// blanks except after a byte in `joins`; or at every blank, if both are NULL. AUTOMATA: the first automaton cuts the text, the second what the first one makes, and so on, up to WEIR_STAGES.
// `style`: how blocks of ASCII are cut alike without the automata, as patterns like LLAMA3 do; 0 for none of them.
typedef struct weir_pattern {
  const uint8_t *classes;
  uint32_t limit;
  int32_t family;
  int32_t digits;
  const uint8_t *joins;
  const uint8_t *pairs;
  const weir_automaton *automata;
  int32_t stages;
  int32_t style;
} weir_pattern;

// The bytes of `pairs`: one for each two ASCII characters, then one bit for each hash of two other characters.
enum { WEIR_PAIR_BITS = 18, WEIR_PAIRS = (1 << 14) + (1 << (WEIR_PAIR_BITS - 3)) };
// Says that a merge may join a token that ends with `left` and one that begins with `right`.
void weir_pairs_join(uint8_t *pairs, uint32_t left, uint32_t right);

// A text that is being cut.
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
  // The ends of the pieces of all stages but the last one that contain `at`.
  size_t bounds[WEIR_STAGES];
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
// Tokens from `first` on stand for bytes that the vocabulary cannot spell, or for parts of characters: token first + i is replaced by
// replacements[3 * i ..< 3 * i + 3], which ends at UINT32_MAX. If *replacements is UINT32_MAX, its bytes are unknown: each character of them becomes
// `unknown`, or all characters in a row if `fuses`; nothing if `unknown` is UINT32_MAX. The array is not copied.
void weir_merges_replace(weir_merges *merges, uint32_t first, const uint32_t *replacements, uint32_t unknown, int fuses);
// Writes the tokens after these replacements to `output`, which has room for as many as the word has bytes; returns their number.
size_t weir_merges_finish(const weir_merges *merges, const uint8_t *word, const uint32_t *tokens, size_t count, uint32_t *output);
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

// The first position from `at` on whose byte and next byte may begin a word that is searched for: first[byte] and second[next byte] have a bit in common
// (second[256] after the last byte). `count` if there is none.
size_t weir_find_pair(const uint8_t *text, size_t count, size_t at, const uint8_t *first, const uint8_t *second);
// The same for a few pairs of two bytes, quickly: WEIR_FEW_PAIRS first bytes, of which `number` count, and then the second ones. Those after `number` repeat
// one before.
enum { WEIR_FEW_PAIRS = 8 };
size_t weir_find_pairs(const uint8_t *text, size_t count, size_t at, const uint8_t *pairs, int number);
// The first position from `at` on of U+2581; `count` if there is none.
size_t weir_find_blank_mark(const uint8_t *text, size_t count, size_t at);
// The first position from `at` on of a character whose entry in `flags`, for scalars below `limit`, has one of the bits; `count` if there is none. `flags`
// has none for ASCII.
size_t weir_find_flagged(const uint8_t *text, size_t count, size_t at, const uint8_t *flags, uint32_t limit, uint8_t bits);
#endif
