import Foundation
import Pipeline
import Primitives
import Synchronization

/// Renders progress on standard error: a bar with rate and time left on a terminal, an occasional line otherwise.
final class ProgressBar: Sendable {
  private struct State {
    var started = Date()
    var first: Double?
    var shown = Date.distantPast
    var visible = false
    var phase = ""
  }

  private let label: String
  private let quiet: Bool
  private let state = Mutex(State())

  init(label: String, quiet: Bool) {
    self.label = label
    self.quiet = quiet
  }

  /// The callbacks for library code.
  var progress: Progress { Progress(report: { [self] in show($0) }, stopping: { Interrupt.isRequested }, notice: { [self] in say($0) }) }

  private func show(_ event: Progress.Event) {
    guard !quiet else { return }
    state.withLock { state in
      let now = Date()
      if event.phase != state.phase { (state.phase, state.started, state.first) = (event.phase, now, nil) }
      guard now.timeIntervalSince(state.shown) >= (Terminal.isInteractive ? 0.1 : 10) else { return }
      // The rate counts from the first event, because a resumed run starts beyond zero.
      let first = state.first ?? event.done
      if state.first == nil { state.first = first }
      let seconds = now.timeIntervalSince(state.started)
      if !Terminal.isInteractive && seconds < 5 { return }
      state.shown = now
      let line = Self.line(
        label: event.phase.isEmpty ? label : event.phase, event: event, first: first, seconds: seconds, columns: Terminal.columns)
      Terminal.isInteractive ? Terminal.redraw(line) : Terminal.write(line + "\n")
      state.visible = Terminal.isInteractive
    }
  }

  /// Prints a line above the bar.
  private func say(_ line: String) {
    guard !quiet else { return }
    clear()
    Terminal.write("weir: \(line)\n")
  }

  static func line(label: String, event: Progress.Event, first: Double, seconds: Double, columns: Int) -> String {
    let rate = seconds > 0 ? (event.done - first) / seconds : 0
    var parts: [String] = []
    if let total = event.total, total > 0 {
      let share = min(1, max(0, event.done / total))
      let width = 24
      let full = Int((share * Double(width)).rounded(.down))
      parts.append(String(repeating: "█", count: full) + String(repeating: "░", count: width - full))
      parts.append(String(format: "%3.0f %%", share * 100))
    } else {
      parts.append(amount(event.done, event.unit))
    }
    if rate > 0 { parts.append(amount(rate, event.unit, perSecond: true)) }
    if let total = event.total, rate > 0, total > event.done { parts.append("\(Format.duration((total - event.done) / rate)) left") }
    if !event.detail.isEmpty { parts.append(event.detail) }
    return String("  \(label)  \(parts.joined(separator: "  "))".prefix(max(20, columns - 1)))
  }

  /// `2.5 MB/s`, `12.3 k tokens/s`: a symbol takes the prefix, a word does not.
  private static func amount(_ value: Double, _ unit: String, perSecond: Bool = false) -> String {
    let per = perSecond ? "/s" : ""
    return unit == "bytes" ? Format.short(value, unit: "B" + per, isRough: perSecond) : "\(Format.short(value)) \(unit)\(per)"
  }

  /// Erases the bar from the terminal.
  func clear() {
    state.withLock { state in
      if state.visible { Terminal.redraw() }
      state.visible = false
    }
  }
}
