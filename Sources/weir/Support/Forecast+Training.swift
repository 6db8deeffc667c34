import Primitives
import Training

extension Forecast {
  /// What a training run takes; the shape of a model that does not exist yet is taken from the step that makes it.
  mutating func training(
    _ configuration: TrainingConfiguration, shape: ShapeOptions, schedule: ScheduleOptions, initial: String?, output: String?,
    recompute: Bool = false, evaluates: Bool = true
  ) throws -> Row {
    let model: ModelConfiguration
    if let initial, let known = models[initial] {
      model = known
    } else if let initial, let folder = try? Models.folder(initial) {
      model = try ModelFolder.configuration(folder)
    } else {
      model = try shape.configuration(vocabulary: 4_096, sequence: schedule.sequence)
    }
    if let output { models[output] = model }
    let estimate = try TrainingEstimate(
      configuration, model: model, rows: schedule.batch, sequence: schedule.sequence, recompute: recompute, evaluates: evaluates)
    return Row(
      tokens: Double(estimate.tokens), flops: estimate.flops, memory: Double(estimate.memoryBytes), disk: Double(estimate.diskBytes))
  }
}

extension ShapeOptions {
  /// No flag given.
  static var defaults: ShapeOptions { (try? ShapeOptions.parse([])) ?? ShapeOptions() }
}
