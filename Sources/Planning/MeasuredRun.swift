import Foundation
import Primitives

/// The measured loss of one model on one domain: one line of JSON with the members `n`, `d`, `loss` and, optionally, `d_prime` (default 0),
/// `domain` ("all"), `model` (""), `run`, `trunk`, `unique`, `flops`, `head`, `mixture` and `seed` (0).
package struct MeasuredRun: Sendable, Equatable {
  /// The name of the model. Runs of one model, N and seed are checkpoints of one trunk and its branches.
  package var model: String
  /// N: non-embedding parameters.
  package var n: Double
  /// D: general tokens.
  package var d: Double
  /// D′: specialization tokens.
  package var dPrime: Double
  /// The domain of the held-out text; "all" is the mean over domains.
  package var domain: String
  /// U: unique tokens among the specialization tokens; nil where none repeat.
  package var unique: Double?
  /// Held-out loss, nats/token.
  package var loss: Double
  /// Training compute in FLOPs; nil for 6(N + head)(D + D′).
  package var flops: Double?
  /// Random seed of the run.
  package var seed: UInt64
  /// The training run whose evaluation this is; nil to take it from the model.
  package var run: String?
  /// What the training run branches off from; nil to take it from the model or the run.
  package var trunk: String?
  /// Parameters of the output head, which count in the compute but not in N.
  package var head: Double?
  /// The shares of a mixture's sources.
  package var mixture: [Double]?
  /// The line of the file that it was read from, for messages; not stored.
  package var line: Int?

  /// The name of the mean over domains.
  package static let mean = "all"

  package init(
    model: String = "", n: Double, d: Double, dPrime: Double = 0, domain: String = MeasuredRun.mean, unique: Double? = nil,
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

  /// Training compute in FLOPs.
  var compute: Double { flops ?? Planner.flopsPerToken * (n + (head ?? 0)) * (d + dPrime) }

  /// The training run, the same for all its evaluations; nil where nothing says so.
  var trajectory: String? {
    if let run { return run }
    if !model.isEmpty { return "\(model) \(n) \(seed) \(dPrime == 0 ? "trunk" : "\(d)")" }
    return mixture.map { "\(n) \(seed) \($0)" }
  }

  /// The trunk, the same for all its branches; nil where nothing says so.
  var root: String? { trunk ?? (model.isEmpty ? trajectory : "\(model) \(n) \(seed)") }

  /// Where it was measured, such as `N 1 M, D 2 M, loss 3.1 (line 4)`.
  var label: String {
    let tokens = "N \(Format.short(n)), D \(Format.short(d))" + (dPrime > 0 ? ", D′ \(Format.short(dPrime))" : "")
    return tokens + ", loss \(Format.fixed(loss, 3))" + (line.map { " (line \($0))" } ?? "")
  }

  /// Why the run cannot be fitted, with the member; nil where it can.
  package var fault: (member: String, reason: String)? {
    for (name, value) in [("n", n), ("d", d), ("loss", loss), ("unique", unique ?? 1)] {
      guard value.isFinite else { return (name, "is not finite") }
      guard value > 0 else { return (name, "is \(value), not above 0") }
    }
    for (name, value) in [("d_prime", dPrime), ("flops", flops ?? 0), ("head", head ?? 0)] {
      guard value.isFinite else { return (name, "is not finite") }
      guard value >= 0 else { return (name, "is \(value), not 0 or more") }
    }
    if let mixture {
      guard mixture.allSatisfy({ $0 >= 0 && $0.isFinite }) else { return ("mixture", "has a share that is not 0 or more") }
      let sum = mixture.reduce(0, +)
      guard abs(sum - 1) <= 0.01 else { return ("mixture", "has shares that sum to \(Format.fixed(sum, 4)), not 1") }
    }
    return domain.isEmpty ? ("domain", "is empty") : nil
  }

  /// A total order, so that a fit does not depend on the order of the lines of a file.
  static func precedes(_ a: MeasuredRun, _ b: MeasuredRun) -> Bool {
    if a.n != b.n { return a.n < b.n }
    if a.d != b.d { return a.d < b.d }
    if a.dPrime != b.dPrime { return a.dPrime < b.dPrime }
    if a.seed != b.seed { return a.seed < b.seed }
    if a.loss != b.loss { return a.loss < b.loss }
    if a.model != b.model { return a.model < b.model }
    return (a.mixture ?? []).lexicographicallyPrecedes(b.mixture ?? [])
  }
}

extension MeasuredRun: Encodable {
  private enum CodingKeys: String, CodingKey {
    case model, n, d
    case dPrime = "d_prime"
    case domain, unique, loss, flops, seed, run, trunk, head, mixture
  }
}
