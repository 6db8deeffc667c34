import Foundation
import Primitives
import Storage

extension RunFolder {
  /// Becomes the finished run of another folder, by copying all it holds; nothing if this folder holds a finished or another run.
  package func adopt(_ other: RunFolder) throws {
    let lock = try OutputLock(filling: path)
    defer { lock.release() }
    guard !isFinished, try !exists || Files.readWhole(description) == Files.readWhole(other.description) else { return }
    var report = try JSONFile.read(TrainingReport.self, from: other.report)
    let apart = [OutputLock.suffix, ChecksumList.fileName, "report.json"]
    for name in try Files.entries(of: other.path) where !apart.contains(name) {
      let target = path + "/" + name, partial = target + Self.partialSuffix
      for old in [partial, target] { try Files.remove(old) }
      do {
        try FileManager.default.copyItem(atPath: other.path + "/" + name, toPath: partial)
      } catch {
        throw WeirError(partial, "cannot be copied: \(error.localizedDescription)")
      }
      try Files.move(partial, to: target)
    }
    report.model = model
    try JSONFile.write(report, to: self.report)
    try seal()
  }

  /// Whether the run is finished.
  package var isFinished: Bool { Files.exists(report) }

  /// The report of a run; of an unfinished one, what its log holds so far.
  package func currentReport() throws -> TrainingReport {
    if isFinished { return try JSONFile.read(TrainingReport.self, from: report) }
    let identity = try JSONFile.read(TrainingRun.Identity.self, from: description)
    let steps = Files.exists(log) ? try StepRecord.read(log) : []
    let tail = steps.suffix(min(100, max(1, steps.count / 10))).map(\.loss).filter(\.isFinite)
    let tokens = steps.last?.tokens ?? 0, positions = (steps.last?.step ?? 0) * identity.batch.reduce(1, *)
    let seconds = steps.map(\.seconds).filter(\.isFinite).reduce(0, +)
    return TrainingReport(
      steps: steps.last?.step ?? 0, tokens: tokens, parameters: identity.model.parameters,
      nonEmbeddingParameters: identity.model.nonEmbeddingParameters,
      flops: Double(positions) * identity.configuration.flopsPerToken(identity.model, context: identity.batch.last),
      loss: tail.reduce(0, +) / Double(tail.count),
      evaluations: Files.exists(evaluations) ? try RunLog.records(EvaluationRecord.self, evaluations) : [], seconds: seconds,
      tokensPerSecond: seconds > 0 ? Double(tokens) / seconds : 0, model: model)
  }
}

extension TrainingReport {
  /// The evaluation of the run's model on every validation set; of an unfinished run, the last one.
  package var latest: [EvaluationRecord] {
    var names: [String] = []
    for record in evaluations where !names.contains(record.name) { names.append(record.name) }
    return names.compactMap { name in final.last { $0.name == name } ?? evaluations.last { $0.name == name } }
  }
}
