import Planning

/// The scaling law, its error, and the allocation of the compute budget.
enum PlanSection {
  static func section(_ summary: RunSummary) -> Section? {
    guard let plan = summary.results.plan else { return nil }
    let pair = [PredictionChart(plan)?.figure, LawChart(plan)?.figure].compactMap { $0 }
    let law = plan.score.map { "<p>Selected: \(Escape.text($0.law)), L = \(Formula.markup($0.formula)).</p>" }
    return Section(
      "plan", "Scaling law and compute allocation",
      lead:
        "Loss as a function of model size N, general tokens D and specialization tokens D′. Of the candidate laws, the one with the lowest "
        + "error on held-out runs is selected.",
      [
        law, pair.isEmpty ? nil : pair.count == 2 ? "<div class=\"pair\">\n\(pair.joined(separator: "\n"))\n</div>" : pair[0],
        laws(plan), plan.allocation.flatMap { AllocationChart($0)?.figure }, plan.allocation.map(allocation),
      ])
  }

  private static func laws(_ plan: Plan) -> String? {
    guard !plan.fit.scores.isEmpty else { return nil }
    var table = Table(
      "Candidate laws by mean relative error on held-out runs",
      [.text("Law"), .formula("Form"), .number("R²"), .number("Error, fitted"), .number("Error, held out"), .text("Parameters")])
    let scores = plan.fit.scores.sorted { ($0.heldOutError.finite ?? .infinity, $0.law) < ($1.heldOutError.finite ?? .infinity, $1.law) }
    for score in scores {
      let parameters = plan.parameters(of: score.law).map { "\($0.name)\(Number.gap)\(Number.general($0.value))" }
      table.add(
        [
          score.law, score.formula, Number.fixed(score.r2, 4), Number.percent(score.error), Number.percent(score.heldOutError),
          parameters.joined(separator: ", "),
        ], style: score.law == plan.fit.selected ? "strong" : "")
    }
    return table.markup
  }

  private static func allocation(_ allocation: Allocation) -> String {
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
      ("Predicted loss, nats/token", Number.fixed(split.loss.value, 3) + interval),
    ]
    return Table("Recommended split", properties: properties + domains).folded(above: 24)
  }
}
