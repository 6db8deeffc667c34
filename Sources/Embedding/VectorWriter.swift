import Artifacts
import Dispatch
import Storage
import Synchronization

/// Writes the vectors of a dataset's windows, a block while the next one is made: memory of two blocks.
final class VectorWriter: Sendable {
  private nonisolated(unsafe) let writer: SafetensorsWriter  // by the queue alone
  private let queue = DispatchQueue(label: "vectors")
  private let failure = Mutex<(any Error)?>(nil)

  /// Begins the file of [windows, dimensions] numbers.
  init(_ path: String, windows: Int, dimensions: Int) throws {
    writer = try Self.file(path, windows: windows, dimensions: dimensions)
  }

  /// The same without a block under way.
  static func file(_ path: String, windows: Int, dimensions: Int) throws -> SafetensorsWriter {
    try SafetensorsWriter(path, layout: [("vectors", .F32, [windows, dimensions])], metadata: ["format": WindowVectors.format])
  }

  /// Waits for the block before, then begins to write the next vectors.
  func append(_ block: [Float]) throws {
    try wait()
    queue.async { [self] in
      do {
        try block.withUnsafeBufferPointer { try writer.append($0) }
      } catch {
        failure.withLock { $0 = error }
      }
    }
  }

  /// Makes the file appear.
  func commit() throws -> FileRecord {
    try wait()
    return try writer.commit()
  }

  private func wait() throws {
    queue.sync {}
    if let error = failure.withLock({ $0 }) { throw error }
  }
}
