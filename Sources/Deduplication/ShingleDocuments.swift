import CKernels
import Documents
import Pipeline
import Primitives

/// A batch with what the search for near-duplicates needs to know of every document.
package struct ShingledDocuments: Sendable {
  package var documents: [Document]
  /// [documents, bands] fingerprints of the bands; empty where a file names the candidates.
  var bands: [UInt64] = []
  /// Shingles in text order, one document after another, including repeated ones.
  var shingles: [UInt32] = []
  /// The number of shingles of each document; 0 for a text without words, which is never a duplicate.
  var counts: [UInt32] = []
}

/// Computes the shingles, the MinHash signature and its bands for every document (Broder 1997; Leskovec, Rajaraman, Ullman, ch. 3).
///
/// `FoldedText` has the words; `Signer` computes the signature; a band is the fingerprint of its rows. Shingles keep 32
/// bits, which changes the Jaccard similarity of sets of n shingles by about n·2⁻³².
package struct ShingleDocuments: Stage {
  private let configuration: DeduplicationConfiguration
  private let signer: Signer
  private let isBanded: Bool

  /// - Parameters:
  ///   - configuration: words per shingle, bands and rows.
  ///   - isBanded: whether to compute bands; false where a `CandidateFile` names the candidates.
  /// - Throws: `WeirError` for a configuration out of range.
  package init(_ configuration: DeduplicationConfiguration = .init(), isBanded: Bool = true) throws {
    self.configuration = configuration
    self.isBanded = isBanded
    signer = try Signer(configuration)
  }

  package func apply(_ batch: [Document], tally: inout Tally) throws -> ShingledDocuments {
    var result = ShingledDocuments(documents: batch)
    result.counts.reserveCapacity(batch.count)
    result.shingles.reserveCapacity(batch.reduce(0) { $0 + $1.text.count } / 5)
    if isBanded { result.bands.reserveCapacity(batch.count * configuration.bands) }
    var upper: [UInt32] = []
    try signer.forEach(batch, signing: isBanded) { shingles, signature in
      // Into a buffer of its own, so that the loop vectorizes.
      if upper.count < shingles.count { upper = [UInt32](repeating: 0, count: max(shingles.count, 2 * upper.count)) }
      upper.withUnsafeMutableBufferPointer { upper in
        for index in shingles.indices { upper[index] = UInt32(truncatingIfNeeded: shingles[index] >> 32) }
        result.shingles.append(contentsOf: UnsafeMutableBufferPointer(rebasing: upper[..<shingles.count]))
      }
      result.counts.append(UInt32(truncatingIfNeeded: shingles.count))
      guard isBanded else { return }
      for band in 0..<configuration.bands {
        var fingerprint = UInt64(truncatingIfNeeded: band)
        for row in 0..<configuration.rows { fingerprint = CounterRandom.mix(fingerprint ^ signature[band * configuration.rows + row]) }
        result.bands.append(fingerprint)
      }
    }
    return result
  }

  /// The set of a text's shingles, ascending, as Jaccard similarities compare it.
  package static func shingles(_ text: [UInt8], words: Int = 5, numbersAlike: Bool = false) -> [UInt32] {
    var folded = FoldedText()
    folded.makeShingles(text, words: words, numbersAlike: numbersAlike)
    var keys = folded.withHashes { $0.map { UInt32(truncatingIfNeeded: $0 >> 32) } }
    var scratch = [UInt32](repeating: 0, count: 2 * keys.count + 1)
    return Array(keys[..<weir_sort_unique(&keys, keys.count, &scratch)])
  }

  /// The Jaccard similarity of two sets of shingles; 0 where one is empty.
  package static func similarity(_ a: [UInt32], _ b: [UInt32]) -> Double {
    guard !a.isEmpty, !b.isEmpty else { return 0 }
    let shared = weir_intersection(a, a.count, b, b.count)
    return Double(shared) / Double(a.count + b.count - shared)
  }
}
