import ArgumentParser
import Foundation
import Pipeline
import Primitives
import Storage
import Tokenization
import Training

/// `weir generate MODEL`: text from a prompt.
struct GenerateCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Continues a prompt.",
    discussion: """
      Example: weir generate out/base --prompt "The distance of a star" --tokens 60 --temperature 0
      """)

  @Argument(help: ArgumentHelp("A model folder or a run.", valueName: "model"))
  var model: String

  @Option(help: ArgumentHelp("The beginning; the end-of-document token where there is none.", valueName: "text"))
  var prompt = ""

  @Option(help: ArgumentHelp("Tokens to generate at most.", valueName: "n"))
  var tokens = 100

  @Option(help: ArgumentHelp("0 always takes the likeliest token.", valueName: "x"))
  var temperature = 0.8

  @Option(help: ArgumentHelp("Draw from the k likeliest tokens; 0 from all.", valueName: "k"))
  var topK = 0

  @Option(help: ArgumentHelp("Draw from the likeliest tokens that hold this share of probability.", valueName: "share"))
  var topP = 1.0

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var inputs: [String] { [model] }
  var writesDataToOutput: Bool { true }

  func validate() throws {
    guard tokens >= 1 else { throw ValidationError("--tokens must be at least 1, not \(tokens)") }
  }

  func perform(_ session: Session) throws -> Outcome {
    let tokenizer = try Models.tokenizer(model)
    let generator = try Generator(folder: try Models.folder(model))
    var sampling = SamplingConfiguration()
    sampling.temperature = temperature
    sampling.topK = topK
    sampling.topP = topP
    sampling.seed = seed.seed
    var ids = tokenizer.encode(prompt).map { Int32($0) }
    if ids.isEmpty, let end = tokenizer.endOfDocument { ids = [Int32(end)] }
    try StandardOutput.write(prompt)
    // Bytes of a character may be spread over tokens: only whole characters are written.
    var pending: [UInt8] = []
    try generator.generate(prompt: ids, count: tokens, sampling: sampling, stop: tokenizer.endOfDocument.map { Int32($0) }) { id in
      pending += tokenizer.bytes(of: UInt32(id))
      if String(validating: pending, as: UTF8.self) != nil || pending.count > 8 {
        try StandardOutput.write(Array(String(decoding: pending, as: UTF8.self).utf8))
        pending = []
      }
      return !Interrupt.isRequested
    }
    try StandardOutput.write("\n")
    return Outcome()
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row { Forecast.Row(tokens: Double(tokens)) }
}
