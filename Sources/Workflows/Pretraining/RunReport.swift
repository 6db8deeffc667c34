import Storage
import Training

/// The report of a training run with its loss curve, and for finetuning how it was done.
package struct RunReport: Codable, Sendable, Equatable {
  /// Finetuning: the method and its settings.
  package struct Finetuning: Codable, Sendable, Equatable {
    package var method: String
    package var lambda: Double
    package var temperature: Double
    package var epochs: Int
    package var learningRate: Double
    /// What was read; nil in reports of earlier versions.
    package var examples: ExampleCounts?
    /// The runs of a search for λ, in their order.
    package var search: [LambdaTry]?
    package var replay: Replay?

    /// What was replayed.
    package struct Replay: Codable, Sendable, Equatable {
      /// The fraction of rows.
      package var share: Double
      /// Tokens in the replayed rows.
      package var tokens: Int
      /// Context-free generations of the initial model to choose from; nil if data were replayed.
      package var generations: Int?
    }

    enum CodingKeys: String, CodingKey {
      case method, lambda, temperature, epochs, examples, search, replay
      case learningRate = "learning_rate"
    }
  }

  package var training: TrainingReport
  /// [points] tokens seen and mean loss, at most 200 points.
  package var curve: [[Double]]
  package var finetuning: Finetuning?

  /// Reads the curve from the run's folder.
  init(_ training: TrainingReport, run folder: String, finetuning: Finetuning? = nil) throws {
    self.training = training
    curve = try Self.curve(folder)
    self.finetuning = finetuning
  }

  /// The report of a run folder; of an unfinished run, what its log holds so far.
  package init(run folder: String) throws {
    training = try RunFolder(folder).currentReport()
    curve = Files.exists(RunFolder(folder).log) ? try Self.curve(folder) : []
  }

  private enum CodingKeys: String, CodingKey { case curve, method }

  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    training = try TrainingReport(from: decoder)
    curve = try members.decode([[Double]].self, forKey: .curve)
    finetuning = members.contains(.method) ? try Finetuning(from: decoder) : nil
  }

  package func encode(to encoder: any Encoder) throws {
    try training.encode(to: encoder)
    try finetuning?.encode(to: encoder)
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(curve, forKey: .curve)
  }

  /// The loss over tokens seen, each point the mean over consecutive steps.
  private static func curve(_ run: String) throws -> [[Double]] {
    let steps = try StepRecord.read(RunFolder(run).log).filter(\.loss.isFinite)
    let group = max(1, (steps.count + 199) / 200)
    return stride(from: 0, to: steps.count, by: group).map { start in
      let part = steps[start..<min(steps.count, start + group)]
      return [Double(part.last?.tokens ?? 0), part.reduce(0) { $0 + $1.loss } / Double(part.count)]
    }
  }
}
