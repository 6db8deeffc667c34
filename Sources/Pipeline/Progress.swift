/// Where long work tells how far it is, and asks whether it is to stop. Libraries never print; a command renders.
package struct Progress: Sendable {
  /// How far the work is.
  package struct Event: Sendable {
    /// Units done.
    package var done: Double
    /// Units in all; nil where nobody knows.
    package var total: Double?
    /// What is counted: `documents`, `bytes`, `tokens`, ….
    package var unit: String
    /// A few words more, such as the loss.
    package var detail: String
  }

  private let report: @Sendable (Event) -> Void
  private let stopping: @Sendable () -> Bool
  private let notice: @Sendable (String) -> Void

  /// Creates a progress that reports to `report`, stops when `stopping` says so, and hands on to `notice` what a person should know.
  package init(
    report: @escaping @Sendable (Event) -> Void, stopping: @escaping @Sendable () -> Bool = { false },
    notice: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.report = report
    self.stopping = stopping
    self.notice = notice
  }

  /// A progress that nobody watches.
  package static let silent = Progress(report: { _ in })

  /// Says how far the work is.
  package func update(_ done: Double, of total: Double? = nil, unit: String, detail: String = "") {
    report(Event(done: done, total: total, unit: unit, detail: detail))
  }

  /// Tells a person of something that goes on without them, such as a step that was passed over; one line.
  package func note(_ line: String) { notice(line) }

  /// Whether the user asked to stop (Ctrl-C, SIGTERM).
  package var isStopping: Bool { stopping() }

  /// Throws `Stopped` when the user asked to stop.
  package func checkStop() throws {
    if stopping() { throw Stopped() }
  }
}

/// The user asked to stop; what was committed stays, the next run goes on from there.
package struct Stopped: Error, CustomStringConvertible {
  /// Creates the error.
  package init() {}
  /// One line.
  package var description: String { "stopped; run the same command again to go on" }
}
