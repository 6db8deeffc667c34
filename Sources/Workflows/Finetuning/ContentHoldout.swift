import Deduplication
import Primitives
import Storage

/// Divides documents by their content, as `weir holdout` does: equal ones stay together, and the choice depends neither on their order nor on
/// the random seed of a run.
enum ContentHoldout {
  /// Which documents are set aside: about a fraction of them, at least one, and not all, where there are two different ones.
  /// - Parameter documents: the tokens of each document.
  static func choose(_ fraction: Double, of documents: [[Int32]]) -> [Bool] {
    let numbers = documents.map { tokens in
      let key = tokens.withUnsafeBytes { Checksum128($0) }
      return CounterRandom(seed: 1, stream: key.high).bits(key.low)
    }
    var chosen: Set<UInt64> = []
    HoldoutBarrier.choose(fraction, of: numbers, into: &chosen)
    return numbers.map(chosen.contains)
  }
}
