import Foundation

/// One measured run, a line of JSON: the loss of one model on one domain.
///
/// Members: `n`, `d`, `loss`, and optionally `d_prime` (0), `domain` ("all"), `model` (""), `unique`, `flops`, `seed` (0).
package struct PlanRun: Sendable, Equatable {
  /// The model's name, for labels.
  package var model: String
  /// Non-embedding parameters, N.
  package var n: Double
  /// General tokens, D.
  package var d: Double
  /// Specialisation tokens, D′.
  package var dPrime: Double
  /// The domain that the loss is of; "all" is the mean over domains.
  package var domain: String
  /// Unique specialisation tokens that D′ was drawn from, U; nil where none repeated.
  package var unique: Double?
  /// Held-out loss, nats a token.
  package var loss: Double
  /// Training compute as measured; nil for 6N(D + D′).
  package var flops: Double?
  /// The run's seed.
  package var seed: UInt64

  /// The domain of the mean.
  package static let mean = "all"

  /// Creates a run.
  package init(
    model: String = "", n: Double, d: Double, dPrime: Double = 0, domain: String = PlanRun.mean, unique: Double? = nil,
    loss: Double, flops: Double? = nil, seed: UInt64 = 0
  ) {
    self.model = model
    self.n = n
    self.d = d
    self.dPrime = dPrime
    self.domain = domain
    self.unique = unique
    self.loss = loss
    self.flops = flops
    self.seed = seed
  }

  /// Why the run can't be fitted, naming the member; nil where it can.
  package var problem: String? {
    for (name, value) in [("n", n), ("d", d), ("loss", loss), ("unique", unique ?? 1)] {
      guard value.isFinite else { return "member \"\(name)\" is not finite" }
      guard value > 0 else { return "member \"\(name)\" is \(value), but has to be above 0" }
    }
    for (name, value) in [("d_prime", dPrime), ("flops", flops ?? 0)] {
      guard value.isFinite else { return "member \"\(name)\" is not finite" }
      guard value >= 0 else { return "member \"\(name)\" is \(value), but can't be negative" }
    }
    return domain.isEmpty ? "member \"domain\" is empty" : nil
  }

  /// A fixed order, so that a fit does not depend on the order of a file's lines.
  static func precedes(_ a: PlanRun, _ b: PlanRun) -> Bool {
    if a.n != b.n { return a.n < b.n }
    if a.d != b.d { return a.d < b.d }
    if a.dPrime != b.dPrime { return a.dPrime < b.dPrime }
    if a.seed != b.seed { return a.seed < b.seed }
    if a.loss != b.loss { return a.loss < b.loss }
    return a.model < b.model
  }
}
