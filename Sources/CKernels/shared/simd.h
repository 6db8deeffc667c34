#pragma once
// How functions are compiled for several instruction sets, private to this target.
//
// WEIR_CLONES compiles a function for every level and picks one when the program is loaded. WEIR_V3 and WEIR_V4 compile a function for one level; its
// caller checks `weir_simd_level`.
#if defined(__linux__) && defined(__x86_64__)
#define WEIR_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#define WEIR_V3 __attribute__((target("arch=x86-64-v3")))
#define WEIR_V4 __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#else
#define WEIR_CLONES
#define WEIR_V3
#define WEIR_V4
#endif
#define WEIR_INLINE static inline __attribute__((always_inline, unused))
// Without the errno of sqrtf, logf and expf: a call that may set it keeps a loop from being vectorized. The square root is one instruction.
#define WEIR_SQRT(x) __builtin_elementwise_sqrt(x)
#define WEIR_LOG(x) __builtin_elementwise_log(x)
#define WEIR_EXP(x) __builtin_elementwise_exp(x)
