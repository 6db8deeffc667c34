import ArgumentParser

/// `weir tokenizer`: trains, converts and inspects tokenizers.
struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer",
    abstract: "Train, convert and inspect tokenizers.",
    subcommands: [TokenizerTrainCommand.self, TokenizerInfoCommand.self, TokenizerConvertCommand.self, TokenizerWordPieceCommand.self])
}
