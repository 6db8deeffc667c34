extension RunSummary {
  /// The fitted law and the allocation it advises.
  package struct Plan: Sendable, Codable, Equatable {
    /// The chosen law's name.
    package var law: String?
    /// The chosen law as a formula.
    package var formula: String?
    /// R² of the chosen law.
    package var r2: Double?
    /// Mean relative error on runs held out of the fit (largest N, largest D, D').
    package var heldoutRelativeError: Double?
    /// The chosen law's parameters.
    package var parameters: [String: Double]?
    /// The best N, D, D', K for the budget.
    package var allocation: Allocation?
    /// Every candidate.
    package var laws: [Law]?
    /// Every run, measured and predicted.
    package var points: [PlanPoint]?
    /// Predicted loss against the trunk's share of the compute.
    package var curve: [CurvePoint]?

    /// Creates the value; what is not given is not known.
    package init(
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
  package struct Law: Sendable, Codable, Equatable {
    /// Its name.
    package var name: String?
    /// Its formula.
    package var formula: String?
    /// R² over the runs.
    package var r2: Double?
    /// Mean relative error on held-out runs.
    package var mre: Double?
    /// Its parameters.
    package var parameters: [String: Double]?

    /// Creates the value; what is not given is not known.
    package init(name: String? = nil, formula: String? = nil, r2: Double? = nil, mre: Double? = nil, parameters: [String: Double]? = nil) {
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
  package struct PlanPoint: Sendable, Codable, Equatable {
    /// The domain it was scored on.
    package var domain: String?
    /// Non-embedding parameters.
    package var n: Double?
    /// General tokens.
    package var d: Double?
    /// Specialisation tokens.
    package var dPrime: Double?
    /// Measured loss, nats a token.
    package var measured: Double?
    /// Predicted loss.
    package var predicted: Double?
    /// Whether the fit did not see it.
    package var heldOut: Bool?

    /// Creates the value; what is not given is not known.
    package init(
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
  package struct CurvePoint: Sendable, Codable, Equatable {
    /// Share of the compute that the trunk gets, 0…1.
    package var share: Double?
    /// General tokens.
    package var d: Double?
    /// Specialisation tokens of each domain.
    package var dPrime: Double?
    /// Predicted loss.
    package var loss: Double?
    /// Lower end of the interval.
    package var low: Double?
    /// Upper end of the interval.
    package var high: Double?

    /// Creates the value; what is not given is not known.
    package init(
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
  package struct Allocation: Sendable, Codable, Equatable {
    /// FLOPs in all.
    package var budget: Double?
    /// Non-embedding parameters.
    package var n: Double?
    /// Domains.
    package var k: Double?
    /// General tokens.
    package var d: Double?
    /// Specialisation tokens of each domain.
    package var dPrime: Double?
    /// Share of the compute that the trunk gets.
    package var share: Double?
    /// Predicted loss.
    package var loss: Double?
    /// Lower end of the interval.
    package var low: Double?
    /// Upper end of the interval.
    package var high: Double?
    /// `shared` or `independent`.
    package var trunk: String?
    /// Unequal D', a domain each.
    package var domains: [DomainAllocation]?

    /// Creates the value; what is not given is not known.
    package init(
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
  package struct DomainAllocation: Sendable, Codable, Equatable {
    /// The domain.
    package var name: String?
    /// How much text of use falls into it.
    package var share: Double?
    /// Its specialisation tokens.
    package var dPrime: Double?

    /// Creates the value; what is not given is not known.
    package init(name: String? = nil, share: Double? = nil, dPrime: Double? = nil) {
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
