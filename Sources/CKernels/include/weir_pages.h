#pragma once
#include <stddef.h>
// Large blocks of memory.

/// Zeros in large pages where there are any, which take memory when they are touched; NULL where they cannot be had.
void *weir_map_zeros(size_t bytes);
/// Gives back a block of `weir_map_zeros`, of the same size.
void weir_unmap(void *block, size_t bytes);
