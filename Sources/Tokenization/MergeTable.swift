import CKernels

/// The merges by pair, with rank and product, in the layout of the kernels (`merges.c`).
final class MergeTable: Sendable {
  /// Upper bound of ranks.
  static let limit = 1 << 24 - 1

  nonisolated(unsafe) let pointer: OpaquePointer
  /// The first merge whose pair has an earlier merge.
  let repeated: Int?

  /// Builds the table; of several merges of one pair, the last one wins, as in Hugging Face tokenizers.
  /// - Parameters:
  ///   - merges: in order of rank, fewer than `limit`.
  ///   - byteTokens: [256] the tokens of single bytes.
  ///   - offsets: [tokens + 1] byte offsets of the tokens.
  init(_ merges: [Tokenizer.Merge], byteTokens: [UInt32], offsets: [UInt32]) {
    let flat = merges.flatMap { [$0.left, $0.right, $0.token] }
    var repeated = 0
    pointer = weir_merges_create(byteTokens, flat, merges.count, offsets, offsets.count - 1, &repeated)!
    self.repeated = repeated < merges.count ? repeated : nil
  }

  /// Encodes words of the vocabulary as single tokens regardless of merges (`ignore_merges`).
  func addWords(_ map: ByteMap, ids: [UInt32]) {
    for index in 0..<map.count {
      map.withKey(index) { _ = weir_merges_word(pointer, $0.baseAddress, $0.count, ids[index]) }
    }
  }

  deinit { weir_merges_destroy(pointer) }
}
