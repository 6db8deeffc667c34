#pragma once
// CBLAS: OpenBLAS on Linux, Accelerate on macOS (untested there).
#if defined(__APPLE__)
#include <Accelerate/Accelerate.h>
static inline void weir_blas_single_thread(void) {}
#else
#include <cblas.h>
static inline void weir_blas_single_thread(void) { openblas_set_num_threads(1); }
#endif
