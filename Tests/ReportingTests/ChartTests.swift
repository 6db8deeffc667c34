import Foundation
import Pipeline
import Primitives
import Reporting
import Testing
import Workflows

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

  @Test func captionsFollowTheNumbers() throws {
    var crisp = try #require(try SampleRun.summary().results.crisp)
    let caption = try #require(PerplexityChart(crisp)).sentence
    #expect(
      caption
        == "On held-out text of the specialist seed’s domain, CRISP reaches a perplexity of 56.6, 67\u{A0}% lower than uniform sampling "
        + "(171.6) with the same number of tokens. On general text, its perplexity of 315.1 is 50\u{A0}% higher than uniform sampling (210.7). "
        + "Training on the specialist seed alone gives 71.4 and 594.1.")
    crisp.crisp?.target = 190
    #expect(try #require(PerplexityChart(crisp)).sentence.contains("11\u{A0}% higher than uniform sampling (171.6)"))
    crisp.crisp?.target = 171.5
    #expect(try #require(PerplexityChart(crisp)).sentence.contains("within 0.5\u{A0}% of uniform sampling (171.6)"))
    crisp.crisp?.target = 700
    #expect(try #require(PerplexityChart(crisp)).sentence.contains("4.1 times as high as uniform sampling (171.6)"))
  }

  @Test func theSplitIsComparedWithItsBaseline() throws {
    var split = try #require(try SampleRun.summary().results.split)
    let caption = try #require(SplitChart(split)).sentence
    #expect(
      caption
        == "The split is better in 2 of 4 domains. Perplexity falls most in “galaxy stars telescope” (35.9 → 10.1). Perplexity rises most in "
        + "“novel sister marriage” (99.2 → 145.8). With the same weight for every domain, its perplexity is 34.8, 26\u{A0}% lower than the "
        + "single-model baseline’s 46.9 at equal compute. Weighted by held-out tokens, it is 33.9, 25\u{A0}% lower than the baseline’s 45.1."
    )
    split.meanPerplexity["full"] = nil
    #expect(try #require(SplitChart(split)).sentence.contains("compute") == false)
  }

  @Test func finetuningIsComparedWithTheBase() throws {
    let finetuning = try #require(try SampleRun.summary().results.finetuning)
    let chart = try #require(FinetuneChart(finetuning))
    #expect(
      chart.sentence
        == "Direct finetuning reaches a perplexity of 40.2 on the target and 340.5 on the original domain (before finetuning: "
        + "228.9). Label annealing reaches 44.6 and 251.3: 11\u{A0}% higher than direct finetuning on the target, 26\u{A0}% lower than it on "
        + "the original domain. It avoids 80\u{A0}% of the forgetting.")
  }

  /// Two methods, one with two strengths, over two seeds.
  private static let sweep: FinetuneSweep = {
    func run(_ method: String, _ strength: Double?, _ gain: Double, _ rise: Double, _ seed: UInt64) -> FinetuneSweep.Run {
      FinetuneSweep.Run(
        run: "\(method)-\(seed)", method: method, strength: strength, learningRate: 1e-3, randomSeed: seed, gain: gain, rise: rise,
        riseBySource: ["source": rise], step: 10)
    }
    return FinetuneSweep(
      model: "m", target: "target", sources: ["source"], minimumGain: 0,
      runs: [
        run("direct", nil, 0.5, 0.6, 1), run("direct", nil, 0.52, 0.62, 2), run("anneal", 1, 0.4, 0.1, 1), run("anneal", 1, 0.42, 0.12, 2),
        run("anneal", 0.1, 0.38, 0.3, 1), run("anneal", 0.1, 0.4, 0.32, 2),
      ])
  }()

  @Test func theFrontierOfASweep() throws {
    let chart = try #require(FrontierChart(Self.sweep)), gap = Number.gap
    #expect(chart.sentence.hasPrefix("3 settings of 2 methods, each the mean over 2 seeds. On the frontier"))
    #expect(chart.sentence.contains("anneal (strength\(gap)1, lr\(gap)0.001) and direct (lr\(gap)0.001)."))
    #expect(chart.sentence.contains("Of anneal’s settings with a target gain, strength\(gap)1, lr\(gap)0.001 forgets least: gain 0.410"))
    var summary = try SampleRun.summary()
    (summary.results.crisp, summary.results.split, summary.results.finetuning, summary.results.plan) = (nil, nil, nil, nil)
    summary.results.sweep = Self.sweep
    let page = Report.html(summary)
    #expect(page.contains("chart-frontier") && page.contains("anneal at strength 1, with a learning rate of 0.001, forgets least"))
    #expect(FrontierChart(FinetuneSweep(model: "m", target: "t", sources: ["s"], minimumGain: 0, runs: [])) == nil)
  }

  @Test func aRunPredictedTwiceIsDrawnOnce() throws {
    let plan = try #require(try SampleRun.summary().results.plan)
    let caption = try #require(PredictionChart(plan)).sentence
    #expect(
      caption
        == "F1 fits 18 measured losses with a mean relative error of 0.99\u{A0}% (largest: 0.99\u{A0}%, R² 0.987). On held-out runs, which "
        + "are the largest, it is 0.61\u{A0}%, R² \(Number.fixed(plan.heldOutR2(of: "F1"), 3)).")
    #expect(try #require(plan.heldOutR2(of: "F1")) < 1)
    #expect(plan.heldOutR2(of: "F5") == nil)
    // Nine runs at the largest N, three of them held out as well.
    let markup = try #require(LawChart(plan)).draw().markup(id: "x", title: "", description: "")
    #expect(markup.components(separatedBy: "<title>D ").count == 10)
  }

  @Test func extrapolationIsMarked() throws {
    var plan = try #require(try SampleRun.summary().results.plan)
    var allocation = try #require(plan.allocation)
    allocation.split.d = 4_000_000
    allocation.split.dPrime = [800_000, 400_000]
    #expect(plan.extrapolation(of: allocation.split) == nil)
    allocation.split.d = 16_000_000
    allocation.split.dPrime = [2_000_000, 400_000]
    plan.allocation = allocation
    #expect(plan.extrapolation(of: allocation.split) == "D is 2.0 times and D′ is 2.5 times the largest measured")
    let chart = try #require(AllocationChart(allocation, plan: plan))
    #expect(chart.sentence.hasSuffix("This is an extrapolation: D is 2.0 times and D′ is 2.5 times the largest measured."))
    #expect(chart.draw().markup(id: "x", title: "", description: "").contains("l2 beyond"))
    // Without the fit, nothing is known of its range.
    #expect(try #require(AllocationChart(allocation, plan: nil)).sentence.contains("extrapolation") == false)
  }

  @Test func noTwoLinesOfAPanelHaveOneColor() throws {
    var summary = try SampleRun.summary()
    let run = summary.training[1]
    // Several names that tell the same role, and several that tell none.
    for name in ["seed-2", "seed-3", "dsir", "classifier", "lora"] {
      summary.training.append(RunSummary.Training(name: name, parent: "base", report: run.report))
    }
    summary.training.removeAll { ["direct", "anneal", "anneal-2", "continue-crisp"].contains($0.name) }
    let markup = try #require(LossChart(summary.training)).draw().markup(id: "x", title: "", description: "")
    let colors = markup.components(separatedBy: "class=\"l").dropFirst().map { String($0.prefix { $0 != "\"" }) }
      .filter { Int($0) != nil }
    // One line is the base's, in a panel of its own.
    #expect(colors.count == 8 && Set(colors.dropFirst()).count == 7)
  }

  @Test(arguments: [960.0, SVG.slim]) func everyTextIsInsideItsPicture(_ width: Double) throws {
    let summary = try SampleRun.summary(), results = summary.results
    let plan = try #require(results.plan), mixture = try #require(summary.mixture)
    let charts: [any Chart] = [
      try #require(AccountsChart(summary.accounts)), try #require(ClusterMap(summary.clusters)),
      try #require(HistogramChart(summary.clusters, mixture: mixture)), try #require(LossChart(summary.training)),
      try #require(results.crisp.flatMap { PerplexityChart($0) }), try #require(results.split.flatMap { SplitChart($0) }),
      try #require(results.finetuning.flatMap { FinetuneChart($0) }), try #require(PredictionChart(plan)), try #require(LawChart(plan)),
      try #require(plan.allocation.flatMap { AllocationChart($0, plan: plan) }), try #require(FrontierChart(Self.sweep)),
    ]
    for chart in charts {
      let picture = chart.draw(width: min(width, chart.width))
      let markup = picture.markup(id: "x", title: "", description: "")
      for part in markup.components(separatedBy: "<text x=\"").dropFirst() {
        let x = try #require(Double(part.prefix { $0 != "\"" }))
        let content = try #require(part.components(separatedBy: "</text>").first?.components(separatedBy: ">").last)
        let size = TextMetrics.width(content, size: part.contains("small") || part.contains("tick") ? 11 : 12)
        let start = part.contains("text-anchor=\"end\"") ? x - size : part.contains("text-anchor=\"middle\"") ? x - size / 2 : x
        #expect(start > -8 && start + size < picture.width + 8, "\(chart.id) at \(width): \(content)")
      }
    }
  }

  @Test func unbalancedAccountsAreNamed() throws {
    var good = Account(stage: "filter")
    (good.input, good.output, good.dropped) = (10, 7, ["too_short": 3])
    var bad = Account(stage: "dedup")
    (bad.input, bad.output, bad.dropped) = (7, 5, ["duplicate": 1])
    #expect(try #require(AccountsChart([good])).sentence.hasSuffix("All accounts balance."))
    let text = try #require(AccountsChart([good, bad])).sentence
    #expect(
      text
        == "Of 10 records entering filter, 5 (50\u{A0}%) leave dedup. The most records, 3, were dropped by filter as “too short”. Accounts "
        + "that do not balance: dedup.")
    var summary = try SampleRun.summary()
    summary.accounts = [good, bad]
    #expect(Report.html(summary).contains("off by 1"))
  }
}
