import Foundation
import Primitives
import Storage

/// Reads a Parquet file as JSON lines through the program `duckdb`: one line per row, one member per column, in the order of the file.
///
/// When the program fails, even halfway, reading throws an error with what it printed on standard error.
package final class ParquetReader: ByteSource {
  package let path: String
  private let process = Process()
  private let output = Pipe()
  /// Its standard error: a file, since a pipe that is not read would block the program when it prints much.
  private let errors: FileHandle
  private var ended = false

  /// Whether a file begins like Parquet; false for standard input.
  package static func isParquet(_ path: String) -> Bool {
    // Reading would consume the beginning of a pipe, and Parquet files are not read from pipes.
    path != "-" && ((try? MappedFile(path).withBytes { $0.starts(with: Array("PAR1".utf8)) }) ?? false)
  }

  /// Starts the program.
  /// - Parameter name: what the file is called in errors, where that is not its path.
  /// - Throws: `WeirError` where it is not on `PATH`.
  package init(_ file: String, name: String? = nil) throws {
    path = name ?? file
    guard let program = HelperProgram.find("duckdb") else {
      throw WeirError(
        path, "reading Parquet needs the program duckdb, which is not on PATH",
        remedy: "pip install duckdb-cli, or convert the file to JSON Lines")
    }
    errors = try HelperProgram.unnamedFile()
    let literal = "'" + file.replacing("'", with: "''") + "'"
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments =
      Self.options + [
        "SET threads = 1; COPY (\(Self.selection(of: literal, program: program))) TO '/dev/stdout' (FORMAT json, ARRAY false)"
      ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    do { try process.run() } catch {
      throw WeirError(path, "duckdb did not start (\(error.localizedDescription))", remedy: "check \(program)")
    }
    try? output.fileHandleForWriting.close()
  }

  /// Options of `duckdb` before the statement.
  static let options = ["-batch", "-init", "/dev/null", "-c"]

  /// Columns of bytes are text that an older writer did not mark as such, where they are valid UTF-8.
  private static func selection(of literal: String, program: String) -> String {
    let all = "SELECT * FROM read_parquet(\(literal))"
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments =
      options.dropLast() + ["-noheader", "-list", "-c", "SELECT column_name FROM (DESCRIBE \(all)) WHERE column_type = 'BLOB'"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    // Reading the file will tell what is wrong with it.
    guard (try? process.run()) != nil else { return all }
    let names = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n")
    process.waitUntilExit()
    guard process.terminationStatus == 0, !names.isEmpty else { return all }
    let columns = names.map { name in
      let quoted = "\"" + name.replacing("\"", with: "\"\"") + "\""
      return "coalesce(try(decode(\(quoted))), \(quoted)::VARCHAR) AS \(quoted)"
    }
    return all.replacing("SELECT *", with: "SELECT * REPLACE (\(columns.joined(separator: ", ")))")
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
      if errno != EINTR { throw WeirError(path, "cannot read the output of duckdb (\(String(cString: strerror(errno))))") }
    }
    ended = true
    process.waitUntilExit()
    if let complaint = HelperProgram.complaint(of: process, errors) {
      throw WeirError(path, "duckdb cannot read the file (\(complaint))", remedy: "check the file; no output was written")
    }
    return 0
  }
}
