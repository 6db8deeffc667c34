// Recognizes web addresses, which the word cutter leaves whole: scheme, user, host or IPv4 address, port, path, where only the host is required. The
// grammar is that of the regular expression in spaCy's `lang/tokenizer_exceptions.py` (MIT). It is matched in one pass per position where a host may begin;
// these passes cannot overlap, so the time is linear in the length.
#include "word_cutter.h"

static int is_digit(uint32_t scalar) { return scalar >= '0' && scalar <= '9'; }

static int is_name(uint32_t scalar, uint32_t kind) {
  return scalar < 0x80 ? (kind & (WEIR_LETTER | WEIR_DIGIT)) != 0 : scalar >= 0xA1 && scalar <= 0xFFFF;
}

static int is_scheme(uint32_t scalar, uint32_t kind) {
  return kind & (WEIR_LETTER | WEIR_DIGIT) || scalar == '_' || scalar == '+' || scalar == '-' || scalar == '.';
}

// An optional port of 2 to 5 digits, then nothing or a path.
static int is_tail(const uint32_t *s, size_t i, size_t high) {
  if (i < high && s[i] == ':') {
    size_t start = ++i;
    while (i < high && is_digit(s[i])) i++;
    if (i - start < 2 || i - start > 5) return 0;
  }
  return i == high || s[i] == '/' || s[i] == '?' || s[i] == '#';
}

// The end of the public IPv4 address at low, or 0 if there is none.
static size_t address_end(const uint32_t *s, size_t low, size_t high) {
  size_t i = low;
  uint32_t octets[4];
  for (int part = 0; part < 4; part++) {
    uint32_t value = 0;
    size_t start = i;
    while (i < high && is_digit(s[i]) && i - start < 3) value = value * 10 + (s[i++] - '0');
    if (i == start || value > 255 || (i < high && is_digit(s[i]))) return 0;
    if ((part == 0 || part == 3) && s[start] == '0') return 0;
    octets[part] = value;
    if (part < 3 && (i >= high || s[i++] != '.')) return 0;
  }
  uint32_t a = octets[0], b = octets[1];
  if (a > 223 || octets[3] > 254 || a == 10 || a == 127) return 0;
  if ((a == 169 && b == 254) || (a == 192 && b == 168) || (a == 172 && b >= 16 && b <= 31)) return 0;
  return i;
}

// Whether the range is exactly a host, an optional port and an optional path.
static int is_host(const uint32_t *s, const uint32_t *classes, size_t low, size_t high) {
  size_t end = address_end(s, low, high);
  if (end && is_tail(s, end, high)) return 1;
  size_t i = low, start = low, labels = 0;
  for (; i < high; i++) {
    if (s[i] == '.') {
      if (i == start || i - start > 64 || !is_name(s[start], classes[start]) || !is_name(s[i - 1], classes[i - 1])) return 0;
      labels++;
      start = i + 1;
    } else if (!is_name(s[i], classes[i]) && s[i] != '_' && s[i] != '-') {
      break;
    }
  }
  if (labels == 0 || i < start + 2 || i - start > 63) return 0;
  for (size_t k = start; k < i; k++)
    if (!(classes[k] & WEIR_LOWER)) return 0;
  return is_tail(s, i, high);
}

int weir_is_web_address(const uint32_t *s, const uint32_t *classes, size_t low, size_t high) {
  // Every address contains a dot; most words with punctuation do not.
  if (high - low <= 3) return 0;
  size_t dot = low;
  while (dot < high && s[dot] != '.') dot++;
  if (dot == high) return 0;
  if (is_host(s, classes, low, high)) return 1;
  size_t start = low;
  while (start < high && is_scheme(s[start], classes[start])) start++;
  if (start - low >= 2 && start + 3 < high && s[start] == ':' && s[start + 1] == '/' && s[start + 2] == '/' &&
      is_host(s, classes, start + 3, high))
    return 1;
  for (size_t i = low + 1; i + 1 < high; i++)
    if (s[i] == '@' && is_host(s, classes, i + 1, high)) return 1;
  return 0;
}
