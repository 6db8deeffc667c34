import Foundation
import Primitives
import Storage

/// A Parquet file as JSON lines, one a row, through the native program `duckdb`: its columns are the members.
///
/// Rows come in the order of the file. What the program says on its standard error is the reason when it fails; a file that it gives
/// up halfway is an error, never a short corpus.
package final class ParquetReader: ByteSource {
  /// The file.
  package let path: String
  private let process = Process()
  private let output = Pipe()
  /// What it says on its standard error: a file, since a pipe that nobody reads blocks it when it says much.
  private let errors: FileHandle
  private var ended = false

  /// Whether a file begins as Parquet does; standard input is not looked at.
  package static func isParquet(_ path: String) -> Bool {
    // A pipe cannot be looked at twice, and Parquet cannot come through one.
    path != "-" && ((try? MappedFile(path).withBytes { $0.starts(with: Array("PAR1".utf8)) }) ?? false)
  }

  /// Starts the program.
  /// - Throws: `WeirError` where it is not on PATH.
  package init(_ path: String) throws {
    self.path = path
    guard let program = Self.find("duckdb") else {
      throw WeirError(
        path, "is Parquet, which is read through the program duckdb, and that is not on PATH",
        remedy: "pip install duckdb-cli, or convert the file to JSON Lines")
    }
    errors = try Self.unnamedFile()
    let literal = "'" + path.replacing("'", with: "''") + "'"
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = [
      "-batch", "-init", "/dev/null", "-c",
      "SET threads = 1; COPY (SELECT * FROM read_parquet(\(literal))) TO '/dev/stdout' (FORMAT json, ARRAY false)",
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    do { try process.run() } catch {
      throw WeirError(path, "duckdb does not start (\(error.localizedDescription))", remedy: "check \(program)")
    }
    try? output.fileHandleForWriting.close()
  }

  deinit { if process.isRunning { process.terminate() } }

  /// Reads up to `buffer.count` bytes of JSON lines; 0 at the end.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    if ended || buffer.count == 0 { return 0 }
    let descriptor = output.fileHandleForReading.fileDescriptor
    while true {
      let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
      if count > 0 { return count }
      if count == 0 { break }
      if errno != EINTR { throw WeirError(path, "duckdb's output cannot be read (\(String(cString: strerror(errno))))") }
    }
    ended = true
    process.waitUntilExit()
    try? errors.seek(toOffset: 0)
    let message = (try? errors.read(upToCount: 4_096)).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) } ?? ""
    guard process.terminationStatus == 0, process.terminationReason == .exit else {
      let line = message.split(separator: "\n").first.map(String.init) ?? "exit code \(process.terminationStatus)"
      throw WeirError(path, "duckdb cannot read it (\(line))", remedy: "check the file; nothing was committed")
    }
    return 0
  }

  /// A temporary file that nobody else can find and that goes with its last descriptor.
  private static func unnamedFile() throws -> FileHandle {
    var name = Array((NSTemporaryDirectory() + "/weir-XXXXXX").utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else { throw systemError(NSTemporaryDirectory(), errno, writing: true) }
    unlink(name)
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  private static func find(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.lazy.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}
