/// The merge loop of a short pre-token: the ranks of all neighbours side by side, the smallest one found by looking at all.
///
/// Both loops apply the merge of the lowest rank, the leftmost of equal ones, until none is left.
enum WordMerger {
  /// Words of up to this many bytes are merged here, longer ones by `LongWord`.
  static let shortWord = 64

  /// Merges in place.
  /// - Parameters:
  ///   - symbols: [count] the tokens of the bytes; the result's come first.
  ///   - ranks: [count] room.
  /// - Returns: the number of tokens left.
  static func merge(
    _ symbols: UnsafeMutablePointer<UInt32>, _ ranks: UnsafeMutablePointer<UInt32>, count: Int, _ merges: MergeTable.View
  ) -> Int {
    var count = count
    for index in 0..<count - 1 { ranks[index] = merges.look(symbols[index], symbols[index + 1]).rank }
    while count > 1 {
      var best = MergeTable.never
      var at = 0
      for index in 0..<count - 1 where ranks[index] < best {
        best = ranks[index]
        at = index
      }
      if best == MergeTable.never { break }
      symbols[at] = merges.look(symbols[at], symbols[at + 1]).token
      count -= 1
      for index in at + 1..<max(at + 1, count) {
        symbols[index] = symbols[index + 1]
        ranks[index] = ranks[index + 1]
      }
      if at + 1 < count { ranks[at] = merges.look(symbols[at], symbols[at + 1]).rank }
      if at > 0 { ranks[at - 1] = merges.look(symbols[at - 1], symbols[at]).rank }
    }
    return count
  }
}
