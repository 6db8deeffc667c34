/// What a search for near-duplicates found.
public struct FuzzyReport: Sendable, Codable, Equatable {
  /// A pair of near-duplicates.
  public struct Pair: Sendable, Codable, Equatable {
    /// The document that comes first in the input, counted from 0.
    public var first: Int
    /// The other.
    public var second: Int
    /// The Jaccard similarity of their shingles; nil where candidates are not verified.
    public var similarity: Double?
    /// Where the two come from, `path:line`; empty until somebody looks.
    public var origins: [String] = []
    /// How the two begin; empty until somebody looks.
    public var texts: [String] = []
  }

  /// The probability that a pair of a similarity is found.
  public struct Recall: Sendable, Codable, Equatable {
    /// The Jaccard similarity.
    public var similarity: Double
    /// 1 − (1 − sʳ)ᵇ.
    public var probability: Double
  }

  /// Documents in all.
  public var documents = 0
  /// Documents without a word, which are never near-duplicates.
  public var withoutWords = 0
  /// Pairs that share a band and were compared.
  public var compared = 0
  /// Those of them that were below the threshold.
  public var rejected = 0
  /// How often `maximumComparisons` ended the search for a link between groups that share the fingerprint of a band.
  public var skipped = 0
  /// Documents that are removed.
  public var removed = 0
  /// Groups of near-duplicates, by the number of their members.
  public var groups: [Int: Int] = [:]
  /// The size of the largest group; 0 without groups.
  public var largestGroup = 0
  /// The first pairs in the order in which they were found.
  public var examples: [Pair] = []
  /// What the bands find.
  public var recall: [Recall] = []
  /// What a person should look at.
  public var warnings: [String] = []
}

/// Which documents stay after a search for near-duplicates.
public struct FuzzyDecision: Sendable, Equatable {
  /// Whether each document stays, in input order.
  public var kept: [Bool]
  /// The document that stays in place of each removed one; −1 for those that stay.
  public var duplicateOf: [Int32]
  /// Numbers and examples.
  public var report: FuzzyReport
}
