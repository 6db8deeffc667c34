import Foundation
import Primitives

/// How the next token is chosen from the logits.
package struct DecodingConfiguration: Sendable, Equatable {
  /// 0 for greedy decoding.
  package var temperature = 0.8
  /// Sample from the k most likely tokens only; 0 for all.
  package var topK = 0
  /// Nucleus sampling (Holtzman et al. 1904.09751 §3.1): sample from the fewest most likely tokens that reach this total probability, after
  /// `topK`.
  package var topP = 1.0
  package var randomSeed: UInt64 = 0

  package init() {}

  /// Throws `WeirError` with the name of the first invalid property.
  package func validate() throws {
    guard temperature.isFinite, temperature >= 0 else { throw WeirError("temperature", "must be a finite number ≥ 0, not \(temperature)") }
    guard topK >= 0 else { throw WeirError("topK", "must be at least 0, not \(topK)") }
    guard topP > 0, topP <= 1 else { throw WeirError("topP", "must be greater than 0 and at most 1, not \(topP)") }
  }

  /// Chooses a token by inverse transform sampling, with the tokens in descending order of probability; ties are broken by token id.
  /// - Parameters:
  ///   - logits: [vocabulary].
  ///   - uniform: a random number in 0..<1.
  /// - Returns: nil if a logit is NaN or none is finite.
  package func choose(_ logits: [Float], uniform: Double) -> Int32? {
    var best = 0
    for index in logits.indices {
      if logits[index].isNaN { return nil }
      if logits[index] > logits[best] { best = index }
    }
    guard let top = logits.isEmpty ? nil : logits[best], top.isFinite else { return nil }
    if temperature == 0 { return Int32(best) }
    // Integer keys in descending order of logits, then ascending order of ids: they sort several times faster than pairs.
    var order = logits.indices.map { index -> UInt64 in
      let bits = (logits[index] + 0).bitPattern
      let rising = bits >> 31 == 0 ? bits | 1 << 31 : ~bits
      return UInt64(~rising) << 32 | UInt64(index)
    }
    order.sort()
    if topK > 0 { order = Array(order.prefix(topK)) }
    let ids = order.map { Int($0 & 0xFFFF_FFFF) }
    var weights = ids.map { exp((Double(logits[$0]) - Double(top)) / temperature) }
    if topP < 1 {
      let total = weights.reduce(0, +)
      var sum = 0.0, kept = 0
      while kept < weights.count, sum < topP * total {
        sum += weights[kept]
        kept += 1
      }
      weights = Array(weights.prefix(max(1, kept)))
    }
    var rest = uniform * weights.reduce(0, +)
    for (index, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return Int32(ids[index]) }
    }
    return Int32(ids[weights.count - 1])
  }
}
