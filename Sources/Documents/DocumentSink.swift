import Foundation
import Pipeline
import Storage

/// Writes documents as JSON lines: to a file (`.jsonl` or `.jsonl.zst`), which appears only when complete, or to standard output, as a weir
/// stream with its end marker or as plain lines.
package final class DocumentSink: Sink {
  private let writer: StreamWriter
  package let stages = Stages(SerializeDocuments())

  /// Begins an output.
  /// - Parameters:
  ///   - path: a file, or `-` for standard output.
  ///   - plain: plain JSON lines on standard output, as always on a terminal.
  ///   - threads: threads that compress.
  package init(path: String = "-", plain: Bool = false, threads: Int = 1) throws {
    let isPlain = plain || isatty(STDOUT_FILENO) == 1
    let coding: OutputCoding = path != "-" ? try .of(path: path, lines: true) : isPlain ? .plain : .stream(level: Self.streamLevel)
    writer = try StreamWriter(path, kind: .documents, coding: coding, threads: threads)
  }

  /// The compression level of a stream on standard output: 1; nil into a pipe, which is read as fast as it is written.
  package static var streamLevel: Int? {
    var status = stat()
    return fstat(STDOUT_FILENO, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO ? nil : 1
  }

  package func write(_ documents: SerializedDocuments, accounts: [Account]) throws { try write(documents.bytes, records: documents.count) }

  /// Writes lines of `records` documents.
  package func write(_ bytes: [UInt8], records: Int) throws { try writer.write(bytes, records: records) }

  package func commit() throws -> [Account] {
    try finish()
    return []
  }

  /// Completes the output.
  /// - Returns: the file's name, size and checksum; nil for standard output.
  @discardableResult package func finish() throws -> FileRecord? { try writer.finish() }

  /// Gives the output up: a file does not appear, a stream has no end marker.
  package func discard() { writer.discard() }
}
