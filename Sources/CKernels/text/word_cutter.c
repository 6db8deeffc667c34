// Cuts words as spaCy's English tokenizer does (`tokenizer.pyx`, `lang/punctuation.py`, MIT); its rules are written out by hand:
//
//   1. Punctuation is stripped from both ends of a span without white space, one mark per end at a time, until a special form (a contraction, an
//      abbreviation, a smiley) is left or there is nothing more to strip.
//   2. The rest is a special form or a web address, or it is cut at punctuation in its middle.
//   3. Words that together spell a special form which these rules cut apart are joined again.
#include "word_cutter.h"

// The maximum number of words in a form, and of its scalars.
enum { MOST_PARTS = 20, LONGEST = 63 };

typedef struct form {
  const uint32_t *scalars;
  uint8_t count;
  // The number of words of the form, and the number that the punctuation rules alone would make of it (0 if that is the same or one word).
  uint8_t parts, seen;
  uint8_t lengths[MOST_PARTS], seen_lengths[MOST_PARTS];
} form;

// A hash table of forms by their scalars: open addressing, at most half full.
typedef struct form_table {
  form *forms;
  int32_t *slots;
  uint32_t mask;
} form_table;

struct weir_word_forms {
  uint32_t ascii[128];
  uint32_t *scalars;
  form_table specials, units;
  uint32_t longest;
  // A Bloom filter of the forms that have only letters.
  uint64_t letters[1 << 8];
  // A Bloom filter of first character, last character and length of all special forms; it rejects nearly everything else without a lookup.
  uint64_t outlines[1 << 10];
};

static uint32_t form_hash(const uint32_t *scalars, size_t count) {
  uint64_t hash = count;
  for (size_t i = 0; i < count; i++) hash = (hash ^ scalars[i]) * 0x9E3779B97F4A7C15ull, hash ^= hash >> 29;
  return (uint32_t)(hash >> 32);
}

static form *form_find(const form_table *table, const uint32_t *scalars, size_t count) {
  for (uint32_t slot = form_hash(scalars, count) & table->mask;; slot = (slot + 1) & table->mask) {
    int32_t index = table->slots[slot];
    if (index < 0) return NULL;
    form *found = &table->forms[index];
    if (found->count == count && memcmp(found->scalars, scalars, count * sizeof *scalars) == 0) return found;
  }
}

static void form_table_make(form_table *table, const uint32_t *scalars, const uint8_t *counts, size_t count) {
  uint32_t size = 16;
  while (size < 2 * count) size *= 2;
  table->mask = size - 1;
  table->forms = weir_room(NULL, (count + 1) * sizeof *table->forms);
  memset(table->forms, 0, (count + 1) * sizeof *table->forms);
  table->slots = weir_room(NULL, size * sizeof *table->slots);
  for (uint32_t i = 0; i < size; i++) table->slots[i] = -1;
  for (size_t i = 0; i < count; scalars += counts[i++]) {
    table->forms[i].scalars = scalars;
    table->forms[i].count = counts[i];
    uint32_t slot = form_hash(scalars, counts[i]) & table->mask;
    while (table->slots[slot] >= 0) slot = (slot + 1) & table->mask;
    table->slots[slot] = (int32_t)i;
  }
}

static inline uint32_t outline(uint32_t first, uint32_t last, uint32_t count) {
  return (uint32_t)((((uint64_t)first << 32 ^ (uint64_t)last << 8) ^ count) * 0x9E3779B97F4A7C15ull >> 48);
}

// The special form that scalars[low ..< high] spell, or NULL.
static const form *special(const weir_word_forms *forms, const weir_span *s, uint32_t low, uint32_t high) {
  if (low >= high || high - low > forms->longest) return NULL;
  uint32_t bit = outline(s->scalars[low], s->scalars[high - 1], high - low);
  if (!(forms->outlines[bit >> 6] >> (bit & 63) & 1)) return NULL;
  return form_find(&forms->specials, s->scalars + low, high - low);
}

static uint32_t run_of(const weir_span *s, uint32_t scalar, uint32_t low, uint32_t high) {
  uint32_t i = low;
  while (i < high && s->scalars[i] == scalar) i++;
  return i - low;
}

static uint32_t prefix_length(const weir_span *s, uint32_t low, uint32_t high) {
  if (low >= high) return 0;
  if (s->classes[low] & (WEIR_EDGE | WEIR_OPENING)) return 1;
  uint32_t next = low + 1 < high ? s->scalars[low + 1] : 0;
  switch (s->scalars[low]) {
    case '.': return next == '.' ? run_of(s, '.', low, high) : 0;
    case '+': return low + 1 < high && s->classes[low + 1] & WEIR_DIGIT ? 0 : 1;
    case 'C':
    case 'A': return next == '$' ? 2 : 0;
    case 'U': return next == 'S' && low + 2 < high && s->scalars[low + 2] == '$' ? 3 : 0;
    default: return 0;
  }
}

// A unit or a currency after an ASCII digit.
static uint32_t unit_length(const weir_word_forms *forms, const weir_span *s, uint32_t low, uint32_t high) {
  uint32_t i = high;
  while (i > low && high - i <= 5 && !(s->classes[i - 1] & WEIR_DIGIT)) i--;
  if (i <= low || i >= high || !(s->classes[i - 1] & WEIR_DIGIT)) return 0;
  if (high - i == 1 && s->classes[i] & WEIR_CURRENCY) return 1;
  return form_find(&forms->units, s->scalars + i, high - i) ? high - i : 0;
}

static uint32_t suffix_length(const weir_word_forms *forms, const weir_span *s, uint32_t low, uint32_t high) {
  if (low >= high) return 0;
  uint32_t last = s->scalars[high - 1];
  int two = high - low >= 2;
  uint32_t before = two ? s->scalars[high - 2] : 0, kind = two ? s->classes[high - 2] : 0;
  if (last == 0x2026 && before == 0x2026) return 2;
  if (s->classes[high - 1] & WEIR_EDGE) return 1;
  if (last == '.') {
    uint32_t dots = 1;
    while (high - dots > low && s->scalars[high - dots - 1] == '.') dots++;
    if (dots > 1) return dots;
    if (kind & WEIR_BEFORE_DOT) return 1;
    if (high - low < 3) return 0;
    if (kind & WEIR_UPPER && s->classes[high - 3] & WEIR_UPPER) return 1;
    uint32_t degree = before & ~0x20u;
    return s->scalars[high - 3] == 0xB0 && (degree == 'F' || degree == 'C' || degree == 'K') ? 1 : 0;
  }
  if ((last | 0x20) == 's' && (before == '\'' || before == 0x2019)) return 2;
  if (last == '+') return kind & WEIR_DIGIT ? 1 : 0;
  return unit_length(forms, s, low, high);
}

static uint32_t infix_length(const weir_span *s, uint32_t i, uint32_t low, uint32_t high) {
  uint32_t kind = s->classes[i];
  if (!(kind & WEIR_ACTIVE) || kind & WEIR_DIGIT) return 0;
  if (kind & WEIR_ICON) return 1;
#define AT(p) ((p) < high ? s->classes[p] : 0)
  uint32_t before = i > low ? s->classes[i - 1] : 0, after = AT(i + 1);
  int after_name = (before & (WEIR_CASED | WEIR_DIGIT)) != 0, before_name = (after & WEIR_CASED) != 0;
  uint32_t scalar = s->scalars[i];
  switch (scalar) {
    case 0x2026: return 1;
    case '.': {
      uint32_t dots = run_of(s, '.', i, high);
      if (dots > 1) return dots;
      return before & (WEIR_LOWER | WEIR_QUOTE) && after & (WEIR_UPPER | WEIR_QUOTE) ? 1 : 0;
    }
    case '+':
    case '*':
    case '^':
    case '-': {
      if (before & WEIR_DIGIT && i + 1 < high && (after & WEIR_DIGIT || s->scalars[i + 1] == '-')) return 1;
      if (scalar != '-' || !after_name) return 0;
      uint32_t dashes = run_of(s, '-', i, high - i > 4 ? i + 4 : high);
      return dashes <= 3 && AT(i + dashes) & WEIR_CASED ? dashes : 0;
    }
    case ',': return before & WEIR_CASED && before_name ? 1 : 0;
    case 0x2014:
      if (!after_name) return 0;
      if (before_name) return 1;
      return i + 1 < high && s->scalars[i + 1] == 0x2014 && AT(i + 2) & WEIR_CASED ? 2 : 0;
    case 0x2013:
    case '~':
    case ':':
    case '<':
    case '=':
    case '>':
    case '/': return after_name && before_name ? 1 : 0;
    default: return 0;
  }
#undef AT
}

// Cuts at punctuation in the middle. Appends the lengths to out and returns their new number.
static uint32_t cut_inside(const weir_span *s, uint32_t low, uint32_t high, uint32_t *out, uint32_t n) {
  uint32_t start = low, i = low;
  while (i < high) {
    uint32_t length = infix_length(s, i, low, high);
    if (length == 0) {
      i++;
      continue;
    }
    if (i > low) {
      if (i > start) out[n++] = i - start;
      out[n++] = length;
      start = i + length;
    }
    i += length;
  }
  if (start < high) out[n++] = high - start;
  return n;
}

// Steps 1 and 2.
static void cut_marks(const weir_word_forms *forms, weir_span *s, int specials) {
  uint32_t low = 0, high = s->count, n = 0, suffixes = 0, last = UINT32_MAX;
  const form *whole = NULL;
  while (low < high && high - low != last) {
    if (specials && (whole = special(forms, s, low, high))) break;
    last = high - low;
    uint32_t prefix = prefix_length(s, low, high);
    if (prefix && specials && (whole = special(forms, s, low + prefix, high))) {
      s->lengths[n++] = prefix;
      low += prefix;
      break;
    }
    uint32_t suffix = suffix_length(forms, s, low + prefix, high);
    if (suffix && specials && (whole = special(forms, s, low, high - suffix))) {
      s->spare[suffixes++] = suffix;
      high -= suffix;
      break;
    }
    if (prefix) {
      s->lengths[n++] = prefix;
      low += prefix;
    }
    if (suffix) {
      s->spare[suffixes++] = suffix;
      high -= suffix;
    }
  }
  if (low < high) {
    if (whole) {
      for (int i = 0; i < whole->parts; i++) s->lengths[n++] = whole->lengths[i];
    } else if (weir_is_web_address(s->scalars, s->classes, low, high)) {
      s->lengths[n++] = high - low;
    } else {
      n = cut_inside(s, low, high, s->lengths, n);
    }
  }
  while (suffixes) s->lengths[n++] = s->spare[--suffixes];
  s->words = n;
}

typedef struct match {
  uint32_t first, count;
  const form *form;
} match;

// Matches with more words first, then from the left.
static int match_order(const void *a, const void *b) {
  const match *x = a, *y = b;
  if (x->count != y->count) return x->count > y->count ? -1 : 1;
  return x->first < y->first ? -1 : x->first > y->first;
}

// Joins the words of each match, the longest first, then from the left. A match that overlaps an earlier one is skipped but still claims its words.
static void join_matches(weir_span *s, match *matches, size_t count) {
  qsort(matches, count, sizeof *matches, match_order);
  // What happens to a word: 0 it stays, 1 it is claimed, 2 + i match i begins with it.
  uint32_t *fate = s->spare;
  memset(fate, 0, s->words * sizeof *fate);
  for (size_t i = 0; i < count; i++) {
    uint32_t first = matches[i].first, end = first + matches[i].count;
    int is_free = !fate[first] && !fate[end - 1];
    for (uint32_t w = first; w < end; w++)
      if (!fate[w]) fate[w] = 1;
    if (is_free) fate[first] = 2 + (uint32_t)i;
  }
  uint32_t *out = weir_room(NULL, s->count * sizeof *out), n = 0;
  for (uint32_t w = 0; w < s->words;) {
    if (fate[w] < 2) {
      out[n++] = s->lengths[w++];
      continue;
    }
    const match *found = &matches[fate[w] - 2];
    for (int i = 0; i < found->form->parts; i++) out[n++] = found->form->lengths[i];
    w += found->count;
  }
  memcpy(s->lengths, out, n * sizeof *out);
  s->words = n;
  free(out);
}

// Step 3.
static void join_specials(const weir_word_forms *forms, weir_span *s) {
  match few[32], *matches = few;
  size_t count = 0, room = 32;
  uint32_t start = 0;
  for (uint32_t first = 0; first < s->words; start += s->lengths[first++]) {
    uint32_t end = start + s->lengths[first];
    for (uint32_t next = first + 1; next < s->words; next++) {
      end += s->lengths[next];
      if (end - start > forms->longest) break;
      const form *found = special(forms, s, start, end);
      if (!found || found->seen != next - first + 1) continue;
      uint32_t same = 0;
      while (same < found->seen && found->seen_lengths[same] == s->lengths[first + same]) same++;
      if (same < found->seen) continue;
      if (count == room) {
        room *= 2;
        match *grown = weir_room(matches == few ? NULL : matches, room * sizeof *grown);
        if (matches == few) memcpy(grown, few, sizeof few);
        matches = grown;
      }
      matches[count++] = (match){first, next - first + 1, found};
    }
  }
  if (count) join_matches(s, matches, count);
  if (matches != few) free(matches);
}

void weir_cut_words(const weir_word_forms *forms, weir_span *span) {
  cut_marks(forms, span, 1);
  if (span->words > 1) join_specials(forms, span);
}

const uint64_t *weir_special_letters(const weir_word_forms *forms) { return forms->letters; }

const uint32_t *weir_ascii_classes(const weir_word_forms *forms) { return forms->ascii; }

// Fills in the filters, and the words that the punctuation rules alone would make of a form. `classes`: those of its scalars.
static void describe(weir_word_forms *forms, form *one, uint32_t *classes) {
  uint32_t bit = outline(one->scalars[0], one->scalars[one->count - 1], one->count);
  forms->outlines[bit >> 6] |= 1ull << (bit & 63);
  if (one->count > forms->longest) forms->longest = one->count;
  uint32_t scalars[LONGEST], lengths[LONGEST], spare[LONGEST];
  memcpy(scalars, one->scalars, one->count * sizeof *scalars);
  weir_span s = {scalars, classes, lengths, one->count, 0, spare};
  cut_marks(forms, &s, 0);
  int same = s.words == one->parts;
  for (uint32_t i = 0; i < s.words && same; i++) same = lengths[i] == one->lengths[i];
  if (s.words > 1 && s.words <= MOST_PARTS && !same) {
    one->seen = (uint8_t)s.words;
    for (uint32_t i = 0; i < s.words; i++) one->seen_lengths[i] = (uint8_t)lengths[i];
  }
  uint8_t bytes[LONGEST];
  for (uint32_t i = 0; i < one->count; i++) {
    if (classes[i] & WEIR_ACTIVE || scalars[i] >= 0x80) return;
    bytes[i] = (uint8_t)scalars[i];
  }
  uint64_t hash = weir_fingerprint(bytes, one->count, one->count);
  forms->letters[hash >> 6 & 0xFF] |= 1ull << (hash & 63);
}

weir_word_forms *weir_word_forms_create(
    const uint32_t *ascii, const uint32_t *scalars, const uint32_t *classes, const uint8_t *counts, const uint8_t *lengths, const uint8_t *parts,
    size_t form_count, const uint32_t *units, const uint8_t *unit_counts, size_t unit_count) {
  weir_word_forms *forms = weir_room(NULL, sizeof *forms);
  memset(forms, 0, sizeof *forms);
  memcpy(forms->ascii, ascii, sizeof forms->ascii);
  size_t total = 0, unit_total = 0;
  for (size_t i = 0; i < form_count; i++) total += counts[i];
  for (size_t i = 0; i < unit_count; i++) unit_total += unit_counts[i];
  forms->scalars = weir_room(NULL, (total + unit_total + 1) * sizeof *forms->scalars);
  memcpy(forms->scalars, scalars, total * sizeof *scalars);
  memcpy(forms->scalars + total, units, unit_total * sizeof *units);
  form_table_make(&forms->specials, forms->scalars, counts, form_count);
  form_table_make(&forms->units, forms->scalars + total, unit_counts, unit_count);
  uint32_t own[LONGEST];
  for (size_t i = 0; i < form_count; i++) {
    form *one = &forms->specials.forms[i];
    one->parts = parts[i];
    memcpy(one->lengths, lengths, parts[i]);
    lengths += parts[i];
    memcpy(own, classes, one->count * sizeof *own);
    classes += one->count;
    describe(forms, one, own);
  }
  return forms;
}

void weir_word_forms_destroy(weir_word_forms *forms) {
  if (!forms) return;
  free(forms->specials.forms);
  free(forms->specials.slots);
  free(forms->units.forms);
  free(forms->units.slots);
  free(forms->scalars);
  free(forms);
}
