#include "weir_simd.h"

int weir_simd_level(void) {
#if defined(__linux__) && defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return 2;
  if (__builtin_cpu_supports("x86-64-v3")) return 1;
#endif
  return 0;
}
