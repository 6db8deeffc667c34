// The shape of a text in one pass: lines, words, counts.
//
// 64 bytes at a time become one bit mask per character class; non-ASCII characters are looked up one by one and set their bits. The positions where white
// space begins or ends and where lines end are then visited in order. A span between white space that has only letters is a word, except for some
// contractions. Other spans are cut by spaCy's rules (word_cutter.c); most of them have been seen before and come from a cache.
// White space is defined as in Python (Unicode white space and the separators 0x1C to 0x1F). A character is a code point; a malformed byte is one character.
#include "text_bits.h"
#include "word_cutter.h"

enum { PAGES = 0x110000 >> 8 };

// Traits of a word.
enum { HAS_LETTER = 1, HAS_CONTENT = 2, ALL_PUNCTUATION = 4, ENDS_SENTENCE = 8 };

// A cached span: its bytes, and the bytes and characters of its words. The size of a cache line.
enum { KEPT_WORDS = 8, KEPT_BYTES = 38, ENTRIES = 1 << 14 };
typedef struct entry {
  uint64_t hash;
  uint8_t length, count;
  // Traits in the low four bits of `kinds`, the number of continuation bytes above.
  uint8_t sizes[KEPT_WORDS], kinds[KEPT_WORDS];
  uint8_t bytes[KEPT_BYTES];
} entry;
_Static_assert(sizeof(entry) == 64, "a line of the cache");

struct weir_shaper {
  weir_shape shape;
  const weir_word_forms *forms;
  weir_class_source source;
  const uint32_t *ascii;
  const uint64_t *special;
  entry *entries;
  weir_word *words;
  weir_line *lines;
  weir_row *rows;
  size_t word_room, line_room, row_room;
  weir_span span;
  size_t span_room;
  uint32_t *pages[PAGES];
};

weir_shaper *weir_shaper_create(const weir_word_forms *forms, weir_class_source source) {
  weir_shaper *shaper = weir_room(NULL, sizeof *shaper);
  memset(shaper, 0, sizeof *shaper);
  shaper->forms = forms;
  shaper->source = source;
  shaper->ascii = weir_ascii_classes(forms);
  shaper->special = weir_special_letters(forms);
  shaper->entries = aligned_alloc(64, ENTRIES * sizeof(entry));
  if (!shaper->entries) abort();
  memset(shaper->entries, 0, ENTRIES * sizeof(entry));
  return shaper;
}

void weir_shaper_destroy(weir_shaper *shaper) {
  if (!shaper) return;
  for (int i = 0; i < PAGES; i++) free(shaper->pages[i]);
  free(shaper->entries);
  free(shaper->words);
  free(shaper->lines);
  free(shaper->rows);
  free(shaper->span.scalars);
  free(shaper);
}

// A span that waits to be cut while its cache entry is being prefetched, or the end of a row (length 0).
typedef struct pending {
  uint64_t hash;
  uint32_t start, length, characters;
  // The traits of a span that is one word, otherwise MARKED.
  uint32_t traits;
} pending;
enum { PENDING = 64, MARKED = 16 };

// The state of a pass over a text.
typedef struct pass {
  const uint8_t *text;
  size_t count;
  // The open span: where it begins, its continuation bytes, whether it has anything but letters, whether it has a letter.
  int open;
  size_t start, inner;
  uint64_t active, letters;
  // Continuation bytes before the block, and before the open line.
  size_t inner_before, line_inner;
  size_t line_start, row_start, line_spans;
  weir_row row;
  int ended;
  // Dots at the end of the last block.
  size_t dots;
  // Code points of all words so far.
  uint32_t before;
  size_t words;
  size_t waiting;
  pending queue[PENDING];
} pass;

// The class of the character at text[i], not ASCII.
WEIR_INLINE uint32_t class_of(weir_shaper *shaper, const pass *p, size_t i, size_t *width, uint32_t *scalar) {
  *scalar = weir_scalar(p->text + i, p->count - i, width);
  if (*scalar >= END) {
    *scalar = MALFORMED;
    return MALFORMED_CLASS;
  }
  uint32_t **page = &shaper->pages[*scalar >> 8];
  if (!*page) {
    *page = weir_room(NULL, 256 * sizeof **page);
    shaper->source(*scalar >> 8, *page);
  }
  return (*page)[*scalar & 0xFF];
}

WEIR_INLINE void put_word(weir_shaper *shaper, pass *p, size_t start, uint32_t characters, uint32_t traits, uint64_t hash) {
  weir_word *word = &shaper->words[p->words++];
  word->hash = hash;
  word->start = (uint32_t)start;
  word->before = p->before;
  p->before += characters;
  shaper->shape.content_words += traits >> 1 & 1;
  shaper->shape.content_characters += traits & HAS_CONTENT ? characters : 0;
  shaper->shape.letter_words += traits & 1;
  // A sentence begins with the first word behind a mark that ends one and the punctuation that follows it.
  if (traits & ENDS_SENTENCE) {
    p->ended = 1;
  } else if (p->ended && !(traits & ALL_PUNCTUATION)) {
    p->ended = 0;
    p->row.sentences++;
  }
}

static uint32_t traits_of(const uint32_t *classes, uint32_t count) {
  uint32_t any = 0, all = UINT32_MAX;
  for (uint32_t i = 0; i < count; i++) any |= classes[i], all &= classes[i];
  uint32_t traits = any & WEIR_LETTER ? HAS_LETTER : 0;
  if (any & WEIR_CONTENT) traits |= HAS_CONTENT;
  if (all & WEIR_PUNCTUATION) traits |= ALL_PUNCTUATION;
  if (count == 1 && any & WEIR_SENTENCE_END) traits |= ENDS_SENTENCE;
  return traits;
}

// Cuts a span by the rules, and caches the result if it fits.
static __attribute__((noinline)) void cut(weir_shaper *shaper, pass *p, size_t start, size_t end, uint64_t hash) {
  weir_span *s = &shaper->span;
  size_t length = end - start;
  if (length > shaper->span_room) {
    shaper->span_room = length + length / 2 + 64;
    s->scalars = weir_room(s->scalars, 4 * shaper->span_room * sizeof *s->scalars);
    s->classes = s->scalars + shaper->span_room;
    s->lengths = s->classes + shaper->span_room;
    s->spare = s->lengths + shaper->span_room;
  }
  uint32_t n = 0;
  for (size_t i = start; i < end; n++) {
    size_t width = 1;
    if (p->text[i] < 0x80) {
      s->scalars[n] = p->text[i];
      s->classes[n] = shaper->ascii[p->text[i]];
    } else {
      s->classes[n] = class_of(shaper, p, i, &width, &s->scalars[n]);
    }
    i += width;
  }
  s->count = n;
  weir_cut_words(shaper->forms, s);
  entry *kept = &shaper->entries[hash >> 40 & (ENTRIES - 1)];
  int keep = length <= KEPT_BYTES && s->words <= KEPT_WORDS;
  if (keep) {
    kept->hash = hash;
    kept->length = (uint8_t)length;
    kept->count = (uint8_t)s->words;
    memcpy(kept->bytes, p->text + start, length);
  }
  size_t at = start;
  uint32_t first = 0;
  for (uint32_t w = 0; w < s->words; w++) {
    uint32_t characters = s->lengths[w], traits = traits_of(s->classes + first, characters);
    size_t bytes = 0;
    for (uint32_t i = first; i < first + characters; i++) {
      uint32_t scalar = s->scalars[i];
      bytes += scalar < 0x80 || scalar == MALFORMED ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
    }
    if (keep && bytes - characters < 16) {
      kept->sizes[w] = (uint8_t)bytes;
      kept->kinds[w] = (uint8_t)(traits | (bytes - characters) << 4);
    } else if (keep) {
      keep = 0;
      kept->count = 0;
    }
    put_word(shaper, p, at, characters, traits, weir_fingerprint(p->text + at, bytes, p->count - at));
    at += bytes;
    first += characters;
  }
}

WEIR_INLINE int same_bytes(const uint8_t *a, const uint8_t *b, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    if (weir_load64(a + i) != weir_load64(b + i)) return 0;
  for (; i < count; i++)
    if (a[i] != b[i]) return 0;
  return 1;
}

WEIR_INLINE void take_span(weir_shaper *shaper, pass *p, const pending *next) {
  size_t start = next->start, length = next->length;
  weir_row *row = &p->row;
  if (row->spans == 0) {
    row->start = next->start;
    row->sentences = 1;
    p->ended = 0;
  } else if (p->ended && (start - row->end > 1 || p->text[start - 1] != ' ')) {
    // White space other than a single U+0020 is a token of its own in spaCy.
    p->ended = 0;
    row->sentences++;
  }
  row->spans++;
  row->last = next->start;
  row->end = (uint32_t)(start + length);
  if (next->characters > row->longest) row->longest = next->characters;
  if (p->words + length + 1 > shaper->word_room) {
    shaper->word_room = 2 * (p->words + length) + 1024;
    shaper->words = weir_room(shaper->words, shaper->word_room * sizeof *shaper->words);
  }
  if (next->traits != MARKED) {
    put_word(shaper, p, start, next->characters, next->traits, next->hash);
    return;
  }
  const entry *kept = &shaper->entries[next->hash >> 40 & (ENTRIES - 1)];
  // Different spans may have the same fingerprint, and then the result would depend on which came first: compare the bytes too.
  if (kept->hash != next->hash || kept->count == 0 || kept->length != length || !same_bytes(kept->bytes, p->text + start, length)) {
    cut(shaper, p, start, start + length, next->hash);
    return;
  }
  size_t at = start;
  for (uint32_t w = 0; w < kept->count; w++) {
    uint32_t size = kept->sizes[w], kind = kept->kinds[w];
    put_word(shaper, p, at, size - (kind >> 4), kind & 15, weir_fingerprint(p->text + at, size, p->count - at));
    at += size;
  }
}

static void take_row(weir_shaper *shaper, pass *p) {
  if (shaper->shape.row_count == shaper->row_room) {
    shaper->row_room = 2 * shaper->row_room + 64;
    shaper->rows = weir_room(shaper->rows, shaper->row_room * sizeof *shaper->rows);
  }
  shaper->rows[shaper->shape.row_count++] = p->row;
  memset(&p->row, 0, sizeof p->row);
  p->ended = 0;
}

static __attribute__((noinline)) void take_all(weir_shaper *shaper, pass *p) {
  for (size_t i = 0; i < p->waiting; i++) {
    if (p->queue[i].length) take_span(shaper, p, &p->queue[i]);
    else take_row(shaper, p);
  }
  p->waiting = 0;
}

// The open span ends.
WEIR_INLINE void close_span(weir_shaper *shaper, pass *p, size_t end) {
  size_t start = p->start, length = end - start;
  uint64_t hash = weir_fingerprint(p->text + start, length, p->count - start);
  int marked = p->active || (shaper->special[hash >> 6 & 0xFF] >> (hash & 63) & 1);
  if (marked) __builtin_prefetch(&shaper->entries[hash >> 40 & (ENTRIES - 1)]);
  p->line_spans++;
  if (p->waiting == PENDING) take_all(shaper, p);
  p->queue[p->waiting++] = (pending){
      hash, (uint32_t)start, (uint32_t)length, (uint32_t)(length - p->inner), marked ? MARKED : HAS_CONTENT | (p->letters != 0)};
}

WEIR_INLINE void close_row(weir_shaper *shaper, pass *p) {
  if (p->waiting == PENDING) take_all(shaper, p);
  p->queue[p->waiting++].length = 0;
}

// `inner`: the number of continuation bytes before `end`.
static void close_line(weir_shaper *shaper, pass *p, size_t end, size_t inner) {
  if (shaper->shape.line_count == shaper->line_room) {
    shaper->line_room = 2 * shaper->line_room + 64;
    shaper->lines = weir_room(shaper->lines, shaper->line_room * sizeof *shaper->lines);
  }
  size_t start = p->line_start, length = end - start;
  weir_line *line = &shaper->lines[shaper->shape.line_count++];
  line->hash = weir_fingerprint(p->text + start, length, p->count - start);
  line->start = (uint32_t)start;
  line->end = (uint32_t)end;
  line->characters = (uint32_t)(length - (inner - p->line_inner));
  line->blank = p->line_spans == 0;
  line->terminal = 0;
  p->line_spans = 0;
  if (line->blank) return;
  uint8_t last = p->text[end - 1];
  if (last < 0x80) {
    line->terminal = (shaper->ascii[last] & WEIR_TERMINAL) != 0;
    return;
  }
  size_t at = end - 1, width;
  while (at > start && end - at < 4 && (p->text[at] & 0xC0) == 0x80) at--;
  if (p->text[at] < 0x80) return;
  uint32_t scalar, kind = class_of(shaper, p, at, &width, &scalar);
  line->terminal = at + width == end && kind & WEIR_TERMINAL;
}

// Counts runs of dots, three at a time, across blocks.
WEIR_INLINE void count_dots(weir_shape *shape, pass *p, uint64_t dots) {
  if (p->dots == 0 && !(dots & dots << 1)) {
    p->dots = dots >> 63;
    return;
  }
  size_t run = p->dots;
  unsigned at = 0;
  while (at < BLOCK) {
    uint64_t rest = dots >> at;
    unsigned length = ~rest ? (unsigned)__builtin_ctzll(~rest) : 64;
    if (length > BLOCK - at) length = BLOCK - at;
    run += length;
    at += length;
    if (at == BLOCK) break;
    shape->ellipses += run / 3;
    run = 0;
    rest = dots >> at;
    at = rest ? at + (unsigned)__builtin_ctzll(rest) : BLOCK;
  }
  p->dots = run;
}

// Bits of non-ASCII characters that reach into the next block. `next`: where the next character begins.
typedef struct wide_masks {
  size_t next;
  uint64_t space, inner;
} wide_masks;

static __attribute__((noinline)) void classify_wide(
    weir_shaper *shaper, pass *p, size_t base, masks *m, uint64_t *active, uint64_t *inner, wide_masks *carry) {
  uint64_t wide = m->wide;
  m->space |= carry->space;
  *inner |= carry->inner;
  carry->space = carry->inner = 0;
  *active &= ~wide;
  if (carry->next > base) wide &= carry->next - base >= 64 ? 0 : ~0ull << (carry->next - base);
  while (wide) {
    unsigned at = (unsigned)__builtin_ctzll(wide);
    size_t width;
    uint32_t scalar, kind = class_of(shaper, p, base + at, &width, &scalar);
    uint64_t all = ((1ull << width) - 1) << at;
    wide &= ~all;
    *inner |= all & (all - 1) & ~(1ull << at);
    if (at + width > BLOCK) {
      uint64_t over = (1ull << (at + width - BLOCK)) - 1;
      carry->inner |= over;
      if (kind & WEIR_SPACE) carry->space |= over;
      carry->next = base + at + width;
    }
    if (kind & WEIR_SPACE) {
      m->space |= all;
      if (kind & WEIR_LINE_BREAK) m->ends |= 1ull << at;
      continue;
    }
    if (kind & WEIR_ACTIVE) *active |= 1ull << at;
    if (kind & WEIR_LETTER) m->letter |= 1ull << at;
    if (scalar == 0x2026) shaper->shape.ellipses++;
  }
}

WEIR_INLINE uint64_t low_bits(unsigned count) { return count >= 64 ? ~0ull : (1ull << count) - 1; }

WEIR_INLINE void measure(weir_shaper *shaper, pass *p, masks (*classify)(const uint8_t *)) {
  const uint8_t *text = p->text;
  weir_shape *shape = &shaper->shape;
  wide_masks carry = {0};
  uint8_t last[BLOCK];
  for (size_t base = 0; base < p->count; base += BLOCK) {
    const uint8_t *block = text + base;
    if (p->count - base < BLOCK) {
      memset(last, ' ', BLOCK);
      memcpy(last, block, p->count - base);
      block = last;
    }
    masks m = classify(block);
    uint64_t active = ~(m.space | m.letter), inner = 0;
    if (m.wide || carry.inner) classify_wide(shaper, p, base, &m, &active, &inner, &carry);
    if (m.hash) shape->hashes += (size_t)__builtin_popcountll(m.hash);
    if (m.dot || p->dots) count_dots(shape, p, m.dot);
    // Where a span begins or ends, and where a line does.
    uint64_t events = (m.space ^ (m.space << 1 | (uint64_t)!p->open)) | m.ends;
    unsigned from = 0;
    while (events) {
      unsigned at = (unsigned)__builtin_ctzll(events);
      events &= events - 1;
      if (p->open) {
        if (m.space >> at & 1) {
          uint64_t inside = low_bits(at) & ~low_bits(from);
          p->active |= active & inside;
          p->letters |= m.letter & inside;
          p->inner += (size_t)__builtin_popcountll(inner & inside);
          p->open = 0;
          close_span(shaper, p, base + at);
        }
      } else if (!(m.space >> at & 1)) {
        p->open = 1;
        p->start = base + at;
        p->active = p->letters = 0;
        p->inner = 0;
        from = at;
      }
      if (!(m.ends >> at & 1)) continue;
      size_t end = base + at;
      // `\r\n` ends a row once; the carriage return belongs to the line.
      if (text[end] != '\n' || end == 0 || text[end - 1] != '\r') close_row(shaper, p);
      p->row_start = end + (text[end] < 0x80 ? 1 : text[end] == 0xC2 ? 2 : 3);
      if (text[end] == '\n') {
        size_t before = p->inner_before + (size_t)__builtin_popcountll(inner & low_bits(at));
        close_line(shaper, p, end, before);
        shape->newlines++;
        p->line_start = end + 1;
        p->line_inner = before;
      }
    }
    if (p->open) {
      uint64_t inside = ~low_bits(from);
      p->active |= active & inside;
      p->letters |= m.letter & inside;
      p->inner += (size_t)__builtin_popcountll(inner & inside);
    }
    p->inner_before += (size_t)__builtin_popcountll(inner);
  }
}

static void measure_any(weir_shaper *shaper, pass *p) { measure(shaper, p, classify_any); }
#if defined(__linux__) && defined(__x86_64__)
WEIR_V3 static void measure_v3(weir_shaper *shaper, pass *p) { measure(shaper, p, classify_v3); }
WEIR_V4 static void measure_v4(weir_shaper *shaper, pass *p) { measure(shaper, p, classify_v4); }
#endif

const weir_shape *weir_shaper_shape(const weir_shaper *shaper) { return &shaper->shape; }

void weir_shaper_measure(weir_shaper *shaper, const uint8_t *text, size_t count, int level) {
  weir_shape *shape = &shaper->shape;
  memset(shape, 0, sizeof *shape);
  if (shaper->word_room == 0) {
    shaper->word_room = 1024;
    shaper->words = weir_room(NULL, shaper->word_room * sizeof *shaper->words);
  }
  pass p;
  memset(&p, 0, offsetof(pass, queue));
  p.text = text;
  p.count = count;
#if defined(__linux__) && defined(__x86_64__)
  if (level >= 2) measure_v4(shaper, &p);
  else if (level == 1) measure_v3(shaper, &p);
  else measure_any(shaper, &p);
#else
  measure_any(shaper, &p);
#endif
  if (p.open) close_span(shaper, &p, count);
  if (p.line_start < count) close_line(shaper, &p, count, p.inner_before);
  if (p.row_start < count) close_row(shaper, &p);
  take_all(shaper, &p);
  shape->ellipses += p.dots / 3;
  shaper->words[p.words] = (weir_word){0, (uint32_t)count, p.before};
  shape->words = shaper->words;
  shape->lines = shaper->lines;
  shape->rows = shaper->rows;
  shape->word_count = p.words;
  shape->characters = count - p.inner_before;
}

uint64_t weir_fingerprint_of(const uint8_t *text, size_t count, size_t low, size_t high) {
  return weir_fingerprint(text + low, high - low, count - low);
}
