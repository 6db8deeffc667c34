import Foundation
import Primitives
import Reporting
import Testing

@Suite struct ChartTests {
  @Test func aSmallPictureIsWrittenJustSo() {
    var svg = SVG(width: 20, height: 10)
    svg.rectangle(1, 2, 3.25, 4, "f1", tip: "a & b")
    svg.line(0, 0, .nan, 5, "axis")
    svg.text(10, 5, "x < y", "tick", anchor: .end)
    #expect(
      svg.markup(id: "c", title: "T", description: "D") == """
        <svg id="c" viewBox="0 0 20 10" style="max-width:20px" role="img" aria-labelledby="c-t c-d">
        <title id="c-t">T</title>
        <desc id="c-d">D</desc>
        <rect x="1" y="2" width="3.3" height="4" class="f1"><title>a &amp; b</title></rect>
        <line x1="0" y1="0" x2="0" y2="5" class="axis"/>
        <text x="10" y="5" class="tick" text-anchor="end">x &lt; y</text>
        </svg>
        """)
  }

  @Test func treemapFillsItsBoxInProportion() {
    for seed in 0..<20 as Range<UInt64> {
      var random = SequentialRandom(seed: seed)
      let weights = (0..<(1 + Int(seed) * 3)).map { _ in random.uniform() * 10 } + [0, .nan, -1]
      let boxes = Treemap.layout(weights, in: .init(5, 7, 300, 200))
      let total = weights.filter { $0 > 0 }.reduce(0, +)
      for (weight, box) in zip(weights, boxes) {
        let expected = weight > 0 ? weight / total * 60_000 : 0
        #expect(abs(box.width * box.height - expected) < 1e-6 * 60_000)
        #expect(box.x > 4.999 && box.y > 6.999 && box.x + box.width < 305.001 && box.y + box.height < 207.001)
      }
      for first in boxes.indices {
        for second in boxes.indices where second > first {
          let (a, b) = (boxes[first], boxes[second])
          let across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
          let down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
          #expect(min(across, down) < 1e-6, "tiles \(first) and \(second) overlap")
        }
      }
    }
  }

  @Test func labelsFitTheirPlace() {
    #expect(TextMetrics.fit("telescope", into: 200, size: 11) == "telescope")
    let cut = TextMetrics.fit("telescope", into: 40, size: 11)
    #expect(cut.hasSuffix("…") && TextMetrics.width(cut, size: 11) <= 40)
    #expect(TextMetrics.fit("telescope", into: 5, size: 11) == "")
    #expect(TextMetrics.fit(words: ["stars", "galaxy", "orbit"], separator: " ", into: 80, size: 11) == "stars galaxy")
  }

  @Test func theSentenceSaysWhatTheNumbersSay() throws {
    var crisp = RunSummary.Crisp(
      tokens: 8e5, seedPerplexity: .init(uniform: 171.6, specialist: 71.4, crisp: 56.6),
      generalPerplexity: .init(uniform: 210.7, specialist: 594.1, crisp: 315.1))
    let good = try #require(PerplexityChart(crisp)).sentence
    #expect(
      good == "CRISP reaches 56.6 on the seed’s held-out text, 3.0 times lower than uniform (171.6) at the same tokens, "
        + "and pays for it with 315.1 against 210.7 on general text; the seed alone, repeated, gives 71.4 and 594.1.")
    crisp.seedPerplexity?.crisp = 190
    let bad = try #require(PerplexityChart(crisp)).sentence
    #expect(bad.contains("11\u{A0}% higher than uniform (171.6)") && bad.contains("gains nothing"))
    crisp.seedPerplexity?.crisp = 171.5
    #expect(try #require(PerplexityChart(crisp)).sentence.contains("no different from"))
  }

  @Test func equalComputeIsClaimedOnlyWhereItIs() throws {
    var split = RunSummary.Split(
      meanPerplexity: .init(full: 40, split: 50), byDomain: [.init(name: "a", full: 30, split: 20), .init(name: "b", full: 50, split: 90)],
      branchTokens: 1e6)
    #expect(!(try #require(SplitChart(split)).sentence.contains("compute")))
    split.fullTokens = 2e6
    let equal = try #require(SplitChart(split)).sentence
    #expect(equal.contains("better in 1 of 2 domains") && equal.contains("25\u{A0}% higher than the full model’s 40.0 at equal compute."))
    split.fullTokens = 1e6
    #expect(try #require(SplitChart(split)).sentence.contains("2.0\u{A0}M tokens on the branches against 1.0\u{A0}M on the full model"))
  }

  @Test func aRunPredictedTwiceIsDrawnOnce() throws {
    let run = RunSummary.PlanPoint(domain: "a", n: 1, d: 10, dPrime: 0, measured: 4, predicted: 4.04)
    var again = run
    again.heldOut = true
    again.predicted = 4.4
    let other = RunSummary.PlanPoint(domain: "a", n: 1, d: 20, dPrime: 0, measured: 3, predicted: 3)
    let plan = RunSummary.Plan(law: "F1", heldoutRelativeError: 0.1, points: [again, run, other])
    #expect(
      try #require(PredictionChart(plan)).sentence == "F1 explains 2 measured losses with a mean error of 0.50\u{A0}%, "
        + "1.0\u{A0}% at worst; "
        + "on the 1 it was not fitted on the mean error is 10\u{A0}%.")
    #expect(try #require(LawChart(plan)).draw().markup(id: "x", title: "", description: "").components(separatedBy: "<circle").count == 3)
  }

  @Test func unbalancedAccountsAreNamed() throws {
    let good = RunSummary.Account(name: "filter", input: 10, output: 7, dropped: ["too_short": 3])
    let bad = RunSummary.Account(name: "dedup", input: 7, output: 5, dropped: ["duplicate": 1])
    #expect(try #require(AccountsChart([good])).sentence.hasSuffix("every account balances."))
    let text = try #require(AccountsChart([good, bad])).sentence
    #expect(text.contains("“too short” in filter, 3") && text.hasSuffix("the account of dedup does not balance."))
    var summary = RunSummary()
    summary.accounts = [good, bad]
    #expect(Report.html(summary).contains("off by 1"))
  }
}
