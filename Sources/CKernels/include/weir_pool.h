#pragma once
#include <stddef.h>
// A persistent pool of POSIX threads. The caller cuts the work into tasks, never by the number of threads, so results do not depend on that number.
typedef struct weir_pool weir_pool;
/// Creates a pool of `threads` threads, the caller among them, or of fewer if the system refuses to start some. NULL if memory is short.
weir_pool *weir_pool_create(int threads);
int weir_pool_threads(const weir_pool *pool);
/// Calls body(context, i) for every i in 0..<tasks, then returns. Not re-entrant: a task must not call it on the same pool.
void weir_pool_run(weir_pool *pool, size_t tasks, void (*body)(void *context, size_t index), void *context);
void weir_pool_destroy(weir_pool *pool);
