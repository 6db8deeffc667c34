import CKernels
import Documents
import Primitives

/// Computes MinHash signatures: per hash function a·h + b mod 2⁶⁴, the minimum over the shingles of a document.
struct Signer: Sendable {
  private let words: Int
  private let multipliers: [UInt64]
  private let offsets: [UInt64]

  /// Values per signature: bands × rows.
  let count: Int

  /// - Throws: `WeirError` if the configuration is out of range.
  init(_ configuration: DeduplicationConfiguration) throws {
    try configuration.validate()
    words = configuration.shingleWords
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
  ) {
    let longest = batch.reduce(0) { max($0, $1.text.count) }
    let hashes = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: longest / 2 + 1)
    let scratch = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: longest + longest / 2 + 128)
    let signature = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: multipliers.count)
    defer {
      hashes.deallocate()
      scratch.deallocate()
      signature.deallocate()
    }
    guard let hash = hashes.baseAddress, let space = scratch.baseAddress, let value = signature.baseAddress else { return }
    // By index, because a loop over the documents would retain every part of each.
    for index in batch.indices {
      let shingles = batch[index].text.withUnsafeBufferPointer { text in
        text.baseAddress.map { weir_shingles($0, text.count, words, space, hash) } ?? 0
      }
      if signing { weir_minhash(hash, shingles, multipliers, offsets, multipliers.count, value) }
      body(UnsafeBufferPointer(rebasing: hashes[..<shingles]), UnsafeBufferPointer(rebasing: signature[..<count]))
    }
  }
}
