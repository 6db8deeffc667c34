import Planning
import Workflows

/// The scaling law, its error, and the allocation of the compute budget.
enum PlanSection {
  static func section(_ summary: RunSummary) -> Section? {
    guard let plan = summary.results.plan else { return alone(summary.results) }
    let pair = [PredictionChart(plan)?.figure, LawChart(plan)?.figure].compactMap { $0 }
    let law = plan.score.map { "<p>Selected: \(Escape.text($0.law)), L = \(Formula.markup($0.formula)).</p>" }
    return Section(
      "plan", "Scaling law and compute allocation",
      lead:
        "Loss as a function of model size N, general tokens D and specialization tokens D′. Of the candidate laws, the one with the lowest "
        + "error on held-out runs is selected.",
      [
        law, pair.isEmpty ? nil : pair.count == 2 ? "<div class=\"pair\">\n\(pair.joined(separator: "\n"))\n</div>" : pair[0],
        laws(plan), notes("Notes on the fit", plan.fit.notes),
        plan.allocation.flatMap { AllocationChart($0, plan: plan)?.figure }, plan.allocation.map { allocation($0, plan: plan) },
      ])
  }

  /// An allocation, or measured runs, without a fit.
  private static func alone(_ results: RunResults) -> Section? {
    if let allocation = results.allocation {
      return Section(
        "plan", "Compute allocation",
        lead: "The predictions are of the law \(allocation.law). Its fit, which has the measured range, is not part of this report.",
        [AllocationChart(allocation, plan: nil)?.figure, self.allocation(allocation, plan: nil)])
    }
    guard !results.runs.isEmpty else { return nil }
    var table = Table(
      "Measured runs",
      [.text("Domain"), .text("Model"), .number("N"), .number("D"), .number("D′"), .number("Loss, nats/token"), .number("Seed")])
    for run in results.runs {
      table.add([
        run.domain, run.model, Number.compact(run.n), Number.compact(run.d), Number.compact(run.dPrime), Number.fixed(run.loss, 3),
        "\(run.seed)",
      ])
    }
    return Section(
      "plan", "Measured runs", lead: "Losses by model size N, general tokens D and specialization tokens D′, to fit a scaling law to.",
      [LawChart(results.runs)?.figure, table.folded(above: 14)])
  }

  private static func notes(_ title: String, _ notes: [String]) -> String? {
    notes.isEmpty ? nil : "<p>\(Escape.text(title)): \(Escape.text(notes.joined(separator: "; "))).</p>"
  }

  private static func laws(_ plan: Plan) -> String? {
    guard !plan.fit.scores.isEmpty else { return nil }
    var table = Table(
      "Candidate laws by mean relative error on held-out runs",
      [
        .text("Law"), .formula("Form"), .number("Error, held out"), .number("R², held out"), .number("Error, fitted"),
        .number("R², fitted"),
        .text("Parameters"),
      ])
    let scores = plan.fit.scores.sorted { ($0.heldOutError.finite ?? .infinity, $0.law) < ($1.heldOutError.finite ?? .infinity, $1.law) }
    for score in scores {
      let parameters = plan.parameters(of: score.law).map { "\($0.name)\(Number.gap)\(Number.general($0.value))" }
      table.add(
        [
          score.law, score.formula, Number.percent(score.heldOutError), Number.fixed(plan.heldOutR2(of: score.law), 3),
          Number.percent(score.error), Number.fixed(score.r2, 3), parameters.joined(separator: ", "),
        ], style: score.law == plan.fit.selected ? "strong" : "")
    }
    return table.markup
  }

  private static func allocation(_ allocation: Allocation, plan: Plan?) -> String {
    let split = allocation.split
    let interval = split.loss.low.flatMap { low in split.loss.high.map { " (\(Number.fixed(low, 3)) – \(Number.fixed($0, 3)))" } } ?? ""
    let weights = allocation.request.domains.reduce(0) { $0 + $1.weight }
    let domains = zip(allocation.request.domains, split.dPrime).map { domain, tokens in
      ("D′ of \(domain.name) (weight \(Number.percent(domain.weight / weights)))", Number.compact(tokens))
    }
    let properties = [
      ("Compute budget, FLOPs", Number.scientific(allocation.request.budget)),
      ("Trunk", allocation.request.trunk == .shared ? "shared by all domains" : "one per domain"),
      ("Non-embedding parameters N", Number.compact(allocation.size.parameters)), ("Domains K", Number.integer(split.dPrime.count)),
      ("General tokens D", Number.compact(split.d)), ("Specialization tokens D′ per domain, mean", Number.compact(split.meanDPrime)),
      ("Trunk’s share of the compute", Number.percent(split.trunkShare)),
      ("Predicted loss, weighted mean over domains, nats/token", Number.fixed(split.loss.value, 3) + interval),
    ]
    let beyond = plan?.extrapolation(of: split)
    let range = plan == nil ? [] : [("Inside the measured range", beyond.map { "no: \($0)" } ?? "yes")]
    return Table("Recommended split", properties: properties + range + domains).folded(above: 24)
      + "\n" + (notes("Notes on the allocation", allocation.notes) ?? "")
  }
}
