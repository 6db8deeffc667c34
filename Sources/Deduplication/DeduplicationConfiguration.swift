import Primitives

/// What counts as a duplicate. The defaults for near-duplicates are datatrove's.
package struct DeduplicationConfiguration: Sendable, Equatable {
  /// The document to keep per group of near-duplicates.
  package enum Keep: String, Sendable, CaseIterable {
    /// The first in input order.
    case first
    /// The one with the most bytes of text; the first of these in input order.
    case longest
  }

  /// Words per shingle, 1…100.
  package var shingleWords = 5
  /// Whether texts that differ only in numbers have the same shingles; otherwise numbers count as they stand.
  package var ignoresNumbers = false
  /// Bands per signature, 1…1000.
  package var bands = 14
  /// Rows per band, 1…1000.
  package var rows = 8
  /// Seed of the hash functions.
  package var randomSeed: UInt64 = 1
  /// Whether candidate pairs are verified by the similarity of their shingles; otherwise documents that collide in a band are
  /// near-duplicates.
  package var verify = true
  /// Minimum Jaccard similarity of the shingle sets of near-duplicates.
  package var threshold = 0.7
  package var keep = Keep.first
  /// Maximum comparisons per group to find a link to the other groups in the same bucket of a band.
  package var maximumComparisons = 64
  /// A group is reported as suspicious if it holds more than this fraction of the documents and more than `alarmDocuments`.
  package var alarmShare = 0.01
  package var alarmDocuments = 10
  /// Maximum number of example pairs in the report.
  package var examples = 10
  /// Paragraphs with fewer bytes than this are never dropped as repeated.
  package var minimumParagraphBytes = 0

  /// Bytes of bands and of shingles to hold in memory; the rest goes to temporary files.
  package static let defaultSpillLimit = 256 << 20

  package init() {}

  /// The probability that two documents with Jaccard similarity s collide in at least one band: 1 − (1 − sʳ)ᵇ.
  package func recall(_ similarity: Double) -> Double {
    // Repeated squaring instead of `pow`, whose last digits differ between C libraries.
    func power(_ base: Double, _ exponent: Int) -> Double {
      var (result, square, left) = (1.0, base, exponent)
      while left > 0 {
        if left & 1 == 1 { result *= square }
        square *= square
        left >>= 1
      }
      return result
    }
    return 1 - power(1 - power(similarity, rows), bands)
  }

  /// Chooses bands and rows, with at most `permutations` values in total, that find at least 90 % of the pairs at the threshold: the most
  /// rows that do, because they yield the fewest candidates, and as many bands as fit. Balancing false positives and false negatives as
  /// datasketch does (LSH Ensemble, Zhu et al., VLDB 2016, section 5) finds only half of the pairs at a threshold of 0.8. Candidate pairs
  /// are verified here, so false positives cost only time.
  package static func banding(threshold: Double, permutations: Int = 112) -> (bands: Int, rows: Int) {
    var trial = Self()
    for rows in (1...max(1, permutations)).reversed() {
      (trial.bands, trial.rows) = (max(1, permutations / rows), rows)
      if trial.recall(threshold) >= 0.9 { break }
    }
    return (trial.bands, trial.rows)
  }

  /// Estimates the peak memory in bytes of the search for near-duplicates, without the batches in flight, and the size of its temporary files.
  ///
  /// Collecting signatures takes 24 bytes per document, plus 8 bytes per band and 4 bytes per shingle, of which all beyond `spillLimit`
  /// goes to a temporary file. Grouping takes up to 57 bytes per document, and the compared pairs up to 96 MiB.
  /// - Parameters:
  ///   - documents: documents in the corpus.
  ///   - shinglesPerDocument: mean number of distinct shingles per document, about the number of its words.
  ///   - spillLimit: as for `FuzzyDeduplicator`.
  package func estimate(
    documents: Int, shinglesPerDocument: Int = 400, spillLimit: Int = DeduplicationConfiguration.defaultSpillLimit
  ) -> (memory: Int, disk: Int) {
    let bytes = Double(documents) * Double(8 * bands + 4 * shinglesPerDocument), limit = Double(spillLimit)
    let memory = 57 * documents + min(16 * documents, 96 << 20) + Int(min(bytes, limit))
    return (memory, bytes > limit ? Int(min(bytes, 0x1p62)) : 0)
  }

  /// - Throws: `WeirError` that names the flag or the property of a value out of range.
  package func validate() throws {
    func check(_ holds: Bool, _ name: String, _ reason: String) throws { if !holds { throw WeirError(name, reason) } }
    try check(1...100 ~= shingleWords, "shingleWords", "must be 1…100, not \(shingleWords)")
    try check(1...1_000 ~= bands, "--bands", "must be 1…1000, not \(bands)")
    try check(1...1_000 ~= rows, "--rows", "must be 1…1000, not \(rows)")
    try check(threshold > 0 && threshold <= 1, "--threshold", "must be above 0 and at most 1, not \(threshold)")
    try check(maximumComparisons > 0, "maximumComparisons", "must be at least 1, not \(maximumComparisons)")
    try check(minimumParagraphBytes >= 0, "minimumParagraphBytes", "must not be negative, is \(minimumParagraphBytes)")
  }
}
