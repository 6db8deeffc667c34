import Primitives

/// Windows and tokens of the general corpus in each leaf. P(c|Dg) is by tokens.
package struct GeneralHistogram: Sendable, Codable, Equatable {
  /// [leaves] windows.
  package var windows: [Int]
  /// [leaves] tokens.
  package var tokens: [Int]

  package init(windows: [Int], tokens: [Int]) throws {
    guard windows.count == tokens.count, !windows.isEmpty, zip(windows, tokens).allSatisfy({ $0 >= 0 && $1 >= 0 }) else {
      throw WeirError("general histogram", "expected one count ≥ 0 of windows and tokens per leaf")
    }
    var total = 0
    for count in tokens {
      let (sum, overflow) = total.addingReportingOverflow(count)
      guard !overflow else { throw WeirError("general histogram", "the number of tokens exceeds 64 bits") }
      total = sum
    }
    self.windows = windows
    self.tokens = tokens
  }

  /// Counts an assignment.
  /// - Parameters:
  ///   - leaves: [windows] the leaf of each window.
  ///   - lengths: [windows] tokens of each window.
  package init(leaves: [UInt32], lengths: [Int], leafCount: Int) throws {
    guard leaves.count == lengths.count else {
      throw WeirError("assignment", "\(leaves.count) leaves for \(lengths.count) windows", remedy: "assign this dataset again")
    }
    var windows = [Int](repeating: 0, count: leafCount)
    var tokens = windows
    for (leaf, length) in zip(leaves, lengths) {
      guard leaf < leafCount else { throw WeirError("assignment", "contains leaf \(leaf), but the tree has \(leafCount) leaves") }
      windows[Int(leaf)] += 1
      tokens[Int(leaf)] += length
    }
    try self.init(windows: windows, tokens: tokens)
  }

  /// One cluster.
  package init(windows: Int, tokens: Int) throws { try self.init(windows: [windows], tokens: [tokens]) }

  package var totalTokens: Int { tokens.reduce(0, +) }

  /// [leaves] P(c|Dg).
  package var shares: [Double] {
    let total = Double(totalTokens)
    return tokens.map { total > 0 ? Double($0) / total : 0 }
  }
}

/// Windows and tokens of a specialist seed in each leaf (CRISP §3).
///
/// P(c|Ds) is by tokens, because the loss is a mean over tokens and windows differ in length. With windows of equal length, as in the paper, it
/// is the same by windows.
package struct SpecialistHistogram: Sendable, Codable, Equatable {
  /// The name of the seed, for errors and reports.
  package var name: String
  /// [leaves] windows.
  package var windows: [Int]
  /// [leaves] tokens.
  package var tokens: [Int]
  /// Windows that are not counted because the embedder found no features in them.
  package var skipped: Int

  /// Counts a seed.
  /// - Parameters:
  ///   - leaves: [windows] the leaf of each window.
  ///   - lengths: [windows] tokens of each window.
  ///   - hasFeatures: [windows] whether the embedder found features in the window; nil for all.
  /// - Throws: `WeirError` if no window can be counted.
  package init(name: String, leaves: [UInt32], lengths: [Int], hasFeatures: [Bool]? = nil, leafCount: Int) throws {
    guard leaves.count == lengths.count, hasFeatures.map({ $0.count == leaves.count }) ?? true else {
      throw WeirError(name, "expected one leaf, length and feature flag per window")
    }
    var windows = [Int](repeating: 0, count: leafCount)
    var tokens = windows
    var skipped = 0
    for index in leaves.indices {
      guard leaves[index] < leafCount else {
        throw WeirError(name, "window \(index) is in leaf \(leaves[index]), but the tree has \(leafCount) leaves")
      }
      guard lengths[index] > 0, hasFeatures?[index] ?? true else {
        skipped += 1
        continue
      }
      windows[Int(leaves[index])] += 1
      tokens[Int(leaves[index])] += lengths[index]
    }
    try self.init(name: name, windows: windows, tokens: tokens, skipped: skipped)
  }

  package init(name: String, windows: [Int], tokens: [Int], skipped: Int = 0) throws {
    guard windows.count == tokens.count, zip(windows, tokens).allSatisfy({ $0 >= 0 && $1 >= 0 }) else {
      throw WeirError(name, "expected one count ≥ 0 of windows and tokens per leaf")
    }
    guard tokens.contains(where: { $0 > 0 }) else {
      throw WeirError(
        name, skipped > 0 ? "the embedder finds no features in any of its \(skipped) windows" : "contains no text",
        remedy: "give a seed with text similar to the corpus")
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

  /// The number of windows, which is the unit of pseudo-counts.
  package var totalWindows: Int { windows.reduce(0, +) }
}
