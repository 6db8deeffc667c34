// The phrases of the C4 rules (Raffel et al., JMLR 21(140), section 2.2), case-insensitive. 64 bytes at a time are compared with the first three letters
// of each phrase; only a match is looked at more closely.
#include "../shared/simd.h"
#include "weir_filter.h"
#include <string.h>
#if defined(__linux__) && defined(__x86_64__)
#include <immintrin.h>
#endif

static const struct {
  const char *text;
  int phrase;
} phrases[] = {
    {"lorem ipsum", WEIR_LOREM}, {"javascript", WEIR_JAVASCRIPT}, {"terms of use", WEIR_POLICY}, {"privacy policy", WEIR_POLICY},
    {"cookie policy", WEIR_POLICY}, {"uses cookies", WEIR_POLICY}, {"use of cookies", WEIR_POLICY}, {"use cookies", WEIR_POLICY},
};

static int phrase_at(const uint8_t *text, size_t left) {
  int found = 0;
  for (size_t k = 0; k < sizeof phrases / sizeof *phrases; k++) {
    const char *phrase = phrases[k].text;
    size_t i = 0;
    for (; phrase[i]; i++) {
      if (i == left) break;
      uint8_t byte = text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i];
      if (byte != (uint8_t)phrase[i]) break;
    }
    if (!phrase[i]) found |= phrases[k].phrase;
  }
  return found;
}

// Whether a phrase may start here, by its first three letters; false positives are possible.
WEIR_INLINE int starts(const uint8_t *text) {
  uint32_t three = (text[0] | 0x20u) << 16 | (text[1] | 0x20u) << 8 | (text[2] | 0x20u);
  return three == 0x6C6F72 || three == 0x6A6176 || three == 0x746572 || three == 0x707269 || three == 0x636F6F || three == 0x757365;
}

static int phrases_any(const uint8_t *text, size_t from, size_t count, int found) {
  for (size_t i = from; i < count; i++) {
    if (text[i] == '{') found |= WEIR_CURLY;
    else if (count - i >= 10 && starts(text + i)) found |= phrase_at(text + i, count - i);
  }
  return found;
}

#if defined(__linux__) && defined(__x86_64__)

WEIR_V3 static int phrases_v3(const uint8_t *text, size_t count) {
  const __m256i fold = _mm256_set1_epi8(0x20);
  int found = 0;
  size_t i = 0;
  for (; i + 34 <= count; i += 32) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(text + i));
    if (_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('{')))) found |= WEIR_CURLY;
    __m256i a = _mm256_or_si256(bytes, fold), b = _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(text + i + 1)), fold),
            c = _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(text + i + 2)), fold);
#define EQ(v, x) _mm256_cmpeq_epi8(v, _mm256_set1_epi8(x))
#define ALL(x, y, z) _mm256_and_si256(_mm256_and_si256(EQ(a, x), EQ(b, y)), EQ(c, z))
    __m256i any = _mm256_or_si256(
        _mm256_or_si256(_mm256_or_si256(ALL('l', 'o', 'r'), ALL('j', 'a', 'v')), _mm256_or_si256(ALL('t', 'e', 'r'), ALL('p', 'r', 'i'))),
        _mm256_or_si256(ALL('c', 'o', 'o'), ALL('u', 's', 'e')));
#undef ALL
#undef EQ
    for (uint32_t bits = (uint32_t)_mm256_movemask_epi8(any); bits; bits &= bits - 1) {
      size_t at = i + (size_t)__builtin_ctz(bits);
      found |= phrase_at(text + at, count - at);
    }
  }
  return phrases_any(text, i, count, found);
}

WEIR_V4 static int phrases_v4(const uint8_t *text, size_t count) {
  const __m512i fold = _mm512_set1_epi8(0x20);
  int found = 0;
  size_t i = 0;
  for (; i + 66 <= count; i += 64) {
    __m512i bytes = _mm512_loadu_si512(text + i);
    if (_mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('{'))) found |= WEIR_CURLY;
    __m512i a = _mm512_or_si512(bytes, fold), b = _mm512_or_si512(_mm512_loadu_si512(text + i + 1), fold),
            c = _mm512_or_si512(_mm512_loadu_si512(text + i + 2), fold);
#define EQ(v, x) _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(x))
#define ALL(x, y, z) (EQ(a, x) & EQ(b, y) & EQ(c, z))
    uint64_t bits = ALL('l', 'o', 'r') | ALL('j', 'a', 'v') | ALL('t', 'e', 'r') | ALL('p', 'r', 'i') | ALL('c', 'o', 'o') | ALL('u', 's', 'e');
#undef ALL
#undef EQ
    for (; bits; bits &= bits - 1) {
      size_t at = i + (size_t)__builtin_ctzll(bits);
      found |= phrase_at(text + at, count - at);
    }
  }
  return phrases_any(text, i, count, found);
}
#endif

int weir_phrases(const uint8_t *text, size_t count, int level) {
#if defined(__linux__) && defined(__x86_64__)
  if (level >= 2) return phrases_v4(text, count);
  if (level == 1) return phrases_v3(text, count);
#endif
  (void)level;
  return phrases_any(text, 0, count, 0);
}
