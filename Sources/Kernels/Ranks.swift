import CMPI

/// The processes of a job that was started under Open MPI's `mpirun`, this one among them.
///
/// All calls but `add` return when every rank has made the same one. Values that come back are the same bits on all ranks.
package final class Ranks: Sendable {
  private nonisolated(unsafe) let mpi: OpaquePointer
  /// This process, 0..<count.
  package let rank: Int
  /// The processes of the job.
  package let count: Int
  /// Whether this is the rank that reads and writes the run's folder and speaks to the user.
  package var leads: Bool { rank == 0 }

  /// The reason why a process cannot join its job.
  package struct JoinFailure: Error {
    /// A clause.
    package let reason: String
  }

  /// Joins the job that this process was started in. Once in a process.
  /// - Throws: `JoinFailure` where there is no Open MPI or it does not start.
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

  /// Begins to add up a block of floats over the ranks, in place; nobody may touch it before `wait`. The sum of a number is a fixed binary
  /// tree over the ranks.
  package func add(_ values: UnsafeMutablePointer<Float>, count: Int) { weir_mpi_add(mpi, values, count) }

  /// Returns when every sum that was begun is there.
  package func wait() { weir_mpi_wait(mpi) }

  /// Rank 0's bytes on all ranks.
  package func broadcast(_ values: UnsafeMutableRawBufferPointer) {
    if let base = values.baseAddress, !values.isEmpty { weir_mpi_broadcast(mpi, base, values.count) }
  }

  /// Rank 0's bytes on all ranks, of any number.
  package func broadcast(_ bytes: [UInt8]) -> [UInt8] {
    var count = UInt64(bytes.count)
    withUnsafeMutableBytes(of: &count) { broadcast($0) }
    var values = leads ? bytes : [UInt8](repeating: 0, count: Int(count))
    values.withUnsafeMutableBytes { broadcast($0) }
    return values
  }

  /// The numbers of all ranks, in their order.
  package func gather(_ own: [Double]) -> [[Double]] {
    let all = [Double](unsafeUninitializedCapacity: own.count * count) { buffer, filled in
      filled = own.count * count
      guard let base = buffer.baseAddress, filled > 0 else { return }
      base.initialize(repeating: 0, count: filled)
      own.withUnsafeBytes { weir_mpi_gather(mpi, $0.baseAddress!, $0.count, base) }
    }
    return (0..<count).map { Array(all[$0 * own.count..<($0 + 1) * own.count]) }
  }

  /// Ends every process of the job with an exit code.
  package func abort(code: Int32) { weir_mpi_abort(mpi, code) }

  /// Leaves the job, when all do; nothing may be called afterwards.
  package func leave() { weir_mpi_leave(mpi) }
}
