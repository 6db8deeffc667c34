import Artifacts
import Primitives

/// The windows that a scoring method keeps: the highest scores until there are enough tokens, drawn from evenly thereafter.
package struct WindowSelection: Sendable, Equatable {
  /// Two clusters take the place of a tree's: what is left out, and what is kept.
  package static let clusters = 2
  /// [windows] 1 where a window is kept, else 0: what an assignment takes.
  package var leaves: [UInt32]
  /// Windows kept.
  package var windows: Int
  /// Tokens kept.
  package var tokens: Int
  /// The lowest score kept.
  package var threshold: Double

  /// Keeps the highest.
  /// - Parameters:
  ///   - scores: [windows] higher is better; a window whose score is −∞ or no number is never kept.
  ///   - lengths: [windows] tokens.
  ///   - wanted: how many tokens to keep at least; windows are whole.
  /// - Throws: `WeirError` where no window has a score.
  /// - Complexity: O(n log n).
  package init(scores: [Double], lengths: [Int], tokens wanted: Int) throws {
    precondition(scores.count == lengths.count, "a score a window")
    let order = scores.indices.filter { scores[$0] > -.infinity && lengths[$0] > 0 }
      .sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
    guard let first = order.first else {
      throw WeirError("--method", "no window of the dataset can be chosen by it", remedy: "lower --minimum-words")
    }
    leaves = [UInt32](repeating: 0, count: scores.count)
    (windows, tokens, threshold) = (0, 0, scores[first])
    for window in order {
      guard tokens < wanted else { break }
      leaves[window] = 1
      windows += 1
      tokens += lengths[window]
      threshold = scores[window]
    }
  }
}

extension Sampler {
  /// The mixture that draws from a selection alone.
  /// - Parameters:
  ///   - selection: what is kept.
  ///   - method: the method's name.
  ///   - lengths: [windows] tokens.
  ///   - configuration: the run's tokens and the cap on passes; the selection must be large enough for both.
  ///   - origin: fingerprints that go into the mixture.
  package static func selection(
    _ selection: WindowSelection, method: String, lengths: [Int], configuration: SamplingConfiguration, origin: MixtureOrigin
  ) throws -> Mixture {
    try configuration.validate()
    let general = try GeneralHistogram(leaves: selection.leaves, lengths: lengths, leafCount: WindowSelection.clusters)
    let run = configuration.runTokens ?? general.totalTokens
    if let cap = configuration.maxEpochs, Double(run) > cap * Double(selection.tokens) * (1 + 1e-12) {
      throw WeirError(
        "--max-epochs", "\(cap) passes over the \(selection.tokens) tokens kept are fewer than the run's \(run) tokens",
        remedy: "raise --keep or --max-epochs")
    }
    return try weighted(method: method, general: general, demand: [0, 1], configuration: configuration, origin: origin)
  }

  /// The mixture that draws from the seed itself, over and over: a dataset of its own, in one cluster.
  /// - Parameters:
  ///   - windows: the seed's windows.
  ///   - tokens: their tokens.
  ///   - configuration: the run's tokens and the cap on passes.
  ///   - origin: fingerprints that go into the mixture.
  ///   - source: the fingerprint of the seed's dataset.
  package static func specialist(
    windows: Int, tokens: Int, configuration: SamplingConfiguration, origin: MixtureOrigin, source: String
  ) throws -> Mixture {
    var mixture = try weighted(
      method: "specialist", general: GeneralHistogram(windows: windows, tokens: tokens), demand: [1], configuration: configuration,
      origin: origin)
    mixture.source = source
    return mixture
  }
}
