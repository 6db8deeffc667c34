/// A domain to specialize a model for.
package struct AllocationDomain: Codable, Sendable, Equatable {
  package var name: String
  /// π: the domain's weight in the mean loss; normalized over the domains.
  package var weight: Double
  /// Unique specialization tokens available; nil for unlimited.
  package var unique: Double?
  /// The domain of the fit whose parameters apply; nil for `name`.
  package var fitted: String?

  package init(_ name: String, weight: Double = 1, unique: Double? = nil, fitted: String? = nil) {
    self.name = name
    self.weight = weight
    self.unique = unique
    self.fitted = fitted
  }

  /// Equally weighted domains that all follow the fit of the mean.
  /// - Parameters:
  ///   - count: their number.
  ///   - unique: unique tokens of each; nil for unlimited.
  package static func equal(_ count: Int, unique: Double? = nil) -> [AllocationDomain] {
    (0..<max(0, count)).map { AllocationDomain("\($0)", unique: unique, fitted: MeasuredRun.mean) }
  }

  /// The fitted domains without the mean, equally weighted; the mean alone where there is no other.
  package static func all(of fit: FitReport) -> [AllocationDomain] {
    let names = fit.domains.map(\.domain).filter { $0 != MeasuredRun.mean }
    return (names.isEmpty ? fit.domains.map(\.domain) : names).map { AllocationDomain($0) }
  }
}
