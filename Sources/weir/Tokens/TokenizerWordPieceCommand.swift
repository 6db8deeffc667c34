import ArgumentParser
import Documents
import Pipeline
import Storage
import Tokenization
import Tokens

/// `weir tokenizer wordpiece VOCABULARY PATH…`.
struct TokenizerWordPieceCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "wordpiece",
    abstract: "Write the WordPiece ids of documents, as BERT models take them.",
    discussion: """
      Writes one JSON line per document with its id and tokens, without [CLS] and [SEP]. The vocabulary is a tokenizer.json \
      of type WordPiece or a vocab.txt.

      EXAMPLES:
        weir tokenizer wordpiece minilm/vocab.txt corpora/sample
      """)

  @Argument(help: ArgumentHelp("Vocabulary file or folder.", valueName: "vocabulary"))
  var vocabulary: String

  @OptionGroup var input: InputOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { [vocabulary] + input.paths }
  var writesDataToOutput: Bool { true }

  func perform(_ session: Session) throws -> Outcome {
    let pieces = try WordPiece(reading: vocabulary)
    let source = try DocumentSource(paths: input.resolvedPaths(), limit: input.maxDocument.value)
    let parse = ParseDocuments(textField: input.textField, idField: input.idField)
    let writer = try StreamWriter("-", kind: .tokens, coding: .plain)
    let stages = Stages(parse).then(WordPieceDocuments(pieces))
    let accounts = try OrderedRunner(threads: session.threads).run(stages, source: source.next) { delivery in
      try writer.write(TokenRecords.plain(delivery.output), records: delivery.output.count)
    }
    try source.finish()
    try writer.finish()
    return Outcome(accounts: accounts)
  }
}
