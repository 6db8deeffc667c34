import ArgumentParser
import Primitives
import Storage
import Tokenization

/// `weir tokenizer convert FILE -o OUT`.
struct TokenizerConvertCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert between tiktoken ranks and tokenizer.json.",
    discussion: """
      The special tokens of published rank files (GPT-2, cl100k, o200k, Llama 3, Qwen, Whisper) are known; other rank files \
      need --special.

      An output name that ends in .tiktoken is written as ranks (special tokens are not part of that format); any other name \
      is a folder that every command accepts as --tokenizer.

      EXAMPLES:
        weir tokenizer convert gpt2.tiktoken --pretokenizer gpt2 -o gpt2
      """)

  @Argument(help: ArgumentHelp("A tiktoken rank file, a tokenizer.json, or a folder with one.", valueName: "file"))
  var file: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file (.tiktoken) or folder.", valueName: "folder"))
  var output: String

  @Option(help: "Pre-tokenizer of the ranks, which the format does not store.")
  var pretokenizer: Pretokenizer?

  @Option(help: ArgumentHelp("Special token and its id, which the rank format does not store; repeatable.", valueName: "text=id"))
  var special: [String] = []

  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { ["specials": "--special"] }

  var inputs: [String] { [file] }
  var outputs: [String] { [output] }

  func perform(_ session: Session) throws -> Outcome {
    let specials = try special.map { text -> Tokenizer.AddedToken in
      guard let equals = text.lastIndex(of: "="), equals > text.startIndex, let id = UInt32(text[text.index(after: equals)...]),
        Int(id) < Tokenizer.maximumVocabulary
      else { throw WeirError("--special", "\"\(text)\" is not a token and its id", remedy: "write it as '<|endoftext|>=50256'") }
      return Tokenizer.AddedToken(id: id, content: String(text[..<equals]))
    }
    let tokenizer = try Tokenizer(importing: file, pretokenizer: pretokenizer, specials: specials.isEmpty ? nil : specials)
    if output.hasSuffix(".tiktoken") {
      try Files.write(try tokenizer.tiktoken(), to: output)
    } else {
      try tokenizer.write(to: output, tool: Weir.tool, replacing: true)
    }
    return Outcome(
      report: try JSONValue(encoding: ["vocabulary": Double(tokenizer.vocabularySize), "merges": Double(tokenizer.merges.count)]),
      lines: [
        "  \(Format.count(tokenizer.vocabularySize)) tokens, \(Format.count(tokenizer.merges.count)) merges; fingerprint \(tokenizer.fingerprint)"
      ])
  }
}
