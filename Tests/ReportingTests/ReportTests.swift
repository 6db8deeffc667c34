import Foundation
import Pipeline
import Primitives
import Reporting
import TestSupport
import Testing

@Suite struct ReportTests {
  @Test func theFullPageIsWellFormedAndSelfContained() throws {
    let page = Report.html(try SampleRun.summary())
    try expectWellFormed(page)
    for reference in ["http:", "https:", "src=", "@import", "url(", "<script", "<link", "<iframe", "<img", "<object"] {
      #expect(!page.contains(reference), "\(reference)")
    }
    for id in ["results", "data", "clusters", "mixture", "elsewhere", "training", "crisp", "split", "finetune", "plan", "provenance"] {
      #expect(page.contains("<section id=\"\(id)\""), "\(id)")
    }
    for chart in ["accounts", "clusters", "histogram", "loss", "perplexity", "split", "finetune", "prediction", "law", "allocation"] {
      #expect(page.contains("id=\"chart-\(chart)\" viewBox="), "\(chart)")
    }
    #expect(!page.contains("Not part of this run") && !page.contains("Optional("))
    #expect(page.components(separatedBy: "<figure>").count == page.components(separatedBy: "<figcaption>").count)
    #expect(page.components(separatedBy: "frame wide").count == page.components(separatedBy: "frame slim").count)
    let ids = page.components(separatedBy: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
    #expect(Set(ids).count == ids.count)
  }

  @Test func anEmptyRunHasAPage() throws {
    try withTemporaryFolder { folder in
      try Data("{\"run\": \"r\", \"steps\": [{\"name\": \"a\", \"says\": \"A\", \"do\": \"read x\"}]}".utf8)
        .write(to: URL(fileURLWithPath: folder + "/recipe.json"))
      let summary = try RunSummary(run: folder, version: "1")
      let page = Report.html(summary)
      try expectWellFormed(page)
      #expect(page.contains("Not part of this run: results, data flow"))
      _ = try summary.encoded()
      let error = #expect(throws: WeirError.self) { try RunSummary(run: folder + "/absent", version: "1") }
      #expect(error?.description.contains("no recipe.json") == true)
    }
  }

  @Test func everySectionStandsAlone() throws {
    let full = try SampleRun.summary()
    for kept in SampleRun.sections.keys.sorted() {
      var summary = full
      if kept != "data" { (summary.dataset, summary.mixture, summary.clusters, summary.accounts) = (nil, nil, [], []) }
      if kept != "crisp" { summary.results.crisp = nil }
      if kept != "split" { summary.results.split = nil }
      if kept != "finetune" { summary.results.finetuning = nil }
      if kept != "plan" { summary.results.plan = nil }
      summary.training = []
      let page = Report.html(summary)
      try expectWellFormed(page)
      #expect(page.contains("Not part of this run: "), "\(kept)")
      #expect(!page.contains(">nan") && !page.contains("Optional("), "\(kept)")
    }
    // Methods that were not run or not evaluated.
    var summary = full
    summary.results.crisp?.uniform = nil
    summary.results.crisp?.crisp?.general = nil
    summary.results.finetuning?.direct = nil
    summary.results.split?.meanPerplexity["full"] = nil
    summary.results.plan?.allocation = nil
    try expectWellFormed(Report.html(summary))
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 0, -1, 1e308, Double.leastNonzeroMagnitude])
  func oddNumbersDoNoHarm(_ odd: Double) throws {
    var summary = try SampleRun.summary()
    summary.steps[0].seconds = odd
    summary.accounts[0].seconds = odd
    summary.accounts[0].extra["tokens"] = odd
    for index in summary.clusters.indices {
      (summary.clusters[index].node.share, summary.clusters[index].node.purity) = (odd, odd)
      summary.clusters[index].sampled?.seed = odd
      summary.clusters[index].sampled?.general = odd
      summary.clusters[index].sampled?.weight = odd
      summary.clusters[index].sampled?.epochs = odd
    }
    summary.mixture?.moved = odd
    summary.mixture?.effectiveSampleSize = odd
    summary.mixture?.maxEpochs = odd
    for index in summary.training.indices {
      (summary.training[index].report.training.flops, summary.training[index].report.training.loss) = (odd, odd)
      summary.training[index].report.curve[3] = [1e6, odd]
      summary.training[index].report.curve[4] = [odd, 5]
    }
    summary.results.crisp?.crisp?.target = odd
    summary.results.crisp?.uniform?.general = odd
    summary.results.finetuning?.anneal?.target = odd
    summary.results.finetuning?.base?.general = odd
    summary.results.finetuning?.direct?.report.finetuning?.learningRate = odd
    summary.results.split?.meanPerplexity["split"] = odd
    summary.results.split?.byDomain[0].full = odd
    summary.results.split?.byDomain[1].split = odd
    summary.results.plan?.fit.scores[0].r2 = odd
    summary.results.plan?.fit.scores[0].heldOutError = odd
    for index in 0..<4 {
      summary.results.plan?.fit.domains[1].candidates[0].points[index].measured = odd
      summary.results.plan?.fit.domains[1].candidates[0].points[index + 4].predicted = odd
      summary.results.plan?.fit.domains[1].candidates[0].points[index + 8].d = odd
      summary.results.plan?.fit.domains[1].candidates[0].points[index + 12].n = odd
    }
    summary.results.plan?.allocation?.split.loss.value = odd
    summary.results.plan?.allocation?.curve[3].loss.value = odd
    summary.results.plan?.allocation?.curve[5].loss.high = odd
    let page = Report.html(summary)
    try expectWellFormed(page)
    for trace in ["\"nan", " nan", "inf\"", "=\"-nan", "Optional("] { #expect(!page.contains(trace), "\(odd): \(trace)") }
    _ = try summary.encoded()
  }

  @Test func hostileNamesStayText() throws {
    let evil = "</title><script>alert(1)</script>]]>\u{1}&\"'"
    var summary = try SampleRun.summary()
    (summary.title, summary.note, summary.tokenizer, summary.provenance.command) = (evil, evil, evil, evil)
    (summary.steps[0].name, summary.steps[0].says, summary.provenance.recipe, summary.provenance.version) = (evil, evil, evil, evil)
    summary.provenance.fingerprints[evil] = evil
    summary.provenance.randomSeeds[evil] = 1
    var account = Account(stage: evil)
    account.input = 2
    account.drop(evil)
    account.quarantine(evil)
    summary.accounts = [account]
    summary.clusters[5].node.terms[0].word = evil
    summary.clusters[5].node.labels[0].label = evil
    summary.mixture?.method = evil
    summary.mixture?.seedData = evil
    (summary.training[0].name, summary.training[1].parent) = (evil, evil)
    summary.results.crisp?.seed = evil
    summary.results.split?.router = evil
    summary.results.split?.byDomain[0].name = evil
    summary.results.split?.byDomain[0].terms[0] = evil
    summary.results.finetuning?.direct?.report.finetuning?.method = evil
    summary.results.plan?.fit.domains[1].domain = evil
    summary.results.plan?.fit.scores[0].formula = evil + "^" + evil
    summary.results.plan?.allocation?.request.domains[0].name = evil
    let page = Report.html(summary)
    #expect(!page.contains("<script"))
    try expectWellFormed(page)
  }

  @Test func theMembersOfTheSummaryStay() throws {
    let summary = try SampleRun.summary()
    let text = String(decoding: try summary.encoded(), as: UTF8.self)
    #expect(!text.contains("null"))
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    let paths = [
      "title", "note", "crisp.seed", "crisp.tokens", "crisp.seed_perplexity.base", "crisp.seed_perplexity.crisp",
      "crisp.general_perplexity.uniform", "crisp.general_perplexity.specialist", "split.mean_perplexity.full",
      "split.mean_perplexity.split",
      "split.by_domain.0.windows", "split.trunk_tokens", "split.branch_tokens", "split.full_tokens", "split.router",
      "finetune.direct.target_perplexity", "finetune.anneal.source_perplexity", "finetune.anneal.learning_rate", "finetune.base",
      "finetune.points.0.lambda", "plan.law", "plan.formula", "plan.r2", "plan.heldout_relative_error", "plan.parameters.E",
      "plan.allocation.d_prime", "plan.allocation.trunk", "plan.allocation.domains.1.share", "plan.laws.0.mre", "plan.points.0.held_out",
      "plan.curve.0.share", "accounts.0.bytes_in", "clusters.0.path", "clusters.4.seed_share", "clusters.4.expected_epochs",
      "clusters.4.domain", "mixture.effective_sample_size", "mixture.largest_epochs", "training.0.tokens_per_second", "training.0.loss",
      "training.1.parent", "steps.0.why", "steps.0.state", "machine.cores", "machine.memory_bytes", "dataset.bytes_per_token",
      "dataset.by_domain.0.tokens", "tokenizer.vocabulary", "provenance.seeds.base", "provenance.versions.weir", "provenance.command",
      "provenance.recipe",
    ]
    for path in paths {
      var current: Any? = value
      for key in path.split(separator: ".") {
        if let index = Int(key) { current = (current as? [Any])?[index] } else { current = (current as? [String: Any])?[String(key)] }
      }
      #expect(current != nil, "\(path)")
    }
  }

  @Test func theVerdictIsFirstWithItsCaveats() throws {
    let page = Report.html(try SampleRun.summary())
    let verdict = try #require(page.range(of: "class=\"verdict\""))
    #expect(try verdict.lowerBound < #require(page.range(of: "class=\"tiles\"")).lowerBound)
    #expect(
      page.contains(
        "Of 3 mixtures, CRISP gives the lowest perplexity on held-out text of the specialist seed’s domain: 56.6, 67\u{A0}% lower"))
    #expect(page.contains("than uniform sampling (171.6), but 50\u{A0}% higher on general text."))
    #expect(page.contains("One run per method, with random seeds 7, 8: how much"))
    #expect(page.contains("The models have 1.31\u{A0}M parameters") && page.contains("Trained on a CPU"))
    // The verdict follows the numbers.
    var summary = try SampleRun.summary()
    summary.results.crisp?.crisp?.target = 190
    summary.results.crisp?.specialist?.target = 180
    #expect(
      Report.html(summary).contains(
        "uniform sampling gives the lowest perplexity on held-out text of the specialist seed’s domain: 171.6; CRISP is 11\u{A0}% higher."))
  }

  @Test func bothMeansOverDomainsAreShown() throws {
    let page = Report.html(try SampleRun.summary())
    #expect(page.contains("Perplexity, same weight for every domain") && page.contains("Perplexity, domains weighted by tokens"))
    #expect(page.contains("all domains, same weight") && page.contains("all domains, by tokens"))
  }

  @Test func methodsBeyondTheKnownOnesAreShown() throws {
    var sections = SampleRun.sections
    sections["crisp"]?["dsir"] = "continue-seed"
    sections["finetune"]?["lora"] = "anneal-2"
    let summary = try SampleRun.summary(sections: sections)
    let page = Report.html(summary)
    try expectWellFormed(page)
    #expect(page.contains("The mixture of dsir gives 71.4 and 594.1.") && page.contains("The method lora reaches 42.0 and 300.0."))
    #expect(page.contains("Of 4 mixtures"))
    let text = String(decoding: try summary.encoded(), as: UTF8.self)
    #expect(text.contains("\"dsir\"") && text.contains("\"lora\""))
  }

  @Test func whateverThereIsHasAReport() throws {
    try withTemporaryFolder { folder in
      let run = try SampleRun(folder).write()
      func page(_ name: String, _ value: Any? = nil) throws -> String {
        if let value { try JSONSerialization.data(withJSONObject: value).write(to: URL(fileURLWithPath: run + "/" + name)) }
        let page = Report.html(try RunSummary(of: run + "/" + name, version: "1"))
        try expectWellFormed(page)
        #expect(!page.contains("Not part of this run") && !page.contains("In a recipe"), "\(name)")
        return page
      }
      #expect(try page("dataset").contains("Token dataset"))
      #expect(try page("crisp.json").contains("2 of 16 clusters get 90\u{A0}% of the weight"))
      #expect(try page("fit.json", SampleRun.fit).contains("F1 predicts held-out runs with a mean relative error of 0.61\u{A0}%"))
      #expect(
        try page("fit.json").contains(
          "Beyond the measured N of 100\u{A0}k to 1.2\u{A0}M, D of 500\u{A0}k to 8\u{A0}M and D′ of 0 to 800\u{A0}k,"))
      #expect(try page("crisp.json").contains("No model is trained on the mixture here"))
      let plan = try page("plan.json", SampleRun.allocation)
      #expect(
        plan.contains("Compute allocation") && plan.contains("(90\u{A0}% interval ") && plan.contains("The fit is not part of this report"))
      let line = #"{"n":1e5,"d":2e6,"loss":3.5}"# + "\n" + #"{"n":1e5,"d":4e6,"loss":3.2}"#
      try Data(line.utf8).write(to: URL(fileURLWithPath: run + "/runs.jsonl"))
      #expect(try page("runs.jsonl").contains("chart-law"))
      try Data(#"{"id":"a","text":"b"}"#.utf8).write(to: URL(fileURLWithPath: run + "/docs.jsonl"))
      for name in ["docs.jsonl", "steps"] {
        let error = #expect(throws: WeirError.self) { try RunSummary(of: run + "/" + name, version: "1") }
        #expect(error?.description.contains("nothing that a report can be made of") == true)
      }
    }
  }

  @Test func lossesOnDifferentDataDoNotRank() throws {
    var summary = try SampleRun.summary()
    (summary.results.crisp, summary.results.split, summary.results.finetuning, summary.results.plan) = (nil, nil, nil, nil)
    summary.training = Array(summary.training.prefix(3))
    func page(_ change: (inout RunSummary.Training) -> Void = { _ in }) -> String {
      var summary = summary
      for index in summary.training.indices { change(&summary.training[index]) }
      return Report.html(summary)
    }
    #expect(page().contains("3 training runs end at training losses of 3.120 to 5.120 nats/token, each on its own data: these losses"))
    #expect(!page().contains("ends lowest"))
    // The same tokens, and then a held-out set.
    let same = page { ($0.settings, $0.report.training.tokens) = (["data": "d"], 1_000) }
    #expect(same.contains("Of 3 training runs on the same data, continue-seed ends lowest"))
    let ranked = page { run in
      for index in run.report.training.evaluations.indices {
        run.report.training.evaluations[index].data = "d"
        run.report.training.evaluations[index].result.lossError = 0.1
        run.report.training.evaluations[index].result.documents = 29
      }
    }
    #expect(ranked.contains("has the lowest perplexity on ") && ranked.contains("(95\u{A0}% interval "))
    #expect(ranked.contains("Of the held-out text, astronomy has only 29 documents"))
  }

  @Test func theReportOfARunIsTheSameFromAnywhere() throws {
    try withTemporaryFolder { folder in
      let run = folder + "/runs/demo"
      try SampleRun(run).write()
      func rewrite(_ change: (inout [String: Any]) -> Void) throws {
        let path = URL(fileURLWithPath: run + "/recipe.json")
        var recipe = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any])
        recipe["run"] = "./runs/demo"
        change(&recipe)
        try JSONSerialization.data(withJSONObject: recipe).write(to: path)
      }
      func name(_ mixture: String) throws {
        try rewrite { $0["summary"] = ["data": ["dataset": "{run}/dataset", "mixture": mixture]] }
      }
      try name("runs/demo/crisp.json")
      let summary = try RunSummary(run: run, version: "1")
      #expect(summary.mixture != nil && summary.dataset != nil)
      try name("nomix")
      let message = errorMessage { _ = try RunSummary(run: run, version: "1") }
      #expect(message.contains("recipe.json: summary.data.mixture is \"nomix\", which does not exist"))
      // A step that has yet to run may make it.
      try rewrite { $0["steps"] = [["name": "new", "says": "", "do": "sample {run}/dataset -o nomix"]] }
      #expect(try RunSummary(run: run, version: "1").mixture == nil)
    }
  }

  @Test func accountsAreInTheTable() throws {
    let page = Report.html(try SampleRun.summary())
    #expect(page.contains("near duplicate 540") && page.contains("balances") && !page.contains("off by"))
  }
}
