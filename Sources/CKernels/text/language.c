// Letters are lowercased, everything else is a boundary between words, and n-grams stay within a word. So a list of words with their frequencies trains
// the model as well as running text does. scripts/languages compiles this file into its trainer.
#pragma clang fp contract(off)
#include "weir_language.h"
#include "../shared/simd.h"
#include "../shared/utf8.h"
#include "letters.h"

enum { BITS = 15, ORDER = 4, WORD = 9, SCRIPT = 10 };

/// Little-endian: vectors [1 << BITS, dimension] (i8), weights [dimension, classes] (f32), biases [classes] (f32), codes [classes, 8] (filled with zeros).
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
static const _Alignas(64) uint8_t model[] = {
#embed "language_model.bin"
};
#pragma clang diagnostic pop
enum {
  VECTORS = WEIR_LANGUAGE_DIMENSION << BITS,
  CLASSES = (sizeof model - VECTORS) / (4 * WEIR_LANGUAGE_DIMENSION + 4 + 8),
  BIASES = VECTORS + 4 * WEIR_LANGUAGE_DIMENSION * CLASSES,
  CODES = BIASES + 4 * CLASSES,
};
_Static_assert(sizeof model == CODES + 8 * CLASSES, "language_model.bin has another shape");
typedef float number __attribute__((may_alias));

size_t weir_language_classes(void) { return CLASSES; }
const char *weir_language_code(size_t index) { return (const char *)model + CODES + 8 * index; }

// Kana, Hangul and Han are one script each. Elsewhere the block stands for the script.
static inline uint32_t script(uint32_t c) {
  if (within(c, 0x3040, 0x30FF)) return 0x1000;
  if (within(c, 0xAC00, 0xD7FF)) return 0x1001;
  if (within(c, 0x3400, 0x9FFF) || c >= 0x20000) return 0x1002;
  return c >> 7;
}

static inline uint32_t bucket(uint64_t key, uint64_t kind) {
  key = ((key ^ key >> 29) + kind) * 0x9E3779B97F4A7C15ull;
  return (uint32_t)(((key ^ key >> 32) * 0xD6E8FEB86659FD93ull) >> (64 - BITS));
}

// Calls `take` with the features of a text as rows of the vectors, at most ROWS at a time.
enum { ROWS = 256 };
typedef void (*weir_take)(void *state, const uint32_t *rows, size_t count);

static void find_features(const uint8_t *text, size_t count, weir_take take, void *state) {
  uint32_t rows[ROWS];
  size_t waiting = 0;
  uint64_t window = BOUNDARY, word = 0;
  uint32_t last = 0;
  size_t length = 0;
  for (size_t i = 0; i <= count;) {
    uint32_t symbol = BOUNDARY;
    size_t width = 1;
    if (i < count) {
      uint32_t scalar = text[i] < 0x80 ? text[i] : weir_scalar(text + i, count - i, &width);
      if (scalar < END) symbol = fold(scalar);
    }
    i += width;
    if (symbol == BOUNDARY && length == 0) continue;
    if (waiting + ORDER + 2 > ROWS) {
      take(state, rows, waiting);
      waiting = 0;
    }
    // The window starts with the boundary before the word.
    window = window << 16 | (symbol & 0xFFFF);
    for (size_t n = symbol == BOUNDARY ? 2 : 1; n <= ORDER && n <= length + 2; n++)
      rows[waiting++] = bucket(n < 4 ? window & ((1ull << 16 * n) - 1) : window, n);
    if (symbol == BOUNDARY) {
      // Shorter words are n-grams already, and longer runs are sentences of scripts without spaces.
      if (length >= 3 && length <= 16) rows[waiting++] = bucket(word, WORD);
      rows[waiting++] = bucket(script(last), SCRIPT);
      window = BOUNDARY;
      word = length = 0;
    } else {
      if (symbol >= 0x2E80) rows[waiting++] = bucket(script(symbol), SCRIPT);
      word = (word ^ symbol) * 0x100000001B3ull + 0x9E37;
      last = symbol;
      length++;
    }
  }
  take(state, rows, waiting);
}

typedef struct {
  int32_t *sums;
  size_t count;
} feature_sums;

WEIR_CLONES static void add_rows(const uint32_t *rows, size_t count, int32_t *sums) {
  // ROWS bytes fit into 16 bits.
  int16_t part[WEIR_LANGUAGE_DIMENSION] = {0};
  for (size_t i = 0; i < count; i++) {
    const int8_t *row = (const int8_t *)model + (size_t)rows[i] * WEIR_LANGUAGE_DIMENSION;
    for (int k = 0; k < WEIR_LANGUAGE_DIMENSION; k++) part[k] = (int16_t)(part[k] + row[k]);
  }
  for (int k = 0; k < WEIR_LANGUAGE_DIMENSION; k++) sums[k] += part[k];
}

static void add_features(void *state, const uint32_t *rows, size_t count) {
  feature_sums *sums = state;
  add_rows(rows, count, sums->sums);
  sums->count += count;
}

size_t weir_language_sums(const uint8_t *text, size_t count, int32_t *sums) {
  feature_sums state = {.sums = sums};
  find_features(text, count, add_features, &state);
  return state.count;
}

WEIR_CLONES void weir_language_logits(const int32_t *sums, size_t features, float *logits) {
  const number *weights = (const number *)(model + VECTORS), *biases = (const number *)(model + BIASES);
  for (size_t c = 0; c < CLASSES; c++) logits[c] = biases[c];
  for (size_t k = 0; k < WEIR_LANGUAGE_DIMENSION; k++) {
    float mean = (float)sums[k] / (float)features;
    for (size_t c = 0; c < CLASSES; c++) logits[c] += weights[k * CLASSES + c] * mean;
  }
}
