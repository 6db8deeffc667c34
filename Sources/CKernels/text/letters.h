#pragma once
// Letters for language identification: their symbols in lower case.
#include <stdint.h>

enum { BOUNDARY = 1 };

static inline int within(uint32_t c, uint32_t first, uint32_t last) { return c - first <= last - first; }

// The symbol of a code point: a small letter, a mark, or BOUNDARY for punctuation, digits, symbols and malformed bytes. The cases of a few rare letters are
// told apart.
static uint32_t fold(uint32_t c) {
  if (c < 0x80) return within(c | 0x20, 'a', 'z') ? c | 0x20 : BOUNDARY;
  if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA ? c : BOUNDARY;
  if (c < 0x100) return c == 0xD7 || c == 0xF7 ? BOUNDARY : c < 0xDF ? c + 0x20 : c;
  if (c < 0x250) {
    switch (c) {
    case 0x138: case 0x149: case 0x17F: return c;
    case 0x178: return 0xFF;
    case 0x181: return 0x253;
    case 0x186: return 0x254;
    case 0x18A: return 0x257;
    case 0x18F: return 0x259;
    case 0x190: return 0x25B;
    }
    if (within(c, 0x19A, 0x1CC)) return c;
    // Pairs of a capital and a small letter begin at odd code points there, at even ones elsewhere.
    return within(c, 0x139, 0x148) || within(c, 0x179, 0x17E) || within(c, 0x1CD, 0x1DC) ? c + (c & 1) : c | 1;
  }
  if (c < 0x370) return within(c, 0x2B0, 0x2FF) ? BOUNDARY : c;
  if (c < 0x400) {
    if (c == 0x37E || c == 0x387) return BOUNDARY;
    if (c == 0x386) return 0x3AC;
    if (within(c, 0x388, 0x38A)) return c + 0x25;
    if (c == 0x38C) return 0x3CC;
    if (c == 0x38E || c == 0x38F) return c + 0x3F;
    return within(c, 0x391, 0x3AB) ? c + 0x20 : c;
  }
  if (c < 0x530) return c < 0x410 ? c + 0x50 : c < 0x430 ? c + 0x20 : c < 0x460 ? c : c | 1;
  if (c < 0x590) return c <= 0x556 ? c + 0x30 : within(c, 0x561, 0x587) ? c : BOUNDARY;
  if (c < 0x600) return c == 0x5BE || c == 0x5C0 || c == 0x5C3 || c >= 0x5F3 ? BOUNDARY : c;
  if (c < 0x900) {
    int is_mark = c < 0x610 || c == 0x61B || c == 0x61F || within(c, 0x660, 0x66D) || c == 0x6D4 || within(c, 0x6F0, 0x6F9);
    return is_mark ? BOUNDARY : c;
  }
  // Each block of India has its digits at the same place.
  if (c < 0xE00) return c == 0x964 || c == 0x965 || within(c & 0x7F, 0x66, 0x6F) ? BOUNDARY : c;
  if (c < 0xF00) return within(c & 0x7F, 0x4F, 0x5B) ? BOUNDARY : c;
  if (c < 0x1000) return c < 0xF18 || within(c, 0xF20, 0xF34) || within(c, 0xF3A, 0xF3D) ? BOUNDARY : c;
  if (c < 0x10A0) return within(c, 0x1040, 0x104F) ? BOUNDARY : c;
  if (c < 0x1820) {
    int is_mark = c == 0x10FB || within(c, 0x1360, 0x137C) || c == 0x166D || c == 0x166E || within(c, 0x17D4, 0x17DB) || c >= 0x17E0;
    return is_mark ? BOUNDARY : c;
  }
  if (c < 0x1E00) return within(c, 0x1C90, 0x1CBF) ? c - 0xBC0 : c;
  if (c < 0x2000) return c < 0x1F00 ? c | 1 : c;
  if (c < 0x2C00) return BOUNDARY;
  if (c < 0x3000) return c < 0x2E00 ? c : BOUNDARY;
  if (c < 0x3400) return (c < 0x3041 && c != 0x3005) || c == 0x30FB || c >= 0x3190 ? BOUNDARY : c;
  if (c < 0xF900) return c < 0xD800 ? c : BOUNDARY;
  if (c < 0xFE00) return c;
  if (c < 0x10000)
    return within(c, 0xFE70, 0xFEFE) || within(c, 0xFF21, 0xFF3A) || within(c, 0xFF41, 0xFF5A) || within(c, 0xFF66, 0xFFDC) ? c : BOUNDARY;
  return within(c, 0x1D000, 0x1DFFF) || within(c, 0x1F000, 0x1FFFF) || c >= 0x40000 ? BOUNDARY : c;
}
