import Foundation
import Primitives

/// The best D and D′ₖ for T = C/6N tokens at one size: minimise Σ πᵢ·Lᵢ(D, D′ᵢ) subject to m·D + ΣD′ᵢ = T, where m is 1 for a
/// shared trunk and K for one each.
///
/// For F1 and equal domains without repeats a closed form, D′ = γ·D·(1 + G·D^β/B)·m/(K·β) − s, and a bisection on D
/// (ours). Otherwise a search over D, and at each D equal marginal gains −πᵢ·∂Lᵢ/∂D′ᵢ = λ by a search over λ.
struct SplitProblem {
  let curves: [LawCurve]
  /// π, which sum to 1.
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

  /// The best D and D′.
  func solve() -> (d: Double, dPrime: [Double]) {
    if let exact = closedForm() { return exact }
    let most = tokens / trunks
    // Over the share of the budget that is left for D′, as ln D: a trunk below a millionth of the budget is none.
    let place = Roots.lowest(log(most * 1e-6), log(most), grid: 48) { logD in
      let d = min(exp(logD), most)
      return loss(d, spread(d))
    }
    let d = min(exp(place), most)
    return (d, spread(d))
  }

  /// The closed form; nil where it does not hold.
  func closedForm() -> (d: Double, dPrime: [Double])? {
    guard let first = curves.first, first.law.id == "F1",
      curves.allSatisfy({ $0.law.id == "F1" && $0.values == first.values && $0.unique == nil }),
      weights.allSatisfy({ abs($0 - weights[0]) <= 1e-12 })
    else { return nil }
    let p = first.values
    let (b, beta, gap, onset, gamma) = (p[3], p[4], p[5], p[6], p[7])
    guard b > 0, beta > 0, onset > 0 else { return nil }
    func best(_ d: Double) -> Double {
      max(0, gamma * d * (1 + gap * exp(beta * log(d)) / b) * trunks / (Double(count) * beta) - onset)
    }
    // m·D + K·D′*(D) rises in D, so that one D meets the budget.
    let most = tokens / trunks
    let logD = Roots.falling(log(most) - 60, log(most), tolerance: 1e-15) { logD in
      let d = exp(logD)
      return tokens - trunks * d - Double(count) * best(d)
    }
    let d = min(exp(logD), most)
    let each = best(d) > 0 ? max(0, (tokens - trunks * d) / Double(count)) : 0
    return each > 0 ? (d, [Double](repeating: each, count: count)) : (most, [Double](repeating: 0, count: count))
  }

  /// The best D′ at a given D: what is left of the budget, at equal marginal gains.
  func spread(_ d: Double) -> [Double] {
    let left = max(0, tokens - trunks * d)
    guard left > 0 else { return [Double](repeating: 0, count: count) }
    guard count > 1 else { return [left] }
    if curves.dropFirst().allSatisfy({ $0.law.id == curves[0].law.id && $0.values == curves[0].values && $0.unique == curves[0].unique }),
      weights.allSatisfy({ $0 == weights[0] }), curves[0].law.isConvexInSpecialisation
    {
      return [Double](repeating: left / Double(count), count: count)
    }
    let first = curves.indices.map { gain($0, d, 0) }
    let last = curves.indices.map { gain($0, d, left) }
    let high = curves.indices.map { most($0, d, left, first[$0]) }.max() ?? 0
    let low = last.min() ?? 0
    guard high > 0 else { return weights.map { $0 * left } }
    // Gains span many orders of magnitude: λ is searched as its logarithm, from where all take everything to where none does.
    let logGain = Roots.falling(log(max(low, high * 1e-30)) - 1e-9, log(min(high, 1e300)) + 1e-9, tolerance: 1e-11) { logGain in
      demand(d, exp(logGain), left, first, last).reduce(0, +) - left
    }
    var parts = demand(d, exp(logGain), left, first, last)
    let sum = parts.reduce(0, +)
    guard sum > 0 else { return weights.map { $0 * left } }
    for index in parts.indices { parts[index] *= left / sum }
    return parts
  }

  /// −πᵢ·∂Lᵢ/∂D′ᵢ.
  func gain(_ index: Int, _ d: Double, _ dPrime: Double) -> Double {
    -weights[index] * curves[index].value(d, dPrime).byDPrime
  }

  /// The largest gain of any token on 0…left: the first one's where the law is convex.
  private func most(_ index: Int, _ d: Double, _ left: Double, _ first: Double) -> Double {
    guard !curves[index].law.isConvexInSpecialisation else { return first }
    return (0...32).map { gain(index, d, left * exp(log(1e-6) * Double($0) / 32)) }.max() ?? first
  }

  /// What each domain takes when a token costs `price`.
  private func demand(_ d: Double, _ price: Double, _ left: Double, _ first: [Double], _ last: [Double]) -> [Double] {
    curves.indices.map { index in
      guard curves[index].law.isConvexInSpecialisation else { return demandOfAny(index, d, price, left) }
      if first[index] <= price { return 0 }
      if last[index] >= price { return left }
      // The gain is near a power of (constant + D′): straight in logarithms.
      let constant = left * 1e-4
      let place = Roots.falling(log(constant), log(left + constant), tolerance: 1e-12) { place in
        log(max(gain(index, d, max(0, exp(place) - constant)), 1e-300)) - log(price)
      }
      return min(left, max(0, exp(place) - constant))
    }
  }

  /// The same for a law whose gain may rise before it falls: the lowest of π·L + price·D′ over all of 0…left.
  private func demandOfAny(_ index: Int, _ d: Double, _ price: Double, _ left: Double) -> Double {
    func cost(_ dPrime: Double) -> Double { weights[index] * curves[index].loss(d, dPrime) + price * dPrime }
    let place = Roots.lowest(log(left * 1e-6), log(left), grid: 32, steps: 25) { cost(min(left, exp($0))) }
    let best = min(left, exp(place))
    return cost(0) <= cost(best) ? 0 : best
  }
}
