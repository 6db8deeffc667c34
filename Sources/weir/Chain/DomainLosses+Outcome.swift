import Deduplication
import Primitives
import Storage

extension DomainLosses {
  private static let shown = 12

  /// Adds the losses to what a command prints: a table of the domains that lost most, and all of them to the report.
  func add(to outcome: inout Outcome) throws {
    let domains = sorted
    outcome.report.set("decontamination", ["domains": try JSONValue(encoding: domains)])
    let losers = domains.filter { $0.dropped + $0.cut > 0 }
    guard !losers.isEmpty else { return }
    let hasCuts = losers.contains { $0.cut > 0 }
    var rows = [["domain", "documents", "dropped"] + (hasCuts ? ["cut"] : []) + ["text", "removed"]]
    for domain in losers.prefix(Self.shown) {
      let share = Int((100 * Double(domain.removedBytes) / Double(max(1, domain.bytes))).rounded())
      rows.append(
        [Format.clip(domain.name, 40), Format.count(domain.documents), Format.count(domain.dropped)]
          + (hasCuts ? [Format.count(domain.cut)] : []) + [Format.bytes(domain.bytes), "\(share) %"])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = zip(row, widths).enumerated().map { column, cell in
        let blanks = String(repeating: " ", count: cell.1 - cell.0.count)
        return column == 0 ? cell.0 + blanks : blanks + cell.0
      }
      outcome.lines.append("  " + cells.joined(separator: "  "))
    }
    if losers.count > Self.shown { outcome.lines.append("  and \(losers.count - Self.shown) more domains; --json lists all") }
    if losers.count < domains.count { outcome.lines.append("  \(domains.count - losers.count) domains lost nothing") }
  }
}
