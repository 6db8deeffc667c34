import CKernels
import Corpus
import Pipeline
import Primitives

/// A batch with what the search for near-duplicates needs of every document.
public struct ShingledDocuments: Sendable {
  /// The documents.
  public var documents: [Document]
  /// [documents, bands] fingerprints of the bands.
  var bands: [UInt64] = []
  /// Shingles, 32 bits each, in the order of the texts, one document after another, repeated ones included.
  var shingles: [UInt32] = []
  /// Shingles of each document; 0 for a text without words, which is nobody's duplicate.
  var counts: [UInt32] = []
}

/// Makes the shingles, the MinHash signature and its bands of every document (Broder 1997; Leskovec, Rajaraman, Ullman, ch. 3).
///
/// Words are normalised as `words.h` says. The signature has one 64-bit value a permutation of the family a·h + b mod 2⁶⁴; a band is
/// the fingerprint of its rows. Shingles are kept with 32 bits: the Jaccard similarity of sets of n shingles is off by about n·2⁻³².
/// The stage counts nothing: `ReplayDocuments` does.
public struct ShingleDocuments: Stage {
  private let configuration: DeduplicationConfiguration
  private let multipliers: [UInt64]
  private let offsets: [UInt64]

  /// Creates the stage.
  /// - Throws: `WeirError` for a configuration out of range.
  public init(_ configuration: DeduplicationConfiguration = .init()) throws {
    try configuration.validate()
    self.configuration = configuration
    let permutations = (configuration.bands * configuration.rows + 7) / 8 * 8  // whole vectors
    let multiplier = CounterRandom(seed: configuration.seed, stream: 1)
    let offset = CounterRandom(seed: configuration.seed, stream: 2)
    multipliers = (0..<permutations).map { multiplier.bits(UInt64($0)) | 1 }
    offsets = (0..<permutations).map { offset.bits(UInt64($0)) }
  }

  /// None: nothing is taken out here.
  public var names: [String] { [] }

  /// Makes the signatures of one batch.
  public func apply(_ batch: [Document], ledger: inout Ledger, offset: Int) -> ShingledDocuments {
    let longest = batch.reduce(0) { max($0, $1.text.count) }
    let hashes = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: longest / 2 + 1)
    let scratch = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: longest + longest / 2 + 128)
    let signature = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: multipliers.count)
    defer {
      hashes.deallocate()
      scratch.deallocate()
      signature.deallocate()
    }
    var result = ShingledDocuments(documents: batch)
    result.bands.reserveCapacity(batch.count * configuration.bands)
    result.counts.reserveCapacity(batch.count)
    result.shingles.reserveCapacity(batch.reduce(0) { $0 + $1.text.count } / 5)
    guard let hash = hashes.baseAddress, let space = scratch.baseAddress, let value = signature.baseAddress else { return result }
    for document in batch {
      let count = document.text.withUnsafeBufferPointer { text in
        text.baseAddress.map { weir_shingles($0, text.count, configuration.shingleWords, space, hash) } ?? 0
      }
      result.shingles.append(contentsOf: hashes[..<count].lazy.map { UInt32(truncatingIfNeeded: $0 >> 32) })
      result.counts.append(UInt32(truncatingIfNeeded: count))
      weir_minhash(hash, count, multipliers, offsets, multipliers.count, value)
      for band in 0..<configuration.bands {
        var fingerprint = UInt64(truncatingIfNeeded: band)
        for row in 0..<configuration.rows { fingerprint = CounterRandom.mix(fingerprint ^ value[band * configuration.rows + row]) }
        result.bands.append(fingerprint)
      }
    }
    return result
  }

  /// Different shingles of a text, 32 bits each, ascending: what Jaccard similarities are of.
  public static func shingles(_ text: [UInt8], words: Int = 5) -> [UInt32] {
    var hashes = [UInt64](repeating: 0, count: text.count / 2 + 1)
    var space = [UInt8](repeating: 0, count: text.count + text.count / 2 + 128)
    let count = weir_shingles(text, text.count, words, &space, &hashes)
    var keys = hashes[..<count].map { UInt32(truncatingIfNeeded: $0 >> 32) }
    var scratch = [UInt32](repeating: 0, count: 2 * count + 1)
    return Array(keys[..<weir_sort_unique(&keys, count, &scratch)])
  }

  /// The Jaccard similarity of two ascending lists of different shingles; 0 where one is empty.
  public static func similarity(_ a: [UInt32], _ b: [UInt32]) -> Double {
    guard !a.isEmpty, !b.isEmpty else { return 0 }
    let shared = weir_intersection(a, a.count, b, b.count)
    return Double(shared) / Double(a.count + b.count - shared)
  }
}
