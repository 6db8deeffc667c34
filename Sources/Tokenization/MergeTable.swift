import CKernels

/// The merges by pair, with rank and product, in the layout of the kernels (`merges.c`).
final class MergeTable: Sendable {
  /// Upper bound of ranks.
  static let limit = 1 << 24 - 1

  nonisolated(unsafe) let pointer: OpaquePointer
  /// The first merge whose pair has an earlier merge.
  let repeated: Int?

  private nonisolated(unsafe) let replacements: UnsafeMutablePointer<UInt32>?

  /// Builds the table; of several merges of one pair, the last one wins, as in Hugging Face tokenizers.
  /// - Parameters:
  ///   - kernel: fewer than `limit` merges.
  ///   - vocabulary: the number of tokens of the vocabulary; what the kernel has beyond is replaced.
  ///   - characters: what unknown characters become.
  init(_ kernel: KernelVocabulary, vocabulary: Int, characters: TokenizerRules.Characters?) {
    let flat = kernel.merges.flatMap { [$0.left, $0.right, $0.token] }
    var repeated = 0
    pointer = weir_merges_create(kernel.byteTokens, flat, kernel.merges.count, kernel.offsets, kernel.offsets.count - 1, &repeated)!
    let assembled = kernel.merges.count - kernel.ownMerges
    self.repeated = repeated < kernel.merges.count ? max(0, repeated - assembled) : nil
    guard !kernel.replacements.isEmpty else {
      replacements = nil
      return
    }
    let memory = UnsafeMutablePointer<UInt32>.allocate(capacity: kernel.replacements.count)
    memory.initialize(from: kernel.replacements, count: kernel.replacements.count)
    replacements = memory
    weir_merges_replace(pointer, UInt32(vocabulary), memory, characters?.unknown ?? .max, characters?.fuses == true ? 1 : 0)
  }

  /// Whether some tokens of the kernel are not of the vocabulary.
  var replaces: Bool { replacements != nil }

  /// Encodes words of the vocabulary as single tokens regardless of merges (`ignore_merges`).
  func addWords(_ map: ByteMap, ids: [UInt32]) {
    for index in 0..<map.count {
      map.withKey(index) { _ = weir_merges_word(pointer, $0.baseAddress, $0.count, ids[index]) }
    }
  }

  deinit {
    weir_merges_destroy(pointer)
    replacements?.deallocate()
  }
}
