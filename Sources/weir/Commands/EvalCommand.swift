import ArgumentParser
import Corpus
import Foundation
import Pipeline
import Primitives
import Storage
import Training

/// `weir eval MODEL --data FILE…`: perplexity and bits per byte.
struct EvalCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Perplexity and bits per byte of a model on held-out documents, all and by domain.",
    discussion: """
      Every document is scored from its beginning, in pieces of the model's length, and sees no other. A domain is a document's
      metadata.domain, else its source. With --router, MODEL is the folder of a split: each window goes to the branch whose domain's
      centroid is nearest.

      Example: weir eval out/base --data heldout.jsonl --json
      """)

  @Argument(help: ArgumentHelp("A model folder or a run; a split's folder with --router.", valueName: "model"))
  var model: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents.", valueName: "file"))
  var data: [String]

  @Flag(help: "Route each window to its branch of a split.")
  var router = false

  @OptionGroup var common: CommonOptions

  var inputs: [String] { [model] + data }
  var outputs: [String] { [] }

  func perform(_ session: Session) throws -> Outcome {
    if router { return try SplitEvaluation(split: model, session: session).outcome(data: data) }
    let folder = try Models.folder(model)
    let tokenizer = try Models.tokenizer(model)
    let documents = try data.flatMap { try Load.validation($0, tokenizer).documents }
    let evaluator = try Evaluator(folder: folder, threads: session.threads)
    let result = try session.with("eval") { try evaluator.evaluate(documents, progress: $0) }
    var lines = [
      "  perplexity \(String(format: "%.2f", result.perplexity)), \(String(format: "%.4f", result.bitsPerByte)) bits a byte, loss \(String(format: "%.4f", result.loss)) over \(Format.count(result.tokens)) tokens"
    ]
    if let parts = result.byDomain, parts.count > 1 {
      lines.append(
        Format.table(
          ["domain", "perplexity", "bits a byte", "tokens"],
          parts.sorted { $0.key < $1.key }.map { name, part in
            [name, String(format: "%.2f", part.perplexity), String(format: "%.4f", part.bitsPerByte), Format.count(part.tokens)]
          }))
    }
    return Outcome(report: try JSONValue(encoding: result), lines: lines)
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row {
    let size = try world.size(of: data)
    return Forecast.Row(documents: size.documents, tokens: size.bytes / 3.2)
  }
}
