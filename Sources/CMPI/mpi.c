// Sums over the ranks of an Open MPI job, overlapped with the caller's computation.
//
// One background thread makes all calls to MPI, so MPI_THREAD_FUNNELED is enough and transfers proceed while the caller computes. It sleeps between polls,
// for a shorter time if the caller waits: it takes no core from a rank that computes, and a sleeping thread wakes up quickly even on a busy machine, where a
// loop of sched_yield was 10 times slower.
//
// A block of floats is cut into one share per rank. Each rank receives its share from all others, adds up the shares in a fixed tree over the ranks, and
// sends the sum to all. That moves 2·(n − 1)/n of the block in each direction and gives the same bits whatever MPI's own reductions would do.
#include "weir_mpi.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { FUNNELED = 1, FIRST_TAG = 100, TAGS = 8192, FLIGHTS = 8 };
static const size_t PIECE = (size_t)1 << 26;

/// The part of Open MPI's binary interface in use; its handles are addresses of exported objects.
struct interface {
  int (*init_thread)(int *, char ***, int, int *);
  int (*finalize)(void);
  int (*rank)(void *, int *);
  int (*size)(void *, int *);
  int (*library_version)(char *, int *);
  int (*isend)(const void *, int, void *, int, int, void *, void **);
  int (*irecv)(void *, int, void *, int, int, void *, void **);
  int (*testall)(int, void **, int *, void *);
  int (*iallgather)(const void *, int, void *, void *, int, void *, void *, void **);
  int (*ibcast)(void *, int, void *, int, void *, void **);
  int (*abort)(void *, int);
  void *world;
  void *floats;
  void *bytes;
};

/// A request to the background thread.
struct work {
  enum { ADD, GATHER, BROADCAST, ABORT, LEAVE } kind;
  void *values;
  size_t count;
  void *all;
  struct work *next;
};

/// A sum in flight.
struct flight {
  float *values;
  size_t count;
  enum { FREE, SHARES, SUMS } stage;
  int tag;
  float *scratch;
  void **requests;
  int pending;
};

struct weir_mpi {
  struct interface call;
  int rank, size;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t wake, idle;
  // Protected by the lock: the queue, the number of unfinished requests, whether the caller waits for them.
  struct work *first, *last;
  size_t open;
  int waiting;
  int joined;
  // Used only by the background thread.
  struct flight flights[FLIGHTS];
  int flying;
  unsigned long sums;
  char *reason;
  size_t capacity;
};

static void *symbol(void *library, const char *name, int *missing) {
  void *found = dlsym(library, name);
  if (!found) *missing = 1;
  return found;
}

static int load(weir_mpi *mpi) {
  void *library = NULL;
  const char *names[] = {"libmpi.so.40", "libmpi.so", "libmpi.40.dylib", "libmpi.dylib"};
  // MPI's plug-ins look up its symbols in the global scope.
  for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++) library = dlopen(names[i], RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    snprintf(mpi->reason, mpi->capacity, "libmpi, the library of Open MPI, is not installed");
    return 0;
  }
  struct interface *call = &mpi->call;
  int missing = 0;
  *(void **)&call->init_thread = symbol(library, "MPI_Init_thread", &missing);
  *(void **)&call->finalize = symbol(library, "MPI_Finalize", &missing);
  *(void **)&call->rank = symbol(library, "MPI_Comm_rank", &missing);
  *(void **)&call->size = symbol(library, "MPI_Comm_size", &missing);
  *(void **)&call->library_version = symbol(library, "MPI_Get_library_version", &missing);
  *(void **)&call->isend = symbol(library, "MPI_Isend", &missing);
  *(void **)&call->irecv = symbol(library, "MPI_Irecv", &missing);
  *(void **)&call->testall = symbol(library, "MPI_Testall", &missing);
  *(void **)&call->iallgather = symbol(library, "MPI_Iallgather", &missing);
  *(void **)&call->ibcast = symbol(library, "MPI_Ibcast", &missing);
  *(void **)&call->abort = symbol(library, "MPI_Abort", &missing);
  call->world = symbol(library, "ompi_mpi_comm_world", &missing);
  call->floats = symbol(library, "ompi_mpi_float", &missing);
  call->bytes = symbol(library, "ompi_mpi_byte", &missing);
  if (missing) snprintf(mpi->reason, mpi->capacity, "the installed MPI library is not Open MPI");
  return !missing;
}

static int start(weir_mpi *mpi) {
  int given = 0;
  if (!load(mpi)) return 0;
  if (mpi->call.init_thread(NULL, NULL, FUNNELED, &given) != 0 || given < FUNNELED) {
    snprintf(mpi->reason, mpi->capacity, "Open MPI failed to start");
    return 0;
  }
  mpi->call.rank(mpi->call.world, &mpi->rank);
  mpi->call.size(mpi->call.world, &mpi->size);
  return 1;
}

/// The first float of rank `r`'s share of `count`.
static size_t share(const weir_mpi *mpi, size_t count, int r) {
  size_t size = (size_t)mpi->size, rest = count % size, rank = (size_t)r;
  return count / size * rank + (rank < rest ? rank : rest);
}

static void receive(weir_mpi *mpi, struct flight *f, float *to, size_t count, int from, int tag) {
  mpi->call.irecv(to, (int)count, mpi->call.floats, from, tag, mpi->call.world, &f->requests[f->pending++]);
}

static void send(weir_mpi *mpi, struct flight *f, const float *values, size_t count, int to, int tag) {
  mpi->call.isend(values, (int)count, mpi->call.floats, to, tag, mpi->call.world, &f->requests[f->pending++]);
}

/// Exchanges shares; every rank starts with a different neighbor.
static void exchange_shares(weir_mpi *mpi, struct flight *f) {
  size_t mine = share(mpi, f->count, mpi->rank + 1) - share(mpi, f->count, mpi->rank);
  f->pending = 0;
  for (int step = 1; step < mpi->size; step++) {
    int from = (mpi->rank + step) % mpi->size, to = (mpi->rank + mpi->size - step) % mpi->size;
    size_t begin = share(mpi, f->count, to), end = share(mpi, f->count, to + 1);
    receive(mpi, f, f->scratch + (size_t)from * mine, mine, from, f->tag);
    send(mpi, f, f->values + begin, end - begin, to, f->tag);
  }
  f->stage = SHARES;
}

/// Adds up the shares of `ranks` ranks into that of `first`; the left subtree is the largest power of two below `ranks`.
static void add_up(float *scratch, size_t mine, int first, int ranks) {
  if (ranks == 1) return;
  int left = 1;
  while (2 * left < ranks) left *= 2;
  add_up(scratch, mine, first, left);
  add_up(scratch, mine, first + left, ranks - left);
  float *restrict a = scratch + (size_t)first * mine;
  const float *restrict b = scratch + (size_t)(first + left) * mine;
  for (size_t i = 0; i < mine; i++) a[i] += b[i];
}

static void exchange_sums(weir_mpi *mpi, struct flight *f) {
  size_t own = share(mpi, f->count, mpi->rank), mine = share(mpi, f->count, mpi->rank + 1) - own;
  memcpy(f->scratch + (size_t)mpi->rank * mine, f->values + own, mine * sizeof(float));
  add_up(f->scratch, mine, 0, mpi->size);
  memcpy(f->values + own, f->scratch, mine * sizeof(float));
  f->pending = 0;
  for (int step = 1; step < mpi->size; step++) {
    int from = (mpi->rank + step) % mpi->size, to = (mpi->rank + mpi->size - step) % mpi->size;
    size_t begin = share(mpi, f->count, from), end = share(mpi, f->count, from + 1);
    receive(mpi, f, f->values + begin, end - begin, from, f->tag + 1);
    send(mpi, f, f->values + own, mine, to, f->tag + 1);
  }
  f->stage = SUMS;
}

static void take_off(weir_mpi *mpi, const struct work *work) {
  struct flight *f = mpi->flights;
  while (f->stage != FREE) f++;
  size_t mine = share(mpi, work->count, mpi->rank + 1) - share(mpi, work->count, mpi->rank);
  f->values = work->values;
  f->count = work->count;
  f->tag = FIRST_TAG + (int)(2 * (mpi->sums++ % TAGS));
  f->scratch = malloc((mine * (size_t)mpi->size + 1) * sizeof(float));
  f->requests = malloc(2 * (size_t)mpi->size * sizeof(void *));
  if (!f->scratch || !f->requests) {
    fprintf(stderr, "weir: rank %d: no memory for the sum of %zu gradients\n", mpi->rank, work->count);
    mpi->call.abort(mpi->call.world, 1);
  }
  exchange_shares(mpi, f);
  mpi->flying++;
}

/// Advances every sum in flight; returns how many are complete.
static int advance(weir_mpi *mpi) {
  int landed = 0;
  for (struct flight *f = mpi->flights; f < mpi->flights + FLIGHTS; f++) {
    int flag = 0;
    if (f->stage == FREE) continue;
    mpi->call.testall(f->pending, f->requests, &flag, NULL);
    if (!flag) continue;
    if (f->stage == SHARES) {
      exchange_sums(mpi, f);
      continue;
    }
    free(f->scratch);
    free(f->requests);
    f->stage = FREE;
    landed++;
  }
  mpi->flying -= landed;
  return landed;
}

/// Pauses between two polls; the first polls in a hurry do not pause.
static void rest(int polls, int hurry) {
  if (hurry && polls < 100) return;
  nanosleep(&(struct timespec){.tv_nsec = hurry ? 10000 : 100000}, NULL);
}

/// Waits for a collective operation.
static void finish(weir_mpi *mpi, void *request) {
  for (int flag = 0, polls = 0; !flag; polls++) {
    mpi->call.testall(1, &request, &flag, NULL);
    if (!flag) rest(polls, 1);
  }
}

static void serve(weir_mpi *mpi, const struct work *work) {
  struct interface *call = &mpi->call;
  void *request = NULL;
  switch (work->kind) {
  case ADD: take_off(mpi, work); break;
  case GATHER:
    call->iallgather(work->values, (int)work->count, call->bytes, work->all, (int)work->count, call->bytes, call->world, &request);
    finish(mpi, request);
    break;
  case BROADCAST:
    for (size_t at = 0; at < work->count; at += PIECE) {
      size_t bytes = work->count - at < PIECE ? work->count - at : PIECE;
      call->ibcast((char *)work->values + at, (int)bytes, call->bytes, 0, call->world, &request);
      finish(mpi, request);
    }
    break;
  case ABORT: call->abort(call->world, (int)work->count); break;
  case LEAVE: call->finalize(); break;
  }
}

static void *run(void *argument) {
  weir_mpi *mpi = argument;
#ifdef __linux__
  prctl(PR_SET_TIMERSLACK, 1000);
#endif
  int joined = start(mpi), left = 0, polls = 0;
  pthread_mutex_lock(&mpi->lock);
  mpi->joined = joined ? 1 : -1;
  pthread_cond_broadcast(&mpi->idle);
  while (joined && !left) {
    while (!mpi->first && !mpi->flying) pthread_cond_wait(&mpi->wake, &mpi->lock);
    // A sum waits for a free slot, other requests wait for all sums before them, and an abort waits for nothing.
    struct work *work = mpi->first;
    if (work && work->kind != ABORT && mpi->flying > (work->kind == ADD ? FLIGHTS - 1 : 0)) work = NULL;
    if (work) {
      mpi->first = work->next;
      if (!mpi->first) mpi->last = NULL;
    }
    int hurry = mpi->waiting;
    pthread_mutex_unlock(&mpi->lock);

    size_t done = 0;
    if (work) {
      serve(mpi, work);
      done = work->kind != ADD;
      left = work->kind == LEAVE;
    }
    done += (size_t)advance(mpi);
    polls = work || done ? 0 : polls + 1;
    if (polls > 0) rest(polls, hurry);
    free(work);

    pthread_mutex_lock(&mpi->lock);
    mpi->open -= done;
    if (done && mpi->open == 0) pthread_cond_broadcast(&mpi->idle);
  }
  pthread_mutex_unlock(&mpi->lock);
  return NULL;
}

static void destroy(weir_mpi *mpi) {
  pthread_join(mpi->thread, NULL);
  pthread_mutex_destroy(&mpi->lock);
  pthread_cond_destroy(&mpi->wake);
  pthread_cond_destroy(&mpi->idle);
  free(mpi);
}

weir_mpi *weir_mpi_join(char *reason, size_t capacity) {
  // There may be more ranks than cores, so MPI's own waits should yield too.
  setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
  weir_mpi *mpi = calloc(1, sizeof *mpi);
  if (!mpi) return NULL;
  mpi->reason = reason;
  mpi->capacity = capacity;
  pthread_mutex_init(&mpi->lock, NULL);
  pthread_cond_init(&mpi->wake, NULL);
  pthread_cond_init(&mpi->idle, NULL);
  if (pthread_create(&mpi->thread, NULL, run, mpi) != 0) {
    snprintf(reason, capacity, "cannot start a thread for the exchange of gradients");
    free(mpi);
    return NULL;
  }
  pthread_mutex_lock(&mpi->lock);
  while (!mpi->joined) pthread_cond_wait(&mpi->idle, &mpi->lock);
  pthread_mutex_unlock(&mpi->lock);
  if (mpi->joined > 0) return mpi;
  destroy(mpi);
  return NULL;
}

int weir_mpi_rank(const weir_mpi *mpi) { return mpi->rank; }
int weir_mpi_size(const weir_mpi *mpi) { return mpi->size; }

static void ask(weir_mpi *mpi, struct work what) {
  struct work *work = malloc(sizeof *work);
  if (!work) abort();
  *work = what;
  work->next = NULL;
  pthread_mutex_lock(&mpi->lock);
  if (mpi->last) mpi->last->next = work;
  else mpi->first = work;
  mpi->last = work;
  mpi->open++;
  pthread_cond_signal(&mpi->wake);
  pthread_mutex_unlock(&mpi->lock);
}

void weir_mpi_add(weir_mpi *mpi, float *values, size_t count) {
  if (mpi->size > 1 && count > 0) ask(mpi, (struct work){.kind = ADD, .values = values, .count = count});
}

void weir_mpi_wait(weir_mpi *mpi) {
  pthread_mutex_lock(&mpi->lock);
  mpi->waiting = 1;
  while (mpi->open > 0) pthread_cond_wait(&mpi->idle, &mpi->lock);
  mpi->waiting = 0;
  pthread_mutex_unlock(&mpi->lock);
}

void weir_mpi_gather(weir_mpi *mpi, const void *own, size_t bytes, void *all) {
  ask(mpi, (struct work){.kind = GATHER, .values = (void *)own, .count = bytes, .all = all});
  weir_mpi_wait(mpi);
}

void weir_mpi_broadcast(weir_mpi *mpi, void *values, size_t bytes) {
  ask(mpi, (struct work){.kind = BROADCAST, .values = values, .count = bytes});
  weir_mpi_wait(mpi);
}

void weir_mpi_abort(weir_mpi *mpi, int code) {
  // Ahead of requests that wait for a rank that will never answer.
  struct work *work = malloc(sizeof *work);
  if (!work) abort();
  *work = (struct work){.kind = ABORT, .count = (size_t)code};
  pthread_mutex_lock(&mpi->lock);
  work->next = mpi->first;
  mpi->first = work;
  if (!mpi->last) mpi->last = work;
  mpi->open++;
  pthread_cond_signal(&mpi->wake);
  pthread_mutex_unlock(&mpi->lock);
  weir_mpi_wait(mpi);
}

void weir_mpi_leave(weir_mpi *mpi) {
  ask(mpi, (struct work){.kind = LEAVE});
  weir_mpi_wait(mpi);
  destroy(mpi);
}
