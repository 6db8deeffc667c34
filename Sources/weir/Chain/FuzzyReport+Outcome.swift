import Deduplication
import Primitives
import Storage

extension FuzzyReport {
  /// Adds the report to what a command prints.
  func add(to outcome: inout Outcome) throws {
    outcome.report.set("fuzzy", try JSONValue(encoding: self))
    let sizes = groups.sorted { $0.key < $1.key }
    let shown = sizes.prefix(6).map { "\(Format.count($0.value)) of \(Format.count($0.key))" }
    var line = "  groups: \(shown.isEmpty ? "none" : shown.joined(separator: ", "))"
    if sizes.count > 6 { line += ", …; the largest has \(Format.count(largestGroup)) documents" }
    let percents = recall.filter { Int(($0.similarity * 100).rounded()) % 10 == 0 }.map {
      "\(Int(($0.probability * 1_000).rounded()) / 10) % at \($0.similarity)"
    }
    outcome.lines += [line, "  expected recall by similarity: \(percents.joined(separator: ", "))"]
  }
}
