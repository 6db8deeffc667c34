#pragma once

/// The best instruction set that this processor supports: 0 baseline, 1 AVX2 (x86-64-v3), 2 AVX-512 (x86-64-v4).
int weir_simd_level(void);
