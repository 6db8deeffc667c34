/// Results of the search for near-duplicates.
package struct FuzzyReport: Sendable, Codable, Equatable {
  package struct Pair: Sendable, Codable, Equatable {
    /// The number of the document that comes first in the input, from 0.
    package var first: Int
    /// The number of the other document.
    package var second: Int
    /// The Jaccard similarity of their shingles; nil if candidates are not verified.
    package var similarity: Double?
    /// The `path:line` of both documents; empty until filled in from the documents.
    package var origins: [String] = []
    /// The beginning of both texts; empty until filled in from the documents.
    package var texts: [String] = []
  }

  /// The probability that a pair with a given similarity becomes a candidate.
  package struct Recall: Sendable, Codable, Equatable {
    package var similarity: Double
    /// 1 − (1 − sʳ)ᵇ.
    package var probability: Double
  }

  package var documents = 0
  /// Documents without words and symbols, which are never near-duplicates.
  package var withoutWords = 0
  /// Candidate pairs that were compared.
  package var compared = 0
  /// Compared pairs below the threshold.
  package var rejected = 0
  /// How often `maximumComparisons` ended the search for links between groups in one bucket.
  package var skipped = 0
  package var removed = 0
  /// The number of groups of near-duplicates by size.
  package var groups: [Int: Int] = [:]
  /// The size of the largest group; 0 if there are no groups.
  package var largestGroup = 0
  /// The first pairs that were found.
  package var examples: [Pair] = []
  /// The expected recall of candidates at several similarities.
  package var recall: [Recall] = []
  package var warnings: [String] = []
}

/// The documents to keep after the search for near-duplicates.
package struct FuzzyDecision: Sendable, Equatable {
  /// Whether each document is kept, in input order.
  package var kept: [Bool]
  /// Per document, the number of the document kept in its place; −1 for kept documents.
  package var duplicateOf: [Int32]
  package var report: FuzzyReport
}
