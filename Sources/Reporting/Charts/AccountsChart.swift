/// The way of the data: a bar for every stage, as long as what came in; what goes on flows into the next stage's bar, what was
/// dropped or quarantined ends at the right with its reasons. Stages that count another unit start a new flow.
package struct AccountsChart: Chart {
  package let id = "chart-accounts"
  package let title = "Records through the stages"
  let accounts: [RunSummary.Account]

  /// Creates the chart; nil where no account has counts.
  package init?(_ accounts: [RunSummary.Account]) {
    self.accounts = accounts.filter { ($0.input ?? 0) > 0 }
    if self.accounts.isEmpty { return nil }
  }

  /// Flows: runs of stages of which each takes what the one before gave.
  private var flows: [Range<Int>] {
    var flows: [Range<Int>] = []
    var first = 0
    for index in 1...accounts.count where index == accounts.count || accounts[index].input != accounts[index - 1].output {
      flows.append(first..<index)
      first = index
    }
    return flows
  }

  package var sentence: String {
    // The flow that loses most is the one worth a sentence; ties go to the longest.
    let loss = { (flow: Range<Int>) in accounts[flow].reduce(0.0) { $0 + Double($1.droppedTotal) + Double($1.quarantinedTotal) } }
    guard let flow = flows.max(by: { (loss($0), $0.count) < (loss($1), $1.count) }), let first = accounts[flow].first,
      let last = accounts[flow].last
    else { return "" }
    let input = first.input ?? 0
    let output = last.output ?? 0
    var text = "Of \(Number.integer(input)) records that enter \(first.name ?? "the first stage"), "
    text += "\(Number.integer(output)) (\(Number.percent(Double(output) / Double(input)))) leave \(last.name ?? "the last")"
    let reasons = accounts[flow].flatMap { account in
      (account.dropped ?? [:]).map { (count: $0.value, reason: $0.key, stage: account.name ?? "a stage") }
    }
    if let top = reasons.max(by: { ($0.count, $1.reason) < ($1.count, $0.reason) }), top.count > 0 {
      text += "; the largest loss is “\(top.reason.spoken)” in \(top.stage), \(Number.integer(top.count))"
    } else {
      text += "; nothing is dropped"
    }
    let unbalanced = accounts.filter { ($0.imbalance ?? 0) != 0 }.map { $0.name ?? "a stage" }
    text +=
      unbalanced.isEmpty
      ? "; every account balances."
      : "; the account of \(Compare.list(unbalanced.count > 3 ? unbalanced.prefix(2) + ["\(unbalanced.count - 2) others"] : unbalanced)) does not balance."
    return text
  }

  package func draw() -> SVG {
    let (left, full, barHeight, rowHeight) = (246.0, 290.0, 26.0, 44.0)
    let outAt = left + full + 84
    let reasonsAt = outAt + 24
    var svg = SVG(width: 960, height: 26 + Double(accounts.count) * rowHeight + Double(flows.count - 1) * 12)
    svg.text(left - 12, 14, "in", "label", anchor: .end)
    svg.text(outAt, 14, "out", "label", anchor: .end)
    svg.text(reasonsAt, 14, "dropped or quarantined, by reason", "label")
    var y = 24.0
    for flow in flows {
      let largest = accounts[flow].reduce(1.0) { max($0, Double($1.input ?? 0)) }
      for index in flow {
        let account = accounts[index]
        let input = Double(account.input ?? 0)
        let kept = min(Double(account.output ?? 0), input) / largest * full
        let ends = Self.visible(Double(account.droppedTotal) / largest * full)
        let bad = Self.visible(Double(account.quarantinedTotal) / largest * full)
        let name = TextMetrics.fit((account.name ?? "stage").spoken, into: 150, size: 13)
        svg.text(0, y + 17, name, "bold")
        let tip = "\(account.name ?? "stage"): \(Number.integer(account.input)) in, \(Number.integer(account.output)) out"
        svg.rectangle(left, y, kept, barHeight, "k1", tip: tip)
        svg.rectangle(left + kept, y, ends, barHeight, "f2", tip: "dropped \(Number.integer(account.droppedTotal))")
        svg.rectangle(left + kept + ends, y, bad, barHeight, "f3", tip: "quarantined \(Number.integer(account.quarantinedTotal))")
        svg.text(left - 12, y + 17, Number.integer(account.input), "", anchor: .end)
        svg.text(outAt, y + 17, Number.integer(account.output), "", anchor: .end)
        if index + 1 < flow.upperBound {
          svg.rectangle(left, y + barHeight, kept, rowHeight - barHeight, "flow")
        }
        reasons(of: account, at: reasonsAt, y: y + 17, in: &svg)
        y += rowHeight
      }
      y += 12
    }
    return svg
  }

  /// A loss that is there is seen: no less than a pixel and a half.
  private static func visible(_ width: Double) -> Double { width > 0 ? max(width, 1.5) : 0 }

  private func reasons(of account: RunSummary.Account, at x: Double, y: Double, in svg: inout SVG) {
    let sorted = { (counts: [String: Int]?) in
      (counts ?? [:]).filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .map { "\($0.key.spoken) \(Number.integer($0.value))" }
    }
    let room = 960 - x
    let dropped = sorted(account.dropped)
    let bad = sorted(account.quarantined)
    let lines = [(dropped, "t2"), (bad, "t3")].filter { !$0.0.isEmpty }
    for (row, line) in lines.enumerated() {
      let shift = lines.count == 1 ? 0 : row == 0 ? -7.0 : 7.0
      var shown = TextMetrics.fit(words: line.0, separator: " · ", into: room, size: 11)
      let count = shown.split(separator: "·").count
      if count < line.0.count {
        let rest = " · \(line.0.count - count) more"
        shown = TextMetrics.fit(words: line.0, separator: " · ", into: room - TextMetrics.width(rest, size: 11), size: 11)
        shown += " · \(line.0.count - shown.split(separator: "·").count) more"
      }
      svg.text(x, y + shift, shown, "small \(line.1)")
    }
    if lines.isEmpty { svg.text(x, y, "none", "small soft") }
  }
}
