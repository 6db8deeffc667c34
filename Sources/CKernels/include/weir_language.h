#pragma once
#include <stddef.h>
#include <stdint.h>
// Language identification: a linear model on the mean of learned vectors, one per hashed feature. The features of a word are its n-grams of one to four
// characters with its boundaries, the word itself and its script. scripts/languages trains the model, which is compiled in.

enum { WEIR_LANGUAGE_DIMENSION = 64 };

/// The classes of the model, and their codes: ISO 639 or, for each of the other languages that it learned to reject, `und`.
size_t weir_language_classes(void);
const char *weir_language_code(size_t index);

/// Adds the vectors of the features of a text to sums[WEIR_LANGUAGE_DIMENSION]. Returns the number of features, 0 for a text without letters.
size_t weir_language_sums(const uint8_t *text, size_t count, int32_t *sums);

/// The logit of each class for sums of `features` vectors.
void weir_language_logits(const int32_t *sums, size_t features, float *logits);

// The second model: naive Bayes on byte n-grams.

enum { WEIR_NGRAM_CLASSES = 128 };

/// The classes of the model, at most WEIR_NGRAM_CLASSES, and their codes. A code may have several classes, one per script or variety.
size_t weir_ngram_classes(void);
const char *weir_ngram_code(size_t index);

/// Tables for the search of n-grams: a block of weir_ngrams_size() bytes, aligned to 64.
typedef struct weir_ngram_tables weir_ngram_tables;
size_t weir_ngrams_size(void);
void weir_ngrams_build(weir_ngram_tables *tables);

/// Adds the n-grams of a text to sums[WEIR_NGRAM_CLASSES]. Returns their number.
size_t weir_ngrams_add(const weir_ngram_tables *tables, const uint8_t *text, size_t count, uint32_t *sums);

/// The logarithm of the likelihood of each class for sums of `ngrams` n-grams.
void weir_ngrams_scores(const uint32_t *sums, size_t ngrams, float *scores);
