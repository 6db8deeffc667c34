/// The planner's answer: how to spend a budget, what loss it predicts, and what else was looked at.
public struct Allocation: Codable, Sendable, Equatable {
  /// `weir.plan-allocation.1`.
  public var format = "weir.plan-allocation.1"
  /// What was asked.
  public var request: AllocationRequest
  /// The law it rests on.
  public var law: String
  /// The chosen size.
  public var size: ModelSize
  /// The best split.
  public var split: Candidate
  /// All the budget on one general model, D′ = 0, at its own best size of those asked for.
  public var full: Candidate
  /// The size of `full`.
  public var fullSize: ModelSize
  /// `split`, or `full` where no specialisation pays.
  public var recommended: String
  /// Loss of `full` less loss of `split`, nats a token.
  public var gain: Interval
  /// The best split at every size asked for; the search's steps for `.free`.
  public var sizes: [Candidate]
  /// Splits at the chosen size from nearly no specialisation to nearly nothing else, by share.
  public var curve: [Candidate]
  /// The best split with half and with double its specialisation tokens.
  public var neighbours: [Candidate]
  /// What a reader should know: extrapolation, repeats.
  public var notes: [String]

  /// A value with a bootstrap interval; the ends are nil where the fit was not bootstrapped.
  public struct Interval: Codable, Sendable, Equatable {
    /// The prediction.
    public var value: Double
    /// The lower end.
    public var low: Double?
    /// The upper end.
    public var high: Double?
  }

  /// One way to spend the budget.
  public struct Candidate: Codable, Sendable, Equatable {
    /// What it is: `split`, `full`, `half D′`, `double D′`, `curve`, `size`.
    public var name: String
    /// Non-embedding parameters.
    public var n: Double
    /// General tokens of a trunk, rounded down.
    public var d: Int
    /// Specialisation tokens of each domain, in the request's order, rounded down.
    public var dPrime: [Int]
    /// The share of the compute spent on specialisation.
    public var share: Double
    /// The compute, FLOPs; never above the budget.
    public var flops: Double
    /// The predicted loss, the mean over domains by weight, nats a token.
    public var loss: Interval
    /// The predicted loss of each domain, in the request's order.
    public var domainLoss: [Double]
    /// Epochs over each domain's unique tokens; nil where they are not limited.
    public var epochs: [Double?]

    /// Specialisation tokens of all domains.
    public var dPrimeTotal: Int { dPrime.reduce(0, +) }
  }
}
