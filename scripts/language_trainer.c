// Trains the language model of `weir filter --languages` for scripts/languages: softmax regression on the mean of learned vectors, by stochastic gradient
// descent, as in fastText (Joulin et al. 1607.01759). Features come from the kernel itself.
#include "../Sources/CKernels/text/language.c"
#include <math.h>
#include <stdlib.h>

enum { D = WEIR_LANGUAGE_DIMENSION, MAX_ROWS = 1 << 16 };

typedef struct {
  uint32_t rows[MAX_ROWS];
  size_t count;
} row_list;

static void add_to_list(void *state, const uint32_t *rows, size_t count) {
  row_list *list = state;
  for (size_t i = 0; i < count && list->count < MAX_ROWS; i++) list->rows[list->count++] = rows[i];
}

/// One pass over excerpts text[starts[i] ..< starts[i] + sizes[i]] of class labels[i] in the given order, while the learning rate falls from `first` to
/// `last`. vectors [1 << BITS, D], weights [classes, D]. Returns the mean loss.
double train(float *vectors, float *weights, float *biases, size_t classes, const uint8_t *text, const uint64_t *starts, const uint32_t *sizes,
             const uint32_t *labels, const uint32_t *order, size_t count, double first, double last) {
  row_list *list = malloc(sizeof *list);
  float *p = malloc(classes * sizeof *p);
  double loss = 0;
  for (size_t step = 0; step < count; step++) {
    size_t excerpt = order[step], label = labels[excerpt];
    float rate = (float)(first + (last - first) * (double)step / (double)count), mean[D] = {0}, gradient[D] = {0}, highest = -1e30f, total = 0;
    list->count = 0;
    find_features(text + starts[excerpt], sizes[excerpt], add_to_list, list);
    if (list->count == 0) continue;
    for (size_t r = 0; r < list->count; r++) __builtin_prefetch(vectors + (size_t)list->rows[r] * D);
    for (size_t r = 0; r < list->count; r++)
      for (int k = 0; k < D; k++) mean[k] += vectors[(size_t)list->rows[r] * D + k];
    for (int k = 0; k < D; k++) mean[k] /= (float)list->count;
    for (size_t c = 0; c < classes; c++) {
      p[c] = biases[c];
      for (int k = 0; k < D; k++) p[c] += weights[c * D + k] * mean[k];
      highest = p[c] > highest ? p[c] : highest;
    }
    for (size_t c = 0; c < classes; c++) total += p[c] = expf(p[c] - highest);
    loss -= log(p[label] / total + 1e-30);
    for (size_t c = 0; c < classes; c++) {
      float error = (c == label) - p[c] / total;
      if (fabsf(error) < 1e-5f) continue;
      for (int k = 0; k < D; k++) {
        gradient[k] += error * weights[c * D + k];
        weights[c * D + k] += rate * error * mean[k];
      }
      biases[c] += 0.1f * rate * error;
    }
    for (int k = 0; k < D; k++) gradient[k] *= rate / (float)list->count;
    for (size_t r = 0; r < list->count; r++)
      for (int k = 0; k < D; k++) vectors[(size_t)list->rows[r] * D + k] += gradient[k];
  }
  free(list);
  free(p);
  return loss / (double)count;
}
