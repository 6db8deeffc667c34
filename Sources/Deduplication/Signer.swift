import CKernels
import Documents
import Pipeline
import Primitives

/// Computes MinHash signatures: per hash function a·h + b mod 2⁵², the minimum over the shingles of a document.
struct Signer: Sendable {
  private let words: Int
  private let ignoresNumbers: Bool
  private let multipliers: [UInt64]
  private let offsets: [UInt64]
  private let buffers = WorkerPool(limit: 1 << 24) { FoldedText() }

  /// Values per signature: bands × rows.
  let count: Int

  /// - Throws: `WeirError` if the configuration is out of range.
  init(_ configuration: DeduplicationConfiguration) throws {
    try configuration.validate()
    words = configuration.shingleWords
    ignoresNumbers = configuration.ignoresNumbers
    count = configuration.bands * configuration.rows
    let permutations = (count + 7) / 8 * 8  // the kernel works on whole vectors
    let multiplier = CounterRandom(seed: configuration.randomSeed, stream: 1)
    let offset = CounterRandom(seed: configuration.randomSeed, stream: 2)
    multipliers = (0..<permutations).map { multiplier.bits(UInt64($0)) | 1 }
    offsets = (0..<permutations).map { offset.bits(UInt64($0)) }
  }

  /// Calls `body` with the fingerprints of each document's shingles, in text order with repetitions, and its signature. All bits of the
  /// signature are set for a text without words; the signature is undefined if `signing` is false.
  func forEach(
    _ batch: [Document], signing: Bool = true, _ body: (UnsafeBufferPointer<UInt64>, UnsafeBufferPointer<UInt64>) -> Void
  ) throws {
    var folded = try buffers.take()
    var signature = [UInt64](repeating: 0, count: multipliers.count)
    // By index, because a loop over the documents would retain every part of each.
    for index in batch.indices {
      folded.makeShingles(batch[index].text, words: words, numbersAlike: ignoresNumbers)
      folded.withHashes { shingles in
        if signing { weir_minhash(shingles.baseAddress, shingles.count, multipliers, offsets, multipliers.count, &signature) }
        signature.withUnsafeBufferPointer { body(shingles, UnsafeBufferPointer(rebasing: $0[..<count])) }
      }
    }
    buffers.giveBack(folded, after: batch.reduce(0) { $0 + $1.text.count })
  }
}
