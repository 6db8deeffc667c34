import Storage
import Synchronization

/// What stages found beside their accounts: lines for a person, members of the report for a program.
final class Findings: Sendable {
  private let state = Mutex<(lines: [String], report: [String: JSONValue])>(([], [:]))

  /// Adds what a stage found.
  func add(_ name: String, _ report: JSONValue, lines: [String]) {
    state.withLock { state in
      state.lines += lines
      state.report[name] = report
    }
  }

  /// Puts everything into what a command tells.
  func tell(_ outcome: inout Outcome) {
    let (lines, report) = state.withLock { $0 }
    outcome.lines += lines
    for (name, value) in report { outcome.report.set(name, value) }
  }
}
