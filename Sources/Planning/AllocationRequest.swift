import Primitives

/// Whether the K models branch from one trunk or have one each.
package enum Trunk: String, Codable, Sendable, CaseIterable {
  /// One trunk: C ≈ 6N(D + ΣD′).
  case shared
  /// K trunks: C ≈ 6N(K·D + ΣD′).
  case independent
}

/// A domain to specialise a model for.
package struct AllocationDomain: Codable, Sendable, Equatable {
  /// The domain's name.
  package var name: String
  /// π: its share of what the models will be used for; normalised over the domains.
  package var weight: Double
  /// Unique tokens there are for specialisation; nil for as many as it takes.
  package var unique: Double?
  /// The domain whose fit is used; nil for `name`.
  package var fitted: String?

  /// Creates a domain.
  package init(_ name: String, weight: Double = 1, unique: Double? = nil, fitted: String? = nil) {
    self.name = name
    self.weight = weight
    self.unique = unique
    self.fitted = fitted
  }

  /// K equal domains that all follow the fit of the mean.
  /// - Parameters:
  ///   - count: K, 1 or more.
  ///   - unique: unique tokens of each.
  package static func equal(_ count: Int, unique: Double? = nil) -> [AllocationDomain] {
    (0..<max(0, count)).map { AllocationDomain("\($0)", unique: unique, fitted: PlanRun.mean) }
  }

  /// Every fitted domain but the mean, equally weighted; the mean alone where there is no other.
  package static func all(of fit: FitReport) -> [AllocationDomain] {
    let names = fit.domains.map(\.domain).filter { $0 != PlanRun.mean }
    return (names.isEmpty ? fit.domains.map(\.domain) : names).map { AllocationDomain($0) }
  }
}

/// The model sizes to choose from.
package enum Sizes: Codable, Sendable, Equatable {
  /// One size.
  case fixed(ModelSize)
  /// The best of these.
  case list([ModelSize])
  /// The best N from a third of the smallest fitted to ten times the largest.
  case free
}

/// What is asked of the planner.
package struct AllocationRequest: Codable, Sendable, Equatable {
  /// The compute in FLOPs, C.
  package var budget: Double
  /// The K domains.
  package var domains: [AllocationDomain]
  /// One trunk or K.
  package var trunk = Trunk.shared
  /// The sizes.
  package var sizes: Sizes
  /// The law; nil for the fit's own choice.
  package var law: String?
  /// The share of bootstrap replicates inside an interval.
  package var level = 0.9
  /// Points of the curve of D : D′.
  package var curvePoints = 41

  /// Creates a request.
  package init(budget: Double, domains: [AllocationDomain], trunk: Trunk = .shared, sizes: Sizes, law: String? = nil) {
    self.budget = budget
    self.domains = domains
    self.trunk = trunk
    self.sizes = sizes
    self.law = law
  }

  /// Checks every value.
  /// - Throws: `WeirError` naming the flag.
  package func validate() throws {
    guard budget.isFinite, budget > 0 else { throw WeirError("--budget", "is \(budget), but has to be above 0 FLOPs") }
    guard !domains.isEmpty else { throw WeirError("--domains", "there are none", remedy: "name one or more, or give their number") }
    guard domains.count <= 65_536 else { throw WeirError("--domains", "are \(domains.count), more than 65536") }
    guard Set(domains.map(\.name)).count == domains.count else { throw WeirError("--domains", "a domain is named twice") }
    for domain in domains {
      guard domain.weight.isFinite, domain.weight > 0 else {
        throw WeirError("--weights", "domain \"\(domain.name)\" weighs \(domain.weight), but has to weigh more than 0")
      }
      guard (domain.unique ?? 1).isFinite, domain.unique ?? 1 > 0 else {
        throw WeirError("--unique", "domain \"\(domain.name)\" has \(domain.unique ?? 0) tokens, but needs more than 0")
      }
    }
    guard domains.map(\.weight).reduce(0, +).isFinite else { throw WeirError("--weights", "their sum is not finite") }
    guard level > 0, level < 1 else { throw WeirError("--level", "is \(level), but has to be between 0 and 1") }
    guard (2...10_000).contains(curvePoints) else {
      throw WeirError("--curve-points", "are \(curvePoints), but have to be from 2 to 10000")
    }
    switch sizes {
    case .free: break
    case .fixed(let size): try Self.check([size])
    case .list(let sizes):
      guard !sizes.isEmpty else { throw WeirError("--sizes", "there are none") }
      try Self.check(sizes)
    }
  }

  private static func check(_ sizes: [ModelSize]) throws {
    for size in sizes {
      guard size.parameters.isFinite, size.parameters >= 1 else {
        throw WeirError("--sizes", "a size of \(size.parameters) parameters", remedy: "give non-embedding parameters, 1 or more")
      }
    }
  }
}
