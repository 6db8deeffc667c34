// Naive Bayes on byte n-grams: at each byte, the longest n-gram of the model that ends there counts for each class. scripts/languages packs the published
// model of py3langid (license in language_ngrams.LICENSE) into language_ngrams.bin.
#pragma clang fp contract(off)
#include "weir_language.h"
#include <string.h>
#include "../shared/simd.h"
#include "../shared/utf8.h"
#include "letters.h"

/// Little-endian: nodes, classes and bytes of the rows (u32), unit (f32); the logarithm of the lowest probability of a class, and of its prior [classes]
/// (f32); codes [classes, 8] (filled with zeros). Then the trie in the order of breadth: children of each node, byte that leads to it, entries of its row or
/// NO_ROW (u8). Then the rows, whose entries are bytes: a gap of 0…14 classes since the last entry (high half), and units above the lowest logarithm
/// (low half). A gap of 15 has no entry.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
static const _Alignas(64) uint8_t model[] = {
#embed "language_ngrams.bin"
};
#pragma clang diagnostic pop
typedef uint32_t word __attribute__((may_alias));
typedef float number __attribute__((may_alias));

enum { HEADER = 16, NO_ROW = 255, ROW = WEIR_NGRAM_CLASSES / 2, NONE = 0xFFFFFFFF, START = 256 };

static inline size_t nodes(void) { return ((const word *)model)[0]; }
static inline size_t classes(void) { return ((const word *)model)[1]; }
static inline const number *lowest(void) { return (const number *)(model + HEADER); }
static inline const uint8_t *trie(void) { return model + HEADER + 16 * classes(); }

size_t weir_ngram_classes(void) { return classes(); }
const char *weir_ngram_code(size_t index) { return (const char *)model + HEADER + 8 * classes() + 8 * index; }

// The automaton of Aho and Corasick, and the rows unpacked to four bits for each class.
typedef struct {
  uint32_t children;  // the first child << 8 | their number
  uint32_t fail;      // the longest suffix that has children
  uint32_t row;       // of the longest suffix that is an n-gram
} node;

struct weir_ngram_tables {
  _Alignas(64) uint32_t pairs[(START + 1) << 8];  // the state after two bytes, or after the first byte
  node nodes[];
};

static inline const uint8_t *rows(const weir_ngram_tables *tables) {
  return (const uint8_t *)tables + (sizeof *tables + nodes() * sizeof(node) + 63) / 64 * 64;
}

size_t weir_ngrams_size(void) {
  size_t count = 0;
  for (size_t i = 0; i < nodes(); i++) count += trie()[2 * nodes() + i] != NO_ROW;
  return (sizeof(weir_ngram_tables) + nodes() * sizeof(node) + 63) / 64 * 64 + count * ROW;
}

static inline uint32_t child(const node *table, uint32_t parent, uint8_t byte) {
  const uint8_t *labels = trie() + nodes();
  uint32_t first = table[parent].children >> 8, end = first + (table[parent].children & 0xFF);
  for (uint32_t i = first; i < end; i++)
    if (labels[i] == byte) return i;
  return 0;
}

void weir_ngrams_build(weir_ngram_tables *tables) {
  const uint8_t *counts = trie(), *labels = counts + nodes(), *sizes = labels + nodes(), *packed = sizes + nodes();
  node *table = tables->nodes;
  uint8_t *row = (uint8_t *)rows(tables);
  uint32_t next = 1, found = 0;
  for (uint32_t i = 0; i < nodes(); i++) {
    table[i] = (node){.children = next << 8 | counts[i], .row = NONE};
    next += counts[i];
    if (sizes[i] == NO_ROW) continue;
    table[i].row = found++;
    memset(row, 0, ROW);
    size_t class = 0;
    for (size_t left = sizes[i]; left > 0; packed++) {
      class += *packed >> 4;
      if (*packed >> 4 == 15) continue;
      row[class % ROW] |= (uint8_t)((*packed & 15) << (class < ROW ? 0 : 4));
      class++;
      left--;
    }
    row += ROW;
  }
  for (uint32_t parent = 0; parent < nodes(); parent++) {
    uint32_t first = table[parent].children >> 8;
    for (uint32_t i = first; i < first + counts[parent]; i++) {
      uint32_t suffix = table[parent].fail, longest = 0;
      while (parent != 0 && (longest = child(table, suffix, labels[i])) == 0 && suffix != 0) suffix = table[suffix].fail;
      if (table[i].row == NONE) table[i].row = table[longest].row;
      table[i].fail = counts[longest] > 0 ? longest : table[longest].fail;
    }
  }
  for (uint32_t first = 0; first <= START; first++)
    for (uint32_t byte = 0; byte < 256; byte++) {
      uint32_t after = first == START ? 0 : child(table, 0, (uint8_t)first), both = after == 0 ? 0 : child(table, after, (uint8_t)byte);
      tables->pairs[first << 8 | byte] = both != 0 ? both : child(table, 0, (uint8_t)byte);
    }
}

// Rows whose sums fit into a byte.
enum { BATCH = 17 };
typedef struct {
  const weir_ngram_tables *tables;
  uint32_t *sums;
  const uint8_t *waiting[BATCH];
  size_t waits, count;
  uint32_t state, previous, deep;  // nodes from `deep` on have two bytes or more
} walker;

WEIR_CLONES static void add_rows(const uint8_t **waiting, size_t count, uint32_t *sums) {
  uint8_t low[ROW] = {0}, high[ROW] = {0};
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < ROW; k++) {
      low[k] = (uint8_t)(low[k] + (waiting[i][k] & 15));
      high[k] = (uint8_t)(high[k] + (waiting[i][k] >> 4));
    }
  for (size_t k = 0; k < ROW; k++) {
    sums[k] += low[k];
    sums[ROW + k] += high[k];
  }
}

static inline void step(walker *at, uint8_t byte) {
  const node *table = at->tables->nodes;
  uint32_t state = at->state, next = 0;
  while (state >= at->deep && (next = child(table, state, byte)) == 0) state = table[state].fail;
  at->state = next != 0 ? next : at->tables->pairs[at->previous << 8 | byte];
  at->previous = byte;
  uint32_t row = table[at->state].row;
  if (row == NONE) return;
  const uint8_t *values = rows(at->tables) + (size_t)row * ROW;
  __builtin_prefetch(values);
  at->waiting[at->waits++] = values;
  if (at->waits < BATCH) return;
  add_rows(at->waiting, BATCH, at->sums);
  at->count += BATCH;
  at->waits = 0;
}

// The model knows capitals where they are usual. A text of capitals is read in lower case.
static int is_in_capitals(const uint8_t *text, size_t count) {
  size_t capitals = 0, letters = 0, width;
  for (size_t i = 0; i < count; i += width) {
    width = 1;
    uint32_t scalar = text[i] < 0x80 ? text[i] : weir_scalar(text + i, count - i, &width), symbol = scalar < END ? fold(scalar) : BOUNDARY;
    letters += symbol != BOUNDARY;
    capitals += symbol != BOUNDARY && symbol != scalar;
  }
  return 2 * capitals > letters;
}

size_t weir_ngrams_add(const weir_ngram_tables *tables, const uint8_t *text, size_t count, uint32_t *sums) {
  walker at = {.tables = tables, .sums = sums, .previous = START, .deep = 1 + (tables->nodes[0].children & 0xFF)};
  if (!is_in_capitals(text, count)) {
    for (size_t i = 0; i < count; i++) step(&at, text[i]);
  } else {
    size_t width;
    for (size_t i = 0; i < count; i += width) {
      width = 1;
      uint32_t scalar = text[i] < 0x80 ? text[i] : weir_scalar(text + i, count - i, &width), symbol = scalar < END ? fold(scalar) : BOUNDARY;
      if (symbol == BOUNDARY || symbol == scalar) {
        for (size_t k = 0; k < width; k++) step(&at, text[i + k]);
      } else if (symbol < 0x80) {
        step(&at, (uint8_t)symbol);
      } else if (symbol < 0x800) {
        step(&at, (uint8_t)(0xC0 | symbol >> 6));
        step(&at, (uint8_t)(0x80 | (symbol & 0x3F)));
      } else {
        step(&at, (uint8_t)(0xE0 | symbol >> 12));
        step(&at, (uint8_t)(0x80 | (symbol >> 6 & 0x3F)));
        step(&at, (uint8_t)(0x80 | (symbol & 0x3F)));
      }
    }
  }
  add_rows(at.waiting, at.waits, sums);
  return at.count + at.waits;
}

void weir_ngrams_scores(const uint32_t *sums, size_t ngrams, float *scores) {
  const number *prior = lowest() + classes();
  float unit = ((const number *)model)[3];
  // The published model counts an n-gram that occurs once as log 2.
  for (size_t c = 0; c < classes(); c++) scores[c] = prior[c] + 0.6931472f * (unit * (float)sums[c] + lowest()[c] * (float)ngrams);
}
