import Primitives

/// What the general corpus has in each leaf: P(c|Dg), by tokens.
package struct GeneralHistogram: Sendable, Codable, Equatable {
  /// [leaves] windows.
  package var windows: [Int]
  /// [leaves] tokens.
  package var tokens: [Int]

  /// Creates a histogram.
  /// - Throws: `WeirError` when the counts do not belong together.
  package init(windows: [Int], tokens: [Int]) throws {
    guard windows.count == tokens.count, !windows.isEmpty, zip(windows, tokens).allSatisfy({ $0 >= 0 && $1 >= 0 }) else {
      throw WeirError("general histogram", "windows and tokens are not one count ≥ 0 per leaf")
    }
    var total = 0
    for count in tokens {
      let (sum, overflow) = total.addingReportingOverflow(count)
      guard !overflow else { throw WeirError("general histogram", "more tokens than 64 bits count") }
      total = sum
    }
    self.windows = windows
    self.tokens = tokens
  }

  /// Counts an assignment.
  /// - Parameters:
  ///   - leaves: [windows] the leaf of each window.
  ///   - lengths: [windows] tokens of each window.
  ///   - leafCount: the number of leaves.
  package init(leaves: [UInt32], lengths: [Int], leafCount: Int) throws {
    guard leaves.count == lengths.count else {
      throw WeirError("assignment", "\(leaves.count) leaves for \(lengths.count) windows", remedy: "assign this dataset again")
    }
    var windows = [Int](repeating: 0, count: leafCount)
    var tokens = windows
    for (leaf, length) in zip(leaves, lengths) {
      guard leaf < leafCount else { throw WeirError("assignment", "leaf \(leaf) of a tree with \(leafCount) leaves") }
      windows[Int(leaf)] += 1
      tokens[Int(leaf)] += length
    }
    try self.init(windows: windows, tokens: tokens)
  }

  /// Everything in one cluster, for `uniform` without a tree.
  package init(windows: Int, tokens: Int) throws { try self.init(windows: [windows], tokens: [tokens]) }

  /// Tokens in all.
  package var totalTokens: Int { tokens.reduce(0, +) }

  /// [leaves] P(c|Dg).
  package var shares: [Double] {
    let total = Double(totalTokens)
    return tokens.map { total > 0 ? Double($0) / total : 0 }
  }
}

/// Where a specialist seed falls: its windows and tokens per leaf (CRISP §3).
///
/// The loss is a mean over tokens and our windows differ in length, so P(c|Ds) is counted in tokens; with windows of one length,
/// as in the paper, that is the count of windows.
package struct SeedHistogram: Sendable, Codable, Equatable {
  /// The seed's name, for messages and reports.
  package var name: String
  /// [leaves] windows.
  package var windows: [Int]
  /// [leaves] tokens.
  package var tokens: [Int]
  /// Windows left out because they have no feature that the embedder knows.
  package var skipped: Int

  /// Counts a seed.
  /// - Parameters:
  ///   - name: for messages and reports.
  ///   - leaves: [windows] the leaf of each window.
  ///   - lengths: [windows] tokens of each window.
  ///   - hasFeatures: [windows] whether the embedder saw anything in it; nil = all.
  ///   - leafCount: the number of leaves.
  /// - Throws: `WeirError` when nothing is left to count.
  package init(name: String, leaves: [UInt32], lengths: [Int], hasFeatures: [Bool]? = nil, leafCount: Int) throws {
    guard leaves.count == lengths.count, hasFeatures.map({ $0.count == leaves.count }) ?? true else {
      throw WeirError(name, "leaves, lengths and features are not one per window")
    }
    var windows = [Int](repeating: 0, count: leafCount)
    var tokens = windows
    var skipped = 0
    for index in leaves.indices {
      guard leaves[index] < leafCount else { throw WeirError(name, "leaf \(leaves[index]) of a tree with \(leafCount) leaves") }
      guard lengths[index] > 0, hasFeatures?[index] ?? true else {
        skipped += 1
        continue
      }
      windows[Int(leaves[index])] += 1
      tokens[Int(leaves[index])] += lengths[index]
    }
    try self.init(name: name, windows: windows, tokens: tokens, skipped: skipped)
  }

  /// Creates a histogram of its counts.
  package init(name: String, windows: [Int], tokens: [Int], skipped: Int = 0) throws {
    guard windows.count == tokens.count, zip(windows, tokens).allSatisfy({ $0 >= 0 && $1 >= 0 }) else {
      throw WeirError(name, "windows and tokens are not one count ≥ 0 per leaf")
    }
    guard tokens.contains(where: { $0 > 0 }) else {
      throw WeirError(
        name, skipped > 0 ? "none of its \(skipped) windows has a word that the embedder knows" : "the seed has no text",
        remedy: "give a seed with text like that of the corpus")
    }
    self.name = name
    self.windows = windows
    self.tokens = tokens
    self.skipped = skipped
  }

  /// [leaves] P(c|Ds) as counted.
  package var shares: [Double] {
    let total = tokens.reduce(0.0) { $0 + Double($1) }
    return tokens.map { Double($0) / total }
  }

  /// Windows that were counted: the scale of pseudo-counts.
  package var totalWindows: Int { windows.reduce(0, +) }
}
