import Artifacts
import Sampling

/// What a mixture samples, as `--json` prints it.
package struct SampleReport: Encodable, Sendable, Equatable {
  /// The windows that a scoring method keeps.
  package struct Kept: Encodable, Sendable, Equatable {
    package var windows: Int
    package var tokens: Int
  }

  package var mixture: MixtureReport
  package var kept: Kept?
  /// How well the corpus knows each seed.
  package var coverage: [SeedCoverage]?

  private enum CodingKeys: String, CodingKey {
    case kept
    case coverage = "seed_coverage"
  }

  package func encode(to encoder: any Encoder) throws {
    try mixture.encode(to: encoder)
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encodeIfPresent(kept, forKey: .kept)
    try members.encodeIfPresent(coverage, forKey: .coverage)
  }
}

/// The result of `SampleRun`: the mixture, its report, and what explains them.
package struct SampleResult: Sendable {
  package var mixture: Mixture
  /// The windows that a scoring method keeps.
  package var kept: SampleReport.Kept?
  /// [windows] the scores of a method that scores windows.
  package var scores: [Double]?
  /// The folder of the scores, if an earlier run made them.
  package var reusedScores: String?
  /// The lowest score that was kept.
  package var threshold: Double?
  /// [leaves] tokens kept, if windows are scored and there is a tree.
  package var keptByLeaf: [Int]?
  /// [leaves] P(c|Dg), if there is a tree.
  package var generalShares: [Double]?
  /// The score of each depth, if the depth was chosen.
  package var depths: [DepthScore]?
  /// Terms that distinguish each leaf from its parent, if asked for.
  package var terms: [Int: [String]] = [:]
  /// How well the corpus knows each seed.
  package var coverage: [SeedCoverage]?

  package var report: SampleReport { SampleReport(mixture: MixtureReport(mixture), kept: kept, coverage: coverage) }
}
