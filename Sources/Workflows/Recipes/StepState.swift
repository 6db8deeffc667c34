import Pipeline
import Storage

/// The state of a recipe step that has run: `RUN/steps/NAME.json`, written when the step is done.
package struct StepState: Codable, Sendable, Equatable {
  /// XXH3-64 of the tool, the command line and the fingerprints of the step's inputs.
  package var key: String
  package var command: String
  /// The random seed, for commands that use one.
  package var randomSeed: UInt64?
  /// The model that a training command starts from.
  package var initialModel: String?
  /// Wall time over all attempts.
  package var seconds: Double
  /// Size of the outputs on disk.
  package var bytes: Int
  /// Fingerprints of the outputs, by path.
  package var outputs: [String: String]
  package var accounts: [Account]
  /// What the command reports with `--json`.
  package var report: JSONValue

  /// The state of a step; nil if there is none or it cannot be read, in which case the step runs again.
  package static func read(_ path: String) -> StepState? { try? JSONFile.read(StepState.self, from: path) }

  /// Whether all outputs are still what the step wrote.
  package var isIntact: Bool {
    get throws {
      for (path, fingerprint) in outputs where try Fingerprint.of(path, registry: .all) != fingerprint { return false }
      return true
    }
  }
}
