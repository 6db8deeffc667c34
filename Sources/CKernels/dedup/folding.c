// Normalizes text as word_folding.h says, 64 bytes of ASCII at a time on processors with AVX512-VBMI2, character by character elsewhere, with the same
// result; and computes the fingerprints of words and of word n-grams.
//
// The normalized text begins with a blank and has one blank between words. Words are found in it and hashed eight bytes at a time.
#include "word_folding.h"
#include "weir_dedup.h"
#include "wide.h"
#include <pthread.h>
#include <string.h>

typedef struct {
  uint32_t first;
  uint16_t count;
  uint8_t step, kind;
  int32_t difference;
} fold_run;
#include "folding_table.h"

// The table by code point: blocks of 256, made on first use. 0 stands for a letter that becomes itself.
static uint8_t fold_index[0x1100];
static uint32_t fold_entries[FOLD_BLOCKS + 1][256];
static pthread_once_t fold_once = PTHREAD_ONCE_INIT;
_Static_assert(FOLD_BLOCKS < 256, "blocks are numbered by bytes");

static void make_table(void) {
  uint8_t blocks = 0;
#define ENTRY(s) fold_entries[fold_index[(s) >> 8] ? fold_index[(s) >> 8] : (fold_index[(s) >> 8] = ++blocks)][(s) & 0xFF]
  for (size_t r = 0; r < sizeof fold_runs / sizeof *fold_runs; r++) {
    const fold_run *run = &fold_runs[r];
    for (uint32_t k = 0; k < run->count; k++) {
      uint32_t s = run->first + k * run->step;
      ENTRY(s) = (s + (uint32_t)run->difference) << 4 | run->kind;
    }
  }
  for (size_t k = 0; k < sizeof fold_sequences / sizeof *fold_sequences; k += 2 + fold_sequences[k + 1])
    ENTRY(fold_sequences[k]) = (uint32_t)(k + 1) << 4 | SEQUENCE;
#undef ENTRY
}

static inline int within(uint32_t s, uint32_t first, uint32_t last) { return s - first <= last - first; }

static inline uint32_t fold_entry(uint32_t s) {
  if (within(s, 0x4E00, 0x9FFF) || within(s, 0x3400, 0x4DBF) || within(s, 0x20000, 0x2F7FF) || within(s, 0x2FA20, 0x3FFFF)) return s << 4 | HAN;
  if (s >= END) return s << 4 | WORD;
  uint32_t entry = fold_entries[fold_index[s >> 8]][s & 0xFF];
  return entry ? entry : s << 4 | WORD;
}

// What an ASCII byte becomes: ' ' between words, a letter or a digit, or ASK where its neighbors decide: `is_symbol` in shingles, else `markup_end`. 0 for
// other bytes.
enum { ASK = 1 };
static const uint8_t ascii_words[256] __attribute__((aligned(64))) = {
#define FOUR(c) [c] = ' ', [c + 1] = ' ', [c + 2] = ' ', [c + 3] = ' '
#define SIXTEEN(c) FOUR(c), FOUR(c + 4), FOUR(c + 8), FOUR(c + 12)
#define LETTERS(c) [c] = 'a', [c + 1] = 'b', [c + 2] = 'c', [c + 3] = 'd', [c + 4] = 'e', [c + 5] = 'f', [c + 6] = 'g', [c + 7] = 'h', [c + 8] = 'i', \
  [c + 9] = 'j', [c + 10] = 'k', [c + 11] = 'l', [c + 12] = 'm', [c + 13] = 'n', [c + 14] = 'o', [c + 15] = 'p', [c + 16] = 'q', [c + 17] = 'r', \
  [c + 18] = 's', [c + 19] = 't', [c + 20] = 'u', [c + 21] = 'v', [c + 22] = 'w', [c + 23] = 'x', [c + 24] = 'y', [c + 25] = 'z'
#define DIGITS ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9'
    SIXTEEN(0), SIXTEEN(16), FOUR(' '), ['$'] = ' ', ['%'] = ' ', ['&'] = ASK, ['\''] = ' ', FOUR('('), FOUR(','), DIGITS, [':'] = ' ', [';'] = ' ',
    ['<'] = ASK, ['='] = ' ', ['>'] = ' ', ['?'] = ' ', ['@'] = ' ', LETTERS('A'), ['['] = ' ', ['\\'] = ' ', [']'] = ASK, ['^'] = ' ', ['_'] = ' ',
    ['`'] = ' ', LETTERS('a'), FOUR('{'), [127] = ' ',
};
static const uint8_t ascii_shingles[256] __attribute__((aligned(64))) = {
    SIXTEEN(0), SIXTEEN(16), [' '] = ' ', ['!'] = ASK, ['"'] = ' ', ['#'] = ASK, ['$'] = ASK, ['%'] = ASK, ['&'] = ASK, ['\''] = ' ', ['('] = ' ',
    [')'] = ' ', ['*'] = ASK, ['+'] = ASK, [','] = ' ', ['-'] = ASK, ['.'] = ' ', ['/'] = ASK, DIGITS, [':'] = ' ', [';'] = ' ', ['<'] = ASK,
    ['='] = ASK, ['>'] = ASK, ['?'] = ' ', ['@'] = ASK, LETTERS('A'), ['['] = ' ', ['\\'] = ASK, [']'] = ' ', ['^'] = ASK, ['_'] = ' ', ['`'] = ' ',
    LETTERS('a'), ['{'] = ' ', ['|'] = ASK, ['}'] = ' ', ['~'] = ASK, [127] = ' ',
};

// What the normalized text ends with.
enum tail { BLANK, LETTER, ALONE, SYMBOLS };

typedef struct {
  const uint8_t *text;
  size_t count;
  uint8_t *out;
  size_t n, capacity;
  const uint8_t *ascii;
  // Where each word begins and ends in the text, if not null, and the number of words so far.
  size_t *bounds, words;
  unsigned flags;
  enum tail tail;
  int unspaced;
  // The last mark with an order: where it begins and ends, and its order.
  size_t mark_start, mark_end;
  uint32_t mark_order;
} folder;

// Room for what one step may write: a code point that becomes several, or a block of 64 bytes.
enum { STEP = 256 };

static inline int is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }
static inline int is_word(uint8_t byte) { return is_digit(byte) || (uint8_t)((byte | 0x20) - 'a') < 26; }

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

static inline void put(folder *f, uint32_t s, size_t at, size_t end) {
  if (f->bounds) {
    if (f->out[f->n - 1] == ' ') f->bounds[2 * f->words++] = at;
    f->bounds[2 * f->words - 1] = end;
  }
  f->n = put_utf8(s, f->out, f->n);
}

static inline void split(folder *f) {
  if (f->tail != BLANK) f->out[f->n++] = ' ';
  f->tail = BLANK;
}

static inline void put_letter(folder *f, uint32_t s, size_t at, size_t end) {
  if (f->tail > LETTER) split(f);
  if ((f->flags & WEIR_NUMBERS_ALIKE) && s - '0' < 10) {
    s = '0';
    // A run of digits is kept once.
    if (f->tail == LETTER && f->out[f->n - 1] == '0') {
      if (f->bounds) f->bounds[2 * f->words - 1] = end;
      return;
    }
  }
  put(f, s, at, end);
  f->tail = LETTER;
}

static inline void put_symbol(folder *f, uint32_t s, size_t at, size_t end) {
  if (f->tail != SYMBOLS) split(f);
  put(f, s, at, end);
  f->tail = SYMBOLS;
}

// Marks are in canonical order after this: by their order, where neither is 0.
static void put_mark(folder *f, uint32_t entry, size_t at, size_t end) {
  if (f->tail != LETTER && f->tail != ALONE) return;
  uint32_t order = entry >> 25;
  size_t before = f->n;
  put(f, entry >> 4 & 0x1FFFFF, at, end);
  if (order && f->mark_order > order && f->mark_end == before) {
    uint8_t mark[4];
    size_t width = f->n - before;
    memcpy(mark, f->out + before, width);
    memmove(f->out + f->mark_start + width, f->out + f->mark_start, before - f->mark_start);
    memcpy(f->out + f->mark_start, mark, width);
    f->mark_start += width;
  } else {
    f->mark_start = before;
    f->mark_order = order;
  }
  f->mark_end = f->n;
}

static void put_entry(folder *f, uint32_t entry, size_t at, size_t end) {
  uint32_t s = entry >> 4;
  switch (entry & 15) {
  case WORD: put_letter(f, s, at, end); break;
  case HAN:
  case KANA:
  case CLUSTER:
    split(f);
    put(f, s, at, end);
    f->tail = ALONE;
    f->unspaced = 1;
    break;
  case SPACE: split(f); break;
  case MARKER:
    if (f->flags & WEIR_ALL_PUNCTUATION) put_symbol(f, s, at, end);
    else split(f);
    break;
  case SYMBOL:
    if (f->flags & (WEIR_SYMBOLS | WEIR_ALL_PUNCTUATION)) put_symbol(f, s, at, end);
    else split(f);
    break;
  case OVERLAY:
    if (f->tail == SYMBOLS) put_symbol(f, s, at, end);
    break;
  case MARK: put_mark(f, entry, at, end); break;
  case SEQUENCE:
    for (uint32_t k = 1; k <= fold_sequences[s]; k++) put_entry(f, fold_sequences[s + k], at, end);
    break;
  default: break;
  }
}

// Whether the comma at i groups the digits of a number; with all numbers alike, any comma or point between digits is part of one.
static int is_in_number(const folder *f, size_t i) {
  const uint8_t *t = f->text;
  if (i == 0 || i + 1 >= f->count || !is_digit(t[i - 1]) || !is_digit(t[i + 1])) return 0;
  if (f->flags & WEIR_NUMBERS_ALIKE) return 1;
  if (t[i] != ',' || i + 3 >= f->count || !is_digit(t[i + 2]) || !is_digit(t[i + 3])) return 0;
  return (i + 4 >= f->count || !is_digit(t[i + 4])) && !(i >= 4 && is_digit(t[i - 2]) && is_digit(t[i - 3]) && is_digit(t[i - 4]));
}

// Whether the byte at i, ASK in `ascii_shingles`, is a symbol there.
static int is_symbol(const folder *f, size_t i) {
  uint8_t before = i ? f->text[i - 1] : ' ', after = i + 1 < f->count ? f->text[i + 1] : ' ';
  switch (f->text[i]) {
  case '!': return after == '=' || is_word(after);
  case '#': return is_word(before) || is_word(after);
  case '*': return before == ' ' && after == ' ';
  case '-': return is_digit(after) && !is_word(before) && !(f->flags & WEIR_NUMBERS_ALIKE);
  default: return 1;
  }
}

// The end of the markup at i, which is not text: the target of a Markdown link from its bracket on, an HTML tag or a character reference. i + 1 where
// there is none.
static size_t markup_end(const folder *f, size_t i) {
  static const char tags[] = " a abbr b big blockquote br center cite code dd div dl dt em font h1 h2 h3 h4 h5 h6 hr i img kbd li mark ol p pre q s "
                             "samp small span strong sub sup table tbody td th thead tr tt u ul var ";
  const uint8_t *t = f->text;
  size_t end = f->count - i < 2048 ? f->count : i + 2048, j = i + 1;
  if (t[i] == ']') {
    size_t depth = 0;
    for (; j < end && t[j] != '\n' && (depth > 0 || t[j] == '('); j++) {
      depth += t[j] == '(';
      depth -= t[j] == ')';
      if (depth == 0) return j + 1;
    }
  } else if (t[i] == '&') {
    if (j < end && t[j] == '#') j++;
    size_t name = j;
    while (j < end && j < name + 8 && is_word(t[j])) j++;
    if (j >= name + 2 && j < end && t[j] == ';') return j + 1;
  } else {
    char name[13] = " ";
    size_t length = 1;
    int has_more = 0, has_attribute = 0;
    if (j < end && t[j] == '/') j++;
    while (j < end && length < 11 && is_word(t[j])) name[length++] = (char)ascii_words[t[j++]];
    name[length] = ' ';
    if (length < 2 || j == end || (t[j] != ' ' && t[j] != '/' && t[j] != '>') || !strstr(tags, name)) return i + 1;
    for (; j < end && t[j] != '<' && t[j] != '\n'; j++) {
      if (t[j] == '>') return has_more && !has_attribute ? i + 1 : j + 1;
      has_more |= t[j] != ' ' && t[j] != '/';
      has_attribute |= t[j] == '=';
    }
  }
  return i + 1;
}

static void fold_ascii(folder *f, size_t i) {
  uint8_t byte = f->text[i], kind = f->ascii[byte];
  if (kind > ' ') {
    put_letter(f, kind, i, i + 1);
  } else if ((byte == ',' || byte == '.') && is_in_number(f, i)) {
    return;
  } else if (f->flags & WEIR_ALL_PUNCTUATION) {
    if (byte <= ' ' || byte == 127) split(f);
    else put_symbol(f, byte, i, i + 1);
  } else if (kind == ASK && is_symbol(f, i)) {
    put_symbol(f, byte, i, i + 1);
  } else {
    split(f);
  }
}

// Whether a code point is a superscript digit or a fraction.
static inline int is_raised(uint32_t s) {
  return s == 0xB2 || s == 0xB3 || s == 0xB9 || within(s, 0xBC, 0xBE) || s == 0x2070 || within(s, 0x2074, 0x2079) || within(s, 0x2150, 0x215F) ||
         s == 0x2189;
}

// Folds the code point at i; returns where the next one begins.
static size_t fold_code_point(folder *f, size_t i) {
  if (f->text[i] < 0x80) {
    if (f->ascii[f->text[i]] == ASK && !(f->flags & (WEIR_SYMBOLS | WEIR_ALL_PUNCTUATION))) {
      split(f);
      return markup_end(f, i);
    }
    fold_ascii(f, i);
    return i + 1;
  }
  size_t width;
  uint32_t s = weir_scalar(f->text + i, f->count - i, &width);
  if (within(s, 0xAC00, 0xD7A3)) {
    uint32_t syllable = s - 0xAC00;
    put_letter(f, 0x1100 + syllable / 588, i, i + width);
    put_letter(f, 0x1161 + syllable % 588 / 28, i, i + width);
    if (syllable % 28) put_letter(f, 0x11A7 + syllable % 28, i, i + width);
  } else {
    // 10² is not 102, and 1½ is not 11⁄2.
    if (f->tail == LETTER && is_digit(f->out[f->n - 1]) && is_raised(s)) split(f);
    put_entry(f, fold_entry(s), i, i + width);
  }
  return i + width;
}

// Folds bytes from i on that become letters, digits or blanks whatever is beside them; returns where the next one is.
static size_t fold_plain(folder *f, size_t i) {
  const uint8_t *text = f->text, *ascii = f->ascii;
  size_t room = f->capacity - STEP - f->n, end = f->count - i < room ? f->count : i + room, n = f->n;
  uint8_t last = f->out[n - 1];
  for (; i < end; i++) {
    uint8_t kind = ascii[text[i]];
    if (kind < ' ' || text[i] == ',') break;
    f->out[n] = kind;
    n += kind != ' ' || last != ' ';
    last = kind;
  }
  f->n = n;
  f->tail = last == ' ' ? BLANK : LETTER;
  return i;
}

// Both return 0 where there is not enough room.
static int fold_text(folder *f) {
  const int has_plain = !f->bounds && !(f->flags & (WEIR_ALL_PUNCTUATION | WEIR_NUMBERS_ALIKE));
  for (size_t i = 0; i < f->count;) {
    if (f->n + STEP > f->capacity) return 0;
    if (has_plain && f->tail <= LETTER) {
      i = fold_plain(f, i);
      if (i == f->count) break;
    }
    i = fold_code_point(f, i);
  }
  return 1;
}

#ifdef WEIR_WIDE
// Whether `fold_code_point` should go on at i: not ASCII, about to be so again, or the beginning of markup.
static inline int is_hard(const folder *f, size_t i) {
  uint8_t byte = f->text[i];
  return byte >= 0x80 || (i + 1 < f->count && f->text[i + 1] >= 0x80) || (!(f->flags & WEIR_SYMBOLS) && f->ascii[byte] == ASK);
}

// The symbols of shingles among the bytes in `ask`, as `is_symbol` says.
WEIR_WIDE static inline uint64_t wide_symbols(const folder *f, size_t i, __m512i bytes, uint64_t ask, uint64_t words, uint64_t digits) {
#define IS(c) _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(c))
  const uint8_t before = i ? f->text[i - 1] : ' ', after = i + 64 < f->count ? f->text[i + 64] : ' ';
  uint64_t blanks = IS(' ') | ~low_bits(f->count - i), word_before = words << 1 | (uint64_t)is_word(before);
  uint64_t word_after = words >> 1 | (uint64_t)is_word(after) << 63;
  uint64_t symbols = ask & ~(IS('!') | IS('#') | IS('*') | IS('-'));
  symbols |= IS('!') & (word_after | IS('=') >> 1 | (uint64_t)(after == '=') << 63);
  symbols |= IS('#') & (word_before | word_after);
  symbols |= IS('*') & (blanks << 1 | (before == ' ')) & (blanks >> 1 | (uint64_t)(after == ' ') << 63);
  if (!(f->flags & WEIR_NUMBERS_ALIKE)) symbols |= IS('-') & ~word_before & (digits >> 1 | (uint64_t)is_digit(after) << 63);
  return symbols;
}

WEIR_WIDE static int fold_text_wide(folder *f) {
  const __m512i low = _mm512_load_si512(f->ascii), high = _mm512_load_si512(f->ascii + 64);
  const __m512i blank = _mm512_set1_epi8(' '), zero = _mm512_set1_epi8('0'), ten = _mm512_set1_epi8(10);
  const int alike = (f->flags & WEIR_NUMBERS_ALIKE) != 0;
  const uint8_t *text = f->text;
  uint8_t *out = f->out;
  for (size_t i = 0; i < f->count;) {
    if (f->n + STEP > f->capacity) return 0;
    if (f->tail == ALONE) split(f);
    __m512i bytes = _mm512_maskz_loadu_epi8(low_bits(f->count - i), text + i);
    __m512i kinds = _mm512_permutex2var_epi8(low, bytes, high);
    uint64_t hard = _mm512_movepi8_mask(bytes), words = _mm512_cmpgt_epu8_mask(kinds, blank) & ~hard;
    uint64_t digits = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, zero), ten);
    uint64_t ask = _mm512_cmpeq_epi8_mask(kinds, _mm512_set1_epi8(ASK)) & ~hard, symbols = 0;
    if (ask) {
      if (f->flags & WEIR_SYMBOLS) symbols = wide_symbols(f, i, bytes, ask, words, digits);
      // Markup continues with one of these.
      else hard |= ask & ((words | IS('(') | IS('/') | IS('#')) >> 1 | 1ull << 63);
      kinds = _mm512_mask_blend_epi8(symbols, _mm512_mask_blend_epi8(ask, kinds, blank), bytes);
    }
    // The prefix of the block without a hard byte.
    size_t width = hard ? (size_t)__builtin_ctzll(hard) : f->count - i < 64 ? f->count - i : 64;
    uint64_t keep = low_bits(width), dropped = 0;
    uint64_t points = keep & (IS(',') | (alike ? IS('.') : 0)) & (digits << 1 | (i > 0 && is_digit(text[i - 1])));
    for (; points; points &= points - 1)
      if (is_in_number(f, i + (size_t)__builtin_ctzll(points))) dropped |= points & -points;
    size_t n = f->n;
    uint64_t blanks = _mm512_cmpeq_epi8_mask(kinds, blank);
    keep &= ~(dropped | (blanks & (blanks << 1 | (out[n - 1] == ' '))));
    if (alike) {
      kinds = _mm512_mask_blend_epi8(digits, kinds, zero);
      keep &= ~(digits & ((digits | dropped) << 1 | (out[n - 1] == '0')));
    }
    // A blank goes between letters and symbols. What is dropped is part of a number.
    uint64_t letters = words | dropped, apart = 0;
    if (symbols || f->tail == SYMBOLS)
      apart = keep & ((letters & (symbols << 1 | (f->tail == SYMBOLS))) | (symbols & (letters << 1 | (f->tail == LETTER))));
    if (keep) {
      uint64_t last = 1ull << (63 - __builtin_clzll(keep));
      f->tail = last & blanks ? BLANK : last & symbols ? SYMBOLS : LETTER;
    }
    if (!apart) {
      _mm512_storeu_si512(out + n, _mm512_maskz_compress_epi8(keep, kinds));
      n += (size_t)__builtin_popcountll(keep);
    } else {
      // Every byte with a blank before it.
      for (int half = 0; half < 2; half++, keep >>= 32, apart >>= 32) {
        __m256i part = half ? _mm512_extracti64x4_epi64(kinds, 1) : _mm512_castsi512_si256(kinds);
        __m512i pairs = _mm512_or_si512(_mm512_slli_epi16(_mm512_cvtepu8_epi16(part), 8), _mm512_set1_epi16(' '));
        uint64_t kept = _pdep_u64(apart, 0x5555555555555555) | _pdep_u64(keep, 0xAAAAAAAAAAAAAAAA);
        _mm512_storeu_si512(out + n, _mm512_maskz_compress_epi8(kept, pairs));
        n += (size_t)__builtin_popcountll(kept);
      }
    }
    f->n = n;
    i += width;
    if (!hard) continue;
    do {
      if (f->n + STEP > f->capacity) return 0;
      i = fold_code_point(f, i);
    } while (i < f->count && is_hard(f, i));
  }
  return 1;
}
#undef IS
#endif

static void start(folder *f, const uint8_t *text, size_t count, unsigned flags, uint8_t *out, size_t capacity) {
  pthread_once(&fold_once, make_table);
  *f = (folder){.text = text, .count = count, .out = out, .n = 1, .capacity = capacity, .flags = flags,
                .ascii = flags & WEIR_SYMBOLS ? ascii_shingles : ascii_words};
  out[0] = ' ';
}

size_t weir_fold(const uint8_t *text, size_t count, unsigned flags, uint8_t *out, size_t capacity, int *unspaced) {
  folder f;
  start(&f, text, count, flags, out, capacity);
#ifdef WEIR_WIDE
  int done = wide() && !(flags & WEIR_ALL_PUNCTUATION) ? fold_text_wide(&f) : fold_text(&f);
#else
  int done = fold_text(&f);
#endif
  if (!done) return 0;
  if (f.out[f.n - 1] != ' ') f.out[f.n++] = ' ';
  memset(f.out + f.n, 0, 8);
  *unspaced = f.unspaced;
  return f.n;
}

size_t weir_fold_bounds(const uint8_t *text, size_t count, unsigned flags, uint8_t *out, size_t capacity, size_t *bounds) {
  folder f;
  start(&f, text, count, flags, out, capacity);
  f.bounds = bounds;
  return fold_text(&f) ? f.words : 0;
}

// 12ths of a word that the word at `folded` counts for.
static uint8_t weight(const uint8_t *folded) {
  size_t width;
  if (*folded < 0xE0) return WORD_WEIGHT;
  switch (fold_entry(weir_scalar(folded, 4, &width)) & 15) {
  case HAN: return HAN_WEIGHT;
  case KANA: return KANA_WEIGHT;
  case CLUSTER: return CLUSTER_WEIGHT;
  default: return WORD_WEIGHT;
  }
}

static const uint64_t round_multiplier = 0x9FB21C651E98DF25ull;

// The fingerprint of the word at `word`, which a blank ends.
static inline uint64_t hash_word(const uint8_t *word, size_t *width) {
  const uint64_t ones = 0x0101010101010101ull, tops = ones << 7;
  uint64_t hash = 0, block, blanks;
  size_t length = 0;
  for (;; length += 8) {
    memcpy(&block, word + length, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    block = __builtin_bswap64(block);
#endif
    uint64_t differs = block ^ ones * ' ';
    blanks = (differs - ones) & ~differs & tops;  // the lowest flag is exact
    if (blanks) break;
    hash = (hash ^ block) * round_multiplier;
    hash ^= hash >> 29;
  }
  block &= (blanks & -blanks) / 0x80 - 1;  // the bytes before the blank
  length += (size_t)__builtin_ctzll(blanks) / 8;
  *width = length;
  return finish((hash ^ block) * round_multiplier + length);
}

// The fingerprint of n words from i on is (n·M + w[i])·M + … + w[i + n − 1] mod 2^64, finalized: a rolling hash.
static const uint64_t multiplier = 0xD1342543DE82EF95ull;

#ifdef WEIR_WIDE
WEIR_WIDE static inline __m512i finish_wide(__m512i z) {
  z = _mm512_mullo_epi64(_mm512_xor_si512(z, _mm512_srli_epi64(z, 30)), _mm512_set1_epi64((long long)0xBF58476D1CE4E5B9ull));
  z = _mm512_mullo_epi64(_mm512_xor_si512(z, _mm512_srli_epi64(z, 27)), _mm512_set1_epi64((long long)0x94D049BB133111EBull));
  return _mm512_xor_si512(z, _mm512_srli_epi64(z, 31));
}

// Hashes the words between blanks[i] and blanks[i + 1] as `hash_word` does, eight at a time. Reads eight values of `blanks` beyond `count`.
WEIR_WIDE static void hash_words_wide(const uint8_t *folded, const uint64_t *blanks, size_t count, uint64_t *out) {
  const __m512i m = _mm512_set1_epi64((long long)round_multiplier), eight = _mm512_set1_epi64(8), full = _mm512_set1_epi64(64);
  const __m512i all = _mm512_set1_epi64(-1), none = _mm512_setzero_si512();
  for (size_t i = 0; i < count; i += 8) {
    __mmask8 inside = (__mmask8)low_bits(count - i < 8 ? count - i : 8);
    __m512i first = _mm512_add_epi64(_mm512_loadu_si512(blanks + i), _mm512_set1_epi64(1));
    __m512i length = _mm512_sub_epi64(_mm512_loadu_si512(blanks + i + 1), first);
    __m512i block = _mm512_mask_i64gather_epi64(none, inside, first, folded, 1);
    __mmask8 more = inside & _mm512_cmpge_epu64_mask(length, eight);
    __m512i hash = _mm512_maskz_mullo_epi64(more, block, m);
    hash = _mm512_xor_si512(hash, _mm512_srli_epi64(hash, 29));
    block = _mm512_mask_i64gather_epi64(block, more, first, folded + 8, 1);
    __m512i left = _mm512_mask_sub_epi64(length, more, length, eight);
    block = _mm512_and_si512(block, _mm512_srlv_epi64(all, _mm512_sub_epi64(full, _mm512_slli_epi64(left, 3))));
    hash = finish_wide(_mm512_add_epi64(_mm512_mullo_epi64(_mm512_xor_si512(hash, block), m), length));
    _mm512_mask_storeu_epi64(out + i, inside, hash);
    __mmask8 longer = inside & _mm512_cmpge_epu64_mask(left, eight);
    for (unsigned lanes = longer; lanes; lanes &= lanes - 1) {
      size_t k = i + (size_t)__builtin_ctz(lanes), width;
      out[k] = hash_word(folded + blanks[k] + 1, &width);
    }
  }
}

WEIR_WIDE static size_t folded_words_wide(const uint8_t *folded, size_t end, uint64_t *out) {
  enum { WORDS = 512 };
  uint64_t blanks[WORDS + 32 + 8] = {0};  // the first one is before the word
  uint8_t offsets[64] __attribute__((aligned(64)));
  for (int k = 0; k < 64; k++) offsets[k] = (uint8_t)k;
  const __m512i numbers = _mm512_load_si512(offsets);
  size_t words = 0, waiting = 0;
  for (size_t i = 1; i < end; i += 64) {
    __m512i bytes = _mm512_maskz_loadu_epi8(low_bits(end - i), folded + i);
    uint64_t found = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(' '));
    _mm512_store_si512(offsets, _mm512_maskz_compress_epi8(found, numbers));
    // At most every other byte is a blank.
    for (int k = 0; k < 32; k += 8) {
      __m512i places = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(offsets + k)));
      _mm512_storeu_si512(blanks + 1 + waiting + k, _mm512_add_epi64(places, _mm512_set1_epi64((long long)i)));
    }
    waiting += (size_t)__builtin_popcountll(found);
    if (waiting < WORDS && i + 64 < end) continue;
    hash_words_wide(folded, blanks, waiting, out + words);
    words += waiting;
    blanks[0] = blanks[waiting];
    waiting = 0;
  }
  return words;
}

// `group` times 8 n-grams.
WEIR_WIDE static inline __attribute__((always_inline)) void ngrams_part(const uint64_t *words, size_t n, uint64_t base, int group, uint64_t *out) {
  const __m512i m = _mm512_set1_epi64((long long)multiplier);
  __m512i sum[4];
  for (int k = 0; k < group; k++) sum[k] = _mm512_loadu_si512(words + 8 * k);
  for (size_t j = 1; j < n; j++)
    for (int k = 0; k < group; k++) sum[k] = _mm512_add_epi64(_mm512_mullo_epi64(sum[k], m), _mm512_loadu_si512(words + 8 * k + j));
  for (int k = 0; k < group; k++) _mm512_storeu_si512(out + 8 * k, finish_wide(_mm512_add_epi64(sum[k], _mm512_set1_epi64((long long)base))));
}

// n-grams from the first word on, all but the last few. Returns their number.
WEIR_WIDE static size_t ngrams_wide(const uint64_t *words, size_t count, size_t n, uint64_t base, uint64_t *out) {
  size_t i = 0;
  for (; i + 32 + n - 1 <= count; i += 32) ngrams_part(words + i, n, base, 4, out + i);
  for (; i + 8 + n - 1 <= count; i += 8) ngrams_part(words + i, n, base, 1, out + i);
  return i;
}
#endif

size_t weir_folded_words(const uint8_t *folded, size_t end, uint64_t *out, uint8_t *weights) {
#ifdef WEIR_WIDE
  if (!weights && wide()) return folded_words_wide(folded, end, out);
#endif
  size_t words = 0;
  for (size_t i = 1, width; i < end; words++, i += width + 1) {
    out[words] = hash_word(folded + i, &width);
    if (weights) weights[words] = weight(folded + i);
  }
  return words;
}

// `out` may be `words`.
size_t weir_ngrams(const uint64_t *words, size_t count, size_t n, uint64_t *out) {
  if (n == 0 || count < n) return 0;
  uint64_t power = 1, base = n, sum = 0;
  for (size_t k = 0; k < n; k++) power *= multiplier;
  base *= power;
  size_t i = 0;
#ifdef WEIR_WIDE
  // A rolling hash takes fewer multiplications per n-gram, but one after the other.
  if (n <= 16 && wide()) i = ngrams_wide(words, count, n, base, out);
#endif
  for (size_t k = 0; k < n && i + n <= count; k++) sum = sum * multiplier + words[i + k];
  for (; i + n <= count; i++) {
    uint64_t first = words[i];
    out[i] = finish(base + sum);
    if (i + n < count) sum = sum * multiplier + words[i + n] - first * power;
  }
  return count - n + 1;
}

size_t weir_weighted_ngrams(const uint64_t *words, const uint8_t *weights, size_t count, size_t budget, uint64_t *out) {
  uint64_t inverse = multiplier;  // by Newton's method, which doubles the number of correct bits
  for (int k = 0; k < 5; k++) inverse *= 2 - multiplier * inverse;
  uint64_t power = 1, sum = 0;
  size_t n = 0, total = 0, i = 0;
  if (budget == 0) return 0;
  for (;; i++) {
    for (; total < budget && i + n < count; n++) {
      sum = sum * multiplier + words[i + n];
      total += weights[i + n];
      power *= multiplier;
    }
    if (total < budget) return i;
    out[i] = finish(n * power + sum);
    power *= inverse;
    sum -= words[i] * power;
    total -= weights[i];
    n--;
  }
}
