#include "weir_json.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__linux__) && defined(__x86_64__)
#define WEIR_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define WEIR_CLONES
#endif

static const char controls[32][8] = {
    "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007", "\\b",     "\\t",     "\\n",
    "\\u000b", "\\f",     "\\r",     "\\u000e", "\\u000f", "\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014", "\\u0015",
    "\\u0016", "\\u0017", "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f"};

static inline int escaped(uint8_t c) { return c < 0x20 || c == '"' || c == '\\'; }

// Writes one escape of at most 6 bytes; may overwrite 8.
static inline uint8_t *put_escape(uint8_t *out, uint8_t c) {
  if (c >= 0x20) {
    out[0] = '\\';
    out[1] = c;
    return out + 2;
  }
  memcpy(out, controls[c], 8);
  return out + (controls[c][2] ? 6 : 2);
}

typedef uint8_t bytes64 __attribute__((ext_vector_type(64)));
typedef bool lanes64 __attribute__((ext_vector_type(64)));

// One bit per nonzero byte. A macro, because a vector passed by value would tie the clones to one calling convention.
#define BITS(vector)                                              \
  ({                                                              \
    lanes64 lanes = __builtin_convertvector((vector), lanes64);   \
    uint64_t bits;                                                \
    memcpy(&bits, &lanes, sizeof bits);                           \
    bits;                                                         \
  })
#define ESCAPED(v) BITS((v < 0x20) | (v == '"') | (v == '\\'))

WEIR_CLONES size_t weir_json_escape_room(const uint8_t *text, size_t count) {
  size_t found = 0, i = 0;
  for (; i + 64 <= count; i += 64) {
    bytes64 v;
    memcpy(&v, text + i, sizeof v);
    found += (size_t)__builtin_popcountll(ESCAPED(v));
  }
  for (; i < count; ++i) found += (size_t)escaped(text[i]);
  return count + 5 * found + WEIR_JSON_ESCAPE_SLACK;
}

WEIR_CLONES uint8_t *weir_json_escape(const uint8_t *text, size_t count, uint8_t *out) {
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    bytes64 v;
    memcpy(&v, text + i, sizeof v);
    memcpy(out, &v, sizeof v);
    // After each escape the rest of the block is copied again. Copying 64 bytes where possible avoids a branch on an unpredictable length.
    size_t from = 0;
    for (uint64_t mask = ESCAPED(v); mask; mask &= mask - 1) {
      size_t at = (size_t)__builtin_ctzll(mask);
      out = put_escape(out + (at - from), text[i + at]);
      from = at + 1;
      if (i + from + 64 <= count) memcpy(out, text + i + from, 64); else memcpy(out, text + i + from, 64 - from);
    }
    out += 64 - from;
  }
  for (; i < count; ++i) {
    if (escaped(text[i])) out = put_escape(out, text[i]); else *out++ = text[i];
  }
  return out;
}

// Escapes by the parity of runs of backslashes, 64 bytes at a time (Langdale & Lemire, Parsing Gigabytes of JSON per Second, 3.1.1).
WEIR_CLONES const uint8_t *weir_json_string_end(const uint8_t *at, const uint8_t *end, bool *plain) {
  const uint64_t even = 0x5555555555555555, odd = ~even;
  uint64_t carried = 0, others = 0;
  for (; at < end; at += 64) {
    bytes64 v;
    memcpy(&v, at, sizeof v);
    uint64_t slash = BITS(v == '\\') & ~carried, quote = BITS(v == '"');
    uint64_t ours = BITS((v == 'n') | (v == '"') | (v == '\\') | (v == 't') | (v == 'r') | (v == 'b') | (v == 'f'));
    uint64_t starts = slash & ~(slash << 1), behindOdd;
    // A run of backslashes that starts at an even position escapes the next byte if that is at an odd position, and vice versa.
    uint64_t escaped = carried | ((slash + (starts & even)) & ~slash & odd);
    carried = __builtin_add_overflow(slash, starts & odd, &behindOdd);
    escaped |= behindOdd & ~slash & even;
    uint64_t closing = quote & ~escaped, wrong = escaped & ~ours;
    if (closing) {
      others |= wrong & ((closing & -closing) - 1);
      at += __builtin_ctzll(closing);
      break;
    }
    others |= wrong;
  }
  *plain = others == 0;
  return at < end ? at : end;
}

size_t weir_json_newlines(const uint8_t *bytes, size_t count) {
  size_t found = 0, i = 0;
#if defined(__SSE2__)
  const __m128i newline = _mm_set1_epi8('\n'), zero = _mm_setzero_si128();
  while (i + 16 <= count) {
    // Counters of one byte: at most 255 steps.
    size_t end = i + (count - i) / 16 * 16;
    if (end - i > 255 * 16) end = i + 255 * 16;
    __m128i counters = zero;
    for (; i < end; i += 16)
      counters = _mm_sub_epi8(counters, _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(bytes + i)), newline));
    __m128i sums = _mm_sad_epu8(counters, zero);
    found += (size_t)_mm_cvtsi128_si32(sums) + (size_t)_mm_cvtsi128_si32(_mm_srli_si128(sums, 8));
  }
#endif
  for (; i < count; ++i) found += bytes[i] == '\n';
  return found;
}
