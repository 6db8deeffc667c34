/// One law fitted to one domain.
package struct LawFit: Codable, Sendable, Equatable {
  /// `F1` … `F8`, `M1` or `M2`.
  package var law: String
  /// The parameters, with intervals where the fit was bootstrapped.
  package var parameters: [FittedParameter]
  /// R* of repeated tokens.
  package var repetition: Double
  /// R² on the fitted runs; 0 where the loss does not vary.
  package var r2: Double
  /// Mean relative error on the fitted runs.
  package var error: Double
  /// Sum of the Huber losses of the log-loss residuals, without the priors.
  package var objective: Double
  /// Predictions of held-out runs; nil where nothing could be held out.
  package var heldOut: HeldOut?
  /// One point per run, sorted by N, D, D′.
  package var points: [FitPoint]
  /// Per bootstrap replicate: the parameters in order, then R*.
  package var replicates: [[Double]]

  package var values: [Double] { parameters.map(\.value) }
}

/// A fitted parameter with its bootstrap interval; the ends are nil where the fit was not bootstrapped.
package struct FittedParameter: Codable, Sendable, Equatable {
  /// The symbol in the formula.
  package var name: String
  package var value: Double
  package var low: Double?
  package var high: Double?
}

/// The measured and the predicted loss of one run.
package struct FitPoint: Codable, Sendable, Equatable {
  package var model: String
  /// Non-embedding parameters.
  package var n: Double
  /// General tokens.
  package var d: Double
  /// Specialization tokens.
  package var dPrime: Double
  /// Measured loss, nats/token.
  package var measured: Double
  /// Predicted loss, nats/token.
  package var predicted: Double
  /// ln predicted − ln measured.
  package var residual: Double
  /// The shares of a mixture's sources.
  package var mixture: [Double]?
}

extension FitPoint {
  /// A run without a prediction, which is NaN.
  package init(measured run: MeasuredRun) {
    self.init(model: run.model, n: run.n, d: run.d, dPrime: run.dPrime, measured: run.loss, predicted: .nan, residual: .nan)
  }
}

/// How well a law fitted to the smaller runs predicts the largest.
package struct HeldOut: Codable, Sendable, Equatable {
  /// One extrapolation.
  package struct Fold: Codable, Sendable, Equatable {
    /// The axes on which the predicted runs are the largest: `N`, `D`, `D′`, `compute` or a list such as `N, D, D′`.
    package var axis: String
    /// Number of fitted runs.
    package var fitted: Int
    /// Mean relative error on the predicted runs.
    package var error: Double
    package var points: [FitPoint]
  }
  /// Mean error of the folds.
  package var error: Double
  /// The same for predicting the median of the fitted losses.
  package var naiveError: Double?
  package var folds: [Fold]
}
