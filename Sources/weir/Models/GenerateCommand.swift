import ArgumentParser
import Foundation
import Primitives
import Storage
import Training
import Workflows

/// `weir generate MODEL`: text from a prompt.
struct GenerateCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Generate text from a prompt.",
    discussion: """
      MODEL is a run, or a Llama, Qwen 2 or Qwen 3 model folder saved by transformers, with its tokenizer.json. Text is \
      written as it is generated, up to a token that ends the text (eos_token_id). The same seed gives the same text. Of a \
      prompt that exceeds the model's context length, the last tokens count.

      EXAMPLES:
        weir generate runs/base --prompt "The distance of a star" --tokens 60
      """)

  @Argument(help: ArgumentHelp("Model folder or run folder.", valueName: "model"))
  var model: String

  @Option(help: ArgumentHelp("Prompt. (default: the token that starts a text)", valueName: "text"))
  var prompt: String?

  @Option(help: ArgumentHelp("File with the prompt; - is standard input.", valueName: "file"))
  var promptFile: String?

  @Option(help: ArgumentHelp("Maximum tokens to generate.", valueName: "n"))
  var tokens = 100

  @Option(help: ArgumentHelp("Sampling temperature; 0 is greedy decoding.", valueName: "x"))
  var temperature = 0.8

  @Option(help: ArgumentHelp("Top-k sampling; 0 disables it.", valueName: "k"))
  var topK = 0

  @Option(help: ArgumentHelp("Top-p (nucleus) sampling; 1 disables it.", valueName: "share"))
  var topP = 1.0

  @OptionGroup var special: SpecialTokensOption
  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { ["temperature": "--temperature", "topK": "--top-k", "topP": "--top-p", "prompt": "--prompt"] }
  var inputs: [String] { [model] + (promptFile.map { $0 == "-" ? [] : [$0] } ?? []) }
  var writesDataToOutput: Bool { true }

  func validate() throws {
    guard tokens >= 1 else { throw ValidationError("--tokens must be at least 1, not \(tokens)") }
    guard prompt == nil || promptFile == nil else { throw ValidationError("Give either --prompt or --prompt-file") }
  }

  private func readPrompt() throws -> [UInt8] {
    guard let file = promptFile else { return Array((prompt ?? "").utf8) }
    guard file == "-" else { return try Files.read(file) }
    do {
      return Array(try FileHandle.standardInput.readToEnd() ?? Data())
    } catch {
      throw WeirError("standard input", "cannot be read")
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    var decoding = DecodingConfiguration()
    (decoding.temperature, decoding.topK, decoding.topP, decoding.randomSeed) = (temperature, topK, topP, seed.seed)
    try decoding.validate()
    let prompt = try readPrompt()
    let generation = try TextGeneration(
      model: model, addsSpecial: special.addSpecial, allowsSpecials: special.allowSpecial, threads: session.threads)
    try StandardOutput.write(prompt)
    try session.with("generate") { progress in
      try generation.run(prompt: prompt, tokens: tokens, decoding: decoding, progress: progress) { try StandardOutput.write($0) }
    }
    try StandardOutput.write("\n")
    return Outcome()
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(tokens: Double(tokens)) }
}
