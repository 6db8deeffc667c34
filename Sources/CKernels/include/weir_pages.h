#pragma once
#include <stddef.h>
// Large blocks of memory.

/// Maps zeroed memory, in large pages if the system has them; memory is committed on first access. Returns NULL on failure.
void *weir_map_zeros(size_t bytes);
/// Unmaps a block from `weir_map_zeros` of the same size.
void weir_unmap(void *block, size_t bytes);
