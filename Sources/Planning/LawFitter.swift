import Foundation
import Pipeline
import Primitives

/// Fits candidate scaling laws to measured runs and selects one by its held-out error.
///
/// The fit is approach 3 of Chinchilla (arXiv 2203.15556, section 3.3): L-BFGS on the Huber loss of log-loss residuals from many starting points.
/// The selection criterion is the mean relative error on runs larger than those fitted, the measure that arXiv 2603.19149 reports. The priors,
/// the folds and the decreasing Huber threshold are extensions of Weir.
///
/// Cost: starting points × iterations × runs × laws × domains × (folds + 1).
package enum LawFitter {
  /// Fits every law to every domain, and to the mean over domains where they share enough points.
  /// - Parameters:
  ///   - runs: per domain, at least as many as every law has parameters, at two or more model sizes.
  ///   - laws: the candidates; on a tie the first wins.
  /// - Throws: `WeirError` where the runs cannot determine the laws; `Stopped`.
  package static func fit(
    runs: [MeasuredRun], laws: [any Law] = Laws.all, configuration: FitConfiguration = FitConfiguration(),
    progress: Pipeline.Progress = .silent
  ) throws -> FitReport {
    try configuration.validate()
    guard !runs.isEmpty else { throw WeirError("runs", "there are none", remedy: "create some with `weir plan sweep`") }
    guard !laws.isEmpty else { throw WeirError("laws", "is empty", remedy: "give at least one law") }
    for (index, run) in runs.enumerated() {
      if let problem = run.problem { throw WeirError("run \(index + 1)", problem) }
    }
    var notes: [String] = []
    var byDomain = Dictionary(grouping: runs, by: \.domain)
    if byDomain[MeasuredRun.mean] == nil, byDomain.count > 1 {
      let means = MeasuredRuns.means(runs)
      if (try? check(means, domain: MeasuredRun.mean, laws: laws)) != nil {
        byDomain[MeasuredRun.mean] = means
        notes.append("\"all\" is the mean over \(byDomain.count - 1) domains at the \(means.count) points (N, D, D′) that they share")
      } else {
        notes.append("the domains share too few points (N, D, D′) to fit their mean")
      }
    }
    let names = byDomain.keys.sorted { ($0 == MeasuredRun.mean ? 0 : 1, $0) < ($1 == MeasuredRun.mean ? 0 : 1, $1) }
    for name in names { try check(byDomain[name] ?? [], domain: name, laws: laws) }

    let total = Double(names.count * laws.count)
    var done = 0.0
    var domains: [DomainFit] = []
    for name in names {
      let data = FitData(byDomain[name] ?? [])
      let folds = configuration.holdsOut ? HeldOutFold.all(of: data.runs) : []
      if configuration.holdsOut && folds.isEmpty {
        notes.append("domain \"\(name)\": too few values of N, D and D′ to hold out the largest runs")
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
      notes.append("no runs were held out; \(selected) is the first law given, not selected by its error")
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
