import Foundation
import Primitives
import Storage

/// An append-only JSON Lines file with a step number in every line. When a run resumes, it is truncated to the checkpoint's step, so that
/// an interrupted run leaves the same lines.
final class RunLog {
  private let path: String
  private let handle: FileHandle?

  /// Creates a log that discards everything, for ranks other than the root.
  init() {
    path = ""
    handle = nil
  }

  /// Opens a file and removes every line after `step`.
  /// - Parameters:
  ///   - path: the file.
  ///   - step: the last step whose lines are kept.
  ///   - rollbacks: rollbacks to record; the lines of earlier ones in the file are replaced.
  init(_ path: String, through step: Int, rollbacks: [RollbackRecord] = []) throws {
    self.path = path
    var kept: [UInt8] = []
    var rest = rollbacks[...]
    func insert(before next: Int) throws {
      while let rollback = rest.first, rollback.step < next {
        kept += try JSONFile.encode(rollback) + [0x0A]
        rest.removeFirst()
      }
    }
    if Files.exists(path) {
      struct Line: Codable {
        var step: Int
        var event: String?
      }
      for line in try Files.read(path).split(separator: 0x0A) {
        // A line that does not parse was cut off when the run was killed.
        guard let entry = try? JSONDecoder().decode(Line.self, from: Data(line)), entry.step <= step else { break }
        guard entry.event == nil else { continue }
        try insert(before: entry.step)
        kept += line + [0x0A]
      }
    }
    try insert(before: Int.max)
    try Files.write(kept, to: path)
    guard let handle = FileHandle(forUpdatingAtPath: path) else { throw WeirError(path, "cannot be opened for writing") }
    self.handle = handle
    try handle.seekToEnd()
  }

  deinit { try? handle?.close() }

  /// Appends a line of JSON.
  func append(_ line: String) throws {
    do { try handle?.write(contentsOf: Data((line + "\n").utf8)) } catch {
      throw WeirError(path, "cannot be written", remedy: "check that the disk is not full")
    }
  }

  /// Flushes the lines to disk.
  func synchronize() throws {
    do { try handle?.synchronize() } catch { throw WeirError(path, "cannot be written", remedy: "check that the disk is not full") }
  }

  /// Decodes every line of a file.
  static func records<T: Decodable>(_ type: T.Type, _ path: String) throws -> [T] {
    try ChecksumList.check(path)
    return try Files.read(path).split(separator: 0x0A).enumerated().map { index, line in
      try JSONFile.decode(type, from: Array(line), place: "\(path):\(index + 1)")
    }
  }
}
