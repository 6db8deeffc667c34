import Pipeline

/// Records through the stages: one bar per stage, as long as its input. What the stage passes on flows into the next bar; what it dropped or
/// quarantined ends at the right, with the reasons. A stage that counts another unit starts a new flow.
package struct AccountsChart: Chart {
  package let id = "chart-accounts"
  package let title = "Records per stage"
  let accounts: [Account]

  /// Nil if no account has input.
  package init?(_ accounts: [Account]) {
    self.accounts = accounts.filter { $0.input > 0 }
    if self.accounts.isEmpty { return nil }
  }

  /// Runs of stages, each of which reads what the one before it passes on.
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
    // The flow that loses the most records; of several, the longest.
    func loss(_ flow: Range<Int>) -> Int { accounts[flow].reduce(0) { $0 + $1.droppedTotal + $1.quarantinedTotal } }
    guard let flow = flows.max(by: { (loss($0), $0.count) < (loss($1), $1.count) }), let first = accounts[flow].first,
      let last = accounts[flow].last
    else { return "" }
    let share = Number.percent(Double(last.output) / Double(first.input))
    var text =
      "Of \(Number.integer(first.input)) records entering \(first.stage), \(Number.integer(last.output)) (\(share)) leave \(last.stage). "
    let reasons = accounts[flow].flatMap { account in account.dropped.map { (count: $0.value, reason: $0.key, stage: account.stage) } }
    if let top = reasons.max(by: { ($0.count, $1.reason) < ($1.count, $0.reason) }), top.count > 0 {
      text += "The most records, \(Number.integer(top.count)), were dropped by \(top.stage) as “\(top.reason.spaced)”. "
    } else {
      text += "No record is dropped. "
    }
    let unbalanced = accounts.filter { !$0.isBalanced }.map(\.stage)
    guard !unbalanced.isEmpty else { return text + "All accounts balance." }
    let names = unbalanced.count > 3 ? unbalanced.prefix(2) + ["\(unbalanced.count - 2) other stages"] : unbalanced
    return text + "Accounts that do not balance: \(Compare.list(names))."
  }

  package func draw(width: Double) -> SVG {
    var svg = SVG(width: width, height: 0)
    let isSlim = svg.isSlim
    let (left, full, barHeight, rowHeight) = isSlim ? (0, width, 14.0, 74.0) : (246.0, 290.0, 26.0, 44.0)
    let outAt = left + full + 84
    svg = SVG(width: width, height: 26 + Double(accounts.count) * rowHeight + Double(flows.count - 1) * 12)
    if isSlim {
      svg.text(0, 12, "in → out; dropped or quarantined, by reason", "label")
    } else {
      svg.text(left - 12, 14, "in", "label", anchor: .end)
      svg.text(outAt, 14, "out", "label", anchor: .end)
      svg.text(outAt + 24, 14, "dropped or quarantined, by reason", "label")
    }
    var y = 24.0
    for flow in flows {
      let largest = accounts[flow].reduce(1.0) { max($0, Double($1.input)) }
      for index in flow {
        let account = accounts[index]
        let kept = Double(min(account.output, account.input)) / largest * full
        let dropped = Self.visible(Double(account.droppedTotal) / largest * full)
        let quarantined = Self.visible(Double(account.quarantinedTotal) / largest * full)
        let tip = "\(account.stage): \(Number.integer(account.input)) in, \(Number.integer(account.output)) out"
        let bar = isSlim ? y + 20 : y
        svg.rectangle(left, bar, kept, barHeight, "k1", tip: tip)
        svg.rectangle(left + kept, bar, dropped, barHeight, "f2", tip: "dropped: \(Number.integer(account.droppedTotal))")
        svg.rectangle(
          left + kept + dropped, bar, quarantined, barHeight, "f3", tip: "quarantined: \(Number.integer(account.quarantinedTotal))")
        if isSlim {
          let counts = "\(Number.integer(account.input)) → \(Number.integer(account.output))"
          svg.text(0, y + 14, TextMetrics.fit(account.stage.spaced, into: width - 140, size: 13), "bold")
          svg.text(width, y + 14, counts, "", anchor: .end)
          reasons(of: account, at: 0, y: bar + barHeight + 16, in: &svg)
        } else {
          svg.text(0, y + 17, TextMetrics.fit(account.stage.spaced, into: 150, size: 13), "bold")
          svg.text(left - 12, y + 17, Number.integer(account.input), "", anchor: .end)
          svg.text(outAt, y + 17, Number.integer(account.output), "", anchor: .end)
          if index + 1 < flow.upperBound { svg.rectangle(left, y + barHeight, kept, rowHeight - barHeight, "flow") }
          reasons(of: account, at: outAt + 24, y: y + 17, in: &svg)
        }
        y += rowHeight
      }
      y += 12
    }
    return svg
  }

  /// The width of a loss, which stays visible however small it is.
  private static func visible(_ width: Double) -> Double { width > 0 ? max(width, 1.5) : 0 }

  private func reasons(of account: Account, at x: Double, y: Double, in svg: inout SVG) {
    func sorted(_ counts: [String: Int]) -> [String] {
      counts.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .map { "\($0.key.spaced) \(Number.integer($0.value))" }
    }
    let room = svg.width - x
    let lines = [(sorted(account.dropped), "t2"), (sorted(account.quarantined), "t3")].filter { !$0.0.isEmpty }
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
