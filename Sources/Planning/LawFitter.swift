import Foundation
import Pipeline
import Primitives

/// Fits candidate scaling laws to measured runs and selects one by its held-out error.
///
/// The fit is approach 3 of Chinchilla (arXiv 2203.15556, section 3.3): L-BFGS on the Huber loss of log-loss residuals from many starting points.
/// The selection criterion is the mean relative error on runs larger than those fitted, the measure that arXiv 2603.19149 reports. The folds,
/// the weights of trajectories and the decreasing Huber threshold are extensions of Weir.
///
/// Cost: starting points × iterations × runs × laws × domains × (folds + 1).
package enum LawFitter {
  /// Fits every law to every domain, and to the mean over domains where they share enough points.
  /// - Parameters:
  ///   - table: the runs, at two or more model sizes.
  ///   - laws: the candidates, each with at most as many parameters as there are runs of a domain; on a tie the first wins. Nil for all that the
  ///     runs can determine.
  ///   - threads: the result does not depend on their number.
  /// - Throws: `WeirError` where the runs cannot determine the laws, or where no law explains them; `Stopped`.
  package static func fit(
    _ table: RunTable, laws: [any Law]? = nil, configuration: FitConfiguration = FitConfiguration(), threads: Int = 1,
    progress: Pipeline.Progress = .silent
  ) throws -> FitReport {
    try configuration.validate()
    let runs = table.runs
    guard !runs.isEmpty else { throw WeirError("runs", "there are none", remedy: "create some with `weir plan sweep`") }
    for (index, run) in runs.enumerated() {
      if let fault = run.fault { throw WeirError("run \(index + 1)", "member \"\(fault.member)\" \(fault.reason)") }
    }
    var notes = table.notes
    let (laws, byDomain) = try candidates(runs, laws: laws, notes: &notes)
    let names = byDomain.keys.sorted { ($0 == MeasuredRun.mean ? 0 : 1, $0) < ($1 == MeasuredRun.mean ? 0 : 1, $1) }
    if !runs.contains(where: { $0.dPrime > 0 }), !runs.contains(where: { $0.mixture != nil }) {
      notes.append("no run has D′ > 0: the fit says nothing about specialization, and no split can be planned by it")
    }

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
        var priors = false
        candidates.append(
          try fit(law, to: data, folds: folds, configuration: configuration, threads: threads, neededPriors: &priors, progress: progress))
        if priors { notes.append("domain \"\(name)\", \(law.id): the fit diverges; weak priors hold it") }
        done += 1
        progress.update(done, of: total, unit: "fits", detail: "\(name) \(law.id)")
      }
      domains.append(
        DomainFit(
          domain: name, runs: data.runs.count, range: range(data.runs), seedNoise: RunDiagnosis.seedNoise(data.runs), candidates: candidates
        ))
    }
    let scores = laws.indices.map { index in score(laws[index], domains.map { $0.candidates[index] }) }
    let selected = select(scores)
    if scores.allSatisfy({ $0.heldOutError == nil }) {
      notes.append("no runs were held out; \(selected) is the first law given, not selected by its error")
    }
    let index = laws.firstIndex { $0.id == selected } ?? 0
    let diagnoses = domains.map { RunDiagnosis(data: FitData(byDomain[$0.domain] ?? []), fit: $0.candidates[index], domain: $0.domain) }
    guard let best = scores.map(\.r2).max(), best > 0 else {
      let outliers = diagnoses.flatMap(\.outliers)
      throw WeirError(
        "runs", "no law explains the losses (the best R² is \(Format.fixed(scores.map(\.r2).max(), 3))): they do not fall with N and D",
        remedy: outliers.isEmpty ? "measure runs over a wider range of N and D" : "check " + outliers.prefix(3).joined(separator: "; "))
    }
    for diagnosis in diagnoses { notes += try diagnosis.notes(law: laws[index], configuration: configuration) }
    if configuration.bootstrap > 0 {
      for domain in domains.indices {
        let data = FitData(byDomain[domains[domain].domain] ?? [])
        let clusters = RunClusters(data.runs)
        domains[domain].resampled = clusters.description
        if let note = clusters.note { notes.append("domain \"\(domains[domain].domain)\": \(note)") }
        try bootstrap(
          &domains[domain].candidates[index], law: laws[index], data: data, clusters: clusters, configuration: configuration,
          threads: threads,
          progress: progress)
        progress.update(Double(domain + 1), of: Double(domains.count), unit: "bootstraps", detail: domains[domain].domain)
      }
    }
    return FitReport(
      selected: selected, configuration: configuration, scores: scores, domains: domains, notes: notes,
      sources: table.sources.isEmpty ? nil : table.sources, doubt: doubt(scores[index]))
  }

  /// The laws to fit, and the runs by domain, with the mean over domains where they share enough points.
  private static func candidates(
    _ runs: [MeasuredRun], laws: [any Law]?, notes: inout [String]
  ) throws -> ([any Law], [String: [MeasuredRun]]) {
    if let laws, laws.isEmpty { throw WeirError("laws", "is empty", remedy: "give at least one law") }
    var byDomain = Dictionary(grouping: runs, by: \.domain)
    let chosen: [any Law]
    if let laws {
      chosen = laws
      for name in byDomain.keys.sorted() { for law in laws { try check(byDomain[name] ?? [], domain: name, law: law) } }
    } else {
      var reasons: [(law: String, error: any Error)] = []
      chosen = Laws.all.filter { law in
        do {
          for name in byDomain.keys.sorted() { try check(byDomain[name] ?? [], domain: name, law: law) }
          return true
        } catch {
          reasons.append((law.id, error))
          return false
        }
      }
      // A law of no mixture says nothing about one, and the other way round: leaving it out needs no note.
      let takesMixture = runs.contains { $0.mixture != nil }
      let left = reasons.filter { reason in Laws.all.contains { $0.id == reason.law && $0.takesMixture == takesMixture } }
      guard !chosen.isEmpty else { throw left.last?.error ?? WeirError("laws", "none can be fitted to these runs") }
      let few = left.compactMap { ($0.error as? WeirError).map(\.reason) }.first
      if let few { notes.append("not fitted: \(left.map(\.law).joined(separator: ", ")) (\(few))") }
    }
    if byDomain[MeasuredRun.mean] == nil, byDomain.count > 1, !runs.contains(where: { $0.mixture != nil }) {
      let means = MeasuredRuns.means(runs)
      if !means.isEmpty, chosen.allSatisfy({ law in (try? check(means, domain: MeasuredRun.mean, law: law)) != nil }) {
        byDomain[MeasuredRun.mean] = means
        notes.append("\"all\" is the mean over \(byDomain.count - 1) domains at the \(means.count) points (N, D, D′) that they share")
      } else {
        notes.append("the domains share too few points (N, D, D′) to fit their mean")
      }
    }
    return (chosen, byDomain)
  }

  /// Why no recommendation follows; nil where one does.
  private static func doubt(_ score: LawScore) -> String? {
    // Below one half, most of what varies is not explained.
    if score.r2 < 0.5 { return "R² is \(Format.fixed(score.r2, 3)): most of the variation is not explained" }
    guard let error = score.heldOutError, let naive = score.naiveError, error >= naive else { return nil }
    return
      "the held-out error, \(Format.percent(error, 2)), is not below the \(Format.percent(naive, 2)) of predicting the median of the fitted losses"
  }
}
