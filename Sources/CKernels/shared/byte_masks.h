#pragma once
// Classes of bytes as bit masks, private to this target: bit i of a result belongs to byte i of the vector.
#include "simd.h"
#include <stdint.h>
#if defined(__linux__) && defined(__x86_64__)
#include <immintrin.h>

// The bytes in first ..< first + size.
WEIR_V3 WEIR_INLINE uint64_t in_range_v3(__m256i bytes, int first, int size) {
  __m256i moved = _mm256_sub_epi8(bytes, _mm256_set1_epi8((char)(first + 128)));
  return (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8((char)(size - 128)), moved));
}

WEIR_V4 WEIR_INLINE uint64_t in_range_v4(__m512i bytes, int first, int size) {
  return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8((char)first)), _mm512_set1_epi8((char)size));
}
#endif
