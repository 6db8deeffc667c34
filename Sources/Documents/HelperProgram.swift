import Foundation
import Primitives
import Storage

/// Programs that do what would need a heavy library, such as `duckdb` for Parquet.
enum HelperProgram {
  /// The path of a program on `PATH`; nil where there is none.
  static func find(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.lazy.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// A temporary file without a name, which disappears when it is closed. For standard error: a pipe that is not read would block a program that
  /// prints much.
  static func unnamedFile() throws -> FileHandle {
    var name = Array((NSTemporaryDirectory() + "/weir-XXXXXX").utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else { throw systemError(NSTemporaryDirectory(), errno, writing: true) }
    unlink(name)
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// Runs a program to its end.
  /// - Parameter input: what it reads from standard input, less than a pipe holds.
  /// - Returns: what it printed on standard output, and what `complaint` says.
  /// - Throws: `WeirError` where it does not start; `Stopped` on a request to stop, which ends the program.
  static func run(
    _ program: String, _ arguments: [String], input: [UInt8] = [], place: String
  ) throws -> (output: [UInt8], complaint: String?) {
    let process = Process(), output = Pipe(), errors = try unnamedFile()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let feed = Pipe()
    process.standardInput = feed
    process.standardOutput = output
    process.standardError = errors
    do { try process.run() } catch {
      throw WeirError(place, "\(program) did not start (\(error.localizedDescription))", remedy: "check the program")
    }
    try? output.fileHandleForWriting.close()
    try? feed.fileHandleForReading.close()
    // A program that does not read its input has a reason, which it tells.
    try? feed.fileHandleForWriting.write(contentsOf: Data(input))
    try? feed.fileHandleForWriting.close()
    var bytes: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Files.pieceBytes, alignment: 64)
    defer { buffer.deallocate() }
    do {
      while case let count = try StopRequest.read(output.fileHandleForReading.fileDescriptor, into: buffer, path: place), count > 0 {
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
    } catch {
      process.terminate()
      process.waitUntilExit()
      throw error
    }
    process.waitUntilExit()
    return (bytes, complaint(of: process, errors))
  }

  /// The first line that a program printed to `errors`, or how it ended; nil where it succeeded.
  static func complaint(of process: Process, _ errors: FileHandle) -> String? {
    if process.terminationStatus == 0, process.terminationReason == .exit { return nil }
    try? errors.seek(toOffset: 0)
    let message = (try? errors.read(upToCount: 4_096)).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) } ?? ""
    let how = process.terminationReason == .exit ? "exit code" : "signal"
    return message.split(separator: "\n").first.map(String.init) ?? "\(how) \(process.terminationStatus)"
  }
}
