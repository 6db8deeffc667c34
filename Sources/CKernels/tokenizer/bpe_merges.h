#pragma once
// BPE merges as the encoder uses them, private to this target.
#include "weir_tokenizer.h"

/// Words of up to this many bytes are merged without an allocation.
enum { WEIR_SHORT_WORD = 64 };

/// The tokens of a word of 1 ... WEIR_SHORT_WORD bytes; returns their number.
size_t weir_merge_short(const weir_merges *merges, const uint8_t *word, size_t length, uint32_t *tokens);
/// Whether weir_merges_finish changes these tokens.
int weir_merges_replaces(const weir_merges *merges, const uint32_t *tokens, size_t count);
/// The token of a whole word, or UINT32_MAX if there is none.
uint32_t weir_merges_find(const weir_merges *merges, const uint8_t *word, size_t length);
