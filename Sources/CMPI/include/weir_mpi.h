// Open MPI, found when a process is started under mpirun and never linked: one binary for machines with it and without.
#pragma once
#include <stddef.h>

/// What the processes of one job share. One thread of ours makes every call to MPI.
typedef struct weir_mpi weir_mpi;

/// Joins the job; NULL with a reason in `reason` where that fails.
weir_mpi *_Nullable weir_mpi_join(char *_Nonnull reason, size_t capacity);
int weir_mpi_rank(const weir_mpi *_Nonnull mpi);
int weir_mpi_size(const weir_mpi *_Nonnull mpi);

/// Begins to add the floats of all ranks, in place; they must not be touched before `weir_mpi_wait`. Every rank calls it for the same
/// counts in the same order. The sum of a number is a fixed binary tree over the ranks, the same bits on each of them.
void weir_mpi_add(weir_mpi *_Nonnull mpi, float *_Nonnull values, size_t count);
/// Returns when every sum that was begun is there.
void weir_mpi_wait(weir_mpi *_Nonnull mpi);

/// all[rank · bytes …] ← each rank's `own`.
void weir_mpi_gather(weir_mpi *_Nonnull mpi, const void *_Nonnull own, size_t bytes, void *_Nonnull all);
/// Rank 0's bytes to all.
void weir_mpi_broadcast(weir_mpi *_Nonnull mpi, void *_Nonnull values, size_t bytes);

/// Ends every process of the job.
void weir_mpi_abort(weir_mpi *_Nonnull mpi, int code);
/// Leaves the job, when all do.
void weir_mpi_leave(weir_mpi *_Nonnull mpi);
