import Artifacts
import Pipeline
import Storage
import Synchronization

/// Writes window vectors, one block while the next is computed. Memory for two blocks.
final class VectorWriter: Sendable {
  private nonisolated(unsafe) let writer: SafetensorsWriter  // by one thread at a time
  private nonisolated(unsafe) var thread: BackgroundThread?  // by the caller alone
  private let failure = Mutex<(any Error)?>(nil)

  /// Creates a file of [windows, dimensions] numbers.
  init(_ path: String, windows: Int, dimensions: Int) throws { writer = try Self.file(path, windows: windows, dimensions: dimensions) }

  /// Creates the file without writing in the background.
  static func file(_ path: String, windows: Int, dimensions: Int) throws -> SafetensorsWriter {
    try SafetensorsWriter(
      path, layout: [("vectors", .F32, [windows, dimensions])], metadata: ["format": WindowVectors.format], hashesBlocks: true)
  }

  /// Waits for the previous block, then starts writing the next vectors.
  func append(_ block: [Float]) throws {
    try wait()
    let write: @Sendable () -> Void = { [self] in
      do { try block.withUnsafeBufferPointer { try writer.append($0) } } catch { failure.withLock { $0 = error } }
    }
    thread = BackgroundThread(write)
    if thread == nil { write() }
  }

  /// Waits for the last block and commits the file.
  func commit() throws -> FileRecord {
    try wait()
    return try writer.commit()
  }

  private func wait() throws {
    thread?.join()
    thread = nil
    if let error = failure.withLock({ $0 }) { throw error }
  }
}
