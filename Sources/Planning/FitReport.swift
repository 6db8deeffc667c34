import Primitives

/// Every candidate law fitted to every domain, and the one that predicts best beyond its data.
package struct FitReport: Codable, Sendable, Equatable {
  /// `weir.plan-fit.1`.
  package var format = "weir.plan-fit.1"
  /// The law with the lowest held-out error, the mean over domains.
  package var selected: String
  /// How it was fitted.
  package var configuration: FitConfiguration
  /// The candidates, in the order given.
  package var scores: [LawScore]
  /// One fit a domain, by name, the mean ("all") first.
  package var domains: [DomainFit]
  /// What a reader should know: axes with too few values, added means.
  package var notes: [String]

  /// The domain's candidates.
  /// - Throws: `WeirError` where the domain was not fitted.
  package func domain(_ name: String, place: String = "--domains") throws -> DomainFit {
    guard let domain = domains.first(where: { $0.domain == name }) else {
      let known = domains.map(\.domain).joined(separator: ", ")
      throw WeirError(place, "domain \"\(name)\" was not fitted", remedy: "use one of \(known)")
    }
    return domain
  }

  /// The predicted loss, nats a token.
  /// - Parameters:
  ///   - domain: a fitted domain.
  ///   - n: non-embedding parameters.
  ///   - d: general tokens.
  ///   - dPrime: specialisation tokens.
  ///   - unique: unique specialisation tokens, nil where none repeat.
  ///   - law: nil for the selected one.
  package func predict(
    domain: String = PlanRun.mean, n: Double, d: Double, dPrime: Double, unique: Double? = nil, law: String? = nil
  ) throws -> Double {
    let fit = try self.domain(domain).candidate(law ?? selected)
    return try LawCurve(fit, n: n, unique: unique).loss(d, dPrime)
  }
}

/// A law's errors over all domains.
package struct LawScore: Codable, Sendable, Equatable {
  /// `F1` … `F5`.
  package var law: String
  /// In words.
  package var title: String
  /// The formula.
  package var formula: String
  /// Mean R² over domains.
  package var r2: Double
  /// Mean relative error on the runs it was fitted to, mean over domains.
  package var error: Double
  /// Mean relative error on held-out runs, mean over domains; nil where nothing could be held out.
  package var heldOutError: Double?
}

/// The candidates of one domain.
package struct DomainFit: Codable, Sendable, Equatable {
  /// The domain; "all" is the mean.
  package var domain: String
  /// Runs fitted.
  package var runs: Int
  /// The smallest and largest N, D, D′ among them.
  package var range: RunRange
  /// One fit a law, in the order given.
  package var candidates: [LawFit]

  /// The fit of a law.
  /// - Throws: `WeirError` where it was not among the candidates.
  package func candidate(_ law: String, place: String = "--law") throws -> LawFit {
    let id = try Laws.named(law, place: place).id
    guard let fit = candidates.first(where: { $0.law == id }) else {
      throw WeirError(place, "law \(id) was not fitted", remedy: "use one of \(candidates.map(\.law).joined(separator: ", "))")
    }
    return fit
  }
}

/// The smallest and largest values of an axis each.
package struct RunRange: Codable, Sendable, Equatable {
  /// Parameters.
  package var n: [Double]
  /// General tokens.
  package var d: [Double]
  /// Specialisation tokens.
  package var dPrime: [Double]

  /// Creates a range of smallest and largest values.
  package init(n: [Double], d: [Double], dPrime: [Double]) {
    self.n = n
    self.d = d
    self.dPrime = dPrime
  }
}

/// One law fitted to one domain.
package struct LawFit: Codable, Sendable, Equatable {
  /// `F1` … `F5`.
  package var law: String
  /// The parameters, natural units, with intervals where the law was bootstrapped.
  package var parameters: [FittedParameter]
  /// R* of repeated tokens.
  package var repetition: Double
  /// Share of the variance of the loss explained, on the runs fitted; 0 where nothing varies.
  package var r2: Double
  /// Mean relative error on the runs fitted.
  package var error: Double
  /// Σ Huber of log-loss residuals, without the priors.
  package var objective: Double
  /// What it predicts beyond its data; nil where nothing could be held out.
  package var heldOut: HeldOut?
  /// Predicted against measured, one a run, by N, D, D′.
  package var points: [FitPoint]
  /// Bootstrap replicates: the parameters in order, then R*.
  package var replicates: [[Double]]

  /// The parameters' values, in order.
  package var values: [Double] { parameters.map(\.value) }
}

/// A fitted parameter.
package struct FittedParameter: Codable, Sendable, Equatable {
  /// The symbol.
  package var name: String
  /// The value, natural units.
  package var value: Double
  /// The lower end of the bootstrap interval.
  package var low: Double?
  /// The upper end of the bootstrap interval.
  package var high: Double?
}

/// One run, measured and predicted.
package struct FitPoint: Codable, Sendable, Equatable {
  /// The run's model.
  package var model: String
  /// Parameters.
  package var n: Double
  /// General tokens.
  package var d: Double
  /// Specialisation tokens.
  package var dPrime: Double
  /// Nats a token.
  package var measured: Double
  /// Nats a token.
  package var predicted: Double
  /// ln predicted − ln measured.
  package var residual: Double
}

/// A law fitted to the smaller runs and asked for the larger ones.
package struct HeldOut: Codable, Sendable, Equatable {
  /// One extrapolation.
  package struct Fold: Codable, Sendable, Equatable {
    /// What is largest in the predicted runs: `N`, `D`, `D′` or `N, D, D′`.
    package var axis: String
    /// Runs fitted.
    package var fitted: Int
    /// Mean relative error on the predicted runs.
    package var error: Double
    /// The predicted runs.
    package var points: [FitPoint]
  }
  /// The mean of the folds' errors.
  package var error: Double
  /// The folds.
  package var folds: [Fold]
}
