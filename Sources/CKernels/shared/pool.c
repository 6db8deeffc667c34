// A persistent thread pool. Workers spin briefly before they sleep, because a transformer step runs hundreds of tiny jobs.
#include "weir_pool.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#if defined(__x86_64__)
#define weir_pause() __builtin_ia32_pause()
#else
#define weir_pause() ((void)0)
#endif

struct weir_pool {
  int threads;
  pthread_t *handles;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  atomic_ulong generation;
  atomic_size_t next;
  atomic_int running;
  atomic_int stop;
  size_t tasks;
  void (*body)(void *, size_t);
  void *context;
};

static void drain(weir_pool *pool) {
  for (;;) {
    size_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (index >= pool->tasks) return;
    pool->body(pool->context, index);
  }
}

static void *worker(void *argument) {
  weir_pool *pool = argument;
  unsigned long seen = 0;
  for (;;) {
    int spins = 0;
    while (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen) {
      if (++spins < 4000) { weir_pause(); continue; }
      pthread_mutex_lock(&pool->lock);
      while (atomic_load(&pool->generation) == seen) pthread_cond_wait(&pool->wake, &pool->lock);
      pthread_mutex_unlock(&pool->lock);
    }
    seen = atomic_load_explicit(&pool->generation, memory_order_acquire);
    if (atomic_load(&pool->stop)) return NULL;
    drain(pool);
    atomic_fetch_sub_explicit(&pool->running, 1, memory_order_acq_rel);
  }
}

weir_pool *weir_pool_create(int threads) {
  weir_pool *pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->threads = threads < 1 ? 1 : threads;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pool->handles = calloc((size_t)pool->threads, sizeof *pool->handles);
  int made = 1;
  for (; pool->handles && made < pool->threads; made++)
    if (pthread_create(&pool->handles[made], NULL, worker, pool) != 0) break;
  pool->threads = made;
  return pool;
}

int weir_pool_threads(const weir_pool *pool) { return pool->threads; }

void weir_pool_run(weir_pool *pool, size_t tasks, void (*body)(void *, size_t), void *context) {
  if (tasks == 0) return;
  if (pool->threads == 1 || tasks == 1) {
    for (size_t i = 0; i < tasks; i++) body(context, i);
    return;
  }
  pool->tasks = tasks;
  pool->body = body;
  pool->context = context;
  atomic_store(&pool->running, pool->threads - 1);
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add_explicit(&pool->generation, 1, memory_order_acq_rel);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  drain(pool);
  // After a short spin, yield: on a shared machine, the thread that the pool waits for may need this core.
  for (int spins = 0; atomic_load_explicit(&pool->running, memory_order_acquire) != 0; spins++) {
    if (spins < 20000) weir_pause();
    else sched_yield();
  }
}

void weir_pool_destroy(weir_pool *pool) {
  atomic_store(&pool->stop, 1);
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->generation, 1);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  for (int i = 1; i < pool->threads; i++) pthread_join(pool->handles[i], NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->lock);
  free(pool->handles);
  free(pool);
}
