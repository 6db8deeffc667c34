import Primitives

/// What counts as a duplicate. The defaults of the fuzzy search are datatrove's.
package struct DeduplicationConfiguration: Sendable, Codable, Equatable {
  /// Which document of a group of near-duplicates stays.
  package enum Keep: String, Sendable, Codable, CaseIterable {
    /// The first in input order.
    case first
    /// The one with the most bytes of text, the first of them where several have.
    case longest
  }

  /// Words in a shingle, 1 to 100.
  package var shingleWords = 5
  /// Bands of the signature, 1 to 1,000.
  package var bands = 14
  /// Rows of a band, 1 to 1,000.
  package var rows = 8
  /// The seed of the hash family.
  package var seed: UInt64 = 1
  /// Whether candidates are compared by their shingles; without, whatever shares a band is a near-duplicate.
  package var verify = true
  /// The least Jaccard similarity of the shingle sets of two near-duplicates.
  package var threshold = 0.7
  /// Which document of a group stays.
  package var keep = Keep.first
  /// Where a band holds several groups that share its fingerprint, the comparisons that a group takes to find a link to the others.
  package var maximumComparisons = 64
  /// The share of the documents above which a group is reported as suspicious (and `alarmDocuments`).
  package var alarmShare = 0.01
  /// The size above which a group is reported as suspicious (and `alarmShare`).
  package var alarmDocuments = 10
  /// Examples of pairs in the report.
  package var examples = 10
  /// Paragraphs of fewer bytes than this are never dropped for being repeated.
  package var minimumParagraphBytes = 0

  /// Bytes of bands and shingles that stay in memory before they go to a temporary file.
  package static let defaultSpillLimit = 256 << 20

  /// Creates the defaults.
  package init() {}

  /// The probability that two documents of Jaccard similarity `similarity` share a band: 1 − (1 − sʳ)ᵇ.
  package func recall(_ similarity: Double) -> Double {
    // By squaring: the same digits everywhere.
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

  /// The bands × rows, at most `permutations` of them, that find nine in ten pairs of a similarity: the most rows that do, since they bring the
  /// fewest candidates, and as many bands as are left. The two areas of LSH Ensemble (Zhu et al., VLDB 2016, section 5), which datasketch
  /// balances, find only half of the pairs at a threshold of 0.8; edges are verified here, so that finding too many costs time only.
  package static func banding(threshold: Double, permutations: Int = 112) -> (bands: Int, rows: Int) {
    var trial = Self()
    for rows in (1...max(1, permutations)).reversed() {
      (trial.bands, trial.rows) = (max(1, permutations / rows), rows)
      if trial.recall(threshold) >= 0.9 { break }
    }
    return (trial.bands, trial.rows)
  }

  /// Bytes of memory that a fuzzy search over so many documents needs, beyond batches under way.
  ///
  /// While signatures are collected, a document takes 24 bytes; what its bands (8 bytes each) and its shingles (4 bytes each)
  /// take beyond `spillLimit` lies in a temporary file. While groups are formed it takes up to 57 bytes, and compared pairs up to 96 MiB.
  /// - Parameters:
  ///   - documents: documents in the corpus.
  ///   - shinglesPerDocument: different shingles in a document, on average; about its words.
  ///   - spillLimit: as for `FuzzyDeduplicator`.
  package func estimateMemory(
    documents: Int, shinglesPerDocument: Int = 400, spillLimit: Int = DeduplicationConfiguration.defaultSpillLimit
  )
    -> Int
  {
    let spilled = Double(documents) * Double(8 * bands + 4 * shinglesPerDocument)
    return 57 * documents + min(16 * documents, 96 << 20) + Int(min(spilled, Double(spillLimit)))
  }

  /// Bytes of temporary files of such a search.
  package func estimateDisk(documents: Int, shinglesPerDocument: Int = 400, spillLimit: Int = DeduplicationConfiguration.defaultSpillLimit)
    -> Int
  {
    let bytes = Double(documents) * Double(8 * bands + 4 * shinglesPerDocument)
    return bytes > Double(spillLimit) ? Int(min(bytes, 0x1p62)) : 0
  }

  /// Checks every member's range.
  /// - Throws: `WeirError` that names the flag or the member.
  package func validate() throws {
    func check(_ holds: Bool, _ flag: String, _ reason: String, _ remedy: String) throws {
      if !holds { throw WeirError(flag, reason, remedy: remedy) }
    }
    try check(1...100 ~= shingleWords, "shingleWords", "\(shingleWords) words in a shingle", "give 1 to 100")
    try check(1...1_000 ~= bands, "--bands", "\(bands) bands", "give 1 to 1000")
    try check(1...1_000 ~= rows, "--rows", "\(rows) rows in a band", "give 1 to 1000")
    try check(threshold > 0 && threshold <= 1, "--threshold", "a similarity of \(threshold)", "give a number above 0, at most 1")
    try check(maximumComparisons > 0, "maximumComparisons", "\(maximumComparisons) comparisons", "give at least 1")
    try check(minimumParagraphBytes >= 0, "minimumParagraphBytes", "\(minimumParagraphBytes) bytes", "give 0 or more")
  }
}

private struct MemberName: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}

extension DeduplicationConfiguration {
  /// Reads the members that are there; the others have their defaults.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: MemberName.self)
    func read<Value: Decodable>(_ name: String, _ value: Value) throws -> Value {
      try members.decodeIfPresent(Value.self, forKey: MemberName(name)) ?? value
    }
    shingleWords = try read("shingleWords", shingleWords)
    bands = try read("bands", bands)
    rows = try read("rows", rows)
    seed = try read("seed", seed)
    verify = try read("verify", verify)
    threshold = try read("threshold", threshold)
    keep = try read("keep", keep)
    maximumComparisons = try read("maximumComparisons", maximumComparisons)
    alarmShare = try read("alarmShare", alarmShare)
    alarmDocuments = try read("alarmDocuments", alarmDocuments)
    examples = try read("examples", examples)
    minimumParagraphBytes = try read("minimumParagraphBytes", minimumParagraphBytes)
  }
}
