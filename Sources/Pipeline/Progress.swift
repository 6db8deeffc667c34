import Primitives

/// How long-running work reports its progress and learns that it should stop. Libraries never print; a command renders.
package struct Progress: Sendable {
  package struct Event: Sendable {
    /// Units done.
    package var done: Double
    /// All units; nil where that is not known.
    package var total: Double?
    /// What is counted: `documents`, `bytes`, `tokens`, ….
    package var unit: String
    /// A few words more, such as the loss.
    package var detail: String
    /// The part of the work that is counted, such as one of several training runs; empty if there is only one.
    package var phase: String
  }

  private let report: @Sendable (Event) -> Void
  private let stopping: @Sendable () -> Bool
  private let notice: @Sendable (String) -> Void
  private var phase = ""

  /// - Parameters:
  ///   - report: receives events.
  ///   - stopping: whether the work should stop.
  ///   - notice: receives lines for the user.
  package init(
    report: @escaping @Sendable (Event) -> Void, stopping: @escaping @Sendable () -> Bool = { false },
    notice: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.report = report
    self.stopping = stopping
    self.notice = notice
  }

  /// Ignores everything and never stops.
  package static let silent = Progress(report: { _ in })

  package func update(_ done: Double, of total: Double? = nil, unit: String, detail: String = "") {
    report(Event(done: done, total: total, unit: unit, detail: detail, phase: phase))
  }

  /// The same progress for one part of the work.
  package func phase(_ name: String) -> Progress {
    var progress = self
    progress.phase = name
    return progress
  }

  /// Sends the user one line about something that does not stop the work, such as a warning or a skipped step.
  package func note(_ line: String) { notice(line) }

  /// Whether the user asked to stop (Ctrl-C, SIGTERM).
  package var isStopping: Bool { stopping() }

  /// - Throws: `Stopped` where the user asked to stop.
  package func checkStop() throws { if stopping() { throw Stopped() } }
}
