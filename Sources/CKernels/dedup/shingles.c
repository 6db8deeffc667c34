// Normalizes text and computes the fingerprints of its shingles: 64 bytes at a time on processors with AVX512-VBMI2, byte by byte elsewhere, with the
// same result.
//
// Shingles take two passes. The first writes the normalized text, with one blank between words. The second finds the words eight bytes at a time and hashes
// them.
#include "weir_dedup.h"
#include "word_folding.h"
#include <string.h>

#if defined(__linux__) && defined(__x86_64__)
#include <immintrin.h>
#define WEIR_WIDE __attribute__((target("arch=x86-64-v4,avx512vbmi,avx512vbmi2"), min_vector_width(512)))
static int wide(void) { return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vbmi"); }
#endif

static inline size_t put_utf8(uint32_t s, uint8_t *out, size_t n) {
  if (s >= END) {
    out[n++] = (uint8_t)(s - END);  // a malformed byte
  } else if (s < 0x80) {
    out[n++] = (uint8_t)s;
  } else if (s < 0x800) {
    out[n++] = (uint8_t)(0xC0 | s >> 6);
    out[n++] = (uint8_t)(0x80 | (s & 0x3F));
  } else if (s < 0x10000) {
    out[n++] = (uint8_t)(0xE0 | s >> 12);
    out[n++] = (uint8_t)(0x80 | (s >> 6 & 0x3F));
    out[n++] = (uint8_t)(0x80 | (s & 0x3F));
  } else {
    out[n++] = (uint8_t)(0xF0 | s >> 18);
    out[n++] = (uint8_t)(0x80 | (s >> 12 & 0x3F));
    out[n++] = (uint8_t)(0x80 | (s >> 6 & 0x3F));
    out[n++] = (uint8_t)(0x80 | (s & 0x3F));
  }
  return n;
}

// Writes the folded form of the non-ASCII code point at text[*i] to out[n], where n > 0. Advances *i past it and returns the new n.
static size_t fold_wide(const uint8_t *text, size_t count, size_t *i, uint8_t *out, size_t n) {
  size_t width;
  uint32_t scalar = fold(weir_scalar(text + *i, count - *i, &width));
  *i += width;
  if (scalar == DROP) return n;
  int alone = scalar == SPACE || stands_alone(scalar);
  if (alone && out[n - 1] != ' ') out[n++] = ' ';
  if (scalar == SPACE) return n;
  n = put_utf8(scalar, out, n);
  if (alone) out[n++] = ' ';
  return n;
}

// Writes the normalized text after out[0], which is a blank. Returns where it ends.
static size_t fold_text(const uint8_t *text, size_t count, uint8_t *out) {
  size_t n = 1;
  for (size_t i = 0; i < count;) {
    if (text[i] >= 0x80) {
      n = fold_wide(text, count, &i, out, n);
      continue;
    }
    uint8_t kind = ascii[text[i++]];
    // A run of blanks or digits is kept once.
    if (kind > '0' || (kind && out[n - 1] != kind)) out[n++] = kind;
  }
  return n;
}

// Copies text with every run of white space collapsed to one blank; returns where it ends.
static size_t collapse_text(const uint8_t *text, size_t count, uint8_t *out) {
  size_t n = 0;
  int after_blank = 1;
  for (size_t i = 0; i < count;) {
    size_t width = 1;
    uint8_t byte = text[i];
    int blank = byte >= 0x80 ? is_space(weir_scalar(text + i, count - i, &width)) : ascii[byte] == ' ';
    if (!blank) {
      for (size_t k = 0; k < width; k++) out[n++] = text[i + k];
    } else if (!after_blank) {
      out[n++] = ' ';
    }
    after_blank = blank;
    i += width;
  }
  return n;
}

#ifdef WEIR_WIDE
static inline uint64_t low_bits(size_t count) { return count >= 64 ? ~0ull : (1ull << count) - 1; }

WEIR_WIDE static size_t fold_text_wide(const uint8_t *text, size_t count, uint8_t *out) {
  const __m512i low = _mm512_load_si512(ascii), high = _mm512_load_si512(ascii + 64);
  const __m512i blank = _mm512_set1_epi8(' '), zero = _mm512_set1_epi8('0');
  size_t n = 1;
  for (size_t i = 0; i < count;) {
    uint64_t inside = low_bits(count - i);
    __m512i bytes = _mm512_maskz_loadu_epi8(inside, text + i);
    // The ASCII prefix of the block.
    uint64_t other = _mm512_movepi8_mask(bytes);
    size_t width = other ? (size_t)__builtin_ctzll(other) : count - i < 64 ? count - i : 64;
    __m512i kinds = _mm512_permutex2var_epi8(low, bytes, high);
    uint64_t keep = _mm512_test_epi8_mask(kinds, kinds) & low_bits(width);
    __m512i kept = _mm512_maskz_compress_epi8(keep, kinds);
    int length = __builtin_popcountll(keep);
    if (length) {
      uint64_t blanks = _mm512_cmpeq_epi8_mask(kept, blank), zeros = _mm512_cmpeq_epi8_mask(kept, zero);
      uint64_t again = (blanks & (blanks << 1 | (out[n - 1] == ' '))) | (zeros & (zeros << 1 | (out[n - 1] == '0')));
      if (again) {
        keep = low_bits((size_t)length) & ~again;
        kept = _mm512_maskz_compress_epi8(keep, kept);
        length = __builtin_popcountll(keep);
      }
      _mm512_storeu_si512(out + n, kept);
      n += (size_t)length;
    }
    i += width;
    while (i < count && text[i] >= 0x80) n = fold_wide(text, count, &i, out, n);
  }
  return n;
}

WEIR_WIDE static size_t collapse_text_wide(const uint8_t *text, size_t count, uint8_t *out) {
  const __m512i blank = _mm512_set1_epi8(' ');
  size_t n = 0;
  uint64_t after_blank = 1;
  for (size_t i = 0; i < count;) {
    uint64_t inside = low_bits(count - i);
    __m512i bytes = _mm512_maskz_loadu_epi8(inside, text + i);
    // The prefix of the block without a byte that may begin non-ASCII white space, which begins with C2, E1, E2 or E3.
    uint64_t other = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8((char)0xC2)) |
                     _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8((char)0xE1)), _mm512_set1_epi8(2));
    size_t width = other ? (size_t)__builtin_ctzll(other) : count - i < 64 ? count - i : 64;
    uint64_t blanks = (_mm512_cmpeq_epi8_mask(bytes, blank) |
                       _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8(9)), _mm512_set1_epi8(4))) &
                      low_bits(width);
    uint64_t keep = low_bits(width) & ~(blanks & (blanks << 1 | after_blank));
    bytes = _mm512_mask_blend_epi8(blanks, bytes, blank);
    if (keep != ~0ull) bytes = _mm512_maskz_compress_epi8(keep, bytes);
    _mm512_storeu_si512(out + n, bytes);
    n += (size_t)__builtin_popcountll(keep);
    if (width) after_blank = blanks >> (width - 1) & 1;
    i += width;
    if (width == 64 || i >= count) continue;
    size_t bytes_of;
    if (is_space(weir_scalar(text + i, count - i, &bytes_of))) {
      if (!after_blank) out[n++] = ' ';
      after_blank = 1;
    } else {
      for (size_t k = 0; k < bytes_of; k++) out[n++] = text[i + k];
      after_blank = 0;
    }
    i += bytes_of;
  }
  return n;
}
#endif

size_t weir_collapse_space(const uint8_t *text, size_t count, uint8_t *out) {
#ifdef WEIR_WIDE
  size_t n = wide() ? collapse_text_wide(text, count, out) : collapse_text(text, count, out);
#else
  size_t n = collapse_text(text, count, out);
#endif
  return n > 0 && out[n - 1] == ' ' ? n - 1 : n;
}

size_t weir_shingles(const uint8_t *text, size_t count, size_t n, uint8_t *scratch, uint64_t *out) {
  scratch[0] = ' ';
#ifdef WEIR_WIDE
  size_t end = wide() ? fold_text_wide(text, count, scratch) : fold_text(text, count, scratch);
#else
  size_t end = fold_text(text, count, scratch);
#endif
  if (scratch[end - 1] != ' ') scratch[end++] = ' ';
  memset(scratch + end, 0, 8);
  const uint64_t ones = 0x0101010101010101ull, tops = ones << 7;
  size_t words = 0;
  for (size_t i = 1; i < end; words++) {
    uint64_t hash = 0, block, blanks;
    size_t length = 0;
    for (;; length += 8) {
      memcpy(&block, scratch + i + length, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
      block = __builtin_bswap64(block);
#endif
      uint64_t differs = block ^ ones * ' ';
      blanks = (differs - ones) & ~differs & tops;  // the lowest flag is exact
      if (blanks) break;
      hash = (hash ^ block) * 0x9FB21C651E98DF25ull;
      hash ^= hash >> 29;
    }
    block &= (blanks & -blanks) / 0x80 - 1;  // the bytes before the blank
    length += (size_t)__builtin_ctzll(blanks) / 8;
    out[words] = finish((hash ^ block) * 0x9FB21C651E98DF25ull + length);
    i += length + 1;
  }
  return weir_ngrams(out, words, words < n ? words : n, out);
}
