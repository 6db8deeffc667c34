/// What a search for near-duplicates found.
package struct FuzzyReport: Sendable, Codable, Equatable {
  /// A pair of near-duplicates.
  package struct Pair: Sendable, Codable, Equatable {
    /// The document that comes first in the input, counted from 0.
    package var first: Int
    /// The other.
    package var second: Int
    /// The Jaccard similarity of their shingles; nil where candidates are not verified.
    package var similarity: Double?
    /// Where the two come from, `path:line`; empty until somebody looks.
    package var origins: [String] = []
    /// How the two begin; empty until somebody looks.
    package var texts: [String] = []
  }

  /// The probability that a pair of a similarity is found.
  package struct Recall: Sendable, Codable, Equatable {
    /// The Jaccard similarity.
    package var similarity: Double
    /// 1 − (1 − sʳ)ᵇ.
    package var probability: Double
  }

  /// Documents in all.
  package var documents = 0
  /// Documents without a word, which are never near-duplicates.
  package var withoutWords = 0
  /// Pairs that share a band and were compared.
  package var compared = 0
  /// Those of them that were below the threshold.
  package var rejected = 0
  /// How often `maximumComparisons` ended the search for a link between groups that share the fingerprint of a band.
  package var skipped = 0
  /// Documents that are removed.
  package var removed = 0
  /// Groups of near-duplicates, by the number of their members.
  package var groups: [Int: Int] = [:]
  /// The size of the largest group; 0 without groups.
  package var largestGroup = 0
  /// The first pairs in the order in which they were found.
  package var examples: [Pair] = []
  /// What the bands find.
  package var recall: [Recall] = []
  /// What a person should look at.
  package var warnings: [String] = []
}

/// Which documents stay after a search for near-duplicates.
package struct FuzzyDecision: Sendable, Equatable {
  /// Whether each document stays, in input order.
  package var kept: [Bool]
  /// The document that stays in place of each removed one; −1 for those that stay.
  package var duplicateOf: [Int32]
  /// Numbers and examples.
  package var report: FuzzyReport
}
