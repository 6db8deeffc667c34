/// The law, how well it holds, and the allocation it advises.
enum PlanSection {
  /// The section; nil where nothing was fitted.
  static func section(_ summary: RunSummary) -> Section? {
    guard let plan = summary.plan else { return nil }
    let pair = [PredictionChart(plan)?.figure, LawChart(plan)?.figure].compactMap { $0 }
    let law = plan.law.map { name in
      "<p>Chosen: \(Escape.text(name))" + (plan.formula.map { ", L = \(Formula.markup($0))" } ?? "") + ".</p>"
    }
    return Section(
      "plan", "The law and the plan",
      lead: "Loss as a function of the model’s size N, general tokens D and specialisation tokens D′; the form is chosen by its error "
        + "on runs it has not seen.",
      [
        law, pair.isEmpty ? nil : pair.count == 2 ? "<div class=\"pair\">\n\(pair.joined(separator: "\n"))\n</div>" : pair[0],
        laws(plan), AllocationChart(plan)?.figure, allocation(plan.allocation),
      ])
  }

  private static func laws(_ plan: RunSummary.Plan) -> String? {
    var candidates = plan.laws ?? []
    if candidates.isEmpty, plan.law != nil {
      candidates = [.init(name: plan.law, formula: plan.formula, r2: plan.r2, mre: plan.heldoutRelativeError, parameters: plan.parameters)]
    }
    guard !candidates.isEmpty else { return nil }
    var table = Table(
      "Candidate laws, by their mean relative error on held-out runs",
      [.text("Law"), .formula("Form"), .number("R²"), .number("Held-out error"), .text("Parameters")])
    for law in candidates.sorted(by: { ($0.mre.finite ?? .infinity, $0.name ?? "") < ($1.mre.finite ?? .infinity, $1.name ?? "") }) {
      let parameters = (law.parameters ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)\(Number.gap)\(Number.general($0.value))" }
      table.add(
        [law.name ?? "", law.formula ?? "", Number.fixed(law.r2, 4), Number.percent(law.mre), parameters.joined(separator: ", ")],
        style: law.name != nil && law.name == plan.law ? "strong" : "")
    }
    return table.markup
  }

  private static func allocation(_ allocation: RunSummary.Allocation?) -> String? {
    guard let allocation else { return nil }
    var table = Table("What to run", [.text("What"), .number("Value")])
    let interval = allocation.low.finite.flatMap { low in
      allocation.high.finite.map { " (\(Number.fixed(low, 3)) – \(Number.fixed($0, 3)))" }
    }
    let rows: [(String, String?)] = [
      ("Budget, FLOPs", allocation.budget.finite.map { Number.scientific($0) }),
      ("Trunk", allocation.trunk),
      ("Parameters N, without embeddings", allocation.n.finite.map { Number.compact($0) }),
      ("Domains K", allocation.k.finite.map { Number.trimmed($0, 1) }),
      ("General tokens D", allocation.d.finite.map { Number.compact($0) }),
      ("Specialisation tokens D′, a domain", allocation.dPrime.finite.map { Number.compact($0) }),
      ("The trunk’s share of the compute", allocation.share.finite.map { Number.percent($0) }),
      ("Predicted loss", allocation.loss.finite.map { Number.fixed($0, 3) + (interval ?? "") }),
    ]
    for (name, value) in rows { if let value { table.add([name, value]) } }
    for domain in allocation.domains ?? [] {
      let use = domain.share.finite.map { ", \(Number.percent($0)) of use" } ?? ""
      table.add(["D′ of \(domain.name ?? "a domain")\(use)", Number.compact(domain.dPrime)])
    }
    return table.rowCount > 0 ? table.markup : nil
  }
}
