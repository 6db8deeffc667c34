import Foundation
import Primitives
import Reporting
import TestSupport
import Testing

@Suite struct ReportTests {
  @Test func theFullPageIsWellFormedAndSelfContained() throws {
    for theme in Report.Theme.allCases {
      let page = Report.html(SampleSummary.full, theme: theme)
      try expectWellFormed(page)
      for reference in ["http:", "https:", "src=", "@import", "url(", "<script", "<link", "<iframe", "<img", "<object"] {
        #expect(!page.contains(reference), "\(reference)")
      }
      #expect(page.contains("data-theme=\"dark\">") == (theme == .dark))
    }
  }

  @Test func everySectionAndFigureIsThere() {
    let page = Report.html(SampleSummary.full)
    for id in ["results", "data", "clusters", "mixture", "training", "crisp", "split", "finetune", "plan", "provenance"] {
      #expect(page.contains("<section id=\"\(id)\""), "\(id)")
    }
    for chart in ["accounts", "clusters", "histogram", "loss", "perplexity", "split", "finetune", "prediction", "law", "allocation"] {
      #expect(page.contains("id=\"chart-\(chart)\" viewBox="), "\(chart)")
    }
    #expect(!page.contains("Not in this run"))
    #expect(page.components(separatedBy: "<figure>").count == page.components(separatedBy: "<figcaption>").count)
  }

  @Test func idsAreUnique() {
    let page = Report.html(SampleSummary.full)
    let ids = page.components(separatedBy: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
    #expect(Set(ids).count == ids.count)
  }

  @Test func anEmptyRunHasAPage() throws {
    let page = Report.html(RunSummary())
    try expectWellFormed(page)
    #expect(page.contains("no results yet") && page.contains("Not in this run: results, accounts"))
  }

  @Test func everySectionStandsAlone() throws {
    let full = SampleSummary.full
    let alone: [(inout RunSummary) -> Void] = [
      { $0.crisp = full.crisp }, { $0.split = full.split }, { $0.finetune = full.finetune }, { $0.plan = full.plan },
      { $0.accounts = full.accounts }, { $0.clusters = full.clusters }, { $0.mixture = full.mixture }, { $0.training = full.training },
      { $0.steps = full.steps }, { $0.machine = full.machine }, { $0.dataset = full.dataset }, { $0.tokenizer = full.tokenizer },
      { $0.provenance = full.provenance },
      { $0.crisp = .init() }, { $0.split = .init(byDomain: [.init()]) }, { $0.finetune = .init(base: .init(), points: [.init()]) },
      { $0.plan = .init(allocation: .init(domains: [.init()]), laws: [.init()], points: [.init()], curve: [.init()]) },
      { $0.accounts = [.init()] }, { $0.clusters = [.init()] }, { $0.mixture = .init() }, { $0.training = [.init()] },
      { $0.steps = [.init()] }, { $0.dataset = .init(bySource: [.init()]) }, { $0.provenance = .init() },
    ]
    for (index, fill) in alone.enumerated() {
      var summary = RunSummary()
      fill(&summary)
      let page = Report.html(summary)
      try expectWellFormed(page)
      #expect(!page.contains(">nan") && !page.contains("Optional("), "\(index)")
    }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 0, -1, 1e308, Double.leastNonzeroMagnitude])
  func oddNumbersDoNoHarm(_ odd: Double) throws {
    // Every number of the full summary in turn would be slow; every number at once finds the same traps.
    let data = try SampleSummary.full.encoded()
    let value = try JSONSerialization.jsonObject(with: data)
    let spoilt = try JSONSerialization.data(withJSONObject: Self.spoil(value, odd))
    let summary = try RunSummary.decode(spoilt)
    #expect(
      summary.crisp?.seedPerplexity?.crisp?.description == odd.description && summary.clusters?.last?.tokens?.isFinite == odd.isFinite)
    let page = Report.html(summary)
    try expectWellFormed(page)
    for trace in ["\"nan", " nan", "inf\"", "=\"-nan", "Optional("] { #expect(!page.contains(trace), "\(odd): \(trace)") }
  }

  /// Keys of whole numbers, which JSON cannot spoil in this way.
  private static let whole: Set = [
    "input", "output", "dropped", "quarantined", "path", "depth", "cores", "vocabulary", "seeds", "held_out",
  ]
  /// Keys of lists of points.
  private static let curves: Set = ["loss", "validation"]

  /// The JSON with every number that is a double replaced.
  private static func spoil(_ value: Any, _ odd: Double, key: String = "") -> Any {
    if whole.contains(key) { return value }
    switch value {
    case let object as [String: Any]:
      return Dictionary(uniqueKeysWithValues: object.map { ($0.key, spoil($0.value, odd, key: $0.key)) })
    case let list as [Any]:
      // Within a curve's points a number that is not finite is null.
      return list.map { spoil($0, odd, key: curves.contains(key) || key == "point" ? "point" : key) }
    case is NSNumber:
      if odd.isFinite { return odd }
      return key == "point" ? NSNull() : odd.isNaN ? "nan" : odd > 0 ? "inf" : "-inf"
    default: return value
    }
  }

  @Test func theSummaryGoesThroughItsFile() throws {
    try withTemporaryFolder { folder in
      let error = #expect(throws: WeirError.self) { try RunSummary.read(folder) }
      #expect(error?.description.contains("no summary.json") == true && error?.place == folder)
      #expect(throws: WeirError.self) { try RunSummary.read(folder + "/absent") }
      let file = URL(fileURLWithPath: folder + "/" + RunSummary.fileName)
      try Data("{\"crisp\": {\"seed_perplexity\": {\"base\": \"x\"}}}".utf8).write(to: file)
      let wrong = #expect(throws: WeirError.self) { try RunSummary.read(folder) }
      #expect(wrong?.reason.contains("crisp.seed_perplexity.base") == true)
      try Data("{\"crisp\":".utf8).write(to: file)
      #expect(throws: WeirError.self) { try RunSummary.read(folder) }
      try SampleSummary.full.encoded().write(to: file)
      #expect(try RunSummary.read(folder) == SampleSummary.full)
      #expect(try RunSummary.read(file.path) == SampleSummary.full)
    }
  }

  @Test func keysAreTheAgreedOnes() throws {
    let value = try JSONSerialization.jsonObject(with: SampleSummary.full.encoded())
    let paths = [
      "crisp.seed_perplexity.base", "crisp.seed_perplexity.crisp", "crisp.general_perplexity.uniform",
      "crisp.general_perplexity.specialist",
      "split.mean_perplexity.full", "split.mean_perplexity.split", "split.by_domain", "finetune.direct.target_perplexity",
      "finetune.anneal.source_perplexity", "finetune.base", "plan.law", "plan.r2", "plan.heldout_relative_error", "plan.allocation.d_prime",
      "plan.laws", "plan.points", "plan.curve", "accounts", "clusters", "mixture.effective_sample_size", "training", "steps", "machine",
      "dataset.bytes_per_token", "tokenizer",
    ]
    for path in paths {
      var current: Any? = value
      for key in path.split(separator: ".") { current = (current as? [String: Any])?[String(key)] }
      #expect(current != nil, "\(path)")
    }
  }

  @Test func thePipelinesAccountsFit() {
    let page = Report.html(SampleSummary.full)
    #expect(page.contains("near duplicate 540") && page.contains("balances") && !page.contains("off by"))
  }
}
