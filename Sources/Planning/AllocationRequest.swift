import Primitives

/// A compute budget to allocate, the domains to specialize in, and the model sizes allowed.
package struct AllocationRequest: Codable, Sendable, Equatable {
  /// C: compute in FLOPs.
  package var budget: Double
  package var domains: [AllocationDomain]
  package var trunk = Trunk.shared
  package var sizes: Sizes
  /// The id of the law; nil for the one that the fit selected.
  package var law: String?
  /// Coverage of the bootstrap intervals, 0…1.
  package var level = 0.9
  /// Number of points of `Allocation.curve`.
  package var curvePoints = 41

  package init(budget: Double, domains: [AllocationDomain], trunk: Trunk = .shared, sizes: Sizes, law: String? = nil) {
    self.budget = budget
    self.domains = domains
    self.trunk = trunk
    self.sizes = sizes
    self.law = law
  }

  /// - Throws: `WeirError` that names the first invalid property.
  package static let mostDomains = 65_536

  package func validate() throws {
    guard budget.isFinite, budget > 0 else { throw WeirError("budget", "is \(budget), not a finite number of FLOPs above 0") }
    guard !domains.isEmpty else { throw WeirError("domains", "is empty", remedy: "give at least one domain") }
    guard domains.count <= Self.mostDomains else {
      throw WeirError("domains", "has \(domains.count) domains, more than \(Self.mostDomains)")
    }
    guard Set(domains.map(\.name)).count == domains.count else { throw WeirError("domains", "two domains have the same name") }
    for domain in domains {
      guard domain.weight.isFinite, domain.weight > 0 else {
        throw WeirError("weight", "is \(domain.weight) for domain \"\(domain.name)\", not a finite number above 0")
      }
      guard (domain.unique ?? 1).isFinite, domain.unique ?? 1 > 0 else {
        throw WeirError("unique", "is \(domain.unique ?? 0) for domain \"\(domain.name)\", not a finite number of tokens above 0")
      }
    }
    guard domains.map(\.weight).reduce(0, +).isFinite else { throw WeirError("weight", "the sum over the domains is not finite") }
    guard level > 0, level < 1 else { throw WeirError("level", "is \(level), not between 0 and 1") }
    guard (2...10_000).contains(curvePoints) else { throw WeirError("curvePoints", "is \(curvePoints), not from 2 to 10000") }
    if case .fixed(let size) = sizes, !size.parameters.isFinite || size.parameters < 1 {
      throw WeirError("sizes", "has a size of \(size.parameters) parameters", remedy: "give at least 1 non-embedding parameter")
    }
  }
}

/// Whether the K specialized models share a trunk.
package enum Trunk: String, Codable, Sendable, CaseIterable {
  /// One trunk for all: C ≈ 6N(D + ΣD′).
  case shared
  /// One trunk per domain: C ≈ 6N(K·D + ΣD′).
  case independent
}

/// The model sizes to choose from.
package enum Sizes: Codable, Sendable, Equatable {
  case fixed(ModelSize)
  /// The best N between a third of the smallest and ten times the largest size fitted.
  case free
}
