/// A split and its single-model baseline on held-out text, by domain.
package struct SplitReport: Codable, Sendable, Equatable {
  package struct Domain: Codable, Sendable, Equatable {
    package var name: String
    package var terms: [String]
    package var windows: Int
    /// Held-out tokens.
    package var tokens: Int
    /// Tokens that the branch was trained on.
    package var branchTokens: Int
    /// The perplexity of the single-model baseline, if there is one.
    package var full: Double?
    /// The perplexity of the branch.
    package var split: Double

    enum CodingKeys: String, CodingKey {
      case name, terms, windows, tokens, full, split
      case branchTokens = "branch_tokens"
    }
  }

  /// Perplexities of the mean loss over domains: `split`, and `full` if there is a single-model baseline.
  package var meanPerplexity: [String: Double]
  /// The same over tokens.
  package var tokenPerplexity: [String: Double]
  package var byDomain: [Domain]
  package var trunkTokens: Int
  package var branchTokens: [Int]
  package var router: String

  enum CodingKeys: String, CodingKey {
    case router
    case meanPerplexity = "mean_perplexity"
    case tokenPerplexity = "token_perplexity"
    case byDomain = "by_domain"
    case trunkTokens = "trunk_tokens"
    case branchTokens = "branch_tokens"
  }
}
