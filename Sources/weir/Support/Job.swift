import Foundation
import Kernels
import Primitives
import Synchronization

/// The job that `mpirun` started this process in.
enum Job {
  private static let joined = Mutex<Ranks?>(nil)

  private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

  /// The processes that were started together, by what Open MPI tells each of them; 1 without it.
  static let size = number("OMPI_COMM_WORLD_SIZE") ?? 1

  /// What this process is among them.
  static let rank = number("OMPI_COMM_WORLD_RANK") ?? 0

  /// Threads for each process, so that those of a machine share its processors.
  static var threads: Int {
    let free = ProcessInfo.processInfo.activeProcessorCount, neighbours = max(1, number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? 1)
    // Fewer than there are: mpirun has already divided them.
    return free < ProcessInfo.processInfo.processorCount ? free : max(1, free / neighbours)
  }

  /// Joins the job; nil where this process is alone.
  static func join() throws -> Ranks? {
    if size == 1, let strangers = number("PMI_SIZE"), strangers > 1 {
      throw WeirError("mpirun", "is not that of Open MPI", remedy: "start it with Open MPI's mpirun")
    }
    guard size > 1 else { return nil }
    do throws(Ranks.JoinFailure) {
      let ranks = try Ranks()
      joined.withLock { $0 = ranks }
      return ranks
    } catch {
      throw WeirError("mpirun", error.reason, remedy: "install Open MPI (Debian: openmpi-bin) or start without mpirun")
    }
  }

  /// Throws where several processes would do the same work.
  static func requireOne() throws {
    guard size > 1 else { return }
    throw WeirError(
      "mpirun", "would do the same work \(size) times; only train and finetune divide it among processes", remedy: "start it once")
  }

  /// Leaves the job, when all do. Ranks that do not lead end here, with 0 so that `mpirun` lets rank 0 say how it went.
  static func leave() {
    let ranks = joined.withLock { ranks in
      defer { ranks = nil }
      return ranks
    }
    guard let ranks else { return }
    ranks.leave()
    if !ranks.leads { exit(0) }
  }

  /// Ends all processes of the job, after `report` has said why; returns where there is no job.
  static func abort(_ report: () -> Int32) {
    guard let ranks = joined.withLock({ $0 }) else { return }
    // Where all ranks fail for one reason, the first one says so and takes the others along.
    if !ranks.leads { usleep(300_000) }
    if Interrupt.isRequested && !ranks.leads { _exit(1) }
    ranks.abort(code: report())
  }
}
