import Storage

extension RunFolder {
  /// Whether the run is finished.
  package var isFinished: Bool { Files.exists(report) }

  /// The report of a run; of an unfinished one, what its log holds so far.
  package func currentReport() throws -> TrainingReport {
    if isFinished { return try JSONFile.read(TrainingReport.self, from: report) }
    let identity = try JSONFile.read(TrainingRun.Identity.self, from: description)
    let steps = Files.exists(log) ? try StepRecord.read(log) : []
    let tail = steps.suffix(min(100, max(1, steps.count / 10))).map(\.loss).filter(\.isFinite)
    let tokens = steps.last?.tokens ?? 0
    let seconds = steps.map(\.seconds).filter(\.isFinite).reduce(0, +)
    return TrainingReport(
      steps: steps.last?.step ?? 0, tokens: tokens, parameters: identity.model.parameters,
      nonEmbeddingParameters: identity.model.nonEmbeddingParameters,
      flops: Double(tokens) * identity.configuration.flopsPerToken(identity.model, context: identity.batch.last),
      loss: tail.reduce(0, +) / Double(tail.count),
      evaluations: Files.exists(evaluations) ? try RunLog.records(EvaluationRecord.self, evaluations) : [], seconds: seconds,
      tokensPerSecond: seconds > 0 ? Double(tokens) / seconds : 0, model: model)
  }
}

extension TrainingReport {
  /// The last evaluation on every validation set: those after the last step, if the run is finished.
  package var latest: [EvaluationRecord] {
    var names: [String] = []
    for record in evaluations where !names.contains(record.name) { names.append(record.name) }
    return names.compactMap { name in evaluations.last { $0.name == name } }
  }
}
