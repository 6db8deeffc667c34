/// The planner's answer: how to spend a budget, what loss it predicts, and what else was looked at.
package struct Allocation: Codable, Sendable, Equatable {
  /// `weir.plan-allocation.1`.
  package var format = "weir.plan-allocation.1"
  /// What was asked.
  package var request: AllocationRequest
  /// The law it rests on.
  package var law: String
  /// The chosen size.
  package var size: ModelSize
  /// The best split.
  package var split: Candidate
  /// All the budget on one general model, D′ = 0, at its own best size of those asked for.
  package var full: Candidate
  /// The size of `full`.
  package var fullSize: ModelSize
  /// `split`, or `full` where no specialisation pays.
  package var recommended: String
  /// Loss of `full` less loss of `split`, nats a token.
  package var gain: Interval
  /// The best split at every size asked for; the search's steps for `.free`.
  package var sizes: [Candidate]
  /// Splits at the chosen size from nearly no specialisation to nearly nothing else, by share.
  package var curve: [Candidate]
  /// The best split with half and with double its specialisation tokens.
  package var neighbours: [Candidate]
  /// What a reader should know: extrapolation, repeats.
  package var notes: [String]

  /// A value with a bootstrap interval; the ends are nil where the fit was not bootstrapped.
  package struct Interval: Codable, Sendable, Equatable {
    /// The prediction.
    package var value: Double
    /// The lower end.
    package var low: Double?
    /// The upper end.
    package var high: Double?
  }

  /// One way to spend the budget.
  package struct Candidate: Codable, Sendable, Equatable {
    /// What it is: `split`, `full`, `half D′`, `double D′`, `curve`, `size`.
    package var name: String
    /// Non-embedding parameters.
    package var n: Double
    /// General tokens of a trunk, rounded down.
    package var d: Int
    /// Specialisation tokens of each domain, in the request's order, rounded down.
    package var dPrime: [Int]
    /// The share of the compute spent on specialisation.
    package var share: Double
    /// The compute, FLOPs; never above the budget.
    package var flops: Double
    /// The predicted loss, the mean over domains by weight, nats a token.
    package var loss: Interval
    /// The predicted loss of each domain, in the request's order.
    package var domainLoss: [Double]
    /// Epochs over each domain's unique tokens; nil where they are not limited.
    package var epochs: [Double?]

    /// Specialisation tokens of all domains.
    package var dPrimeTotal: Int { dPrime.reduce(0, +) }
  }
}
