#pragma once
// What kernels that compress bytes in vectors need; private to this target.
#include <stddef.h>
#include <stdint.h>

#if defined(__linux__) && defined(__x86_64__)
#include <immintrin.h>
#define WEIR_WIDE __attribute__((target("arch=x86-64-v4,avx512vbmi,avx512vbmi2"), min_vector_width(512)))
static inline int wide(void) {
  return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vbmi");
}

static inline uint64_t low_bits(size_t count) { return count >= 64 ? ~0ull : (1ull << count) - 1; }
#endif
