#pragma once
#include <stddef.h>
#include <stdint.h>
// Which language a text is in: hashed n-grams of one to four characters, each with a weight for every language (a logistic regression on their
// mean). Trained by scripts/languages.

/// Room for languages in a row of weights, and the longest n-gram.
enum { WEIR_LANGUAGES = 64, WEIR_LANGUAGE_ORDER = 4 };

/// Adds the weights of the n-grams of a text: sums[l] += weights[bucket, l], weights [1 << bits, WEIR_LANGUAGES]. counts[0] += n-grams, counts[1] +=
/// letters, counts[2] += letters of scripts that have no class of their own.
void weir_language_sums(const int8_t *weights, int bits, const uint8_t *text, size_t count, int32_t *sums, size_t *counts);

/// The model that is built in, base64.
const char *weir_language_model(size_t *count);
