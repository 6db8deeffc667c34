import Training

/// What all workflows that train have in common.
package struct TrainingSettings: Codable, Sendable {
  /// Its random seed also seeds the order of the batches. Workflows of several runs replace its tokens and steps.
  package var training = TrainingConfiguration()
  /// Rows per batch.
  package var rows = 16
  /// Tokens per row.
  package var sequence = 256
  /// Files of held-out documents.
  package var heldOut: [String] = []

  package init() {}

  var randomSeed: UInt64 { training.randomSeed }
}
