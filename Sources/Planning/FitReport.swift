import Primitives

/// Every candidate law fitted to every domain, and the law with the lowest held-out error.
package struct FitReport: Codable, Sendable, Equatable {
  /// `weir.plan-fit.1`.
  package var format = "weir.plan-fit.1"
  /// The id of the law with the lowest held-out error, averaged over domains.
  package var selected: String
  package var configuration: FitConfiguration
  /// The errors of the candidate laws, in the order given.
  package var scores: [LawScore]
  /// One entry per domain, the mean ("all") first, then by name.
  package var domains: [DomainFit]
  /// Caveats, such as too few runs to hold some out.
  package var notes: [String]
  /// The sources of the runs' mixtures, in the order of their shares.
  package var sources: [String]?
  /// Why no recommendation follows from the fit; nil where one does.
  package var doubt: String?

  /// The fits of a domain.
  /// - Throws: `WeirError` at `place` where the domain was not fitted.
  package func domain(_ name: String, place: String = "domains") throws -> DomainFit {
    guard let domain = domains.first(where: { $0.domain == name }) else {
      let known = domains.map(\.domain).joined(separator: ", ")
      throw WeirError(place, "domain \"\(name)\" was not fitted", remedy: "use one of \(known)")
    }
    return domain
  }
}

/// The errors of one law, averaged over domains.
package struct LawScore: Codable, Sendable, Equatable {
  /// `F1` … `F8`, `M1` or `M2`.
  package var law: String
  package var title: String
  package var formula: String
  /// Mean R².
  package var r2: Double
  /// Mean relative error on the fitted runs.
  package var error: Double
  /// Mean relative error on held-out runs; nil where nothing could be held out.
  package var heldOutError: Double?
  /// The same for predicting the median of the fitted losses.
  package var naiveError: Double?
}

/// The laws fitted to one domain.
package struct DomainFit: Codable, Sendable, Equatable {
  /// The name of the domain; "all" is the mean over domains.
  package var domain: String
  /// Number of runs.
  package var runs: Int
  package var range: RunRange
  /// What the bootstrap resampled, such as `24 trunks`.
  package var resampled: String?
  /// Standard deviation of ln loss between runs that differ in their seed alone; nil where there are none.
  package var seedNoise: Double?
  /// One fit per law, in the order given.
  package var candidates: [LawFit]

  /// The fit of a law.
  /// - Throws: `WeirError` at `place` where it was not among the candidates.
  package func candidate(_ law: String, place: String = "law") throws -> LawFit {
    let id = try Laws.named(law, place: place).id
    guard let fit = candidates.first(where: { $0.law == id }) else {
      throw WeirError(place, "law \(id) was not fitted", remedy: "use one of \(candidates.map(\.law).joined(separator: ", "))")
    }
    return fit
  }
}

/// The smallest and the largest N, D and D′ of some runs.
package struct RunRange: Codable, Sendable, Equatable {
  /// Non-embedding parameters.
  package var n: [Double]
  /// General tokens.
  package var d: [Double]
  /// Specialization tokens.
  package var dPrime: [Double]
}
