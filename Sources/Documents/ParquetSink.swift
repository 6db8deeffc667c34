import Foundation
import Pipeline
import Primitives
import Storage
import Synchronization

/// Writes documents as a Parquet file through the program `duckdb`, which reads them as JSON lines: one row per document, in order, one column
/// per member. The file appears only when it is complete.
///
/// Two threads share it: one writes to the program, one copies what the program writes. Only the latter uses the file before it has ended.
package final class ParquetSink: Sink, @unchecked Sendable {
  package let stages = Stages(SerializeDocuments())
  private let path: String
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private let errors: FileHandle
  private let file: AtomicFile
  /// Copies what `duckdb` writes into the file.
  private var copier: BackgroundThread?
  private let failure = Mutex<WeirError?>(nil)
  private var isInputOpen = true

  /// Starts the program.
  /// - Throws: `WeirError` where it is not on `PATH`, or the file cannot be created.
  package init(path: String, schema: ParquetSchema) throws {
    self.path = path
    guard let program = HelperProgram.find("duckdb") else {
      throw WeirError(
        path, "writing Parquet needs the program duckdb, which is not on PATH", remedy: "pip install duckdb-cli, or write JSON Lines")
    }
    file = try AtomicFile(path)
    errors = try HelperProgram.unnamedFile()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ParquetReader.options + ["SET threads = 1; COPY (\(schema.selection)) TO '/dev/stdout' (\(schema.layout))"]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = errors
    do { try process.run() } catch {
      file.discard()
      throw WeirError(path, "duckdb did not start (\(error.localizedDescription))", remedy: "check \(program)")
    }
    // Otherwise neither side would see that the other one has ended.
    try? input.fileHandleForReading.close()
    try? output.fileHandleForWriting.close()
    copier = BackgroundThread { [self] in copy() }
    if copier == nil {
      discard()
      throw WeirError(path, "the system refuses a thread", remedy: "raise the limits (ulimit -u, ulimit -v)")
    }
  }

  private func copy() {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Files.pieceBytes, alignment: 64)
    defer { buffer.deallocate() }
    do {
      while true {
        let count = Foundation.read(output.fileHandleForReading.fileDescriptor, buffer.baseAddress, buffer.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { throw WeirError(path, "cannot read the output of duckdb (\(String(cString: strerror(errno))))") }
        if count == 0 { return }
        try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
    } catch {
      failure.withLock { $0 = error as? WeirError ?? WeirError(path, "\(error)") }
      process.terminate()
    }
  }

  package func write(_ documents: SerializedDocuments, accounts: [Account]) throws {
    let descriptor = input.fileHandleForWriting.fileDescriptor
    try documents.bytes.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
        let count = Foundation.write(descriptor, base, rest.count)
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if errno != EINTR {
          // The program has ended: it says why.
          try finish()
          throw WeirError(path, "duckdb ended before the documents did")
        }
      }
    }
  }

  package func commit() throws -> [Account] {
    try finish()
    _ = try file.commit()
    return []
  }

  /// Waits for the end of the program.
  /// - Throws: `WeirError` where it failed, or its output could not be written.
  private func finish() throws {
    close()
    copier?.join()
    process.waitUntilExit()
    if let failure = failure.withLock({ $0 }) { throw failure }
    if let complaint = HelperProgram.complaint(of: process, errors) {
      throw WeirError(path, "duckdb cannot write the file (\(complaint))", remedy: "write JSON Lines; no output was written")
    }
  }

  private func close() {
    if isInputOpen { try? input.fileHandleForWriting.close() }
    isInputOpen = false
  }

  package func discard() {
    if process.isRunning { process.terminate() }
    close()
    copier?.join()
    process.waitUntilExit()
    file.discard()
  }
}
