import CKernels

/// Which pairs of tokens merge, at what rank, into what, as the kernels want it (`merges.c`).
final class MergeTable: Sendable {
  /// A merge's rank is below this.
  static let limit = 1 << 24 - 1

  nonisolated(unsafe) let pointer: OpaquePointer
  /// The first merge of a pair that merges already.
  let repeated: Int?

  /// Builds the table; of several merges of one pair the last one holds, as in Hugging Face's.
  /// - Parameters:
  ///   - merges: in order of rank, fewer than `limit`.
  ///   - byteTokens: [256] the tokens of the single bytes.
  ///   - offsets: [tokens + 1] where the bytes of each token begin.
  init(_ merges: [Tokenizer.Merge], byteTokens: [UInt32], offsets: [UInt32]) {
    let flat = merges.flatMap { [$0.left, $0.right, $0.token] }
    var repeated = 0
    pointer = weir_merges_create(byteTokens, flat, merges.count, offsets, offsets.count - 1, &repeated)!
    self.repeated = repeated < merges.count ? repeated : nil
  }

  /// Makes whole pre-tokens of the words of a vocabulary, whatever their merges say.
  func addWords(_ map: ByteMap, ids: [UInt32]) {
    for index in 0..<map.count {
      map.withKey(index) { _ = weir_merges_word(pointer, $0.baseAddress, $0.count, ids[index]) }
    }
  }

  deinit { weir_merges_destroy(pointer) }
}
