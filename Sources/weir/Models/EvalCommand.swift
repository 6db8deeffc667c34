import ArgumentParser
import Primitives
import Storage
import Training
import Workflows

/// `weir eval MODEL --data FILE… --choices FILE…`: perplexity, bits per byte, accuracy.
struct EvalCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Evaluate a model: perplexity, multiple choice, exact-match tasks.",
    discussion: """
      MODEL is a run, or a Llama, Qwen 2 or Qwen 3 model folder saved by transformers, with its tokenizer.json. Every \
      document is scored from its beginning, in chunks of the model's context length or of --sequence tokens, independently \
      of the others. Results are given by domain \
      (metadata.domain of the document, else its source) and, with --tree, by the cluster nearest to the token's window. \
      Standard errors (±) are over documents. Prompts with completions and chats are read as by weir finetune, and scored \
      where its loss covers them. With --router, MODEL is a split folder, and each window is routed to the \
      branch with the nearest centroid.

      A line of --choices is {"question": …, "choices": [texts], "answer": index}. Scores follow \
      lm-evaluation-harness: log p of " choice" after the question; acc takes the highest, acc_norm the highest per \
      character, acc_bytes the highest per byte.

      A line of --tasks is {"prompt": …, "answer": text or [texts], "stop": [texts], "max_tokens": 64}; the last two may be \
      absent. The model continues the prompt by greedy decoding up to a token that ends the text or before a stop text. The \
      output is correct if it equals an answer; white space around both does not count.

      EXAMPLES:
        weir eval runs/base --data heldout.jsonl --tree out/tree
        weir eval runs/base --choices wordnet.jsonl --json
        weir eval runs/tuned --tasks sums.jsonl --details outputs.jsonl
      """)

  @Argument(help: ArgumentHelp("Model folder or run folder; with --router, a split folder.", valueName: "model"))
  var model: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents, prompts with completions, or chats.", valueName: "file"))
  var data: [String] = []

  @Flag(help: "Route each window to its branch of a split.")
  var router = false

  @Option(help: ArgumentHelp("Cluster tree; also report the loss by cluster.", valueName: "tree"))
  var tree: String?

  @Option(help: ArgumentHelp("Tree level whose nodes are the clusters.", valueName: "n"))
  var level = 1

  @Option(help: ArgumentHelp("Context length in tokens. (default: the model's)", valueName: "n"))
  var sequence: Int?

  @OptionGroup(title: "Data") var examples: ExampleOptions
  @OptionGroup var special: SpecialTokensOption

  @Option(help: ArgumentHelp("Also write tokens.N and logits.N [tokens, vocabulary] of every document (safetensors).", valueName: "file"))
  var logits: String?

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Multiple-choice questions (JSON Lines).", valueName: "file"))
  var choices: [String] = []

  @Option(help: ArgumentHelp("Also write log p of every choice, one line per question.", valueName: "file"))
  var choiceScores: String?

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Generation tasks, scored by exact match (JSON Lines).", valueName: "file"))
  var tasks: [String] = []

  @Flag(help: "Ignore case when answers of tasks are compared.")
  var ignoreCase = false

  @Option(help: ArgumentHelp("Also write the output for every item of the tasks, one line each.", valueName: "file"))
  var details: String?

  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags {
    [
      "data": "--data", "tree": "--tree", "level": "--level", "logits": "--logits", "choices": "--choices",
      "choiceScores": "--choice-scores", "sequence": "--sequence", "tasks": "--tasks", "taskDetails": "--details",
      "ignoresCase": "--ignore-case",
    ] + ExampleOptions.propertyFlags
  }
  var inputs: [String] { [model] + data + choices + tasks + (tree.map { [$0] } ?? []) }
  var outputs: [String] { [logits, choiceScores, details].compactMap { $0 } }

  func validate() throws {
    guard !data.isEmpty || !choices.isEmpty || !tasks.isEmpty else {
      throw ValidationError("Missing expected option '--data <file> ...', '--choices <file> ...' or '--tasks <file> ...'")
    }
    guard !data.isEmpty || !router else { throw ValidationError("--router requires --data") }
    try usage { try evaluation.validate() }
    guard !router || tree == nil && logits == nil && choices.isEmpty && tasks.isEmpty && sequence == nil else {
      throw ValidationError("--router cannot be combined with --tree, --logits, --choices, --tasks or --sequence")
    }
  }

  private var evaluation: EvaluationConfiguration {
    var evaluation = EvaluationConfiguration(model: model)
    (evaluation.data, evaluation.tree, evaluation.level, evaluation.logits) = (data, tree, level, logits)
    (evaluation.choices, evaluation.choiceScores) = (choices, choiceScores)
    (evaluation.tasks, evaluation.ignoresCase, evaluation.taskDetails) = (tasks, ignoreCase, details)
    (evaluation.sequence, evaluation.addsSpecial, evaluation.allowsSpecials) = (sequence, special.addSpecial, special.allowSpecial)
    evaluation.examples = examples.settings
    return evaluation
  }

  func perform(_ session: Session) throws -> Outcome {
    if router {
      return try session.with("eval") { progress in
        try SplitEvaluation.run(model, data: data, threads: session.threads, progress: progress).outcome()
      }
    }
    let report = try session.with("eval") { try EvaluationRun.run(evaluation, threads: session.threads, progress: $0) }
    var lines: [String] = []
    if let result = report.documents {
      lines.append(
        "  perplexity \(Self.text(result.perplexity, result.perplexityError, 2)), \(Self.text(result.bitsPerByte, result.bitsPerByteError, 4)) bits per byte, loss \(Self.text(result.loss, result.lossError, 4)) over \(Format.count(result.tokens)) tokens of \(Format.count(result.documents ?? 0)) documents"
      )
      lines.append("  " + context(report))
      if let parts = result.byDomain, parts.count > 1 { lines.append(Self.table("domain", parts)) }
      if let parts = result.byCluster { lines.append(Self.table("cluster", parts)) }
    }
    if let choices = report.choices {
      lines.append(Self.table(choices))
      let truncated = choices.reduce(0) { $0 + ($1.truncated ?? 0) }
      if truncated > 0 {
        lines.append("  the beginning of \(Format.count(truncated)) questions does not fit in \(length(report.sequence)) and is cut off")
      }
    }
    if let tasks = report.tasks {
      lines.append(Self.table(tasks))
      let truncated = tasks.reduce(0) { $0 + ($1.truncated ?? 0) }
      if truncated > 0 {
        lines.append("  the beginning of \(Format.count(truncated)) prompts does not fit in \(length(report.sequence)) and is cut off")
      }
    }
    return Outcome(report: try JSONValue(encoding: report), lines: lines)
  }

  private func length(_ tokens: Int) -> String { "\(sequence == nil ? "the model's" : "--sequence") \(Format.count(tokens)) tokens" }

  /// The context, and what could not be scored as it is.
  private func context(_ report: EvaluationReport) -> String {
    var text = "context: \(length(report.sequence))"
    if let count = report.divided, count > 0 { text += "; longer documents, scored in chunks: \(Format.count(count))" }
    if let count = report.skipped, count > 0 {
      text += "; documents without text or with a single token, not scored: \(Format.count(count))"
    }
    return text
  }

  private static func table(_ results: [ChoiceEvaluation]) -> String {
    TextTable(
      ["questions", "number", "chance", "acc", "95 %", "acc_norm", "±", "acc_bytes", "±"],
      rows: results.map { result in
        [
          result.name, Format.count(result.questions), Format.fixed(result.chance, 4), Format.fixed(result.accuracy, 4),
          interval(result.accuracyInterval), Format.fixed(result.byCharacter, 4), Format.fixed(result.byCharacterError, 4),
          Format.fixed(result.byByte, 4),
          Format.fixed(result.byByteError, 4),
        ]
      }
    ).text()
  }

  private static func table(_ results: [TaskEvaluation]) -> String {
    TextTable(
      ["task", "items", "exact match", "95 %"],
      rows: results.map { [$0.name, Format.count($0.items), Format.fixed($0.exactMatch, 4), interval($0.interval)] }
    ).text()
  }

  /// `0.1234…0.2345`.
  private static func interval(_ bounds: [Double]?) -> String { (bounds ?? []).map { Format.fixed($0, 4) }.joined(separator: "…") }

  /// `12.34 ± 0.56`.
  private static func text(_ value: Double, _ error: Double?, _ digits: Int) -> String {
    Format.fixed(value, digits) + (error.map { " ± " + Format.fixed($0, digits) } ?? "")
  }

  private static func table(_ name: String, _ parts: [String: Evaluation]) -> String {
    TextTable(
      [name, "perplexity", "±", "bits per byte", "±", "tokens", "documents"],
      rows: parts.sorted { $0.key < $1.key }.map { name, part in
        [
          name, Format.fixed(part.perplexity, 2), Format.fixed(part.perplexityError, 2), Format.fixed(part.bitsPerByte, 4),
          Format.fixed(part.bitsPerByteError, 4), Format.count(part.tokens), Format.count(part.documents ?? 0),
        ]
      }
    ).text()
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: data + choices + tasks)
    return Forecast.Row(documents: size.documents, tokens: size.bytes / Forecast.bytesPerToken)
  }
}

extension SplitReport {
  /// The report and its table.
  func outcome() throws -> Outcome {
    func text(_ value: Double?) -> String { Format.fixed(value, 1) }
    let rows = byDomain.map { [$0.name, "\($0.windows)", text($0.full), text($0.split), $0.terms.joined(separator: " ")] }
    return Outcome(
      report: try JSONValue(encoding: self),
      lines: [
        TextTable(["domain", "windows", "single model", "split", "terms"], rows: rows).text(),
        "  mean perplexity over domains: single model \(text(meanPerplexity["full"])), split \(text(meanPerplexity["split"])); over tokens: single model \(text(tokenPerplexity["full"])), split \(text(tokenPerplexity["split"]))",
      ])
  }
}
