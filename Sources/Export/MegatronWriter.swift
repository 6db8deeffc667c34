import Primitives
import Storage
import Tokens

/// Writes Megatron-LM's `.bin` and `.idx` pairs, one sequence per sample.
final class MegatronWriter: ExportWriter {
  private let folder: String
  private let tokenBytes: Int
  private let shardTokens: Int
  private var file: AtomicFile?
  private var buffer: [UInt8] = []
  private var lengths: [Int32] = []
  /// Tokens in the current file.
  private var tokens = 0
  private var files = 0
  private var bytes = 0

  init(_ folder: String, tokenBytes: Int, shardTokens: Int) {
    self.folder = folder
    self.tokenBytes = tokenBytes
    self.shardTokens = shardTokens
  }

  private var path: String { folder + "/part-" + String(100_000 + files).dropFirst() }

  func append(_ sample: ExportSample) throws {
    if tokens >= shardTokens { try close() }
    guard let length = Int32(exactly: sample.tokens.count) else {
      throw WeirError(sample.id, "has \(sample.tokens.count) tokens, more than a Megatron index can count", remedy: "split the document")
    }
    if file == nil { file = try AtomicFile(path + ".bin") }
    sample.tokens.append(to: &buffer, tokenBytes: tokenBytes)
    lengths.append(length)
    tokens += sample.tokens.count
    if buffer.count >= 1 << 20 { try flush() }
  }

  private func flush() throws {
    try file?.write(buffer)
    buffer.removeAll(keepingCapacity: true)
  }

  private func close() throws {
    guard let file else { return }
    try flush()
    bytes += try file.commit().bytes
    let index = MegatronIndex.encode(lengths: lengths, tokenBytes: tokenBytes)
    try Files.write(index, to: path + ".idx")
    bytes += index.count
    self.file = nil
    lengths.removeAll(keepingCapacity: true)
    tokens = 0
    files += 1
  }

  func finish() throws -> (files: Int, bytes: Int, left: Int) {
    try close()
    return (files, bytes, 0)
  }
}
