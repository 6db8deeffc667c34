import Foundation
import Primitives

/// The weights of DoGE (Fan, Pagliardini, Jaggi, arXiv 2310.15393, algorithm 1 for a target outside the corpus): a proxy model learns
/// step by step, domains whose gradient points along the target's gain by exponentiated gradient, and the mean of the weights over
/// the steps is the answer.
///
/// Gradients come from elsewhere; this is what is done with their products. The paper divides the products by a constant that was tuned
/// together with the learning rate; here they are divided by ‖∇target‖², so that a domain as good as the target scores 1 (ours).
package struct DomainReweighting: Sendable {
  /// The weights of the next step.
  package private(set) var weights: [Double]
  private var sums: [Double]
  private var steps = 0
  /// The rate of the exponentiated gradient.
  private let rate: Double

  /// Begins at the corpus's own shares.
  /// - Parameters:
  ///   - shares: [domains] P(d|Dg); a domain of share 0 stays there.
  ///   - rate: ln of the gain a step of a domain that scores 1 over one that scores 0.
  package init(shares: [Double], rate: Double) {
    precondition(rate > 0 && shares.contains { $0 > 0 }, "weights that can grow")
    let total = shares.reduce(0, +)
    weights = shares.map { $0 / total }
    sums = [Double](repeating: 0, count: shares.count)
    self.rate = rate
  }

  /// One step: α ← α · exp(rate · ⟨∇domain, ∇target⟩ / ‖∇target‖²), normalised.
  /// - Parameters:
  ///   - products: [domains] ⟨∇domain, ∇target⟩.
  ///   - square: ‖∇target‖².
  package mutating func update(products: [Double], square: Double) {
    precondition(products.count == weights.count, "a product a domain")
    let scores = products.map { square > 0 && $0.isFinite ? rate * $0 / square : 0 }
    // From the highest down, so that no exponential overflows.
    let highest = zip(scores, weights).filter { $0.1 > 0 }.map(\.0).max() ?? 0
    let raised = zip(weights, scores).map { $0 > 0 ? $0 * exp(max(-700, $1 - highest)) : 0 }
    let total = raised.reduce(0, +)
    weights = raised.map { $0 / total }
    for domain in weights.indices { sums[domain] += weights[domain] }
    steps += 1
  }

  /// [domains] the mean of the weights over the steps.
  package var mean: [Double] { steps == 0 ? weights : sums.map { $0 / Double(steps) } }
}
