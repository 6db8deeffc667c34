import Foundation
import Primitives
import Storage

/// A line-a-step JSON Lines file that is cut back to a step when a run resumes, so that an interrupted run leaves the same lines.
final class RunLog {
  private let path: String
  private let handle: FileHandle?

  /// Creates a log that keeps nothing: that of a rank which does not lead.
  init() {
    path = ""
    handle = nil
  }

  /// Opens the file and drops every line after `step`.
  /// - Parameters:
  ///   - path: the file.
  ///   - step: the last step whose lines stay.
  ///   - incidents: what was gone back over; each gets a line after that of the step it went back to, whatever the file had.
  init(_ path: String, through step: Int, incidents: [LossGuard.Incident] = []) throws {
    self.path = path
    var kept: [UInt8] = []
    var rest = incidents[...]
    func insert(before next: Int) throws {
      while let incident = rest.first, incident.place < next {
        kept += try JSONFile.encode(incident.line) + [0x0A]
        rest.removeFirst()
      }
    }
    if Files.exists(path) {
      struct Line: Codable {
        var step: Int
        var event: String?
      }
      for line in try Files.read(path).split(separator: 0x0A) {
        guard let entry = try? JSONDecoder().decode(Line.self, from: Data(line)), entry.step <= step else { break }
        guard entry.event == nil else { continue }
        try insert(before: entry.step)
        kept += line + [0x0A]
      }
    }
    try insert(before: Int.max)
    try Files.write(kept, to: path)
    guard let handle = FileHandle(forUpdatingAtPath: path) else { throw WeirError(path, "cannot be written") }
    self.handle = handle
    try handle.seekToEnd()
  }

  deinit { try? handle?.close() }

  func append(_ members: [(String, String)]) throws {
    let line = "{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}\n"
    do { try handle?.write(contentsOf: Data(line.utf8)) } catch { throw WeirError(path, "cannot be written", remedy: "is the disk full?") }
  }

  /// Makes sure that the lines are on disk.
  func synchronize() throws {
    do { try handle?.synchronize() } catch { throw WeirError(path, "cannot be written", remedy: "is the disk full?") }
  }

  /// A number as JSON: the shortest that reads back the same, null where there is none.
  static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

  /// Seconds and rates, which nobody compares.
  static func rounded(_ value: Double) -> String { String(format: "%.4g", value) }
}
