// Open MPI, loaded at run time when the process was started by mpirun and never linked: one binary for machines with and without it.
#pragma once
#include <stddef.h>

/// The connection of this process to its job. One background thread makes every call to MPI.
typedef struct weir_mpi weir_mpi;

/// Joins the job; on failure returns NULL and writes why to `reason`.
weir_mpi *_Nullable weir_mpi_join(char *_Nonnull reason, size_t capacity);
int weir_mpi_rank(const weir_mpi *_Nonnull mpi);
int weir_mpi_size(const weir_mpi *_Nonnull mpi);

/// Starts adding up the floats of all ranks, in place; they must not be touched before `weir_mpi_wait`. Every rank calls it with the same
/// counts in the same order. Each sum is a fixed binary tree over the ranks, so every rank gets the same bits.
void weir_mpi_add(weir_mpi *_Nonnull mpi, float *_Nonnull values, size_t count);
/// Waits for every sum that was started.
void weir_mpi_wait(weir_mpi *_Nonnull mpi);

/// Copies the `own` bytes of every rank to all[rank · bytes …] on all ranks.
void weir_mpi_gather(weir_mpi *_Nonnull mpi, const void *_Nonnull own, size_t bytes, void *_Nonnull all);
/// Copies the bytes of rank 0 to all ranks.
void weir_mpi_broadcast(weir_mpi *_Nonnull mpi, void *_Nonnull values, size_t bytes);

/// Ends every process of the job.
void weir_mpi_abort(weir_mpi *_Nonnull mpi, int code);
/// Leaves the job; waits until all ranks do.
void weir_mpi_leave(weir_mpi *_Nonnull mpi);
