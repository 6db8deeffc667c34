import Foundation
import Primitives
import Storage

/// Where serialized documents go: a file (`.jsonl`, `.jsonl.zst`; all or nothing) or standard output (a weir stream with its proof of
/// completeness; plain JSON lines on a terminal or where asked for).
package final class DocumentSink {
  private let writer: StreamWriter

  /// Begins an output.
  /// - Parameters:
  ///   - path: a file, or `-` for standard output.
  ///   - plain: plain JSON lines on standard output.
  ///   - kind: what the records are.
  ///   - level: the compression level; nil = `streamLevel` on standard output, 3 in files.
  ///   - threads: threads that compress.
  package init(path: String = "-", plain: Bool = false, kind: StreamKind = .documents, level: Int? = nil, threads: Int = 1) throws {
    let coding: OutputCoding
    if path == "-" {
      coding = plain || isatty(STDOUT_FILENO) == 1 ? .plain : .stream(level: level ?? Self.streamLevel)
    } else {
      coding = try .of(path: path, level: level ?? 3)
    }
    writer = try StreamWriter(path, kind: kind, coding: coding, threads: threads)
  }

  /// The level of a stream on standard output: 1; nil into a pipe, which is read as fast as it is written.
  package static var streamLevel: Int? {
    var status = stat()
    return fstat(STDOUT_FILENO, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO ? nil : 1
  }

  /// Writes bytes that hold `records` records.
  package func write(_ bytes: [UInt8], records: Int) throws { try writer.write(bytes, records: records) }

  /// Records written so far.
  package var records: Int { writer.records }
  /// Bytes written so far, before compression.
  package var bytes: Int { writer.bytes }

  /// Completes the output.
  /// - Returns: the file's name, size and checksum; nil for standard output.
  @discardableResult package func finish() throws -> FileRecord? { try writer.finish() }

  /// Gives the output up: a file does not appear, a stream has no proof.
  package func discard() { writer.discard() }
}
