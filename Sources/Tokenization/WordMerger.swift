/// The merge loop of a short pre-token: the ranks of all neighbours side by side, the smallest one found by looking at all.
///
/// Both loops apply the merge of the lowest rank, the leftmost of equal ones, until none is left.
enum WordMerger {
  /// Words of up to this many bytes are merged here, longer ones by `LongWord`.
  static let shortWord = 64

  /// Merges in place.
  /// - Parameters:
  ///   - symbols: [count] the tokens of the bytes; the result's come first.
  ///   - pairs: [count] room for the merges at hand.
  /// - Returns: the number of tokens left.
  static func merge(
    _ symbols: UnsafeMutablePointer<UInt32>, _ pairs: UnsafeMutablePointer<Pair>, count: Int, _ merges: MergeTable.View
  ) -> Int {
    var count = count
    var best = 0
    for index in 0..<count - 1 {
      pairs[index] = merges.look(symbols[index], symbols[index + 1])
      if pairs[index].rank < pairs[best].rank { best = index }
    }
    while count > 1, pairs[best].rank != MergeTable.never {
      let at = best
      symbols[at] = pairs[at].token
      count -= 1
      // `pairs[i]` is the merge of symbols i and i + 1: the one at `at` and its neighbours change, the rest moves up.
      for index in at + 1..<max(at + 1, count) {
        symbols[index] = symbols[index + 1]
        pairs[index] = pairs[index + 1]
      }
      if at + 1 < count { pairs[at] = merges.look(symbols[at], symbols[at + 1]) }
      if at > 0 { pairs[at - 1] = merges.look(symbols[at - 1], symbols[at]) }
      best = 0
      for index in 1..<max(1, count - 1) where pairs[index].rank < pairs[best].rank { best = index }
    }
    return count
  }

  /// The merge of two neighbours: rank (`MergeTable.never` for none) and product.
  typealias Pair = (rank: UInt32, token: UInt32)
}
