extension RunSummary {
  /// The fitted law and the allocation it advises.
  public struct Plan: Sendable, Codable, Equatable {
    /// The chosen law's name.
    public var law: String?
    /// The chosen law as a formula.
    public var formula: String?
    /// R² of the chosen law.
    public var r2: Double?
    /// Mean relative error on runs held out of the fit (largest N, largest D, D').
    public var heldoutRelativeError: Double?
    /// The chosen law's parameters.
    public var parameters: [String: Double]?
    /// The best N, D, D', K for the budget.
    public var allocation: Allocation?
    /// Every candidate.
    public var laws: [Law]?
    /// Every run, measured and predicted.
    public var points: [PlanPoint]?
    /// Predicted loss against the trunk's share of the compute.
    public var curve: [CurvePoint]?

    /// Creates the value; what is not given is not known.
    public init(
      law: String? = nil, formula: String? = nil, r2: Double? = nil, heldoutRelativeError: Double? = nil,
      parameters: [String: Double]? = nil, allocation: Allocation? = nil, laws: [Law]? = nil, points: [PlanPoint]? = nil,
      curve: [CurvePoint]? = nil
    ) {
      self.law = law
      self.formula = formula
      self.r2 = r2
      self.heldoutRelativeError = heldoutRelativeError
      self.parameters = parameters
      self.allocation = allocation
      self.laws = laws
      self.points = points
      self.curve = curve
    }

    private enum CodingKeys: String, CodingKey {
      case law, formula, parameters, allocation, laws, points, curve
      case r2
      case heldoutRelativeError = "heldout_relative_error"
    }
  }

  /// One candidate law.
  public struct Law: Sendable, Codable, Equatable {
    /// Its name.
    public var name: String?
    /// Its formula.
    public var formula: String?
    /// R² over the runs.
    public var r2: Double?
    /// Mean relative error on held-out runs.
    public var mre: Double?
    /// Its parameters.
    public var parameters: [String: Double]?

    /// Creates the value; what is not given is not known.
    public init(name: String? = nil, formula: String? = nil, r2: Double? = nil, mre: Double? = nil, parameters: [String: Double]? = nil) {
      self.name = name
      self.formula = formula
      self.r2 = r2
      self.mre = mre
      self.parameters = parameters
    }

    private enum CodingKeys: String, CodingKey {
      case name, formula, mre, parameters
      case r2
    }
  }

  /// One run of the sweep.
  public struct PlanPoint: Sendable, Codable, Equatable {
    /// The domain it was scored on.
    public var domain: String?
    /// Non-embedding parameters.
    public var n: Double?
    /// General tokens.
    public var d: Double?
    /// Specialisation tokens.
    public var dPrime: Double?
    /// Measured loss, nats a token.
    public var measured: Double?
    /// Predicted loss.
    public var predicted: Double?
    /// Whether the fit did not see it.
    public var heldOut: Bool?

    /// Creates the value; what is not given is not known.
    public init(
      domain: String? = nil, n: Double? = nil, d: Double? = nil, dPrime: Double? = nil, measured: Double? = nil, predicted: Double? = nil,
      heldOut: Bool? = nil
    ) {
      self.domain = domain
      self.n = n
      self.d = d
      self.dPrime = dPrime
      self.measured = measured
      self.predicted = predicted
      self.heldOut = heldOut
    }

    private enum CodingKeys: String, CodingKey {
      case domain, n, d, measured, predicted
      case dPrime = "d_prime"
      case heldOut = "held_out"
    }
  }

  /// Predicted loss at one division of the compute.
  public struct CurvePoint: Sendable, Codable, Equatable {
    /// Share of the compute that the trunk gets, 0…1.
    public var share: Double?
    /// General tokens.
    public var d: Double?
    /// Specialisation tokens of each domain.
    public var dPrime: Double?
    /// Predicted loss.
    public var loss: Double?
    /// Lower end of the interval.
    public var low: Double?
    /// Upper end of the interval.
    public var high: Double?

    /// Creates the value; what is not given is not known.
    public init(
      share: Double? = nil, d: Double? = nil, dPrime: Double? = nil, loss: Double? = nil, low: Double? = nil, high: Double? = nil
    ) {
      self.share = share
      self.d = d
      self.dPrime = dPrime
      self.loss = loss
      self.low = low
      self.high = high
    }

    private enum CodingKeys: String, CodingKey {
      case share, d, loss, low, high
      case dPrime = "d_prime"
    }
  }

  /// What to run.
  public struct Allocation: Sendable, Codable, Equatable {
    /// FLOPs in all.
    public var budget: Double?
    /// Non-embedding parameters.
    public var n: Double?
    /// Domains.
    public var k: Double?
    /// General tokens.
    public var d: Double?
    /// Specialisation tokens of each domain.
    public var dPrime: Double?
    /// Share of the compute that the trunk gets.
    public var share: Double?
    /// Predicted loss.
    public var loss: Double?
    /// Lower end of the interval.
    public var low: Double?
    /// Upper end of the interval.
    public var high: Double?
    /// `shared` or `independent`.
    public var trunk: String?
    /// Unequal D', a domain each.
    public var domains: [DomainAllocation]?

    /// Creates the value; what is not given is not known.
    public init(
      budget: Double? = nil, n: Double? = nil, k: Double? = nil, d: Double? = nil, dPrime: Double? = nil, share: Double? = nil,
      loss: Double? = nil, low: Double? = nil, high: Double? = nil, trunk: String? = nil, domains: [DomainAllocation]? = nil
    ) {
      self.budget = budget
      self.n = n
      self.k = k
      self.d = d
      self.dPrime = dPrime
      self.share = share
      self.loss = loss
      self.low = low
      self.high = high
      self.trunk = trunk
      self.domains = domains
    }

    private enum CodingKeys: String, CodingKey {
      case budget, n, k, d, share, loss, low, high, trunk, domains
      case dPrime = "d_prime"
    }
  }

  /// A domain's part of an allocation.
  public struct DomainAllocation: Sendable, Codable, Equatable {
    /// The domain.
    public var name: String?
    /// How much text of use falls into it.
    public var share: Double?
    /// Its specialisation tokens.
    public var dPrime: Double?

    /// Creates the value; what is not given is not known.
    public init(name: String? = nil, share: Double? = nil, dPrime: Double? = nil) {
      self.name = name
      self.share = share
      self.dPrime = dPrime
    }

    private enum CodingKeys: String, CodingKey {
      case name, share
      case dPrime = "d_prime"
    }
  }
}
