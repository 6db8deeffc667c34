import Foundation
import Kernels
import Primitives
import Synchronization

/// Ranks that Open MPI's `mpirun` started, as seen by this process. Without `mpirun` there is a single rank.
enum OpenMPI {
  private static let joined = Mutex<Ranks?>(nil)

  private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

  /// The number of ranks.
  static let size = number("OMPI_COMM_WORLD_SIZE") ?? 1

  /// The rank of this process.
  static let rank = number("OMPI_COMM_WORLD_RANK") ?? 0

  /// The default number of threads, so that the ranks on one machine share its processors.
  static var threadsPerRank: Int {
    let available = ProcessInfo.processInfo.activeProcessorCount, localRanks = max(1, number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? 1)
    // If fewer processors are available than the machine has, mpirun has already bound this rank to its share.
    return available < ProcessInfo.processInfo.processorCount ? available : max(1, available / localRanks)
  }

  /// Connects this process to the other ranks; nil for a single rank.
  static func join() throws -> Ranks? {
    if size == 1, let foreignRanks = number("PMI_SIZE"), foreignRanks > 1 {
      throw WeirError("mpirun", "belongs to another MPI implementation", remedy: "use the mpirun of Open MPI")
    }
    guard size > 1 else { return nil }
    do throws(Ranks.JoinFailure) {
      let ranks = try Ranks()
      joined.withLock { $0 = ranks }
      return ranks
    } catch {
      throw WeirError("mpirun", error.reason, remedy: "install Open MPI (Debian: openmpi-bin) or run without mpirun")
    }
  }

  /// Throws if there are several ranks, which would all do the same work.
  static func requireSingleRank() throws {
    guard size > 1 else { return }
    throw WeirError(
      "mpirun", "would repeat the same work \(size) times; only train and finetune run on several ranks", remedy: "run without mpirun")
  }

  /// Disconnects from the other ranks, once all of them call this. Ranks other than 0 exit here, with code 0, so that the exit code of
  /// `mpirun` is that of rank 0.
  static func leave() {
    let ranks = joined.withLock { ranks in
      defer { ranks = nil }
      return ranks
    }
    guard let ranks else { return }
    ranks.leave()
    if !ranks.leads { exit(0) }
  }

  /// Terminates all ranks with the exit code that `report` returns after it has printed the reason; returns if there is a single rank.
  static func abort(_ report: () -> Int32) {
    guard let ranks = joined.withLock({ $0 }) else { return }
    // If all ranks fail for the same reason, rank 0 reports it and terminates the others during their delay.
    if !ranks.leads { usleep(300_000) }
    if Interrupt.isRequested && !ranks.leads { _exit(1) }
    ranks.abort(code: report())
  }
}
