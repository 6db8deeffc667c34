import Training

extension Forecast {
  /// The cost of a training run.
  /// - Parameters:
  ///   - initial: the path that training starts from, and its model folder if it exists already.
  ///   - scratch: the configuration for training from random initialization.
  ///   - output: the run folder; its model is remembered for later steps.
  package mutating func training(
    _ configuration: TrainingConfiguration, rows: Int, sequence: Int, initial: (path: String, folder: String?)?,
    scratch: () throws -> ModelConfiguration,
    output: String?, recompute: Bool = false, evaluates: Bool = true
  ) throws -> Row {
    let model: ModelConfiguration
    if let initial, let known = models[initial.path] {
      model = known
    } else if let folder = initial?.folder {
      model = try ModelFolder.configuration(folder)
    } else {
      model = try scratch()
    }
    if let output { models[output] = model }
    let estimate = try TrainingEstimate(
      configuration, model: model, rows: rows, sequence: sequence, recompute: recompute, evaluates: evaluates)
    return Row(
      tokens: Double(estimate.tokens), flops: estimate.flops, memory: Double(estimate.memoryBytes), disk: Double(estimate.diskBytes))
  }
}
