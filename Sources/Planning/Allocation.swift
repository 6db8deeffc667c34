/// How to spend a compute budget, with the predicted loss and the alternatives considered.
package struct Allocation: Codable, Sendable, Equatable {
  /// `weir.plan-allocation.1`.
  package var format = "weir.plan-allocation.1"
  package var request: AllocationRequest
  /// The id of the law behind the predictions.
  package var law: String
  package var size: ModelSize
  /// The best split.
  package var split: Candidate
  /// One general model for the whole budget (D′ = 0), at its own best size if sizes are free.
  package var full: Candidate
  /// The size of `full`.
  package var fullSize: ModelSize
  /// `split`, or `full` where specialization does not lower the predicted loss; `none` where the fit knows too little to say.
  package var recommended: String
  /// Loss of `full` minus loss of `split`, nats/token.
  package var gain: Interval
  /// The best splits at nine sizes over the range searched; empty for a fixed size.
  package var sizes: [Candidate]
  /// Splits at the chosen size, in order of the share of specialization, 0…0.99.
  package var curve: [Candidate]
  /// The splits with half and with twice the specialization tokens of the best one.
  package var neighbors: [Candidate]
  /// Caveats, such as extrapolation and repeated data.
  package var notes: [String]
  /// The best split of every bootstrap replicate; nil where the fit was not bootstrapped.
  package var decision: Decision?
  /// The compute, as a multiple of the budget, with which `full` would reach the loss of `split`; nil where none does, or none is needed.
  package var equivalentCompute: Double?

  private enum CodingKeys: String, CodingKey {
    case format, request, law, size, split, full, fullSize, recommended, gain, sizes, curve
    case neighbors = "neighbours"
    case notes, decision, equivalentCompute
  }

  /// How far the best split depends on the runs that happened to be measured.
  package struct Decision: Codable, Sendable, Equatable {
    /// General tokens per trunk.
    package var d: Interval
    /// Specialization tokens of all domains.
    package var dPrime: Interval
    /// Share of the compute spent on specialization, 0…1.
    package var share: Interval
  }

  /// A value with its bootstrap interval; the ends are nil where the fit was not bootstrapped.
  package struct Interval: Codable, Sendable, Equatable {
    package var value: Double
    package var low: Double?
    package var high: Double?
  }

  /// One way to spend the budget.
  package struct Candidate: Codable, Sendable, Equatable {
    /// `split`, `full`, `half D′`, `double D′`, `curve` or `size`.
    package var name: String
    /// Non-embedding parameters.
    package var n: Double
    /// General tokens per trunk, rounded down.
    package var d: Int
    /// Specialization tokens per domain, in the order of the request, rounded down.
    package var dPrime: [Int]
    /// Share of the compute spent on specialization, 0…1.
    package var share: Double
    /// Compute in FLOPs; never above the budget.
    package var flops: Double
    /// Predicted loss, the weighted mean over domains, nats/token.
    package var loss: Interval
    /// Predicted loss per domain, in the order of the request, nats/token.
    package var domainLoss: [Double]
    /// Epochs over the unique tokens per domain; nil where those are unlimited.
    package var epochs: [Double?]

    /// Specialization tokens of all domains.
    package var dPrimeTotal: Int { dPrime.reduce(0, +) }
  }
}
