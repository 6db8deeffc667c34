#pragma once
#include <stddef.h>
#include <stdint.h>
// Language identification: a logistic regression on the mean of hashed character n-grams (one to four characters), with one weight per n-gram and
// language. Trained by scripts/languages.

/// Row length of the weights, which is the maximum number of languages, and the longest n-gram.
enum { WEIR_LANGUAGES = 64, WEIR_LANGUAGE_ORDER = 4 };

/// Adds the weights of the n-grams of a text: sums[l] += weights[bucket, l], weights [1 << bits, WEIR_LANGUAGES]. counts[0] += n-grams, counts[1] +=
/// letters, counts[2] += letters of scripts without a class of their own.
void weir_language_sums(const int8_t *weights, int bits, const uint8_t *text, size_t count, int32_t *sums, size_t *counts);

/// The built-in model, base64.
const char *weir_language_model(size_t *count);
