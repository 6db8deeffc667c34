import Artifacts
import Primitives

/// The windows that a scoring method keeps: those with the highest scores until there are enough tokens. They are then sampled uniformly.
package struct WindowSelection: Sendable, Equatable {
  /// The clusters of the mixture: windows that are not kept, and windows that are.
  package static let clusters = 2
  /// [windows] 1 for a window that is kept, else 0, as in an assignment.
  package var leaves: [UInt32]
  package var windows: Int
  package var tokens: Int
  /// The lowest score that is kept.
  package var threshold: Double

  /// - Parameters:
  ///   - scores: [windows] higher is better; a window with −∞ or NaN is never kept.
  ///   - lengths: [windows] tokens.
  ///   - wanted: the tokens to keep, rounded up to whole windows.
  /// - Throws: `WeirError` if no window has a finite score.
  /// - Complexity: O(n log n).
  package init(scores: [Double], lengths: [Int], tokens wanted: Int) throws {
    precondition(scores.count == lengths.count, "one score per window")
    let order = scores.indices.filter { scores[$0] > -.infinity && lengths[$0] > 0 }
      .sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
    guard let first = order.first else {
      throw WeirError(
        "method", "no window of the dataset has a score, so none can be kept", remedy: "with dsir, allow windows with fewer words")
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
  /// The mixture that samples uniformly from the windows that are kept.
  /// - Parameters:
  ///   - lengths: [windows] tokens.
  ///   - configuration: run tokens and cap; the selection must be large enough for both.
  package static func selection(
    _ selection: WindowSelection, method: String, lengths: [Int], configuration: MixtureConfiguration, origin: MixtureOrigin
  ) throws -> Mixture {
    try configuration.validate()
    let general = try GeneralHistogram(leaves: selection.leaves, lengths: lengths, leafCount: WindowSelection.clusters)
    let run = configuration.runTokens ?? general.totalTokens
    if let cap = configuration.maxEpochs, Double(run) > cap * Double(selection.tokens) * (1 + 1e-12) {
      throw WeirError(
        "maxEpochs",
        "\(cap) epochs over the \(selection.tokens) tokens kept are \(Int(cap * Double(selection.tokens))) tokens, fewer than the run's \(run)",
        remedy: "raise it, or keep more tokens")
    }
    return try weighted(method: method, general: general, demand: [0, 1], configuration: configuration, origin: origin)
  }

  /// The mixture that samples from the specialist seed itself: a dataset of its own, in one cluster.
  /// - Parameters:
  ///   - windows: windows of the seed.
  ///   - tokens: tokens of the seed.
  ///   - source: the fingerprint of the seed's dataset.
  package static func specialist(
    windows: Int, tokens: Int, configuration: MixtureConfiguration, origin: MixtureOrigin, source: String
  ) throws -> Mixture {
    var mixture = try weighted(
      method: "specialist", general: GeneralHistogram(windows: windows, tokens: tokens), demand: [1], configuration: configuration,
      origin: origin)
    mixture.source = source
    return mixture
  }
}
