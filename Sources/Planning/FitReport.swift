import Primitives

/// Every candidate law fitted to every domain, and the one that predicts best beyond its data.
public struct FitReport: Codable, Sendable, Equatable {
  /// `weir.plan-fit.1`.
  public var format = "weir.plan-fit.1"
  /// The law with the lowest held-out error, the mean over domains.
  public var selected: String
  /// How it was fitted.
  public var configuration: FitConfiguration
  /// The candidates, in the order given.
  public var scores: [LawScore]
  /// One fit a domain, by name, the mean ("all") first.
  public var domains: [DomainFit]
  /// What a reader should know: axes with too few values, added means.
  public var notes: [String]

  /// The domain's candidates.
  /// - Throws: `WeirError` where the domain was not fitted.
  public func domain(_ name: String, place: String = "--domains") throws -> DomainFit {
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
  public func predict(
    domain: String = PlanRun.mean, n: Double, d: Double, dPrime: Double, unique: Double? = nil, law: String? = nil
  ) throws -> Double {
    let fit = try self.domain(domain).candidate(law ?? selected)
    return try LawCurve(fit, n: n, unique: unique).loss(d, dPrime)
  }
}

/// A law's errors over all domains.
public struct LawScore: Codable, Sendable, Equatable {
  /// `F1` … `F5`.
  public var law: String
  /// In words.
  public var title: String
  /// The formula.
  public var formula: String
  /// Mean R² over domains.
  public var r2: Double
  /// Mean relative error on the runs it was fitted to, mean over domains.
  public var error: Double
  /// Mean relative error on held-out runs, mean over domains; nil where nothing could be held out.
  public var heldOutError: Double?
}

/// The candidates of one domain.
public struct DomainFit: Codable, Sendable, Equatable {
  /// The domain; "all" is the mean.
  public var domain: String
  /// Runs fitted.
  public var runs: Int
  /// The smallest and largest N, D, D′ among them.
  public var range: RunRange
  /// One fit a law, in the order given.
  public var candidates: [LawFit]

  /// The fit of a law.
  /// - Throws: `WeirError` where it was not among the candidates.
  public func candidate(_ law: String, place: String = "--law") throws -> LawFit {
    let id = try Laws.named(law, place: place).id
    guard let fit = candidates.first(where: { $0.law == id }) else {
      throw WeirError(place, "law \(id) was not fitted", remedy: "use one of \(candidates.map(\.law).joined(separator: ", "))")
    }
    return fit
  }
}

/// The smallest and largest values of an axis each.
public struct RunRange: Codable, Sendable, Equatable {
  /// Parameters.
  public var n: [Double]
  /// General tokens.
  public var d: [Double]
  /// Specialisation tokens.
  public var dPrime: [Double]

  /// Creates a range of smallest and largest values.
  public init(n: [Double], d: [Double], dPrime: [Double]) {
    self.n = n
    self.d = d
    self.dPrime = dPrime
  }
}

/// One law fitted to one domain.
public struct LawFit: Codable, Sendable, Equatable {
  /// `F1` … `F5`.
  public var law: String
  /// The parameters, natural units, with intervals where the law was bootstrapped.
  public var parameters: [FittedParameter]
  /// R* of repeated tokens.
  public var repetition: Double
  /// Share of the variance of the loss explained, on the runs fitted; 0 where nothing varies.
  public var r2: Double
  /// Mean relative error on the runs fitted.
  public var error: Double
  /// Σ Huber of log-loss residuals, without the priors.
  public var objective: Double
  /// What it predicts beyond its data; nil where nothing could be held out.
  public var heldOut: HeldOut?
  /// Predicted against measured, one a run, by N, D, D′.
  public var points: [FitPoint]
  /// Bootstrap replicates: the parameters in order, then R*.
  public var replicates: [[Double]]

  /// The parameters' values, in order.
  public var values: [Double] { parameters.map(\.value) }
}

/// A fitted parameter.
public struct FittedParameter: Codable, Sendable, Equatable {
  /// The symbol.
  public var name: String
  /// The value, natural units.
  public var value: Double
  /// The lower end of the bootstrap interval.
  public var low: Double?
  /// The upper end of the bootstrap interval.
  public var high: Double?
}

/// One run, measured and predicted.
public struct FitPoint: Codable, Sendable, Equatable {
  /// The run's model.
  public var model: String
  /// Parameters.
  public var n: Double
  /// General tokens.
  public var d: Double
  /// Specialisation tokens.
  public var dPrime: Double
  /// Nats a token.
  public var measured: Double
  /// Nats a token.
  public var predicted: Double
  /// ln predicted − ln measured.
  public var residual: Double
}

/// A law fitted to the smaller runs and asked for the larger ones.
public struct HeldOut: Codable, Sendable, Equatable {
  /// One extrapolation.
  public struct Fold: Codable, Sendable, Equatable {
    /// What is largest in the predicted runs: `N`, `D`, `D′` or `N, D, D′`.
    public var axis: String
    /// Runs fitted.
    public var fitted: Int
    /// Mean relative error on the predicted runs.
    public var error: Double
    /// The predicted runs.
    public var points: [FitPoint]
  }
  /// The mean of the folds' errors.
  public var error: Double
  /// The folds.
  public var folds: [Fold]
}
