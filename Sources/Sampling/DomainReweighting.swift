import Foundation

/// The domain weights of DoGE (Fan, Pagliardini, Jaggi, arXiv 2310.15393, algorithm 1 for a target outside the corpus). While a proxy model
/// trains, domains whose gradient is aligned with the target's gain weight by exponentiated gradient; the result is the mean over the steps.
///
/// This type sees only the inner products of the gradients. The paper divides them by a constant that was tuned together with the learning
/// rate; here they are divided by ‖∇target‖², so that a domain whose gradient equals the target's scores 1 (our choice).
package struct DomainReweighting: Sendable {
  /// [domains] the weights of the next step.
  package private(set) var weights: [Double]
  private var sums: [Double]
  private var steps = 0
  private let rate: Double

  /// - Parameters:
  ///   - shares: [domains] the initial weights P(d|Dg); a weight of 0 stays 0.
  ///   - rate: a domain with score 1 gains e^rate per step over one with score 0.
  package init(shares: [Double], rate: Double) {
    precondition(rate > 0 && shares.contains { $0 > 0 }, "a positive rate and a positive share")
    let total = shares.reduce(0, +)
    weights = shares.map { $0 / total }
    sums = [Double](repeating: 0, count: shares.count)
    self.rate = rate
  }

  /// One step: α ← α · exp(rate · ⟨∇domain, ∇target⟩ / ‖∇target‖²), normalized.
  /// - Parameters:
  ///   - products: [domains] ⟨∇domain, ∇target⟩.
  ///   - square: ‖∇target‖².
  package mutating func update(products: [Double], square: Double) {
    precondition(products.count == weights.count, "one product per domain")
    let scores = products.map { square > 0 && $0.isFinite ? rate * $0 / square : 0 }
    // Relative to the highest, so that no exponential overflows.
    let highest = zip(scores, weights).filter { $0.1 > 0 }.map(\.0).max() ?? 0
    let raised = zip(weights, scores).map { $0 > 0 ? $0 * exp(max(-700, $1 - highest)) : 0 }
    let total = raised.reduce(0, +)
    weights = raised.map { $0 / total }
    for domain in weights.indices { sums[domain] += weights[domain] }
    steps += 1
  }

  /// [domains] the mean over the steps.
  package var mean: [Double] { steps == 0 ? weights : sums.map { $0 / Double(steps) } }
}
