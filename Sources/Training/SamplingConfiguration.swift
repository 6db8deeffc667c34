import Foundation
import Primitives

/// How to choose the next token.
package struct SamplingConfiguration: Codable, Sendable, Equatable {
  /// 0 takes the likeliest.
  package var temperature = 0.8
  /// Only the k likeliest; 0 for all.
  package var topK = 0
  /// Only the likeliest tokens that together hold this probability, of those that `topK` leaves (Holtzman et al. 1904.09751 §3.1).
  package var topP = 1.0
  /// Seeds the draws.
  package var seed: UInt64 = 0

  /// The defaults.
  package init() {}

  /// Throws where a number is impossible.
  package func validate() throws {
    guard temperature.isFinite, temperature >= 0 else { throw WeirError("--temperature", "\(temperature) is negative or no number") }
    guard topK >= 0 else { throw WeirError("--top-k", "\(topK) is negative") }
    guard topP > 0, topP <= 1 else { throw WeirError("--top-p", "\(topP) is not in (0, 1]") }
  }

  /// Chooses by the inverse of the cumulative distribution over the tokens, likeliest first; of equal ones the first in the vocabulary.
  /// - Parameters:
  ///   - logits: one a token.
  ///   - uniform: the draw, 0..<1.
  /// - Returns: nil where a logit is no number, or none is finite.
  package func choose(_ logits: [Float], uniform: Double) -> Int32? {
    var best = 0
    for index in logits.indices {
      if logits[index].isNaN { return nil }
      if logits[index] > logits[best] { best = index }
    }
    guard let top = logits.isEmpty ? nil : logits[best], top.isFinite else { return nil }
    if temperature == 0 { return Int32(best) }
    // Keys that sort as logits fall and ids rise: whole numbers sort several times faster than pairs.
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
