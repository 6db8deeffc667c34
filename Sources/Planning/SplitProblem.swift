import Foundation

/// The best D and D′ᵢ for T = C/(6N) tokens at one model size N:
///
///     minimize Σ πᵢ·Lᵢ(D, D′ᵢ)  subject to  m·D + Σ D′ᵢ = T
///
/// where πᵢ are the weights of the K domains, and m is 1 for a shared trunk or K for a trunk per domain.
///
/// For F1 and equal domains without repetition, D′ = γ·D·(1 + G·D^β/B)·m/(K·β) − s at the optimum, and root finding gives the D that meets the
/// budget. In all other cases D is searched and, at each D, the λ at which the marginal gains −πᵢ·∂Lᵢ/∂D′ᵢ = λ use up the budget. Both methods
/// are extensions of Weir.
struct SplitProblem: Sendable {
  let curves: [LawCurve]
  /// π, with a sum of 1.
  let weights: [Double]
  /// T.
  let tokens: Double
  let trunk: Trunk

  var count: Int { curves.count }
  /// m.
  var trunks: Double { trunk == .shared ? 1 : Double(count) }

  func loss(_ d: Double, _ dPrime: [Double]) -> Double {
    var sum = 0.0
    for index in curves.indices { sum += weights[index] * curves[index].loss(d, dPrime[index]) }
    return sum
  }

  func solve() -> (d: Double, dPrime: [Double]) {
    if let exact = closedForm() { return exact }
    let most = tokens / trunks
    // The search is over ln D. A trunk below a millionth of the budget is not considered.
    let point = ScalarSearch.minimum(log(most * 1e-6), log(most), grid: 48) { logD in
      let d = min(exp(logD), most)
      return loss(d, spread(d))
    }
    let d = min(exp(point), most)
    return (d, spread(d))
  }

  /// The solution for F1 and equal domains; nil in all other cases.
  func closedForm() -> (d: Double, dPrime: [Double])? {
    guard let first = curves.first, first.law.id == "F1",
      curves.allSatisfy({ $0.law.id == "F1" && $0.values == first.values && $0.unique == nil }),
      weights.allSatisfy({ abs($0 - weights[0]) <= 1e-12 })
    else { return nil }
    let p = first.values
    let (b, beta, gap, onset, gamma) = (p[3], p[4], p[5], p[6], p[7])
    guard b > 0, beta > 0, onset > 0 else { return nil }
    func best(_ d: Double) -> Double { max(0, gamma * d * (1 + gap * exp(beta * log(d)) / b) * trunks / (Double(count) * beta) - onset) }
    // m·D + K·D′(D) increases with D, so that exactly one D meets the budget.
    let most = tokens / trunks
    let logD = ScalarSearch.root(log(most) - 60, log(most), tolerance: 1e-15) { logD in
      let d = exp(logD)
      return tokens - trunks * d - Double(count) * best(d)
    }
    let d = min(exp(logD), most)
    let each = best(d) > 0 ? max(0, (tokens - trunks * d) / Double(count)) : 0
    return each > 0 ? (d, [Double](repeating: each, count: count)) : (most, [Double](repeating: 0, count: count))
  }

  /// The best D′ at a given D: the rest of the budget, distributed at equal marginal gains.
  func spread(_ d: Double) -> [Double] {
    let left = max(0, tokens - trunks * d)
    guard left > 0 else { return [Double](repeating: 0, count: count) }
    guard count > 1 else { return [left] }
    if curves.dropFirst().allSatisfy({ $0.law.id == curves[0].law.id && $0.values == curves[0].values && $0.unique == curves[0].unique }),
      weights.allSatisfy({ $0 == weights[0] }), curves[0].law.isConvexInSpecialization
    {
      return [Double](repeating: left / Double(count), count: count)
    }
    let first = curves.indices.map { gain($0, d, 0) }
    let last = curves.indices.map { gain($0, d, left) }
    let high = curves.indices.map { most($0, d, left, first[$0]) }.max() ?? 0
    let low = last.min() ?? 0
    guard high > 0 else { return weights.map { $0 * left } }
    // Gains span many orders of magnitude, so that the search is over ln λ, between where every domain takes all tokens and where none takes any.
    let logGain = ScalarSearch.root(log(max(low, high * 1e-30)) - 1e-9, log(min(high, 1e300)) + 1e-9, tolerance: 1e-11) { logGain in
      demand(d, exp(logGain), left, first, last).reduce(0, +) - left
    }
    var parts = demand(d, exp(logGain), left, first, last)
    let sum = parts.reduce(0, +)
    guard sum > 0 else { return weights.map { $0 * left } }
    for index in parts.indices { parts[index] *= left / sum }
    return parts
  }

  /// The marginal gain −πᵢ·∂Lᵢ/∂D′ᵢ.
  func gain(_ index: Int, _ d: Double, _ dPrime: Double) -> Double { -weights[index] * curves[index].value(d, dPrime).byDPrime }

  /// The largest marginal gain on 0…left: that of the first token where the law is convex.
  private func most(_ index: Int, _ d: Double, _ left: Double, _ first: Double) -> Double {
    guard !curves[index].law.isConvexInSpecialization else { return first }
    return (0...32).map { gain(index, d, left * exp(log(1e-6) * Double($0) / 32)) }.max() ?? first
  }

  /// The tokens that each domain takes at a price of λ = `price` per token.
  private func demand(_ d: Double, _ price: Double, _ left: Double, _ first: [Double], _ last: [Double]) -> [Double] {
    curves.indices.map { index in
      guard curves[index].law.isConvexInSpecialization else { return demandOfAny(index, d, price, left) }
      if first[index] <= price { return 0 }
      if last[index] >= price { return left }
      // The gain is close to a power of constant + D′, which is linear in logarithms.
      let constant = left * 1e-4
      let point = ScalarSearch.root(log(constant), log(left + constant), tolerance: 1e-12) { point in
        log(max(gain(index, d, max(0, exp(point) - constant)), 1e-300)) - log(price)
      }
      return min(left, max(0, exp(point) - constant))
    }
  }

  /// The same for a law that is not convex in D′: the minimum of π·L + price·D′ over 0…left.
  private func demandOfAny(_ index: Int, _ d: Double, _ price: Double, _ left: Double) -> Double {
    func cost(_ dPrime: Double) -> Double { weights[index] * curves[index].loss(d, dPrime) + price * dPrime }
    let point = ScalarSearch.minimum(log(left * 1e-6), log(left), grid: 32, steps: 25) { cost(min(left, exp($0))) }
    let best = min(left, exp(point))
    return cost(0) <= cost(best) ? 0 : best
  }
}
