import Foundation
import Pipeline
import Primitives

/// Fits the laws of the loss to runs, and selects the one that extrapolates best.
///
/// Approach 3 of Chinchilla (2203.15556): Huber's loss of log-loss residuals, L-BFGS, many starts, the best kept. Selection
/// is by the mean relative error on runs larger than those fitted (2603.19149 reports its fit so). Priors, folds and
/// the widening of Huber's corner at the start are ours. Cost: starts × steps × runs × laws × domains × (folds + 1).
package enum PlanFit {
  /// Fits every law to every domain.
  /// - Parameters:
  ///   - runs: measured runs; of each domain more than the parameters of every law, at two sizes or more.
  ///   - laws: the candidates, the one preferred on a tie first.
  ///   - configuration: how.
  ///   - progress: told about every fit.
  /// - Throws: `WeirError` where the runs can't determine the laws; `Stopped`.
  package static func fit(
    runs: [PlanRun], laws: [any Law] = Laws.all, configuration: FitConfiguration = FitConfiguration(),
    progress: Pipeline.Progress = .silent
  ) throws -> FitReport {
    try configuration.validate()
    guard !runs.isEmpty else { throw WeirError("runs", "there are none", remedy: "make some with weir plan sweep") }
    guard !laws.isEmpty else { throw WeirError("--law", "no law is given", remedy: "leave it out for all five") }
    for (index, run) in runs.enumerated() {
      if let problem = run.problem { throw WeirError("run \(index + 1)", problem) }
    }
    var notes: [String] = []
    var byDomain = Dictionary(grouping: runs, by: \.domain)
    if byDomain[PlanRun.mean] == nil, byDomain.count > 1 {
      let means = PlanRuns.means(runs)
      if (try? check(means, domain: PlanRun.mean, laws: laws)) != nil {
        byDomain[PlanRun.mean] = means
        notes.append("\"all\" is the mean over \(byDomain.count - 1) domains at the \(means.count) points that they share")
      } else {
        notes.append("the domains share too few points of (N, D, D′) for a fit of their mean")
      }
    }
    let names = byDomain.keys.sorted { ($0 == PlanRun.mean ? 0 : 1, $0) < ($1 == PlanRun.mean ? 0 : 1, $1) }
    for name in names { try check(byDomain[name] ?? [], domain: name, laws: laws) }

    let total = Double(names.count * laws.count)
    var done = 0.0
    var domains: [DomainFit] = []
    for name in names {
      let data = FitData(byDomain[name] ?? [])
      let folds = configuration.holdsOut ? HeldOutFold.all(of: data.runs) : []
      if configuration.holdsOut && folds.isEmpty {
        notes.append("domain \"\(name)\": too few sizes and token counts to hold the largest out")
      }
      var candidates: [LawFit] = []
      for law in laws {
        try progress.checkStop()
        candidates.append(try fit(law, to: data, folds: folds, configuration: configuration, progress: progress))
        done += 1
        progress.update(done, of: total, unit: "fits", detail: "\(name) \(law.id)")
      }
      domains.append(DomainFit(domain: name, runs: data.runs.count, range: range(data.runs), candidates: candidates))
    }
    let scores = laws.indices.map { index in score(laws[index], domains.map { $0.candidates[index] }) }
    let selected = select(scores)
    if scores.allSatisfy({ $0.heldOutError == nil }) {
      notes.append("nothing was held out, so that \(selected), the first law given, is taken unselected")
    }
    if configuration.bootstrap > 0, let index = laws.firstIndex(where: { $0.id == selected }) {
      for domain in domains.indices {
        let data = FitData(byDomain[domains[domain].domain] ?? [])
        try bootstrap(&domains[domain].candidates[index], law: laws[index], data: data, configuration: configuration, progress: progress)
        progress.update(Double(domain + 1), of: Double(domains.count), unit: "bootstraps", detail: domains[domain].domain)
      }
    }
    return FitReport(selected: selected, configuration: configuration, scores: scores, domains: domains, notes: notes)
  }
}
