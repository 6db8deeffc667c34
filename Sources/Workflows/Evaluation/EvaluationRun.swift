import Pipeline
import Primitives
import Storage
import Tokenization
import Training

package struct EvaluationRun {
  private let configuration: EvaluationConfiguration
  private let folder: String
  /// Reads and encodes what is evaluated.
  private let reader: ExampleReader
  private var encoder: DocumentEncoder { reader.encoder }
  /// Positions of the context.
  private let sequence: Int
  private let threads: Int
  private let progress: Progress

  package static func run(_ configuration: EvaluationConfiguration, threads: Int, progress: Progress = .silent) throws -> EvaluationReport {
    try configuration.validate()
    let folder = try ModelFolder.locate(configuration.model), model = try ModelFolder.configuration(folder)
    let sequence = configuration.sequence ?? model.sequence
    guard (1...model.longestSequence).contains(sequence) else {
      throw WeirError("sequence", "must be in 1…\(model.longestSequence), the positions of the model, not \(sequence)")
    }
    let run = EvaluationRun(
      configuration: configuration, folder: folder,
      reader: try ExampleReader(
        model: configuration.model, addsSpecial: configuration.addsSpecial, allowsSpecials: configuration.allowsSpecials,
        settings: configuration.examples),
      sequence: sequence, threads: threads, progress: progress)
    var report = EvaluationReport(sequence: sequence)
    if !configuration.data.isEmpty { try run.losses(&report) }
    if !configuration.choices.isEmpty { report.choices = try run.accuracies() }
    if !configuration.tasks.isEmpty { report.tasks = try run.exactMatches() }
    return report
  }

  private func losses(_ report: inout EvaluationReport) throws {
    let sets = try configuration.data.flatMap { try ValidationSet.read([$0], examples: reader, sequence: sequence, progress: progress) },
      documents = sets.flatMap(\.documents)
    guard configuration.tree == nil || documents.allSatisfy({ $0.scored.count == 1 && $0.firstScored == 1 }) else {
      throw WeirError("tree", "clusters are those of documents, not of prompts with completions or chats")
    }
    report.skipped = sets.reduce(0) { $0 + $1.skipped }
    report.divided = documents.filter { $0.tokens.count > sequence + 1 }.count
    let clusters = try configuration.tree.map {
      try ClusterEvaluation(tree: $0, level: configuration.level, encoder: encoder, threads: threads)
    }
    let evaluator = try Evaluator(folder: folder, sequence: sequence, longest: documents.map(\.tokens.count).max() ?? 1, threads: threads)
    let result =
      try clusters?.evaluate(documents, evaluator: evaluator, progress: progress) ?? evaluator.evaluate(documents, progress: progress)
    guard result.loss.isFinite else { throw notFinite }
    report.documents = result
    if let logits = configuration.logits { try write(logits, documents, evaluator) }
  }

  private var notFinite: WeirError {
    WeirError(folder, "the model's logits contain NaN/Inf", remedy: "check the model with `weir verify`")
  }

  private func accuracies() throws -> [ChoiceEvaluation] {
    let start = try Models.startToken(folder, encoder.tokenizer)
    let sets = try zip(configuration.choices, ValidationSet.distinctNames(configuration.choices)).map {
      (name: $1, questions: try ChoiceFile.read($0, encoder, start: start, sequence: sequence, progress: progress))
    }
    let longest = sets.flatMap(\.questions).flatMap(\.choices).map(\.tokens.count).max() ?? 2
    let evaluator = try Evaluator(folder: folder, sequence: sequence, longest: longest, threads: threads)
    var lines: [UInt8] = []
    let results = try sets.map { set in
      let scores = try evaluator.score(set.questions, progress: progress.phase(set.name))
      guard scores.allSatisfy({ $0.scores.allSatisfy(\.isFinite) }) else { throw notFinite }
      if configuration.choiceScores != nil { for score in scores { lines += try JSONFile.encode(score) + [0x0A] } }
      var result = ChoiceEvaluation(name: set.name, scores: scores)
      result.truncated = set.questions.filter { $0.choices.contains { $0.tokens.count > sequence + 1 } }.count
      return result
    }
    if let path = configuration.choiceScores { try Files.writeOutput(lines, to: path) }
    return results
  }

  private func exactMatches() throws -> [TaskEvaluation] {
    let generation = try ParallelGeneration(folder: folder, threads: threads), stops = Models.stops(folder, encoder.tokenizer)
    let start = try Models.startToken(folder, encoder.tokenizer)
    var lines: [UInt8] = []
    let results = try zip(configuration.tasks, ValidationSet.distinctNames(configuration.tasks)).map { path, name in
      let items = try TaskFile.read(path, encoder, start: start, sequence: sequence, progress: progress)
      let outputs = try TaskItem.outputs(
        of: items, generation, stops: stops, encoder: encoder, sequence: sequence, ignoresCase: configuration.ignoresCase,
        progress.phase(name))
      if configuration.taskDetails != nil {
        for output in outputs { lines += try JSONFile.encode(TaskDetail(task: name, output: output)) + [0x0A] }
      }
      return TaskEvaluation(name: name, items: items, outputs: outputs, sequence: sequence)
    }
    if let path = configuration.taskDetails { try Files.writeOutput(lines, to: path) }
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
