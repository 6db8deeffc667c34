import Training

extension Forecast {
  /// The vocabulary of a model that is not trained yet is not known; the demo's is typical.
  private static let typicalVocabulary = 4_096

  /// The cost of a training run.
  /// - Parameters:
  ///   - shape: the model with random initialization.
  ///   - initial: the path that training starts from, a model or one that an earlier step makes; nil for random initialization.
  ///   - output: the run folder; its model is remembered for later steps.
  package mutating func training(
    _ settings: TrainingSettings, shape: ModelShape, initial: String?, output: String?, recompute: Bool = false, evaluates: Bool = true
  ) throws -> Row {
    let model =
      if let initial, let known = models[initial] {
        known
      } else if let initial, let folder = try? ModelFolder.locate(initial) {
        try ModelFolder.configuration(folder)
      } else {
        try shape.configuration(vocabulary: Self.typicalVocabulary, sequence: settings.sequence)
      }
    if let output { models[output] = model }
    let estimate = try TrainingEstimate(
      settings.training, model: model, rows: settings.rows, sequence: settings.sequence, recompute: recompute, evaluates: evaluates)
    return Row(estimate)
  }
}

extension Forecast.Row {
  package init(_ estimate: TrainingEstimate) {
    self.init(
      tokens: Double(estimate.tokens), flops: estimate.flops, memory: Double(estimate.memoryBytes), disk: Double(estimate.diskBytes))
  }
}
