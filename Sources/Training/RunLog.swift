import Foundation
import Primitives
import Storage

/// An append-only JSON Lines file with a step number in every line. When a run resumes, it is truncated to the checkpoint's step, so that
/// an interrupted run leaves the same lines.
final class RunLog {
  private let path: String
  private let file: AppendedFile?
  /// Steps whose lines were kept when the log was opened.
  private(set) var keptSteps = 0

  /// Creates a log that discards everything, for ranks other than the root.
  init() {
    path = ""
    file = nil
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
      for line in try Files.readWhole(path, limit: .max).split(separator: 0x0A) {
        // A line that does not parse was cut off when the run was killed.
        guard let entry = try? JSONDecoder().decode(Line.self, from: Data(line)), entry.step <= step else { break }
        guard entry.event == nil else { continue }
        try insert(before: entry.step)
        kept += line + [0x0A]
        keptSteps += 1
      }
    }
    try insert(before: Int.max)
    try Files.write(kept, to: path)
    file = try AppendedFile(path)
  }

  /// Appends a line of JSON.
  func append(_ line: String) throws { try file?.append(Array((line + "\n").utf8)) }

  /// Flushes the lines to disk.
  func synchronize() throws { try file?.synchronize() }

  /// Decodes every line of a file.
  static func records<T: Decodable>(_ type: T.Type, _ path: String) throws -> [T] {
    try ChecksumList.check(path)
    return try Files.readWhole(path, limit: .max).split(separator: 0x0A).enumerated().map { index, line in
      try JSONFile.decode(type, from: Array(line), place: "\(path):\(index + 1)")
    }
  }
}
