import CMPI

/// The ranks of a job that was started with `mpirun` of Open MPI, as seen by this one.
///
/// Except for `add`, every call is collective: it returns once all ranks have made it. Results are bitwise identical on all ranks.
package final class Ranks: Sendable {
  private nonisolated(unsafe) let mpi: OpaquePointer
  /// This rank, `0..<count`.
  package let rank: Int
  /// The number of ranks.
  package let count: Int
  /// Whether this rank writes the run folder and reports to the user.
  package var leads: Bool { rank == 0 }

  /// Why a process cannot join its job.
  package struct JoinFailure: Error { package let reason: String }

  /// Joins the job of this process; at most once per process.
  /// - Throws: `JoinFailure` where Open MPI is missing or does not start.
  package init() throws(JoinFailure) {
    var text = [CChar](repeating: 0, count: 512)
    let joined = text.withUnsafeMutableBufferPointer { weir_mpi_join($0.baseAddress!, $0.count) }
    guard let joined else {
      throw JoinFailure(reason: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    mpi = joined
    rank = Int(weir_mpi_rank(joined))
    count = Int(weir_mpi_size(joined))
  }

  /// Starts an in-place sum over the ranks. The floats must not be accessed before `wait`. The order of summation is a fixed binary tree over the
  /// ranks.
  package func add(_ values: UnsafeMutablePointer<Float>, count: Int) { weir_mpi_add(mpi, values, count) }

  /// Waits for all sums that were started.
  package func wait() { weir_mpi_wait(mpi) }

  /// Copies the bytes of rank 0 to all ranks, in place.
  package func broadcast(_ values: UnsafeMutableRawBufferPointer) {
    if let base = values.baseAddress, !values.isEmpty { weir_mpi_broadcast(mpi, base, values.count) }
  }

  /// The bytes of rank 0, whatever their number.
  package func broadcast(_ bytes: [UInt8]) -> [UInt8] {
    var count = UInt64(bytes.count)
    withUnsafeMutableBytes(of: &count) { broadcast($0) }
    var values = leads ? bytes : [UInt8](repeating: 0, count: Int(count))
    values.withUnsafeMutableBytes { broadcast($0) }
    return values
  }

  /// The numbers of all ranks, in rank order; each rank gives equally many.
  package func gather(_ own: [Double]) -> [[Double]] {
    let all = [Double](unsafeUninitializedCapacity: own.count * count) { buffer, filled in
      filled = own.count * count
      guard let base = buffer.baseAddress, filled > 0 else { return }
      base.initialize(repeating: 0, count: filled)
      own.withUnsafeBytes { weir_mpi_gather(mpi, $0.baseAddress!, $0.count, base) }
    }
    return (0..<count).map { Array(all[$0 * own.count..<($0 + 1) * own.count]) }
  }

  /// Terminates all ranks with an exit code.
  package func abort(code: Int32) { weir_mpi_abort(mpi, code) }

  /// Leaves the job together with all ranks. No call may follow.
  package func leave() { weir_mpi_leave(mpi) }
}
