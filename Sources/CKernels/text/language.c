// Sums of the weights of character n-grams. Letters are lowercased, and a run of other characters counts as one boundary. Han, kana and Hangul are one
// symbol each, so the script tells their languages apart. scripts/languages normalizes text in the same way for training.
#include "weir_language.h"
#include "language_model.h"
#include "../shared/vector.h"
#include "../shared/utf8.h"
#include <pthread.h>

enum { BORDER = 1, OTHER = 2, HAN = 3, KANA = 4, HANGUL = 5 };

static uint16_t fold_letter(uint32_t c) {
  if (c < 0x80) return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? c | 0x20 : BORDER;
  if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA ? c + 0x20 : BORDER;
  if (c < 0x100) return c == 0xD7 || c == 0xF7 ? BORDER : c < 0xDF ? c + 0x20 : c;
  if (c < 0x180) {
    if (c == 0x138 || c == 0x149 || c == 0x17F) return c;
    if (c == 0x178) return 0xFF;
    // Pairs of a capital and a small letter begin at odd code points there, at even ones elsewhere.
    return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E) ? c + (c & 1) : c | 1;
  }
  if (c < 0x250) return c;
  if (c < 0x300) return OTHER;
  if (c < 0x370) return c;
  if (c < 0x400) return c >= 0x391 && c <= 0x3A9 ? c + 0x20 : c;
  if (c < 0x530) return c >= 0x410 && c <= 0x42F ? c + 0x20 : c <= 0x40F ? c + 0x50 : c >= 0x460 ? c | 1 : c;
  if (c >= 0x600 && c < 0x780) {
    int mark = c == 0x60C || c == 0x61B || c == 0x61F || c == 0x6D4 || (c >= 0x660 && c <= 0x66D) || (c >= 0x6F0 && c <= 0x6F9);
    return mark ? BORDER : c;
  }
  if ((c >= 0x900 && c < 0x980) || (c >= 0xA80 && c < 0xB00) || (c >= 0xB80 && c < 0xC80))
    return c == 0x964 || c == 0x965 || ((c & 0x7F) >= 0x66 && (c & 0x7F) <= 0x6F) ? BORDER : c;
  if (c >= 0x1E00 && c < 0x1F00) return c | 1;
  if ((c >= 0x1100 && c < 0x1200) || (c >= 0xAC00 && c < 0xD7B0)) return HANGUL;
  if (c >= 0x3040 && c < 0x3100) return KANA;
  if ((c >= 0x3400 && c < 0xA000) || (c >= 0xF900 && c < 0xFB00)) return HAN;
  return (c >= 0x2000 && c < 0x3040) || (c >= 0xD800 && c < 0xF900) || c >= 0xFE00 ? BORDER : OTHER;
}

static uint16_t folds[0x10000];
static pthread_once_t folds_once = PTHREAD_ONCE_INIT;
static void make_folds(void) {
  for (uint32_t c = 0; c < 0x10000; c++) folds[c] = fold_letter(c);
}

static inline uint64_t bucket(uint64_t window, int n, int bits) {
  uint64_t key = n < 4 ? window & ((1ull << 16 * n) - 1) : window;
  key = ((key ^ key >> 29) + (uint64_t)n) * 0x9E3779B97F4A7C15ull;
  return ((key ^ key >> 32) * 0xD6E8FEB86659FD93ull) >> (64 - bits);
}

// The number of rows that are added in 16 bits before the sums go to 32 bits: more could overflow.
enum { ROWS = 256 };

WEIR_CLONES static void add_rows(const int8_t *weights, const uint32_t *rows, size_t count, int32_t *sums) {
  int16_t part[WEIR_LANGUAGES] = {0};
  for (size_t i = 0; i < count; i++) {
    const int8_t *row = weights + (size_t)rows[i] * WEIR_LANGUAGES;
    for (int l = 0; l < WEIR_LANGUAGES; l++) part[l] = (int16_t)(part[l] + row[l]);
  }
  for (int l = 0; l < WEIR_LANGUAGES; l++) sums[l] += part[l];
}

void weir_language_sums(const int8_t *weights, int bits, const uint8_t *text, size_t count, int32_t *sums, size_t *counts) {
  pthread_once(&folds_once, make_folds);
  uint32_t rows[ROWS];
  size_t waiting = 0;
  uint64_t window = BORDER;
  int length = 1;
  for (size_t i = 0; i <= count;) {
    uint32_t symbol = BORDER;
    size_t width = 1;
    if (i < count) {
      uint32_t scalar = text[i] < 0x80 ? text[i] : weir_scalar(text + i, count - i, &width);
      if (scalar < 0x10000) symbol = folds[scalar];
    }
    i += width;
    if (symbol == BORDER && (window & 0xFFFF) == BORDER) continue;
    window = window << 16 | symbol;
    if (length < WEIR_LANGUAGE_ORDER) length++;
    if (symbol != BORDER) {
      counts[1]++;
      counts[2] += symbol == OTHER;
    }
    if (waiting + WEIR_LANGUAGE_ORDER > ROWS) {
      add_rows(weights, rows, waiting, sums);
      counts[0] += waiting;
      waiting = 0;
    }
    for (int n = symbol == BORDER ? 2 : 1; n <= length; n++) rows[waiting++] = (uint32_t)bucket(window, n, bits);
  }
  add_rows(weights, rows, waiting, sums);
  counts[0] += waiting;
}

const char *weir_language_model(size_t *count) {
  *count = sizeof model - 1;
  return model;
}
