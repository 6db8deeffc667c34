#include "weir_blas.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 };

typedef void (*single)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);

static single sgemm;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void plain_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta,
                        float *c, int ldc) {
  (void)order;
  for (ptrdiff_t i = 0; i < m; i++) {
    float *row = c + i * ldc;
    for (ptrdiff_t j = 0; j < n; j++) row[j] = beta == 0 ? 0 : beta * row[j];
    for (ptrdiff_t l = 0; l < k; l++) {
      float factor = alpha * (ta == TRANSPOSED ? a[l * lda + i] : a[i * lda + l]);
      for (ptrdiff_t j = 0; j < n; j++) row[j] += factor * (tb == TRANSPOSED ? b[j * ldb + l] : b[l * ldb + j]);
    }
  }
}

static void load(void) {
  static const char *const names[] = {
      "libopenblas.so.0", "libopenblas.so", "/System/Library/Frameworks/Accelerate.framework/Accelerate", "libcblas.so.3"};
  for (size_t i = 0; i < sizeof names / sizeof *names && !sgemm; i++) {
    void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) continue;
    sgemm = (single)dlsym(library, "cblas_sgemm");
    // The caller runs products in parallel, one per task.
    void (*threads)(int) = (void (*)(int))dlsym(library, "openblas_set_num_threads");
    if (threads) threads(1);
  }
  if (!sgemm) sgemm = plain_sgemm;
}

void weir_sgemm(
    int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c,
    int ldc) {
  pthread_once(&once, load);
  sgemm(ROW_MAJOR, transpose_a ? TRANSPOSED : PLAIN, transpose_b ? TRANSPOSED : PLAIN, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
