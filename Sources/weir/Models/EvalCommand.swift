import ArgumentParser
import Foundation
import Pipeline
import Primitives
import Storage
import Tokenization
import Training
import Workflows

/// `weir eval MODEL --data FILE… --choices FILE…`: perplexity, bits per byte, accuracy.
struct EvalCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Evaluate a model: perplexity, bits per byte, multiple choice.",
    discussion: """
      MODEL is a run, or any Llama model folder saved by transformers, with its tokenizer.json. Every document is scored \
      from its beginning, in chunks of the model's context length, independently of the others. Results are given by domain \
      (metadata.domain of the document, else its source) and, with --tree, by the cluster nearest to the token's window. \
      Standard errors (±) are over documents. With --router, MODEL is a split folder, and each window is routed to the \
      branch with the nearest centroid.

      A line of --choices is {"question": …, "choices": [texts], "answer": index}. Scores follow \
      lm-evaluation-harness: log p of " choice" after the question; acc takes the highest, acc_norm the highest per \
      character, acc_bytes the highest per byte.

      EXAMPLES:
        weir eval runs/base --data heldout.jsonl --tree out/tree
        weir eval runs/base --choices wordnet.jsonl --json
      """)

  @Argument(help: ArgumentHelp("Model folder or run folder; with --router, a split folder.", valueName: "model"))
  var model: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents.", valueName: "file"))
  var data: [String] = []

  @Flag(help: "Route each window to its branch of a split.")
  var router = false

  @Option(help: ArgumentHelp("Cluster tree; also report the loss by cluster.", valueName: "tree"))
  var tree: String?

  @Option(help: ArgumentHelp("Tree level whose nodes are the clusters.", valueName: "n"))
  var level = 1

  @Option(
    help: ArgumentHelp(
      "Also write tokens.N and logits.N [tokens, vocabulary] of every document, for comparison with other software (safetensors).",
      valueName: "file"))
  var logits: String?

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Multiple-choice questions (JSON Lines).", valueName: "file"))
  var choices: [String] = []

  @Option(help: ArgumentHelp("Also write log p of every choice, one line per question.", valueName: "file"))
  var choiceScores: String?

  @OptionGroup var common: CommonOptions

  var inputs: [String] { [model] + data + choices + (tree.map { [$0] } ?? []) }
  var outputs: [String] { [logits, choiceScores].compactMap { $0 } }

  func validate() throws {
    guard !data.isEmpty || !choices.isEmpty else {
      throw ValidationError("Missing expected option '--data <file> ...' or '--choices <file> ...'")
    }
    guard !choices.isEmpty || choiceScores == nil else { throw ValidationError("--choice-scores goes with --choices") }
    guard !data.isEmpty || tree == nil && logits == nil && !router else {
      throw ValidationError("--tree, --logits and --router go with --data")
    }
    guard level >= 1 else { throw ValidationError("--level counts from 1") }
    guard !router || tree == nil && logits == nil && choices.isEmpty else {
      throw ValidationError("--router goes without --tree, --logits and --choices")
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    if router { return try SplitEvaluation(split: model, session: session).outcome(data: data) }
    let folder = try ModelFolder.locate(model)
    let tokenizer = try Models.tokenizer(model)
    var outcome = try data.isEmpty ? Outcome() : losses(folder, tokenizer, session)
    if !choices.isEmpty {
      let results = try accuracies(folder, tokenizer, session)
      outcome.report.set("choices", try JSONValue(encoding: results))
      outcome.lines.append(
        TextTable(
          ["questions", "number", "acc", "±", "acc_norm", "±", "acc_bytes", "±"],
          rows: results.map { result in
            func error(_ value: Double?) -> String { value.map { Self.text($0, nil, 4) } ?? "–" }
            return [
              result.name, Format.count(result.questions), Self.text(result.accuracy, nil, 4), error(result.accuracyError),
              Self.text(result.byCharacter, nil, 4), error(result.byCharacterError), Self.text(result.byByte, nil, 4),
              error(result.byByteError),
            ]
          }
        ).text())
    }
    return outcome
  }

  private func accuracies(_ folder: String, _ tokenizer: Tokenizer, _ session: Session) throws -> [ChoiceEvaluation] {
    let start = try Models.textStart(folder, tokenizer)
    let sets = try choices.map { (name: Load.name($0), questions: try Choices.read($0, tokenizer, start: start)) }
    let longest = sets.flatMap(\.questions).flatMap(\.choices).map(\.tokens.count).max() ?? 2
    let evaluator = try Evaluator(folder: folder, sequence: max(256, longest - 1), threads: session.threads)
    var lines: [UInt8] = []
    let results = try sets.map { set in
      let scores = try session.with(set.name) { try evaluator.score(set.questions, progress: $0) }
      if choiceScores != nil { for score in scores { lines += try JSONFile.encode(score) + [0x0A] } }
      return ChoiceEvaluation(name: set.name, scores: scores)
    }
    if let choiceScores { try Files.write(lines, to: choiceScores) }
    return results
  }

  private func losses(_ folder: String, _ tokenizer: Tokenizer, _ session: Session) throws -> Outcome {
    let documents = try data.flatMap { try Load.validation($0, tokenizer).documents }
    let clusters = try tree.map { try ClusterEvaluation(tree: $0, level: level, tokenizer: tokenizer, threads: session.threads) }
    let evaluator = try Evaluator(folder: folder, threads: session.threads)
    let result = try session.with("eval") { progress in
      try clusters?.evaluate(documents, evaluator: evaluator, progress: progress) ?? evaluator.evaluate(documents, progress: progress)
    }
    if let logits { try write(logits, documents, evaluator, session) }
    var lines = [
      "  perplexity \(Self.text(result.perplexity, result.perplexityError, 2)), \(Self.text(result.bitsPerByte, result.bitsPerByteError, 4)) bits a byte, loss \(Self.text(result.loss, result.lossError, 4)) over \(Format.count(result.tokens)) tokens of \(Format.count(documents.count)) documents"
    ]
    if let parts = result.byDomain, parts.count > 1 { lines.append(Self.table("domain", parts)) }
    if let parts = result.byCluster { lines.append(Self.table("cluster", parts)) }
    return Outcome(report: try JSONValue(encoding: result), lines: lines)
  }

  /// `12.34 ± 0.56`.
  static func text(_ value: Double, _ error: Double?, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value) + (error.map { String(format: " ± %.\(digits)f", $0) } ?? "")
  }

  private static func table(_ name: String, _ parts: [String: Evaluation]) -> String {
    TextTable(
      [name, "perplexity", "±", "bits a byte", "±", "tokens", "documents"],
      rows: parts.sorted { $0.key < $1.key }.map { name, part in
        [
          name, text(part.perplexity, nil, 2), part.perplexityError.map { text($0, nil, 2) } ?? "–", text(part.bitsPerByte, nil, 4),
          part.bitsPerByteError.map { text($0, nil, 4) } ?? "–", Format.count(part.tokens), Format.count(part.documents ?? 0),
        ]
      }
    ).text()
  }

  private func write(_ path: String, _ documents: [EvaluationDocument], _ evaluator: Evaluator, _ session: Session) throws {
    let vocabulary = evaluator.model.configuration.vocabulary
    let writer = try SafetensorsWriter(
      path,
      layout: documents.enumerated().flatMap { index, document in
        [("tokens.\(index)", .I32, [document.tokens.count]), ("logits.\(index)", .F32, [document.tokens.count, vocabulary])]
      })
    try session.with("logits") { progress in
      for (index, document) in documents.enumerated() {
        try progress.checkStop()
        progress.update(Double(index), of: Double(documents.count), unit: "documents")
        try document.tokens.withUnsafeBytes { try writer.append($0) }
        try evaluator.logits(document.tokens).withUnsafeBufferPointer { try writer.append($0) }
      }
    }
    _ = try writer.commit()
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: data + choices)
    return Forecast.Row(documents: size.documents, tokens: size.bytes / Forecast.bytesPerToken)
  }
}
