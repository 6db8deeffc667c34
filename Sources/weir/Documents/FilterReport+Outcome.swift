import Filtering
import Primitives
import Storage

extension FilterReport {
  /// Adds the report to what a command prints.
  func add(to outcome: inout Outcome) throws {
    // A chain may filter twice.
    var reports: [JSONValue] = []
    if case .array(let earlier)? = outcome.report["filters"] { reports = earlier }
    outcome.report.set("filters", .array(reports + [try JSONValue(encoding: self)]))
    outcome.note(domains.map(\.name), by: by)
    guard dropped > 0 else { return }
    outcome.lines.append(
      "  dropped by rule and \(by == "file" ? by : "by " + by), the first rule that a document breaks; --set RULE=VALUE moves a threshold:")
    outcome.lines += lossTable.lines.map { "    " + $0 }
    let samples = rules.flatMap { rule in rule.samples.map { line($0, of: rule) } }
    if !samples.isEmpty { outcome.lines += ["  a sample of what was dropped:"] + samples.map { "    " + $0 } }
  }

  /// The most domains with a column of their own.
  private static let columns = 6

  private var lossTable: TextTable {
    // One column more costs no more than a column for one other domain.
    let shown = domains.count == Self.columns + 1 ? domains : Array(domains.prefix(Self.columns))
    let rest = domains.dropFirst(shown.count)
    func row(_ name: String, _ limit: String, _ total: Int, _ count: (Domain) -> Int) -> [String] {
      let others = rest.isEmpty ? [] : [Format.count(rest.reduce(0) { $0 + count($1) })]
      return [name, limit, Format.count(total)] + (domains.count > 1 ? shown.map { Format.count(count($0)) } + others : [])
    }
    let names = domains.count > 1 ? Self.titles(of: shown.map(\.name)) + (rest.isEmpty ? [] : ["\(rest.count) others"]) : []
    var table = TextTable(["rule", "threshold", "all"] + names, right: Set(2..<3 + names.count))
    table.add(row("documents", "", documents) { $0.documents })
    for rule in rules { table.add(row(rule.name, rule.threshold, rule.dropped) { rule.byDomain[$0.name] ?? 0 }) }
    table.add(
      row("kept", Format.percent(Double(documents - dropped) / Double(max(1, documents)), 1), documents - dropped) {
        $0.documents - $0.dropped
      })
    return table
  }

  /// The last components of paths where they tell them apart, shortened at the front.
  private static func titles(of names: [String]) -> [String] {
    let short = names.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
    return (Set(short).count == names.count ? short : names).map { $0.count > 24 ? "…" + $0.suffix(23) : $0 }
  }

  private func line(_ sample: Sample, of rule: Rule) -> String {
    let measured = sample.measured.map { " (\(Format.significant($0)); \(rule.threshold))" } ?? ""
    return "\(rule.name)\(measured) \(sample.origin): \(Format.clip(sample.text, 60))"
  }
}

extension FilterReport.Rule {
  /// `at least 50`, `at most 0.2`; empty for a rule without a threshold.
  var threshold: String {
    if let minimum { return "at least \(Format.significant(minimum))" }
    return maximum.map { "at most \(Format.significant($0))" } ?? ""
  }
}
