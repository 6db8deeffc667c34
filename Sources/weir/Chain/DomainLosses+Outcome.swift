import Deduplication
import Documents
import Primitives
import Storage

extension DomainLosses {
  private static let shown = 12

  /// Adds the losses to what a command prints: a table of the domains that lost most, and all of them to the report.
  func add(to outcome: inout Outcome) throws {
    let domains = sorted
    var report: JSONValue = ["domains": try JSONValue(encoding: domains)]
    if let by {
      report.set("by", .string(by))
      outcome.note(domains.map(\.name), by: by)
    }
    outcome.report.set("decontamination", report)
    let losers = domains.filter { $0.dropped + $0.cut > 0 }
    guard !losers.isEmpty else { return }
    let hasCuts = losers.contains { $0.cut > 0 }
    let titles = ["domain", "documents", "dropped"] + (hasCuts ? ["cut"] : []) + ["text", "removed"]
    var table = TextTable(titles, right: Set(1..<titles.count))
    for domain in losers.prefix(Self.shown) {
      let share = Int((100 * Double(domain.removedBytes) / Double(max(1, domain.bytes))).rounded())
      table.add(
        [Format.clip(Format.escaped(domain.name), 40), Format.count(domain.documents), Format.count(domain.dropped)]
          + (hasCuts ? [Format.count(domain.cut)] : []) + [Format.bytes(domain.bytes), "\(share) %"])
    }
    outcome.lines += table.lines.map { "  " + $0 }
    if losers.count > Self.shown { outcome.lines.append("  and \(losers.count - Self.shown) more domains; --json lists all") }
    if losers.count < domains.count { outcome.lines.append("  \(domains.count - losers.count) domains lost nothing") }
  }
}

extension Outcome {
  /// Notes that no document has the member that a table is by.
  mutating func note(_ domains: [String], by name: String) {
    if domains == [Document.noDomain] { lines.append("  note: no document has a member \(name), which --by names") }
  }
}
