import Deduplication
import Primitives
import Storage

extension HoldoutReport {
  private static let shown = 12

  /// Adds the report to what a command prints.
  func add(to outcome: inout Outcome) throws {
    outcome.report.set("holdout", try JSONValue(encoding: self))
    guard let by else { return }
    outcome.note(domains.map(\.name), by: by)
    var table = TextTable([by == "file" ? "file" : "domain", "documents", "held out"], right: [1, 2])
    let largest = domains.sorted { ($1.documents, $0.name) < ($0.documents, $1.name) }
    for domain in largest.prefix(Self.shown) {
      table.add(Format.clip(Format.escaped(domain.name), 40), Format.count(domain.documents), Format.count(domain.heldOut))
    }
    outcome.lines += table.lines.map { "  " + $0 }
    if largest.count > Self.shown { outcome.lines.append("  and \(largest.count - Self.shown) more domains; --json lists all") }
  }
}
