// Shingles, MinHash signatures and the set arithmetic of near-duplicate search.
//
// Normalisation before shingling, after datatrove's simplification of texts: words are separated by Unicode white space; letters
// become lower case and lose their diacritics (ASCII, Latin-1, Latin Extended-A; combining marks U+0300–036F; Greek and Cyrillic
// become lower case); punctuation, symbols and control characters of ASCII, Latin-1, General Punctuation, CJK and full-width forms go,
// without separating words; a run of digits becomes one 0; a word that is empty after that is none. Code points of scripts written without
// blanks (Han, kana, Thai, Lao, Myanmar, Khmer) are words of their own. Everything else stands for itself; malformed bytes too.
//
// MinHash: the 64-bit fingerprints h of the shingles go through the family a·h + b mod 2^64, a odd: bijections that keep 64 bits
// and vectorise, which a prime modulus would not. h comes out of a finaliser, so that it is spread evenly before the family is applied.
#include "weir_minhash.h"
#include <string.h>

#if defined(__linux__) && defined(__x86_64__)
#define WEIR_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define WEIR_CLONES
#endif

enum { END = 0x110000 };

// The code point at text[0], not ASCII, of `left` bytes; END + byte and a width of 1 where there is none.
static inline uint32_t decode(const uint8_t *text, size_t left, size_t *width) {
  uint32_t first = text[0];
#define NEXT(i) ((uint32_t)text[i] ^ 0x80)
  if (first >= 0xC2 && first < 0xE0 && left > 1 && NEXT(1) < 0x40) {
    *width = 2;
    return (first & 0x1F) << 6 | NEXT(1);
  }
  if (first >= 0xE0 && first < 0xF0 && left > 2 && NEXT(1) < 0x40 && NEXT(2) < 0x40) {
    uint32_t scalar = (first & 0x0F) << 12 | NEXT(1) << 6 | NEXT(2);
    if (scalar >= 0x800 && (scalar & 0xF800) != 0xD800) {
      *width = 3;
      return scalar;
    }
  }
  if (first >= 0xF0 && first < 0xF5 && left > 3 && NEXT(1) < 0x40 && NEXT(2) < 0x40 && NEXT(3) < 0x40) {
    uint32_t scalar = (first & 0x07) << 18 | NEXT(1) << 12 | NEXT(2) << 6 | NEXT(3);
    if (scalar >= 0x10000 && scalar < END) {
      *width = 4;
      return scalar;
    }
  }
#undef NEXT
  *width = 1;
  return END + first;
}

static inline int is_space(uint32_t scalar) {
  return scalar == 0x85 || scalar == 0xA0 || scalar == 0x1680 || (scalar >= 0x2000 && scalar <= 0x200A) || scalar == 0x2028 ||
         scalar == 0x2029 || scalar == 0x202F || scalar == 0x205F || scalar == 0x3000;
}

size_t weir_collapse_space(const uint8_t *text, size_t count, uint8_t *out) {
  size_t written = 0;
  int pending = 0;
  for (size_t i = 0; i < count;) {
    uint8_t byte = text[i];
    size_t width = 1;
    int space = byte == ' ' || (byte >= 9 && byte <= 13);
    if (byte >= 0x80) space = is_space(decode(text + i, count - i, &width));
    if (space) {
      pending = written > 0;
    } else {
      // A blank takes the place of at least one byte that was read, so `out` cannot overflow.
      if (pending) out[written++] = ' ';
      pending = 0;
      for (size_t k = 0; k < width; k++) out[written++] = text[i + k];
    }
    i += width;
  }
  return written;
}

// Lower case and without diacritics, U+00C0 … U+017F; '.' where the letter has no ASCII base.
static const char folded[] =
    "aaaaaa.ceeeeiiii.nooooo..uuuuy..aaaaaa.ceeeeiiii.nooooo..uuuuy.y"
    "aaaaaaccccccccdd..eeeeeeeeeegggggggghh..iiiiiiiii...jjkk.llllll."
    "...nnnnnn...oooooo..rrrrrrsssssssstttt..uuuuuuuuuuuuwwyyyzzzzzz.";

_Static_assert(sizeof folded == 0x180 - 0xC0 + 1, "one character a code point");

enum { DROP = END + 0x100, SPACE = END + 0x101 };

static inline int stands_alone(uint32_t s) {
  return (s >= 0x3400 && s <= 0x9FFF && !(s >= 0x4DC0 && s < 0x4E00)) || (s >= 0x3041 && s <= 0x30FF) || (s >= 0x0E01 && s <= 0x0EFF) ||
         (s >= 0x1000 && s <= 0x109F) || (s >= 0x1780 && s <= 0x17FF) || (s >= 0xF900 && s <= 0xFAFF) || (s >= 0x20000 && s <= 0x3FFFF);
}

// What a code point beyond ASCII becomes.
static uint32_t fold(uint32_t s) {
  if (is_space(s)) return SPACE;
  if (s < 0xC0) return s == 0xAA || s == 0xB5 || s == 0xBA ? s : DROP;
  if (s < 0x180) {
    if (s == 0xD7 || s == 0xF7) return DROP;
    char base = folded[s - 0xC0];
    if (base != '.') return (uint32_t)base;
    if (s < 0xE0) return s + 0x20;
    if (s < 0x100 || s == 0x138 || s == 0x149 || s == 0x17F) return s;
    return s > 0x138 && s < 0x149 ? s + (s & 1) : s | 1;  // pairs begin at odd code points there, at even ones elsewhere
  }
  if (s >= 0x300 && s < 0x370) return DROP;
  if (s >= 0x391 && s <= 0x3A9) return s + 0x20;
  if (s >= 0x410 && s <= 0x42F) return s + 0x20;
  if (s >= 0x400 && s <= 0x40F) return s + 0x50;
  if (s >= 0x2000 && s < 0x2070) return DROP;
  if (s >= 0x3001 && s < 0x3040 && s != 0x3005 && s != 0x3007) return DROP;
  if (s >= 0xFE00 && s < 0xFE70) return DROP;
  if (s == 0xFEFF || (s >= 0xFF01 && s <= 0xFF0F) || (s >= 0xFF1A && s <= 0xFF20) || (s >= 0xFF3B && s <= 0xFF40) ||
      (s >= 0xFF5B && s <= 0xFF65))
    return DROP;
  return s;
}

static inline uint64_t finish(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// A word's fingerprint under way: eight bytes at a time.
typedef struct {
  uint64_t hash, block;
  size_t length;
  int digit;
} word;

static inline void put(word *w, uint8_t byte) {
  w->block = w->block << 8 | byte;
  if ((++w->length & 7) == 0) {
    w->hash = (w->hash ^ w->block) * 0x9FB21C651E98DF25ull;
    w->hash ^= w->hash >> 29;
    w->block = 0;
  }
}

static inline void put_scalar(word *w, uint32_t scalar) {
  for (int shift = 16; shift >= 0; shift -= 8) put(w, (uint8_t)(scalar >> shift));
}

static inline uint64_t close_word(word *w) {
  uint64_t value = finish((w->hash ^ w->block) * 0x9FB21C651E98DF25ull + w->length);
  *w = (word){0};
  return value;
}

// What an ASCII byte becomes: 0 nothing, 1 the end of a word, '0' a digit, else a letter.
static const uint8_t ascii[128] = {
    ['\t'] = 1, ['\n'] = 1, [11] = 1, ['\f'] = 1, ['\r'] = 1, [' '] = 1,
    ['0'] = '0', ['1'] = '0', ['2'] = '0', ['3'] = '0', ['4'] = '0', ['5'] = '0', ['6'] = '0', ['7'] = '0', ['8'] = '0', ['9'] = '0',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i',
    ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z',
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i',
    ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r',
    ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};

// The fingerprints of the words of a text and where each begins. With `digits` numbers stand for themselves.
static inline __attribute__((always_inline)) size_t scan_words(const uint8_t *text, size_t count, const int digits, uint64_t *out,
                                                               size_t *starts) {
  size_t words = 0, began = 0;
  word w = {0};
#define CLOSE()                        \
  do {                                 \
    if (starts) starts[words] = began; \
    out[words++] = close_word(&w);     \
  } while (0)
  for (size_t i = 0; i < count;) {
    uint8_t byte = text[i];
    if (w.length == 0) began = i;
    if (byte < 0x80) {
      i++;
      uint8_t kind = ascii[byte];
      if (kind > '0') {
        put(&w, kind);
        w.digit = 0;
      } else if (kind == '0') {
        if (digits) put(&w, byte);
        else if (!w.digit) put(&w, kind);
        w.digit = 1;
      } else if (kind == 1 && w.length > 0) {
        CLOSE();
      }
      continue;
    }
    size_t width, at = i;
    uint32_t scalar = fold(decode(text + i, count - i, &width));
    i += width;
    if (scalar == DROP) continue;
    if (scalar == SPACE) {
      if (w.length > 0) CLOSE();
    } else if (stands_alone(scalar)) {
      if (w.length > 0) CLOSE();
      began = at;
      put_scalar(&w, scalar);
      CLOSE();
    } else {
      w.digit = 0;
      if (scalar < 0x80) put(&w, (uint8_t)scalar);
      else put_scalar(&w, scalar);
    }
  }
  if (w.length > 0) CLOSE();
#undef CLOSE
  return words;
}

size_t weir_word_hashes(const uint8_t *text, size_t count, uint64_t *out, size_t *starts) {
  return scan_words(text, count, 1, out, starts);
}

// The n-gram at i is (n·M + w[i])·M + … + w[i + n − 1] mod 2^64, finished: the sum of the next one follows from it.
// `out` may be `words`.
size_t weir_ngrams(const uint64_t *words, size_t count, size_t n, uint64_t *out) {
  const uint64_t multiplier = 0xD1342543DE82EF95ull;
  if (n == 0 || count < n) return 0;
  uint64_t power = 1, base = n, sum = 0;
  for (size_t k = 0; k < n; k++) {
    power *= multiplier;
    sum = sum * multiplier + words[k];
  }
  base *= power;
  for (size_t i = 0; i + n <= count; i++) {
    uint64_t first = words[i];
    out[i] = finish(base + sum);
    if (i + n < count) sum = sum * multiplier + words[i + n] - first * power;
  }
  return count - n + 1;
}

size_t weir_shingles(const uint8_t *text, size_t count, size_t n, uint64_t *out) {
  size_t words = scan_words(text, count, 0, out, NULL);
  return weir_ngrams(out, words, words < n ? words : n, out);
}

typedef uint64_t lanes __attribute__((vector_size(64), aligned(8)));

WEIR_CLONES
void weir_minhash(const uint64_t *hashes, size_t count, const uint64_t *multipliers, const uint64_t *offsets, size_t permutations,
                  uint64_t *signature) {
  size_t p = 0;
  // 32 permutations at a time stay in registers while the fingerprints pass by.
  for (; p + 32 <= permutations; p += 32) {
    lanes a[4], b[4], least[4];
    memcpy(a, multipliers + p, sizeof a);
    memcpy(b, offsets + p, sizeof b);
    memset(least, 0xFF, sizeof least);
    for (size_t i = 0; i < count; i++) {
      uint64_t h = hashes[i];
      for (int k = 0; k < 4; k++) least[k] = __builtin_elementwise_min(least[k], a[k] * h + b[k]);
    }
    memcpy(signature + p, least, sizeof least);
  }
  for (; p < permutations; p += 8) {
    lanes a, b, least;
    memcpy(&a, multipliers + p, sizeof a);
    memcpy(&b, offsets + p, sizeof b);
    memset(&least, 0xFF, sizeof least);
    for (size_t i = 0; i < count; i++) least = __builtin_elementwise_min(least, a * hashes[i] + b);
    memcpy(signature + p, &least, sizeof least);
  }
}

size_t weir_sort_unique(uint32_t *keys, size_t count, uint32_t *scratch) {
  if (count == 0) return 0;
  // One scatter by the top bits leaves about two keys a bucket; insertion does the rest.
  int bits = 0;
  while (bits < 20 && ((size_t)2 << bits) < count) bits++;
  if (bits > 2) {
    uint32_t *starts = scratch + count;
    size_t buckets = (size_t)1 << bits;
    int shift = 32 - bits;
    memset(starts, 0, (buckets + 1) * sizeof *starts);
    for (size_t i = 0; i < count; i++) starts[(keys[i] >> shift) + 1]++;
    for (size_t i = 1; i <= buckets; i++) starts[i] += starts[i - 1];
    for (size_t i = 0; i < count; i++) scratch[starts[keys[i] >> shift]++] = keys[i];
    memcpy(keys, scratch, count * sizeof *keys);
  }
  for (size_t i = 1; i < count; i++) {
    uint32_t key = keys[i];
    size_t j = i;
    while (j > 0 && keys[j - 1] > key) {
      keys[j] = keys[j - 1];
      j--;
    }
    keys[j] = key;
  }
  size_t kept = 1;
  for (size_t i = 1; i < count; i++)
    if (keys[i] != keys[kept - 1]) keys[kept++] = keys[i];
  return kept;
}

size_t weir_intersection(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count) {
  size_t i = 0, j = 0, shared = 0;
  while (i < a_count && j < b_count) {
    uint32_t x = a[i], y = b[j];
    shared += x == y;
    i += x <= y;
    j += y <= x;
  }
  return shared;
}

void weir_sort_pairs(uint64_t *keys, uint32_t *values, size_t count, uint64_t *key_scratch, uint32_t *value_scratch) {
  uint64_t *from = keys, *to = key_scratch;
  uint32_t *values_from = values, *values_to = value_scratch;
  for (int shift = 0; shift < 64; shift += 8) {
    size_t starts[257] = {0};
    for (size_t i = 0; i < count; i++) starts[(from[i] >> shift & 0xFF) + 1]++;
    int trivial = 0;
    for (int i = 1; i <= 256; i++) {
      trivial |= starts[i] == count;
      starts[i] += starts[i - 1];
    }
    if (trivial) continue;
    for (size_t i = 0; i < count; i++) {
      size_t place = starts[from[i] >> shift & 0xFF]++;
      to[place] = from[i];
      values_to[place] = values_from[i];
    }
    uint64_t *k = from;
    from = to;
    to = k;
    uint32_t *v = values_from;
    values_from = values_to;
    values_to = v;
  }
  if (from != keys) {
    memcpy(keys, from, count * sizeof *keys);
    memcpy(values, values_from, count * sizeof *values);
  }
}
