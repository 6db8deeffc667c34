import Pipeline
import Storage
import Tokenization
import Training

package struct EvaluationRun {
  private let configuration: EvaluationConfiguration
  private let folder: String
  private let tokenizer: Tokenizer
  private let threads: Int
  private let progress: Progress

  package static func run(_ configuration: EvaluationConfiguration, threads: Int, progress: Progress = .silent) throws -> EvaluationReport {
    try configuration.validate()
    let run = EvaluationRun(
      configuration: configuration, folder: try ModelFolder.locate(configuration.model),
      tokenizer: try Models.tokenizer(configuration.model), threads: threads, progress: progress)
    return EvaluationReport(
      documents: configuration.data.isEmpty ? nil : try run.losses(), choices: configuration.choices.isEmpty ? nil : try run.accuracies())
  }

  private func losses() throws -> Evaluation {
    let documents = try configuration.data.flatMap { try ValidationSet(file: $0, tokenizer: tokenizer).documents }
    let clusters = try configuration.tree.map {
      try ClusterEvaluation(tree: $0, level: configuration.level, tokenizer: tokenizer, threads: threads)
    }
    let evaluator = try Evaluator(folder: folder, threads: threads)
    let result =
      try clusters?.evaluate(documents, evaluator: evaluator, progress: progress) ?? evaluator.evaluate(documents, progress: progress)
    if let logits = configuration.logits { try write(logits, documents, evaluator) }
    return result
  }

  private func accuracies() throws -> [ChoiceEvaluation] {
    let start = try Models.startToken(folder, tokenizer)
    let sets = try zip(configuration.choices, ValidationSet.distinctNames(configuration.choices)).map {
      (name: $1, questions: try ChoiceFile.read($0, tokenizer, start: start))
    }
    let longest = sets.flatMap(\.questions).flatMap(\.choices).map(\.tokens.count).max() ?? 2
    let evaluator = try Evaluator(folder: folder, sequence: max(256, longest - 1), threads: threads)
    var lines: [UInt8] = []
    let results = try sets.map { set in
      let scores = try evaluator.score(set.questions, progress: progress.phase(set.name))
      if configuration.choiceScores != nil { for score in scores { lines += try JSONFile.encode(score) + [0x0A] } }
      return ChoiceEvaluation(name: set.name, scores: scores)
    }
    if let path = configuration.choiceScores { try Files.write(lines, to: path) }
    return results
  }

  /// Writes tokens.N and logits.N [tokens, vocabulary] of every document.
  private func write(_ path: String, _ documents: [EvaluationDocument], _ evaluator: Evaluator) throws {
    let vocabulary = evaluator.model.configuration.vocabulary
    let writer = try SafetensorsWriter(
      path,
      layout: documents.enumerated().flatMap { index, document in
        [("tokens.\(index)", .I32, [document.tokens.count]), ("logits.\(index)", .F32, [document.tokens.count, vocabulary])]
      })
    let progress = progress.phase("logits")
    for (index, document) in documents.enumerated() {
      try progress.checkStop()
      progress.update(Double(index), of: Double(documents.count), unit: "documents")
      try document.tokens.withUnsafeBytes { try writer.append($0) }
      try evaluator.logits(document.tokens).withUnsafeBufferPointer { try writer.append($0) }
    }
    _ = try writer.commit()
  }
}
